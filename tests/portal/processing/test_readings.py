"""What is read is kept beside the document, what is sure is taken over, and what people say wins over both (D2, D3)."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache

import pytest
from sqlmodel import col, select

from integrations.contract import DocumentKind
from portal import audit
from portal.access import Viewer
from portal.accounts.models import Firm, Role
from portal.audit import AuditEntry, By
from portal.clients.models import Client
from portal.clock import Traveller
from portal.delivery.models import Delivery, State
from portal.delivery.sweep import ring_due
from portal.demo.papers.companies import german
from portal.demo.papers.einvoice import ubl
from portal.demo.papers.invoices import Invoice, Item
from portal.demo.papers.pages import page
from portal.documents import search, versions
from portal.documents.models import Document, DocumentText, Reading, Source
from portal.errors import Conflict, NotFound
from portal.instances.models import InstanceState
from portal.intake import receive
from portal.money import Money
from portal.parts import Parts
from portal.processing import corrections, readings
from portal.processing.models import DocumentReading
from portal.processing.services import settle
from portal.queue import READING, Bell
from portal.reading.direction import ClientFacts, Decision, Reason
from portal.reading.findings import Direction, Finding, Findings, Paper
from portal.reading.findings import Source as From
from portal.reading.limits import Why
from portal.reading.reading import Reading as Read
from portal.reading.reading import unread
from tests import factories

MakeViewer = Callable[..., Viewer]
SELLER = german("Nadelwerk GmbH", "Gasse 1", "23552 Lübeck")
BUYER = german("Leseladen KG", "Weg 2", "23552 Lübeck")
INVOICE = Invoice(
    seller=SELLER, buyer=BUYER, number="RE-2026-17", issued_on=date(2026, 3, 2), due_on=date(2026, 3, 16),
    items=(Item(text="Nadeln", quantity=Decimal(3), price=Decimal("100.00")),), layout="letter",
)  # fmt: skip
IN, OUT, RECEIPT = DocumentKind.INCOMING_INVOICE, DocumentKind.OUTGOING_INVOICE, DocumentKind.RECEIPT


@cache
def xml() -> bytes:
    return ubl(INVOICE)


@cache
def pdf() -> bytes:
    return page(INVOICE.layout, language="de", invoice=INVOICE)


@pytest.fixture
def buyer(parts: Parts, firm: Firm) -> Client:
    """The buyer of the invoice, whose documents go to a storage."""
    return client_named(parts, firm, BUYER.name, BUYER.vat_id)


def client_named(parts: Parts, firm: Firm, name: str, vat_id: str | None) -> Client:
    with parts.db.transaction() as session:
        made = factories.client(session, firm, name=name, vat_id=vat_id)
        factories.instance(
            session, made, factories.installation(session, firm), state=InstanceState.ACTIVE,
            takes=[kind.value for kind in DocumentKind], sync_from=datetime(2020, 1, 1, tzinfo=UTC),
        )  # fmt: skip
        return made


def bring(parts: Parts, client: Client, content: bytes, kind: DocumentKind | None = None, **more: object) -> Document:
    given = {"source": Source.UPLOAD, "kind": kind, **more}
    answer = receive(parts, By(), client.id, "papier", io.BytesIO(content), **given)  # type: ignore[arg-type]
    assert isinstance(answer, Document)
    return answer


def now(parts: Parts, document: Document) -> Document:
    with parts.db.read() as session:
        return session.get_one(Document, document.id)


def state(parts: Parts, document: Document) -> State:
    with parts.db.read() as session:
        found = select(Delivery).where(Delivery.document_id == document.id, col(Delivery.current))
        return session.exec(found).one().state


def actions(parts: Parts, document: Document) -> list[str]:
    with parts.db.read() as session:
        entries = select(AuditEntry).where(AuditEntry.subject_id == document.id).order_by(col(AuditEntry.number))
        return [entry.action for entry in session.exec(entries)]


def said(reading: Read) -> readings.Read:
    """A reader that finds this in every file."""
    return lambda _content, _media_type, _facts: reading


def findings(confidence: float = 0.99, **more: object) -> Findings:
    """A purchase of 119 euros as a reader of pages finds it."""
    values: dict[str, object] = {
        "paper": Paper.INVOICE, "seller": "Nadelwerk GmbH", "number": "17", "issued_on": date(2026, 3, 2),
        "currency": "EUR", "net": Money(10000, "EUR"), "tax": Money(1900, "EUR"), "gross": Money(11900, "EUR"), **more,
    }  # fmt: skip
    found = {name: Finding(value=value, confidence=confidence, source=From.TEXT) for name, value in values.items()}
    return Findings(**found)  # type: ignore[arg-type]


PURCHASE = Decision(Direction.PURCHASE, 0.98, ())


def sale(confidence: float) -> Decision:
    return Decision(Direction.SALE, confidence, ())


def test_an_e_invoice_reads_itself_and_goes_where_it_belongs(parts: Parts, buyer: Client) -> None:
    document = bring(parts, buyer, xml())
    assert state(parts, document) is State.READING
    settle(parts, document.id)

    after = now(parts, document)
    assert (after.kind, after.reading, after.version) == (IN, Reading.SETTLED, 2)
    assert (after.party_name, after.number, after.issued_on) == ("Nadelwerk GmbH", "RE-2026-17", date(2026, 3, 2))
    assert (after.currency, after.net, after.tax, after.gross) == ("EUR", 30000, 5700, 35700)
    assert [line["description"] for line in after.lines] == ["Nadeln"]
    assert state(parts, document) is State.QUEUED
    assert actions(parts, document) == ["document.received", "document.read"]
    with parts.db.read() as session:
        kept = versions.history(session, after)
        assert [(one.version, one.by) for one in kept] == [(2, None), (1, None)]
        assert audit.broken(session, buyer.firm_id) is None


def test_reading_a_second_time_changes_nothing(parts: Parts, buyer: Client) -> None:
    document = bring(parts, buyer, xml())
    settle(parts, document.id)
    settle(parts, document.id)
    assert now(parts, document).version == 2
    assert actions(parts, document) == ["document.received", "document.read"]


def test_what_is_kept_of_a_reading_are_values_and_places_but_no_texts_of_pages(parts: Parts, buyer: Client) -> None:
    document = bring(parts, buyer, pdf(), IN)
    settle(parts, document.id)
    with parts.db.read() as session:
        row = session.get_one(DocumentReading, document.id)
        kept = readings.kept(session, document.id)
    assert kept is not None
    assert kept.findings.gross is not None
    assert kept.findings.gross.box is not None
    assert kept.text.strip() == ""
    assert "Nadeln" not in str(row.reading).replace("Nadelwerk", "")
    assert row.read_at is not None
    assert row.seconds is not None


def test_the_fields_that_somebody_gave_are_left_as_they_are(parts: Parts, buyer: Client) -> None:
    fields = {"number": "by hand", "currency": "EUR", "gross": 1}
    document = bring(parts, buyer, xml(), None, fields=fields)
    settle(parts, document.id)

    after = now(parts, document)
    assert (after.kind, after.number, after.gross, after.net, after.lines) == (IN, "by hand", 1, None, [])
    assert after.party_name == "Nadelwerk GmbH"


def test_amounts_of_another_currency_than_the_one_given_are_not_taken(parts: Parts, buyer: Client) -> None:
    document = bring(parts, buyer, xml(), None, fields={"currency": "CHF"})
    settle(parts, document.id)
    after = now(parts, document)
    assert (after.currency, after.gross, after.number) == ("CHF", None, "RE-2026-17")


def test_a_value_that_is_not_sure_stays_a_proposal(parts: Parts, buyer: Client) -> None:
    document = bring(parts, buyer, pdf(), IN)
    settle(parts, document.id, said(Read(findings=findings(0.9), decision=PURCHASE)))
    after = now(parts, document)
    assert (after.version, after.gross, after.reading) == (1, None, Reading.SETTLED)
    with parts.db.read() as session:
        kept = readings.kept(session, document.id)
    assert kept is not None
    assert kept.findings.number is not None
    assert (kept.findings.number.value, kept.findings.number.confidence) == ("17", 0.9)


def test_a_value_that_the_checks_refuse_is_left_out_and_the_others_are_kept(parts: Parts, buyer: Client) -> None:
    document = bring(parts, buyer, pdf(), IN)
    broken = findings(seller_vat_id="DE000000000", issued_on=date(1901, 1, 1))
    settle(parts, document.id, said(Read(findings=broken, decision=PURCHASE)))
    after = now(parts, document)
    assert (after.party_vat_id, after.issued_on, after.gross, after.number) == (None, None, 11900, "17")


@pytest.mark.parametrize(
    ("kind", "decision", "expected"),
    [
        (IN, sale(0.95), OUT),
        (RECEIPT, sale(0.95), OUT),
        (IN, sale(0.8), None),
        (IN, sale(0.5), IN),
        (IN, Decision(None, 0.0, (Reason("", {}, Direction.SALE, 0.95), Reason("", {}, Direction.PURCHASE, 1))), None),
        (IN, PURCHASE, IN),
        (IN, Decision(None, 0.0, ()), IN),
        (OUT, PURCHASE, OUT),
        (None, sale(0.95), OUT),
        (None, PURCHASE, IN),
        (None, Decision(Direction.PURCHASE, 0.8, ()), None),
        (None, Decision(None, 0.0, ()), None),
        (DocumentKind.OTHER, sale(0.95), DocumentKind.OTHER),
    ],
)  # fmt: skip
def test_what_the_client_issued_is_never_a_purchase(
    parts: Parts, buyer: Client, kind: DocumentKind | None, decision: Decision, expected: DocumentKind | None
) -> None:
    document = bring(parts, buyer, pdf(), kind)
    settle(parts, document.id, said(Read(findings=findings(buyer="Kunde AG"), decision=decision)))
    after = now(parts, document)
    assert after.kind is expected
    if expected is OUT and decision.direction is Direction.SALE:
        assert after.party_name == "Kunde AG"
    assert (state(parts, document) is State.ACTION_NEEDED) == (expected is None)


def test_an_invoice_of_the_client_among_the_purchases_moves_and_its_history_says_why(parts: Parts, firm: Firm) -> None:
    seller = client_named(parts, firm, SELLER.name, SELLER.vat_id)
    document = bring(parts, seller, xml(), IN)
    settle(parts, document.id)
    assert (now(parts, document).kind, now(parts, document).party_name) == (OUT, "Leseladen KG")
    with parts.db.read() as session:
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "document.read")).one()
    assert "issued" in str(entry.facts["why"])


def test_a_person_who_says_it_is_a_purchase_all_the_same_is_heard(
    parts: Parts, buyer: Client, viewer: MakeViewer
) -> None:
    who, document = viewer(), bring(parts, buyer, pdf(), IN)
    settle(parts, document.id, said(Read(findings=findings(), decision=sale(0.95))))
    with parts.db.transaction() as session:
        corrections.correct(session, who, buyer.id, document.id, kind=IN)
    with parts.db.transaction() as session:
        readings.read_again(session, who, buyer.id, document.id)
    settle(parts, document.id, said(Read(findings=findings(), decision=sale(0.95))))
    assert now(parts, document).kind is IN


def test_read_again_replaces_what_was_read_and_keeps_what_people_said(
    parts: Parts, buyer: Client, viewer: MakeViewer
) -> None:
    who, document = viewer(), bring(parts, buyer, pdf(), IN)
    settle(parts, document.id, said(Read(findings=findings(), decision=PURCHASE)))
    with parts.db.transaction() as session:
        corrections.correct(session, who, buyer.id, document.id, fields={"number": "18", "party_name": None})
    with parts.db.transaction() as session:
        readings.read_again(session, who, buyer.id, document.id)
    assert now(parts, document).reading is Reading.WAITING
    later = findings(number="19", issued_on=date(2026, 3, 3))
    settle(parts, document.id, said(Read(findings=later, decision=PURCHASE)))

    after = now(parts, document)
    assert (after.number, after.party_name, after.issued_on) == ("18", None, date(2026, 3, 3))
    assert actions(parts, document)[2:] == ["document.corrected", "document.read_again", "document.read"]


def test_who_is_quicker_than_the_reader_is_not_overruled(parts: Parts, buyer: Client, viewer: MakeViewer) -> None:
    who, document = viewer(), bring(parts, buyer, pdf(), IN)

    def slow(_content: bytes, _media_type: str, _facts: ClientFacts) -> Read:
        with parts.db.transaction() as session:
            corrections.correct(session, who, buyer.id, document.id, fields={"number": "typed"})
        return Read(findings=findings(), decision=PURCHASE)

    settle(parts, document.id, slow)
    after = now(parts, document)
    assert (after.number, after.gross, after.version) == ("typed", None, 2)
    with parts.db.read() as session:
        assert readings.kept(session, document.id) is not None


@pytest.mark.parametrize("content", [factories.PDF, b"\x89PNG\r\n\x1a\n" + bytes(50)], ids=["pdf", "png"])
def test_a_damaged_file_is_settled_with_the_reason_and_asks_a_person(
    parts: Parts, buyer: Client, content: bytes
) -> None:
    document = bring(parts, buyer, content)
    settle(parts, document.id)
    assert (now(parts, document).kind, now(parts, document).reading) == (None, Reading.SETTLED)
    assert state(parts, document) is State.ACTION_NEEDED
    with parts.db.read() as session:
        kept = readings.kept(session, document.id)
    assert kept is not None
    assert kept.unread is not None


def test_twins_are_found_by_what_was_read(parts: Parts, buyer: Client) -> None:
    first, second = bring(parts, buyer, pdf(), IN), bring(parts, buyer, pdf() + b"\n", IN)
    for one in (first, second):
        settle(parts, one.id, said(Read(findings=findings(), decision=PURCHASE)))
    assert now(parts, second).twin_id == first.id
    assert state(parts, second) is State.ACTION_NEEDED


def test_one_reader_at_a_time_and_a_dead_ones_work_is_taken_up(parts: Parts, buyer: Client, clock: Traveller) -> None:
    document, read = bring(parts, buyer, pdf(), IN), said(Read(findings=findings(), decision=PURCHASE))

    def dies(_content: bytes, _media_type: str, _facts: ClientFacts) -> Read:
        settle(parts, document.id, read)  # another worker, meanwhile
        assert now(parts, document).reading is Reading.WAITING
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        settle(parts, document.id, dies)
    settle(parts, document.id, read)
    assert now(parts, document).reading is Reading.WAITING
    clock.advance(readings.LEASE + timedelta(seconds=1))
    rung = rings(parts, document)
    ring_due(parts.db)
    assert rings(parts, document) == rung + 1
    settle(parts, document.id, read)
    assert (now(parts, document).reading, now(parts, document).gross) == (Reading.SETTLED, 11900)


def rings(parts: Parts, document: Document) -> int:
    """How often the bell rang for a document's reading."""
    bell = parts.db.bell
    assert isinstance(bell, Bell)
    return [job.description for job in bell.queues[READING].jobs].count(f"read {document.id}")


