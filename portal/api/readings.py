"""/clients/…/documents/…/reading: what was read of a file, beside what is true of its document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field

from portal.api import told
from portal.api.reach import reading, viewer, writing
from portal.api.shapes import DocumentOut, Told
from portal.documents.models import Reading as Progress
from portal.documents.services import document_or_404
from portal.i18n import say
from portal.money import Money
from portal.processing import readings
from portal.reading.findings import Finding, Level, Source
from portal.reading.reading import Reading

bp = APIBlueprint("readings", __name__, tag="Reading")
READING = "/clients/<uuid:client_id>/documents/<uuid:document_id>/reading"


class ValueOut(Told):
    """One value that was read."""

    value: str = Field(description="Dates as YYYY-MM-DD, amounts as a decimal with its currency.")
    confidence: float = Field(description="How likely it is right; from 0.95 on it is taken over.")
    source: Source
    page: int | None


class FlagOut(Told):
    """What somebody should look at."""

    level: Level
    rule: str
    text: str


class ReadingOut(Told):
    """A file's latest reading."""

    waiting: bool
    einvoice: bool
    fields: Mapping[str, ValueOut]
    flags: Sequence[FlagOut]


@bp.get(READING)
@bp.output(ReadingOut)
def show(client_id: UUID, document_id: UUID) -> ReadingOut:
    """Show what was read

    Each value with its confidence and where it stands; corrections never touch it. Empty where nothing was read yet.
    """
    with reading() as session:
        document = document_or_404(session, viewer(), client_id, document_id)
        read = readings.kept(session, document_id)
    return _told(document.reading is Progress.WAITING, read)


def _told(waiting: bool, read: Reading | None) -> ReadingOut:
    if read is None:
        return ReadingOut(waiting=waiting, einvoice=False, fields={}, flags=[])
    flags = ((read.unread,) if read.unread else ()) + read.findings.flags
    return ReadingOut(
        waiting=waiting, einvoice=read.einvoice,
        fields={name: _value(one) for name, one in read.findings.found().items()},
        flags=[FlagOut(level=flag.level, rule=flag.rule or "", text=say(flag.text, flag.facts)) for flag in flags],
    )  # fmt: skip


def _value(one: Finding[Any]) -> ValueOut:
    value = f"{one.value.decimal:f} {one.value.currency}" if isinstance(one.value, Money) else str(one.value)
    return ValueOut(value=value, confidence=one.confidence, source=one.source, page=one.page)


@bp.post(READING)
@bp.output(DocumentOut, status_code=202)
def again(client_id: UUID, document_id: UUID) -> DocumentOut:
    """Read a file again

    What people said stays. 409 for files that are never read, and for files that were split.
    """
    with writing() as session:
        return told.document(session, readings.read_again(session, viewer(), client_id, document_id))
