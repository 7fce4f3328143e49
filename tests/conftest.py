"""What every test may ask for. KONTOR_TEST_DATABASE (sqlite or postgresql) chooses the engine for the whole run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import certifi
import pytest
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from redis import Redis
from sqlmodel import Session

import portal
from portal import clock as portal_clock
from portal import models
from portal.access import Viewer, viewer_of
from portal.accounts.models import Firm, Person, Role
from portal.clock import Traveller
from portal.config import Settings
from portal.db import Database, metadata
from portal.parts import Parts, assemble
from portal.secrets import new_key
from tests import factories, servers

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

ENGINE = os.environ.get("KONTOR_TEST_DATABASE") or "sqlite"
assert models  # imported for its tables
_SECRET_KEY = new_key()
_TEMPLATE = "kontor_template"
_cluster = pytest.StashKey[Path]()
_stack = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    """One PostgreSQL cluster with one template serves the whole run; xdist's workers are told where it is."""
    if ENGINE not in {"sqlite", "postgresql"}:
        raise pytest.UsageError(f"KONTOR_TEST_DATABASE is sqlite or postgresql, not {ENGINE}")
    stack = config.stash[_stack] = ExitStack()
    _trust_one_authority(stack)
    if ENGINE == "sqlite" or config.option.collectonly:
        return
    if worker := getattr(config, "workerinput", None):
        config.stash[_cluster] = Path(worker["cluster"])
        return
    try:
        place = config.stash[_cluster] = stack.enter_context(servers.postgresql())
    except servers.Missing as error:
        raise pytest.UsageError(str(error)) from error
    servers.sql(place, f"CREATE DATABASE {_TEMPLATE}")
    _fill(_postgresql_url(place, _TEMPLATE))


def _trust_one_authority(stack: ExitStack) -> None:
    """Nothing here speaks TLS with the world, and loading all its authorities takes longer than most tests."""
    first, end, _others = certifi.contents().partition("-----END CERTIFICATE-----")
    authority = stack.enter_context(servers.folder()) / "authority.pem"
    authority.write_text(f"{first}{end}\n")
    os.environ["SSL_CERT_FILE"] = str(authority)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Tell a worker of xdist where the cluster is."""
    config: pytest.Config = node.config  # type: ignore[attr-defined]
    if _cluster in config.stash:
        node.workerinput["cluster"] = str(config.stash[_cluster])  # type: ignore[attr-defined]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started for the whole run."""
    if _stack in config.stash:
        config.stash[_stack].close()


def pytest_report_header() -> str:
    """Say which engine this run proves."""
    return f"database: {ENGINE}"


def _fill(url: str) -> None:
    database = Database(url)
    with database.engine.execution_options(writes=True).begin() as connection:
        metadata.create_all(connection)
        MigrationContext.configure(connection).stamp(
            ScriptDirectory(str(Path(portal.__file__).parent / "migrations")), "head"
        )
    database.dispose()


