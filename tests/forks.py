"""Processes of the product that start at once: forked from a server that has loaded it already, not from the test.

Real processes with an environment and a group of their own, for tests that start and kill dozens; only the second or
two in which each would load the same modules again is saved. See the start method "forkserver" of multiprocessing.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from multiprocessing.process import BaseProcess

from portal import children

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.forks", "portal.jobs", "portal.mailbox.run", "portal.cli", "worker"])


class Fork:
    """One such process; ``main`` is "module:function" and gets ``given``. What it prints is thrown away."""

    def __init__(self, main: str, *given: object, environ: Mapping[str, str]) -> None:
        self._process: BaseProcess = _context.Process(target=_run, args=(main, given, dict(environ)))
        self._process.start()

    def kill(self) -> None:
        """kill -9 of it and all it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)
        self._process.kill()  # in case it had no group yet
        self._process.join()

    def stop(self, seconds: float) -> int:
        """Ask it to end (SIGTERM); its exit code, negative for a signal."""
        self._process.terminate()
        self._process.join(seconds)
        assert self._process.exitcode is not None, f"it did not end within {seconds:g} seconds"
        return self._process.exitcode

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.is_alive()

    @property
    def _pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid


def _run(main: str, given: tuple[object, ...], environ: Mapping[str, str]) -> None:
    os.setpgid(0, 0)
    children.die_with(os.getppid())
    os.environ.clear()
    os.environ.update(environ)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    module, _, name = main.partition(":")
    sys.exit(getattr(import_module(module), name)(*given))
