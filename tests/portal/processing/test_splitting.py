"""Several invoices in one file: split by page, each read and delivered by itself, nothing counted twice (D2)."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from uuid import uuid4

import pikepdf
import pytest
from sqlmodel import Session, select

from integrations.contract import DocumentKind
from portal.access import Viewer
from portal.accounts.models import Firm, Role
from portal.audit import AuditEntry
from portal.clients.models import Client
from portal.clock import Traveller
from portal.delivery import completeness, outbox
from portal.delivery.deliver import drain
from portal.delivery.models import State
from portal.demo.papers.pages import page
from portal.documents import duplicates, versions
from portal.documents.models import Document, Reading, StoredFile
from portal.errors import Conflict, Error, Invalid, NotFound
from portal.instances.models import Instance
from portal.parts import Parts
from portal.processing import corrections, readings, splitting
from portal.processing.services import settle
from portal.reading.apart import Reader
from tests import echo, factories
from tests.portal.delivery.conftest import Desk, make_desk
from tests.portal.processing.test_readings import BUYER, IN, INVOICE, actions, bring, client_named, now, pdf, state

MakeViewer = Callable[..., Viewer]


@cache
def stack(*numbers: str) -> bytes:
    """A PDF with an invoice on each page."""
    made = pikepdf.new()
    for number in numbers:
        with pikepdf.open(io.BytesIO(page("letter", language="de", invoice=replace(INVOICE, number=number)))) as one:
            made.pages.extend(one.pages)
    buffer = io.BytesIO()
    made.save(buffer, deterministic_id=True)
    return buffer.getvalue()


@pytest.fixture
def buyer(parts: Parts, firm: Firm) -> Client:
    """A client whose documents go to a storage, activated long ago and recorded."""
    made = client_named(parts, firm, BUYER.name, BUYER.vat_id)
    with parts.db.transaction() as session:
        factories.recorded(session, session.exec(select(Instance).where(Instance.client_id == made.id)).one())
    return made


@pytest.fixture
def whole(parts: Parts, buyer: Client) -> Document:
    """Two invoices in one file that was read as one."""
    document = bring(parts, buyer, stack("RE-2026-17", "RE-2026-18"), IN)
    settle(parts, document.id)
    return now(parts, document)


def split(parts: Parts, viewer: Viewer, whole: Document, *starts: int) -> list[Document]:
    return splitting.split(parts, viewer, whole.client_id, whole.id, starts or (1, 2))


def join(parts: Parts, viewer: Viewer, whole: Document) -> None:
    with parts.db.transaction() as session:
        splitting.join(session, viewer, whole.client_id, whole.id)


def content(parts: Parts, firm: Firm, document: Document) -> bytes:
    with parts.files.open(firm.id, document.sha256) as file:
        return file.read()


def read_number(parts: Parts, document: Document) -> str | None:
    with parts.db.read() as session:
        read = readings.kept(session, document.id)
    return read.findings.number.value if read and read.findings.number else None


def problems(parts: Parts, firm: Firm) -> list[str]:
    with parts.db.read() as session:
        return [one.text for one in completeness.verify(session, firm.id)]


def sums(session: Session, client: Client) -> dict[State, int]:
    instance = session.exec(select(Instance).where(Instance.client_id == client.id)).one()
    counts = completeness.counts(session, instance)
    assert (counts.difference, counts.unproven) == (0, 0)
    return dict(counts.states)


def test_reading_proposes_where_the_documents_begin(parts: Parts, whole: Document, viewer: MakeViewer) -> None:
    proposed = splitting.propose(parts, viewer(), whole.client_id, whole.id)
    assert (proposed.pages, proposed.starts) == (2, [1, 2])
    assert proposed.parts[1].text


def test_each_part_is_read_and_planned_by_itself(
    parts: Parts, firm: Firm, buyer: Client, whole: Document, viewer: MakeViewer
) -> None:
    made = split(parts, viewer(), whole)
    with Reader() as reader:
        for part in made:
            settle(parts, part.id, reader.read)
    one, two = (now(parts, part) for part in made)
    assert [read_number(parts, part) for part in (one, two)] == ["RE-2026-17", "RE-2026-18"]
    assert [(part.kind, part.gross, part.reading) for part in (one, two)] == [(IN, 35700, Reading.SETTLED)] * 2
    assert [(part.part_of, part.first_page, part.last_page) for part in (one, two)] == [
        (whole.id, 1, 1),
        (whole.id, 2, 2),
    ]
    assert [part.filename for part in (one, two)] == ["papier (1).pdf", "papier (2).pdf"]
    assert [part.arrived_at for part in (one, two)] == [whole.arrived_at] * 2
    assert [part.twin_id for part in (one, two)] == [None, None]
    assert [state(parts, part) for part in (one, two)] == [State.QUEUED] * 2
    with parts.db.read() as session:
        assert sums(session, buyer) == {State.QUEUED: 2, State.EXCLUDED: 1}
    assert problems(parts, firm) == []


def test_the_file_stays_as_it_came_and_says_nothing_more(
    parts: Parts, firm: Firm, whole: Document, viewer: MakeViewer
) -> None:
    split(parts, viewer(), whole)
    after = now(parts, whole)
    assert (after.sha256, content(parts, firm, after)) == (whole.sha256, stack("RE-2026-17", "RE-2026-18"))
    assert (after.kind, after.number, after.gross, after.removed_at) == (DocumentKind.OTHER, None, None, None)
    assert state(parts, after) is State.EXCLUDED
    assert actions(parts, whole)[-1] == "document.split"


def test_the_same_pages_are_the_same_bytes(parts: Parts, firm: Firm, whole: Document, viewer: MakeViewer) -> None:
    first = split(parts, viewer(), whole)
    join(parts, viewer(), whole)
    again = split(parts, viewer(), whole)
    assert [part.sha256 for part in first] == [part.sha256 for part in again]
    for part in again:
        made = content(parts, firm, part)
        assert hashlib.sha256(made).hexdigest() == part.sha256
        assert len(made) == part.size
        with pikepdf.open(io.BytesIO(made)) as opened:
            assert len(opened.pages) == 1
    with parts.db.read() as session:
        kept = session.exec(select(StoredFile).where(StoredFile.sha256 == first[0].sha256)).all()
    assert len(kept) == 1


def test_taken_back_the_file_says_what_it_said_and_goes_again(
    parts: Parts, firm: Firm, buyer: Client, whole: Document, viewer: MakeViewer
) -> None:
    made = split(parts, viewer(), whole)
    join(parts, viewer(), whole)
    after = now(parts, whole)
    facts = ("kind", "party_name", "number", "issued_on", "due_on", "currency", "net", "tax", "gross", "lines")
    assert [getattr(after, name) for name in facts] == [getattr(whole, name) for name in facts]
    assert state(parts, after) is State.QUEUED
    assert all(now(parts, part).removed_at for part in made)
    with parts.db.read() as session:
        assert sums(session, buyer) == {State.QUEUED: 1, State.EXCLUDED: 2}
    assert problems(parts, firm) == []


def test_a_part_comes_back_only_while_its_file_is_split(parts: Parts, whole: Document, viewer: MakeViewer) -> None:
    made = split(parts, viewer(), whole)
    join(parts, viewer(), whole)
    with pytest.raises(Conflict), parts.db.transaction() as session:
        corrections.restore(session, viewer(), whole.client_id, [made[0].id])


def test_what_was_delivered_of_the_file_stays_on_record(
    clock: Traveller, parts: Parts, firm: Firm, viewer: MakeViewer
) -> None:
    kept = echo.install()
    desk: Desk = make_desk(parts, firm)
    whole = desk.add(content=stack("RE-2026-17", "RE-2026-18"))
    drain(parts, desk.instance.id)
    assert desk.state(whole) is State.DELIVERED
    made = split(parts, viewer(), whole)
    assert desk.state(whole) is State.DELIVERED
    for part in made:
        settle(parts, part.id)
    clock.advance(timedelta(days=1))
    drain(parts, desk.instance.id)
    assert [desk.state(part) for part in made] == [State.DELIVERED] * 2
    assert len(kept.things) == 3
    with parts.db.read() as session:
        assert sums(session, desk.client) == {State.DELIVERED: 3}
    assert problems(parts, firm) == []


def test_pages_of_a_file_from_before_activation_go_nowhere(parts: Parts, whole: Document, viewer: MakeViewer) -> None:
    with parts.db.transaction() as session:
        instance = session.exec(select(Instance).where(Instance.client_id == whole.client_id)).one()
        instance.sync_from = whole.arrived_at + timedelta(hours=1)
        outbox.plan_instance(session, instance)
    for part in split(parts, viewer(), whole):
        assert state(parts, part) is State.BEFORE_ACTIVATION


def test_a_repeated_file_is_still_seen_after_the_first_was_split(
    parts: Parts, buyer: Client, whole: Document, viewer: MakeViewer
) -> None:
    split(parts, viewer(), whole)
    assert bring(parts, buyer, stack("RE-2026-17", "RE-2026-18"), IN).twin_id == whole.id


def test_an_undecided_twin_is_not_split(parts: Parts, buyer: Client, whole: Document, viewer: MakeViewer) -> None:
    twin = bring(parts, buyer, stack("RE-2026-17", "RE-2026-18"), IN)
    with pytest.raises(Conflict):
        split(parts, viewer(), twin)


def test_a_split_file_is_corrected_and_read_at_its_parts_only(
    parts: Parts, whole: Document, viewer: MakeViewer
) -> None:
    split(parts, viewer(), whole)
    with pytest.raises(Conflict), parts.db.transaction() as session:
        corrections.correct(session, viewer(), whole.client_id, whole.id, kind=IN)
    with pytest.raises(Conflict), parts.db.transaction() as session:
        readings.read_again(session, viewer(), whole.client_id, whole.id)
    with pytest.raises(Conflict):
        split(parts, viewer(), whole)


def test_a_part_can_be_split_and_holds_its_file_together(parts: Parts, buyer: Client, viewer: MakeViewer) -> None:
    whole = bring(parts, buyer, stack("RE-2026-17", "RE-2026-18", "RE-2026-19"), IN)
    settle(parts, whole.id)
    _first, rest = split(parts, viewer(), whole, 1, 2)
    inner = split(parts, viewer(), rest, 1, 2)
    assert [(part.part_of, part.first_page) for part in inner] == [(rest.id, 1), (rest.id, 2)]
    with pytest.raises(Conflict):
        join(parts, viewer(), whole)
    join(parts, viewer(), rest)
    join(parts, viewer(), whole)
    assert now(parts, whole).split_version is None


@pytest.mark.parametrize("starts", [(1,), (2, 3), (1, 1), (1, 3), (2, 1), (0, 1), (1, 2, 3)])
def test_cuts_that_leave_out_or_invent_pages_are_refused(
    parts: Parts, whole: Document, viewer: MakeViewer, starts: tuple[int, ...]
) -> None:
    with pytest.raises(Error) as refused:
        split(parts, viewer(), whole, *starts)
    assert refused.type in {Conflict, Invalid}
    assert now(parts, whole).split_version is None


def test_somebody_quicker_is_not_overwritten(parts: Parts, whole: Document, viewer: MakeViewer) -> None:
    with pytest.raises(Conflict):
        splitting.split(parts, viewer(), whole.client_id, whole.id, (1, 2), expected=whole.version - 1)


def test_who_may_not_correct_does_not_split(parts: Parts, whole: Document, viewer: MakeViewer) -> None:
    reader = viewer(Role.ASSISTANT, assigned=(whole.client_id,))
    with pytest.raises(NotFound):
        split(parts, reader, whole)
    with pytest.raises(NotFound):
        splitting.propose(parts, reader, whole.client_id, whole.id)
    with pytest.raises(NotFound):
        splitting.split(parts, viewer(), whole.client_id, uuid4(), (1, 2))


def encrypted() -> bytes:
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(stack("RE-2026-17", "RE-2026-18"))) as opened:
        opened.save(buffer, encryption=pikepdf.Encryption(owner="o", user="u"))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "hostile",
    [encrypted(), stack("RE-2026-17", "RE-2026-18")[:120], factories.PDF, b"%PDF-1.7\n" + b"[" * 90_000],
)
def test_files_that_cannot_be_opened_stay_whole_documents(
    parts: Parts, buyer: Client, viewer: MakeViewer, hostile: bytes
) -> None:
    document = bring(parts, buyer, hostile, IN)
    with pytest.raises((Conflict, Invalid)):
        split(parts, viewer(), document)
    assert now(parts, document).split_version is None


def test_scripts_do_not_come_along(parts: Parts, firm: Firm, buyer: Client, viewer: MakeViewer) -> None:
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(stack("RE-2026-17", "RE-2026-18"))) as opened:
        script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
        opened.Root.OpenAction = script
        opened.pages[0].obj.AA = pikepdf.Dictionary(O=script)
        link = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 9, 9], A=script)
        opened.pages[1].obj.Annots = pikepdf.Array([link])
        opened.save(buffer)
    whole = bring(parts, buyer, buffer.getvalue(), IN)
    for part in split(parts, viewer(), whole):
        with pikepdf.open(io.BytesIO(content(parts, firm, part))) as opened:
            assert "JavaScript" not in "".join(repr(thing) for thing in opened.objects)


def test_a_picture_is_not_split(parts: Parts, buyer: Client, viewer: MakeViewer) -> None:
    document = bring(parts, buyer, b"\x89PNG\r\n\x1a\n" + bytes(60), IN)
    with pytest.raises(Conflict):
        splitting.propose(parts, viewer(), buyer.id, document.id)
    one_page = bring(parts, buyer, pdf(), IN)
    with pytest.raises(Conflict):
        splitting.propose(parts, viewer(), buyer.id, one_page.id)


def test_the_trail_says_which_pages_became_what(parts: Parts, whole: Document, viewer: MakeViewer) -> None:
    made = split(parts, viewer(), whole)
    with parts.db.read() as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.subject_id == made[1].id)).all()
        assert versions.said(versions.history(session, session.get_one(Document, made[1].id))) == {"kind": 1}
        assert duplicates.find(session, session.get_one(Document, made[1].id)) is None
    facts = entries[0].facts
    assert (entries[0].action, facts["part_of"], facts["first"], facts["last"]) == (
        "document.received", str(whole.id), 2, 2,
    )  # fmt: skip
