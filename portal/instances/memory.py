"""What the connector of one instance remembers between jobs (``integrations.contract.Memory``)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from integrations.contract import Memory
from portal.db import Database
from portal.instances.models import Remembered
from portal.parts import Parts


class Stored:
    """Facts in the table ``remembered``; each call is a transaction of its own."""

    def __init__(self, db: Database, instance_id: UUID) -> None:
        self._db, self._instance_id = db, instance_id

    def get(self, key: str) -> str | None:
        """The value, or None."""
        with self._db.read() as session:
            return self._get(session, key)

    def claim(self, key: str, value: str) -> str:
        """Store ``value`` unless there is one; the value that everybody gets."""
        with self._db.transaction() as session:
            session.execute(self._insert(key, value).on_conflict_do_nothing())
            stored = self._get(session, key)
        return value if stored is None else stored

    def put(self, key: str, value: str) -> None:
        """Store ``value`` whatever was there."""
        columns = [col(Remembered.instance_id), col(Remembered.key)]
        with self._db.transaction() as session:
            session.execute(
                self._insert(key, value).on_conflict_do_update(index_elements=columns, set_={"value": value})
            )

    def forget(self, key: str) -> None:
        """Remove the value; harmless when there is none."""
        mine = delete(Remembered).where(col(Remembered.instance_id) == self._instance_id, col(Remembered.key) == key)
        with self._db.transaction() as session:
            session.execute(mine)

    def _get(self, session: Session, key: str) -> str | None:
        found = session.get(Remembered, (self._instance_id, key), populate_existing=True)
        return found.value if found else None

    def _insert(self, key: str, value: str) -> sqlite.Insert | postgresql.Insert:
        insert = sqlite.insert if self._db.is_sqlite else postgresql.insert
        return insert(Remembered).values(instance_id=self._instance_id, key=key, value=value)


def memory(parts: Parts, instance_id: UUID) -> Memory:
    """The memory of one instance."""
    return Stored(parts.db, instance_id)
