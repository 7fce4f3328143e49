from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.accounts.models import Firm
from portal.db import Database, refresh_statistics
from portal.documents.models import ATTENTION
from tests import factories


def test_the_planner_uses_the_small_index_once_it_knows_how_large_the_table_is(db: Database, firm: Firm) -> None:
    if not db.is_sqlite:
        pytest.skip("PostgreSQL gathers its statistics by itself")
    with db.transaction() as session:
        client = factories.client(session, firm)
        for _ in range(50):
            factories.document(session, client)
    refresh_statistics(db)
    db.dispose()  # statistics are read when a connection is opened
    question = f"EXPLAIN QUERY PLAN SELECT id FROM document WHERE {ATTENTION} AND client_id = :client"
    with db.read() as session:
        plan = session.connection().execute(text(question), {"client": client.id.hex}).all()
    assert "ix_document_attention" in str(plan)


def test_a_session_that_reads_cannot_write(db: Database) -> None:
    with pytest.raises(Exception, match=r"readonly|read-only"), db.read() as session:
        factories.firm(session)


def test_a_snapshot_stays_as_it_was_at_the_first_look(db: Database) -> None:
    count = text("SELECT count(*) FROM firm")
    with db.snapshot() as session:
        before = session.connection().execute(count).scalar_one()
        with db.transaction() as other:
            factories.firm(other)
        assert session.connection().execute(count).scalar_one() == before
    with db.snapshot() as session:
        assert session.connection().execute(count).scalar_one() == before + 1
    with pytest.raises(Exception, match=r"readonly|read-only"), db.snapshot() as session:
        factories.firm(session)
