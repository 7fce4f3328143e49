"""Reading in a child process with limits and a deadline: a hostile file costs its own reading, never the worker."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from types import TracebackType

from portal.reading.child import LIMITS, READINGS
from portal.reading.direction import ClientFacts
from portal.reading.limits import Limits, Why
from portal.reading.reading import Reading, unread

_MOST_FILES = 100  # then a fresh child, so that nothing a file left behind lasts
_MOST_ANSWER = 60_000_000  # bytes
_START = 30.0  # seconds more for the first answer of a child, which loads its libraries


class Reader:
    """Reads files one after the other in a child; after a death or a deadline the next file gets a new one.

    Use it as a context in the main thread (the kernel ends the child with the thread that started it). Whoever reads
    one file alone calls ``portal.reading.read``; who reads many saves a second per file by keeping the reader.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._child: subprocess.Popen[bytes] | None = None
        self._served = 0

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child, if there is one."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()

    def read(self, content: bytes, media_type: str, client: ClientFacts | None = None) -> Reading:
        """What is in a file; never raises for it: ``unread`` says why nothing is. ``media_type`` is ours."""
        if not content:
            return unread(Why.EMPTY)
        deadline = time.monotonic() + self.limits.seconds + (0 if self._child else _START)
        child = self._running()
        try:
            line = _exchange(child, _request(content, media_type, client), deadline)
        except TimeoutError:
            self.close()
            return unread(Why.TOO_LONG)
        except OSError:
            return self._after_death(child)
        self._served += 1
        if self._served >= _MOST_FILES:
            self.close()
        return READINGS.validate_json(line)

    def _after_death(self, child: subprocess.Popen[bytes]) -> Reading:
        self.close()
        # -24: the kernel's signal for used-up processor time (SIGXCPU).
        return unread(Why.TOO_LONG if child.returncode == -24 else Why.BROKE)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is not None:
            self.close()
        if self._child is None:
            self._child, self._served = _started(self.limits), 0
        return self._child


def _started(limits: Limits) -> subprocess.Popen[bytes]:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "portal.reading.child", str(os.getpid()), LIMITS.dump_json(limits).decode()]
    # Nothing of the portal's environment: no key, no address of the database. Libraries use one thread.
    environ = {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(root),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    child = subprocess.Popen(  # noqa: S603 - the command is ours
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ, bufsize=0
    )
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            os.set_blocking(pipe.fileno(), False)
    return child


def _request(content: bytes, media_type: str, client: ClientFacts | None) -> bytes:
    facts = None if client is None else {name: sorted(values) for name, values in asdict(client).items()}
    head = {"bytes": len(content), "media_type": media_type, "client": facts}
    return json.dumps(head).encode() + b"\n" + content


def _exchange(child: subprocess.Popen[bytes], request: bytes, deadline: float) -> bytes:
    """Send a request and take the line that answers it. TimeoutError at the deadline; OSError when the child died."""
    if child.stdin is None or child.stdout is None:
        raise OSError("no pipes")
    left, got = memoryview(request), bytearray()
    while not got.endswith(b"\n"):
        wait = deadline - time.monotonic()
        if wait <= 0:
            raise TimeoutError
        readable, writable, _ = select.select([child.stdout], [child.stdin] if left else [], [], wait)
        if writable:
            left = left[os.write(child.stdin.fileno(), left[:65536]) :]
        if readable:
            piece = os.read(child.stdout.fileno(), 1 << 16)
            if not piece or len(got) > _MOST_ANSWER:
                raise OSError("the child ended")
            got += piece
    return bytes(got)
