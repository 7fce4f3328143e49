"""`kontor up` as a whole: real processes, a real Redis, and what remains of them."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from portal.supervisor import accepts, answers
from tests.servers import folder, until

UP = [sys.executable, "-m", "portal.cli", "up"]


class Running:
    """One `kontor up`; ``address`` is what it printed."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.data = Path(environ["KONTOR_DATA"])
        self.parent = subprocess.Popen(UP, env=environ, stdout=subprocess.PIPE, text=True)
        assert self.parent.stdout is not None
        first = self.parent.stdout.readline()
        found = re.search(r"http://\S+", first)
        assert found, f"no address in {first!r}"
        self.address = found.group()

    def family(self) -> list[psutil.Process]:
        """All processes below the parent, however deep."""
        return psutil.Process(self.parent.pid).children(recursive=True)

    def redis(self) -> psutil.Process:
        """The Redis that lives: one that was killed may still be waiting for its parent to notice."""
        found = [one for one in self.family() if "redis-server" in one.name()]
        return next(one for one in found if one.status() != psutil.STATUS_ZOMBIE)

    def has_other_redis(self, than: psutil.Process) -> bool:
        """Whether another Redis took the place of one that was killed, and answers."""
        with suppress(StopIteration, psutil.NoSuchProcess):
            return self.redis().pid != than.pid and accepts(self.data / "redis.sock")
        return False

    def close(self) -> None:
        self.parent.kill()
        self.parent.wait()
        if self.parent.stdout:
            self.parent.stdout.close()


@pytest.fixture
def installation(environ: dict[str, str], empty_database_url: str) -> Iterator[dict[str, str]]:
    """The environment of a new machine: nothing there, no Redis given."""
    with folder() as place:
        data = {"KONTOR_DATA": str(place / "data"), "KONTOR_FILES_URL": f"file://{place / 'files'}"}
        changed = {**environ, **data, "KONTOR_DATABASE_URL": empty_database_url.replace("+psycopg", "")}
        del changed["KONTOR_REDIS_URL"]
        yield changed


@pytest.fixture
def running(installation: dict[str, str]) -> Iterator[Running]:
    made = Running(installation)
    yield made
    made.close()


def _gone(processes: list[psutil.Process]) -> bool:
    return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes)


def test_it_runs_heals_and_stops_without_leaving_anything(running: Running, installation: dict[str, str]) -> None:
    assert answers(f"{running.address}/readyz")
    assert [path for path in running.data.rglob("*") if path.stat().st_mode & 0o077 and not path.is_socket()] == []

    second = subprocess.run(UP, check=False, env=installation, capture_output=True, text=True, timeout=30)
    assert second.returncode == 1
    assert str(running.parent.pid) in second.stderr

    redis = running.redis()
    redis.kill()
    until(lambda: running.has_other_redis(redis), 10, "Redis again")

    family = running.family()
    assert len(family) >= 7  # redis, web and its two, two workers, scheduler
    began = time.monotonic()
    running.parent.send_signal(signal.SIGTERM)
    assert running.parent.wait(20) == 0
    assert time.monotonic() - began < 10
    assert _gone(family)


def test_nothing_is_left_after_the_parent_is_killed(running: Running) -> None:
    family = running.family()
    running.parent.kill()
    running.parent.wait()
    until(lambda: _gone(family), 5, "the end of all children")


def test_a_start_after_a_crash_works_and_data_is_still_there(installation: dict[str, str]) -> None:
    first = Running(installation)
    first.close()
    second = Running(installation)
    try:
        assert answers(f"{second.address}/readyz")
    finally:
        second.close()


def test_a_taken_port_is_told_in_one_sentence(installation: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            UP, check=False, env={**installation, "KONTOR_PORT": port}, capture_output=True, text=True, timeout=30
        )
    assert done.returncode == 1
    assert port in done.stderr
    assert "Traceback" not in done.stderr


def test_every_wrong_setting_is_named_at_once(installation: dict[str, str]) -> None:
    wrong = {**installation, "KONTOR_PORT": "many", "KONTOR_DATABASE_URL": "mysql://x"}
    done = subprocess.run(UP, check=False, env=wrong, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert "KONTOR_PORT" in done.stderr
    assert "KONTOR_DATABASE_URL" in done.stderr


def test_a_data_folder_with_a_long_path_gets_a_short_socket(installation: dict[str, str], tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    running = Running({**installation, "KONTOR_DATA": str(deep)})
    try:
        assert not (deep / "redis.sock").exists()
        listening = running.redis().cmdline()
        endpoint = Path(
            next(word for word in " ".join(listening).split() if word.endswith("redis.sock")).split(":")[-1]
        )
        assert endpoint.parent.stat().st_uid == os.getuid()
        assert endpoint.parent.stat().st_mode & 0o077 == 0
    finally:
        running.close()
