"""Time from the command to the first answer, and the memory of each process. Anchor: a bare Flask page on gunicorn."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.figures import Figure
from portal.config import environment
from portal.supervisor import answers, listen_on
from tests import servers

UP = [sys.executable, "-m", "portal.cli", "up"]
BARE = "from flask import Flask; app = Flask('bare'); app.add_url_rule('/healthz', view_func=lambda: 'hello')"


def measure() -> list[Figure]:
    """All figures of this script."""
    with servers.folder() as folder:
        (folder / "bare.py").write_text(BARE)
        bare = [sys.executable, "-m", "gunicorn", "--workers=2", "--threads=4", "--no-control-socket", "bare:app"]
        with _running([*bare, f"--bind=127.0.0.1:{_port()}"], folder) as (anchor, process):
            anchor_memory = [_memory(one) for one in _family(process)]
        with _running(UP, folder) as (first, process):
            pass
        with _running(UP, folder) as (second, process):
            memory = [*_named(process)]
    smallest = min(anchor_memory)
    flask = "bare Flask page"
    return [
        Figure("start-up, first time (tables are made)", first, "s", flask, anchor),
        Figure("start-up", second, "s", flask, anchor, "≤ 6 ×", second <= 6 * anchor),
        *(Figure(f"memory of {name}", size, "MB", "a bare web process", smallest) for name, size in memory),
        Figure("memory of all", sum(size for _, size in memory), "MB", "all of the bare one", sum(anchor_memory)),
    ]


def _port() -> int:
    with listen_on("127.0.0.1", 0) as door:
        return int(door.getsockname()[1])


@contextmanager
def _running(command: list[str], folder: Path) -> Iterator[tuple[float, psutil.Process]]:
    """Seconds until it answers, and its process."""
    port = str(_port())
    for word in command:
        if word.startswith("--bind="):
            port = word.rpartition(":")[2]
    environ = environment(KONTOR_DATA=str(folder / "data"), KONTOR_PORT=port)
    began = time.perf_counter()
    running = subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        servers.until(lambda: answers(f"http://127.0.0.1:{port}/healthz"), 120, "the first answer")
        yield time.perf_counter() - began, psutil.Process(running.pid)
    finally:
        running.terminate()
        running.wait(30)


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _named(process: psutil.Process) -> Iterator[tuple[str, float]]:
    time.sleep(5)  # workers and scheduler have settled
    yield "the parent", _memory(process)
    for child in process.children():
        # our own children are titled: "kontor worker 1"
        name = "Redis" if "redis" in child.name() else " ".join(child.cmdline()).strip().removeprefix("kontor ")
        yield name, _memory(child)
        for grandchild in child.children():
            yield f"{name}, a process", _memory(grandchild)


def _memory(process: psutil.Process) -> float:
    """Megabytes of its own, shared pages counted by share; where the kernel does not tell, the resident size."""
    try:
        size = process.memory_full_info().pss
    except (psutil.Error, AttributeError):
        size = 0
    return (size or process.memory_info().rss) / 1e6


if __name__ == "__main__":
    print(*measure(), sep="\n")