def _postgresql_url(place: Path, name: str) -> str:
    return f"postgresql+psycopg://kontor@/{name}?host={place}"


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "kontor.db"
    _fill(f"sqlite:///{path}")
    return path


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database with all tables, this test's own; tests of migrations show that these make the same tables."""
    if ENGINE == "sqlite":
        path = tmp_path / "kontor.db"
        shutil.copyfile(request.getfixturevalue("_sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    emptied: servers.Emptied = request.getfixturevalue("_emptied")
    yield _postgresql_url(emptied.place, emptied.name)
    emptied.empty()


@pytest.fixture(scope="session")
def _emptied(request: pytest.FixtureRequest) -> Iterator[servers.Emptied]:
    made = servers.Emptied(request.config.stash[_cluster], _TEMPLATE)
    yield made
    made.drop()


@pytest.fixture
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table, for tests of migrations and first starts."""
    if ENGINE == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    place, name = request.config.stash[_cluster], f"empty_{uuid4().hex}"
    servers.sql(place, f"CREATE DATABASE {name}")
    yield _postgresql_url(place, name)
    servers.sql(place, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def _redis_server() -> Iterator[str]:
    with servers.redis() as url:
        yield url


@pytest.fixture
def redis_url(_redis_server: str) -> str:
    """A real Redis with nothing in it."""
    with Redis.from_url(_redis_server) as client:
        client.flushall()
    return _redis_server


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """A client of this test's Redis."""
    with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def settings(tmp_path: Path, database_url: str, redis_url: str) -> Settings:
    """A complete installation in a temporary folder; change it with ``dataclasses.replace``."""
    data = tmp_path / "data"
    data.mkdir()
    return Settings(
        data=data,
        database_url=database_url,
        redis_url=redis_url,
        files_url=f"file://{data / 'files'}",
        secret_key=_SECRET_KEY,
        port=0,
    )


@pytest.fixture
def environ(settings: Settings) -> dict[str, str]:
    """The same installation as an environment for child processes."""
    return {name: value for name, value in os.environ.items() if not name.startswith("KONTOR_")} | {
        "KONTOR_DATA": str(settings.data),
        "KONTOR_DATABASE_URL": settings.database_url.replace("+psycopg", ""),
        "KONTOR_REDIS_URL": settings.redis,
        "KONTOR_FILES_URL": settings.files_url,
        "KONTOR_SECRET_KEY": settings.secret_key,
        "KONTOR_PORT": str(settings.port),
    }


@pytest.fixture
def parts(settings: Settings) -> Iterator[Parts]:
    """The real parts: database, files, vault; rings go to the real Redis."""
    made = assemble(settings)
    yield made
    _close(made)


def _close(parts: Parts) -> None:
    parts.db.dispose()
    bell = parts.db.bell
    if bell is not None:
        bell.redis.close()  # type: ignore[attr-defined]


@pytest.fixture
def db(parts: Parts) -> Database:
    """The database of ``parts``."""
    return parts.db


@pytest.fixture
def session(db: Database) -> Iterator[Session]:
    """One open write transaction that is committed when the test ends; for tests of one service at a time.

    On SQLite it keeps every other writer out: tests of jobs and pages use ``db.transaction()`` instead.
    """
    with db.transaction() as opened:
        yield opened


@pytest.fixture
def clock() -> Iterator[Traveller]:
    """The clock of this process stands at Wednesday 2026-03-04 09:00 UTC until the test moves it."""
    with portal_clock.travel(datetime(2026, 3, 4, 9, 0, tzinfo=UTC)) as traveller:
        yield traveller


@pytest.fixture
def firm(db: Database) -> Firm:
    """A firm, committed."""
    with db.transaction() as opened:
        return factories.firm(opened)


@pytest.fixture
def viewer(db: Database, firm: Firm) -> Callable[..., Viewer]:
    """``viewer(role)``: a new member of ``firm`` in that role (an owner by default), signed in.

    ``assigned`` are ids of clients the member works for.
    """

    def make(role: Role = Role.OWNER, *, assigned: tuple[UUID, ...] = ()) -> Viewer:
        with db.transaction() as opened:
            member = factories.member(opened, firm, role=role, assigned=assigned)
            found = viewer_of(opened, member.person_id, address="127.0.0.1")
        assert found is not None
        return found

    return make


@pytest.fixture(scope="session")
def _sandbox_process() -> Iterator[servers.Sandbox]:
    with servers.sandbox() as running:
        yield running


@pytest.fixture
def sandbox(_sandbox_process: servers.Sandbox) -> servers.Sandbox:
    """The provider simulators as a process of this run: no faults, real time; accounts are shared, so use own ones."""
    import httpx

    with httpx.Client(base_url=f"{_sandbox_process.url}/_control/") as control:
        for path in ("faults", "clock", "log"):
            control.delete(path).raise_for_status()
    return _sandbox_process


@pytest.fixture
def own_app(settings: Settings) -> Iterator[Flask]:
    """The web application on this test's installation, for tests that change it."""
    from portal import create_app

    made = create_app(settings)
    yield made
    _close(made.extensions["kontor"])


@pytest.fixture(scope="session")
def _shared_app(tmp_path_factory: pytest.TempPathFactory, _redis_server: str) -> Flask:
    from portal import create_app

    nowhere = tmp_path_factory.mktemp("nowhere")
    return create_app(
        Settings(
            data=nowhere,
            database_url=f"sqlite:///{nowhere / 'kontor.db'}",
            redis_url=_redis_server,
            files_url=f"file://{nowhere / 'files'}",
            secret_key=_SECRET_KEY,
            port=0,
        )
    )


@pytest.fixture
def app(_shared_app: Flask, settings: Settings) -> Iterator[Flask]:
    """The web application on this test's installation. Put together once for all tests, which takes a tenth of a
    second; only its parts and its configuration are this test's own."""
    parts = assemble(settings)
    both = (_shared_app, _shared_app.extensions["kontor-api"])
    before = [dict(one.config) for one in both]
    for one in both:
        one.extensions["kontor"] = parts
    yield _shared_app
    for one, config in zip(both, before, strict=True):
        one.config.clear()
        one.config.update(config)
    _close(parts)


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    """Somebody who is not signed in."""
    return app.test_client()


@pytest.fixture
def signed_in(app: Flask) -> Callable[[Person | Viewer], FlaskClient]:
    """``signed_in(person)``: a browser in which this person is signed in."""
    return lambda who: factories.sign_in(app, who.person_id if isinstance(who, Viewer) else who.id)
