"""A real installation in a temporary folder, with a durable Redis as `kontor up` runs it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from portal import children
from portal.config import Settings
from portal.parts import Parts, assemble
from portal.secrets import new_key
from portal.supervisor import accepts, migrate
from tests import servers


@dataclass(frozen=True)
class Place:
    """An installation and its environment for child processes."""

    parts: Parts
    environ: dict[str, str]


@contextmanager
def place(database_url: str | None = None) -> Iterator[Place]:
    """A fresh one, on SQLite or on the empty database named; gone at the end."""
    with servers.folder() as folder, _redis(folder) as redis_url:
        settings = Settings(
            data=folder,
            database_url=database_url or f"sqlite:///{folder / 'kontor.db'}",
            redis_url=redis_url,
            files_url=f"file://{folder / 'files'}",
            secret_key=new_key(),
        )
        migrate(settings)
        parts = assemble(settings)
        try:
            yield Place(parts, environ(settings))
        finally:
            parts.db.dispose()


def environ(settings: Settings) -> dict[str, str]:
    """What a process needs to find this installation."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("KONTOR_")}
    return plain | {
        "KONTOR_DATA": str(settings.data),
        "KONTOR_DATABASE_URL": settings.database_url.replace("+psycopg", ""),
        "KONTOR_REDIS_URL": settings.redis,
        "KONTOR_SECRET_KEY": settings.secret_key,
    }


@contextmanager
def _redis(folder: Path) -> Iterator[str]:
    server = children.redis_server()
    if server is None:
        raise SystemExit("There is no Redis to measure with.")
    endpoint = folder / "bench.sock"
    running = children.start(children.redis_command(server, folder, endpoint), stdout=subprocess.DEVNULL)
    try:
        servers.until(lambda: accepts(endpoint), 10, "the start of Redis")
        yield f"unix://{endpoint}"
    finally:
        children.stop(running, 5)
