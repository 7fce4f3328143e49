"""The migrations lead from nothing to exactly the tables of the models, on this run's engine, and back."""

from __future__ import annotations

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from portal import models, traces
from portal.db import Database, alembic, metadata, upgrade
from portal.documents.search_tables import is_described

assert models  # imported for its tables


@pytest.fixture
def empty(empty_database_url: str) -> Database:
    return Database(empty_database_url)


def test_they_make_what_the_models_say(empty: Database) -> None:
    upgrade(empty)
    upgrade(empty)
    with empty.engine.connect() as connection:
        opts = {"compare_type": True, "include_name": is_described}
        assert compare_metadata(MigrationContext.configure(connection, opts=opts), metadata) == []
    empty.dispose()


def test_the_table_that_is_searched_is_the_same_whichever_way_it_was_made(empty: Database, db: Database) -> None:
    """``db`` was made from the models; comparing those with a database leaves this table out."""
    upgrade(empty)
    with empty.engine.connect() as migrated, db.engine.connect() as modelled:
        assert search_table(migrated) == search_table(modelled) != []
    empty.dispose()


def test_what_must_be_kept_leaves_a_trace_whichever_way_it_was_made(empty: Database, db: Database) -> None:
    upgrade(empty)
    for made in (empty, db):
        with made.engine.connect() as connection:
            assert traced(connection) == {f"trace_{table}" for table in traces.KEPT}
    empty.dispose()


def traced(connection: Connection) -> set[str]:
    column, table = ("name", "sqlite_master") if connection.dialect.name == "sqlite" else ("tgname", "pg_trigger")
    return set(connection.exec_driver_sql(f"SELECT {column} FROM {table} WHERE {column} LIKE 'trace%%'").scalars())


def search_table(connection: Connection) -> list[tuple[str, ...]]:
    if connection.dialect.name == "sqlite":
        made = "SELECT type, name, sql FROM sqlite_master WHERE name LIKE '%document_search%'"
    else:
        made = """SELECT column_name, data_type, is_nullable FROM information_schema.columns
                  WHERE table_name = 'document_search'
                  UNION ALL SELECT indexname, indexdef, '' FROM pg_indexes WHERE tablename = 'document_search'"""
    return sorted(tuple(map(str, row)) for row in connection.exec_driver_sql(made))


def test_they_lead_back_to_nothing(empty: Database) -> None:
    upgrade(empty)
    with empty.engine.execution_options(writes=True).begin() as connection:
        command.downgrade(alembic(connection), "base")
    with empty.engine.connect() as connection:
        assert set(empty_of(connection)) <= {"alembic_version"}
    empty.dispose()


def empty_of(connection: Connection) -> list[str]:
    from sqlalchemy import inspect

    return list(inspect(connection).get_table_names())