def test_a_file_that_kills_every_reader_is_given_up(parts: Parts, buyer: Client, clock: Traveller) -> None:
    document = bring(parts, buyer, pdf(), IN)

    def dies(_content: bytes, _media_type: str, _facts: ClientFacts) -> Read:
        raise KeyboardInterrupt

    for _try in range(readings.MOST_TRIES):
        with pytest.raises(KeyboardInterrupt):
            settle(parts, document.id, dies)
        clock.advance(readings.LEASE + timedelta(seconds=1))
    settle(parts, document.id, dies)
    assert now(parts, document).reading is Reading.SETTLED
    with parts.db.read() as session:
        kept = readings.kept(session, document.id)
    assert kept is not None
    assert kept.unread == unread(Why.BROKE).unread


def test_only_who_may_correct_asks_for_another_reading_and_only_of_what_can_be_read(
    parts: Parts, buyer: Client, viewer: MakeViewer
) -> None:
    document, note = bring(parts, buyer, pdf(), IN), bring(parts, buyer, b"Hallo Welt, ein Brief", None)
    with pytest.raises(NotFound), parts.db.transaction() as session:
        readings.read_again(session, viewer(Role.ASSISTANT, assigned=(buyer.id,)), buyer.id, document.id)
    with pytest.raises(Conflict), parts.db.transaction() as session:
        readings.read_again(session, viewer(), buyer.id, note.id)


def test_the_client_is_known_by_its_name_its_vat_id_and_all_its_accounts(parts: Parts, buyer: Client) -> None:
    with parts.db.transaction() as session:
        client = session.get_one(Client, buyer.id)
        factories.account(session, client, iban="DE02120300000000202051")
        client.vat_id = "DE 136695976"
        session.flush()
        facts = readings.facts_of(session, client)
    assert facts == ClientFacts(
        frozenset({BUYER.name}), frozenset({"DE136695976"}), frozenset({"DE02120300000000202051"})
    )


def test_what_was_read_is_found_by_the_search(parts: Parts, buyer: Client) -> None:
    document = bring(parts, buyer, xml())
    with parts.db.read() as session:
        later = document.arrived_at + timedelta(hours=1)
        assert search.unread(session, later, 10) == []  # comes with the fields
    settle(parts, document.id)
    with parts.db.read() as session:
        assert search.unread(session, later, 10) == []
        text = session.exec(select(DocumentText).where(DocumentText.document_id == document.id)).one()
    assert "Nadeln" in text.text
