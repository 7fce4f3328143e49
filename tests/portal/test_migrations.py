"""The migrations lead from nothing to exactly the tables of the models, on this run's engine, and back."""

from __future__ import annotations

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from portal import models
from portal.db import Database, alembic, metadata, upgrade

assert models  # imported for its tables


@pytest.fixture
def empty(empty_database_url: str) -> Database:
    return Database(empty_database_url)


def test_they_make_what_the_models_say(empty: Database) -> None:
    upgrade(empty)
    upgrade(empty)
    with empty.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []
    empty.dispose()


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
