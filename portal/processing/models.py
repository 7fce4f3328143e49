"""What was read from a document's file, beside what is true of the document."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from portal.db import Instant, Json


class DocumentReading(SQLModel, table=True):
    """The latest reading of a document. Corrections never touch it: they are versions of the document (D2, D6)."""

    __tablename__ = "document_reading"

    document_id: UUID = Field(foreign_key="document.id", primary_key=True)
    tries: int = 0  # begun and not ended: a file that kills its reader is given up
    begun_at: datetime | None = Field(default=None, sa_type=Instant)  # somebody is reading since then
    read_at: datetime | None = Field(default=None, sa_type=Instant)
    seconds: float | None = None  # what the reading took
    reading: dict[str, object] | None = Field(default=None, sa_column=Column(Json))  # without the pages' text
