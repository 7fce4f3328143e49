"""The table that the search looks into. No model describes it: each engine keeps it in its own way.

``place`` (on SQLite the rowid) is ``DocumentText.place``. SQLite's tokenizer only cuts at blanks: what the terms of a
text are is decided in ``documents.terms``, for both engines alike.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

NAME = "document_search"
MAKE = {
    "sqlite": (
        (
            f"CREATE VIRTUAL TABLE {NAME} USING fts5"
            " (scope, words, more, tokenize = \"ascii tokenchars '~='\", columnsize = 0)"
        ),
    ),
    "postgresql": (
        (
            f"CREATE TABLE {NAME}"
            f" (place BIGINT NOT NULL, vector TSVECTOR NOT NULL, CONSTRAINT pk_{NAME} PRIMARY KEY (place))"
        ),
        # Without a list of what is still to be sorted in: every search would have to go through it.
        f"CREATE INDEX ix_{NAME}_vector ON {NAME} USING gin (vector) WITH (fastupdate = off)",
    ),
}


def make(_target: Any, connection: Connection, **_more: Any) -> None:
    """Make it, as the migration does; called when the tables of the models are made."""
    for statement in MAKE[connection.dialect.name]:
        connection.exec_driver_sql(statement)


def drop(_target: Any, connection: Connection, **_more: Any) -> None:
    """Remove it."""
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {NAME}")


def is_described(name: str | None, kind: str, _parents: object) -> bool:
    """Whether models describe this table; for comparing them with a database. FTS5 keeps some tables of its own."""
    return kind != "table" or name is None or not name.startswith(NAME)
