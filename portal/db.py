"""The database: one engine for SQLite and PostgreSQL, sessions that only read, transactions that then ring.

SQLite: several processes write. A writer begins with BEGIN IMMEDIATE and waits its turn; a plain BEGIN that becomes a
writer half-way fails with «database is locked» whatever the time-out. Never call the network inside ``transaction``.
"""

from __future__ import annotations

import json
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import JSON, Connection, DateTime, Dialect, Engine, Enum, MetaData, create_engine, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session, SQLModel

if TYPE_CHECKING:
    from alembic.config import Config

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata: MetaData = SQLModel.metadata


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant. Naive times are refused here; SQLite, which has no zones, gets and gives UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time: use portal.clock.now")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def States(states: type[StrEnum]) -> Enum:
    """Column type of a StrEnum: stored as its value; anything else is refused before it gets there."""
    return Enum(
        states,
        native_enum=False,
        values_callable=lambda kind: [one.value for one in kind],
        length=32,
        validate_strings=True,
    )


# JSON that PostgreSQL can look into; on SQLite text.
Json = JSON().with_variant(JSONB(), "postgresql")


def _plain(value: object) -> str:
    if isinstance(value, UUID | Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} does not belong into JSON")


def engine(url: str, *, pool_size: int = 8) -> Engine:
    """An engine for ``sqlite:///…`` or ``postgresql+psycopg://…``; WAL and a busy time-out on SQLite."""
    options: dict[str, Any] = {"json_serializer": lambda value: json.dumps(value, default=_plain, ensure_ascii=False)}
    if url.startswith("sqlite"):
        # A connection reads the planner's statistics when it is opened: none may grow old.
        options["pool_recycle"] = 1800
        made = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False}, **options)
        event.listen(made, "connect", _sqlite_connect)
        event.listen(made, "begin", _sqlite_begin)
        return made
    return create_engine(url, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True, **options)


def _sqlite_connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql(f"PRAGMA query_only={0 if writes else 1}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


_MOMENT = {"sqlite": "PRAGMA data_version", "postgresql": "SELECT pg_current_snapshot()::text"}
Ring = tuple[str, str]  # what to do and the id to do it with: ("drain", "0198…")


def ring(session: Session, job: str, key: object) -> None:
    """Ask for a job once this transaction is committed; after a rollback nothing rings."""
    session.info.setdefault("rings", {})[(job, str(key))] = None


class Database:
    """Sessions on one engine. ``bell`` is called after each commit with what was asked for by ``ring``."""

    def __init__(self, url: str, bell: Callable[[list[Ring]], None] | None = None) -> None:
        self.url = url
        self.engine = engine(url)
        self.bell = bell
        self._reader = self.engine.execution_options(postgresql_readonly=True)
        self._writer = self.engine.execution_options(writes=True)
        self._watch = threading.Lock()
        self._watcher: Any = None  # a connection that asks for nothing but the moment
        _databases.add(self)

    def leave_to_parent(self) -> None:
        """In a forked worker: connect anew, and never talk over the parent's connections."""
        self.engine.dispose(close=False)
        self._inherited = self._watcher  # kept, for closing it would disturb the parent's
        self._watch, self._watcher = threading.Lock(), None

    def moment(self) -> str | None:
        """A word that stays the same for as long as nobody commits anything, here or elsewhere; None: no telling.

        SQLite counts the commits of other connections (sqlite.org/pragma.html#pragma_data_version); PostgreSQL's
        snapshots are equal exactly when the same transactions are visible in them.
        """
        with self._watch:
            try:
                self._watcher = self._watcher or self._alone()
                word = self._watcher.execute(_MOMENT[self.engine.dialect.name]).fetchone()[0]
            except (DBAPIError, self.engine.dialect.loaded_dbapi.Error):
                self._watcher = None
                return None
            return f"{id(self._watcher)} {word}"

    def _alone(self) -> Any:
        """A connection outside of the pool and of any transaction."""
        borrowed = self.engine.raw_connection()
        connection: Any = borrowed.driver_connection
        borrowed.detach()
        if not self.is_sqlite:
            connection.autocommit = True
        return connection

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that cannot write (the database refuses it)."""
        with Session(self._reader, expire_on_commit=False, autoflush=False) as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """The same, and all is seen as it is at the first look, whatever others commit meanwhile."""
        # SQLite's read transactions are like that anyway.
        still = self._reader if self.is_sqlite else self._reader.execution_options(isolation_level="REPEATABLE READ")
        with Session(still, expire_on_commit=False, autoflush=False) as session:
            yield session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One write transaction: committed at the end, rolled back on any error; then the bell rings."""
        with Session(self._writer, expire_on_commit=False) as session:
            with session.begin():
                yield session
            rings = list(session.info.get("rings", {}))
        if rings and self.bell is not None:
            self.bell(rings)

    @property
    def is_sqlite(self) -> bool:
        """Whether rows are locked by locking the whole file."""
        return self.engine.dialect.name == "sqlite"

    def dispose(self) -> None:
        """Close every connection; needed after a fork and at the end."""
        with self._watch:
            if self._watcher is not None:
                self._watcher.close()
                self._watcher = None
        self.engine.dispose()


_databases: weakref.WeakSet[Database] = weakref.WeakSet()


def _forked() -> None:
    for database in list(_databases):
        database.leave_to_parent()


os.register_at_fork(after_in_child=_forked)


def upgrade(database: Database) -> None:
    """Bring the schema to the newest migration; harmless when it is. Only one process at a time gets to do it."""
    from alembic import command

    with database.engine.execution_options(writes=True).begin() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7266)")
        command.upgrade(alembic(connection), "head")


def alembic(connection: Connection) -> Config:
    """Alembic's configuration for a connection in a transaction."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "portal:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def refresh_statistics(database: Database) -> None:
    """Tell SQLite's planner how the tables have grown; without it partial indexes are passed over. Takes milliseconds.

    PostgreSQL does that by itself. See sqlite.org/lang_analyze.html, "Approximate ANALYZE".
    """
    if database.is_sqlite:
        with database.engine.execution_options(writes=True).begin() as connection:
            connection.exec_driver_sql("PRAGMA analysis_limit=400")
            connection.exec_driver_sql("ANALYZE")
