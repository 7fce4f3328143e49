"""A trace of every row that somebody deleted although the portal never deletes one of its kind.

The database keeps it by itself, by triggers: the sweep writes a missing delivery anew within seconds, and without a
trace ``kontor verify`` would find nothing wrong. What must be kept is named in ``KEPT``; a migration that makes one of
these tables anew has to make its trigger anew as well (a test looks).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, event
from sqlmodel import Field, SQLModel

from portal.db import Instant, metadata

KEPT = (
    "attempt", "audit_entry", "consent", "delivery", "document", "document_version", "instance", "receipt", "refusal",
)  # fmt: skip
_FUNCTION = """CREATE OR REPLACE FUNCTION keep_trace() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO deleted_row (table_name, row_id, deleted_at) VALUES (TG_TABLE_NAME, OLD.id, now())
    ON CONFLICT DO NOTHING;
    RETURN OLD;
END $$"""


class DeletedRow(SQLModel, table=True):
    """A row that is gone and should not be."""

    __tablename__ = "deleted_row"

    table_name: str = Field(primary_key=True)
    row_id: UUID = Field(primary_key=True)
    deleted_at: datetime = Field(sa_type=Instant)


def make(_target: Any, connection: Connection, **_more: Any) -> None:
    """Make the triggers, as the migration does; called when the tables of the models are made."""
    sqlite = connection.dialect.name == "sqlite"
    if not sqlite:
        connection.exec_driver_sql(_FUNCTION)
    for table in KEPT:
        connection.exec_driver_sql(_on_sqlite(table) if sqlite else _on_postgresql(table))


def drop(connection: Connection) -> None:
    """Remove the triggers."""
    sqlite = connection.dialect.name == "sqlite"
    for table in KEPT:
        connection.exec_driver_sql(f"DROP TRIGGER trace_{table}" + ("" if sqlite else f" ON {table}"))
    if not sqlite:
        connection.exec_driver_sql("DROP FUNCTION keep_trace()")


def _on_sqlite(table: str) -> str:
    row = f"('{table}', OLD.id, strftime('%Y-%m-%d %H:%M:%f000', 'now'))"
    kept = f"INSERT OR IGNORE INTO deleted_row (table_name, row_id, deleted_at) VALUES {row};"  # noqa: S608 - our names
    return f"CREATE TRIGGER IF NOT EXISTS trace_{table} AFTER DELETE ON {table} BEGIN {kept} END"


def _on_postgresql(table: str) -> str:
    return f"CREATE OR REPLACE TRIGGER trace_{table} AFTER DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION keep_trace()"


event.listen(metadata, "after_create", make)
