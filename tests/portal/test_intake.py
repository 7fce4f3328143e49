"""The one door: what is taken, what is refused, and that both are kept."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import BinaryIO
from uuid import uuid4

import pytest
from sqlmodel import Session, col, select

from integrations.contract import DocumentKind
from portal import audit
from portal.access import Viewer
from portal.accounts.models import Firm, Role
from portal.audit import AuditEntry, By
from portal.clients.models import Client
from portal.clock import Traveller
from portal.documents.detect import Form
from portal.documents.models import Document, DocumentVersion, Reading, Refusal, Source, StoredFile
from portal.errors import Invalid, NotFound
from portal.intake import FILE_LIMIT, ZIP_LIMIT, fitting, receive, refuse_unsent
from portal.parts import Parts
from tests import factories

MakeViewer = Callable[..., Viewer]
CAMT = (
    b'<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt/></Document>'
)
UBL = b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"/>'
MT940 = b":20:STARTUMS\r\n:25:10010010/123456\r\n:28C:1/1\r\n:60F:C260301EUR100,00\r\n:62F:C260301EUR100,00\r\n-\r\n"


class Stream(io.RawIOBase):
    """Bytes that arrive over a line: they cannot be rewound, and how many were taken is counted."""

    def __init__(self, content: bytes) -> None:
        self.rest, self.taken = io.BytesIO(content), 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        piece = self.rest.read(size)
        self.taken += len(piece)
        return piece


@pytest.fixture
def client(parts: Parts, firm: Firm) -> Client:
    with parts.db.transaction() as session:
        return factories.client(session, firm)


def bring(
    parts: Parts, client: Client, content: bytes | BinaryIO, name: str = "a.pdf", **more: object
) -> Document | Refusal:
    stream = io.BytesIO(content) if isinstance(content, bytes) else content
    return receive(parts, By(name="test"), client.id, name, stream, **{"source": Source.UPLOAD, **more})  # type: ignore[arg-type]


def taken(answer: Document | Refusal) -> Document:
    assert isinstance(answer, Document), answer
    return answer


def refused(answer: Document | Refusal) -> Refusal:
    assert isinstance(answer, Refusal), answer
    return answer


def zipped(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return made.getvalue()


def test_a_pdf_put_into_a_folder_becomes_a_document_of_that_kind_that_waits_to_be_read(
    parts: Parts, client: Client, clock: Traveller
) -> None:
    document = taken(bring(parts, client, factories.PDF, "Rechnung.pdf", kind=DocumentKind.INCOMING_INVOICE))

    assert (document.kind, document.reading, document.media_type) == (
        DocumentKind.INCOMING_INVOICE,
        Reading.WAITING,
        "application/pdf",
    )
    assert document.sha256 == hashlib.sha256(factories.PDF).hexdigest()
    assert document.size == len(factories.PDF)
    assert document.arrived_at == clock.moment
    with parts.files.open(client.firm_id, document.sha256) as file:
        assert file.read() == factories.PDF


def test_a_document_enters_with_its_first_version_and_its_audit_entry(
    parts: Parts, client: Client, viewer: MakeViewer
) -> None:
    who = viewer()
    answer = receive(
        parts, who, client.id, "a.pdf", io.BytesIO(factories.PDF), source=Source.API,
        fields={"party_name": "Meyer GmbH", "currency": "EUR", "net": 100, "tax": 19},
    )  # fmt: skip
    document = taken(answer)

    with parts.db.read() as session:
        version = session.exec(select(DocumentVersion).where(DocumentVersion.document_id == document.id)).one()
        entry = session.exec(select(AuditEntry).where(AuditEntry.subject_id == document.id)).one()
        assert audit.broken(session, client.firm_id) is None
    assert (version.version, version.by, version.fields["party_name"], version.fields["gross"]) == (
        1,
        who.person_id,
        "Meyer GmbH",
        119,
    )
    assert (entry.action, entry.person_id, entry.address) == ("document.received", who.person_id, "127.0.0.1")


@pytest.mark.parametrize(
    ("fields", "reading"),
    [
        ({"number": "17"}, Reading.SETTLED),
        ({"currency": "EUR", "gross": 0}, Reading.SETTLED),
        ({"currency": "EUR"}, Reading.WAITING),
        ({}, Reading.WAITING),
    ],
)
def test_a_document_with_its_facts_and_its_folder_is_settled_at_once(
    parts: Parts, client: Client, fields: dict[str, object], reading: Reading
) -> None:
    document = taken(bring(parts, client, factories.PDF, kind=DocumentKind.INCOMING_INVOICE, fields=fields))
    assert document.reading is reading
    assert taken(bring(parts, client, factories.PDF, fields=fields)).reading is Reading.WAITING  # of no kind yet


def test_a_document_without_a_folder_waits_to_be_read(parts: Parts, client: Client) -> None:
    document = taken(bring(parts, client, factories.PDF))
    assert (document.kind, document.reading) == (None, Reading.WAITING)


def test_a_file_of_exactly_the_limit_is_refused_and_one_byte_less_is_taken(parts: Parts, client: Client) -> None:
    largest = factories.PDF + bytes(FILE_LIMIT - 1 - len(factories.PDF))

    assert taken(bring(parts, client, largest)).size == FILE_LIMIT - 1
    refusal = refused(bring(parts, client, largest + b"\0"))
    assert (refusal.size, refusal.facts) == (FILE_LIMIT, {"limit": 15})


def test_a_stream_is_taken_whole_and_no_further_than_its_limit(parts: Parts, client: Client) -> None:
    small, endless = Stream(factories.PDF), Stream(factories.PDF + bytes(3 * FILE_LIMIT))

    assert taken(bring(parts, client, small)).size == len(factories.PDF)  # type: ignore[arg-type]
    refused(bring(parts, client, endless))  # type: ignore[arg-type]
    assert endless.taken < FILE_LIMIT + 2_000_000


def test_a_statement_zip_may_be_larger_than_a_file(parts: Parts, client: Client) -> None:
    import random

    noise = random.Random(7).randbytes(FILE_LIMIT).hex().encode()  # does not shrink below the limit of a file
    content = zipped(**{"a.xml": CAMT.replace(b"<BkToCstmrStmt/>", b"<A>" + noise + b"</A>")})
    assert FILE_LIMIT < len(content) < ZIP_LIMIT

    document = taken(bring(parts, client, content, "umsaetze.zip"))
    assert (document.kind, document.media_type) == (DocumentKind.STATEMENT, "application/zip")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("leer.pdf", b""),
        ("rechnung.pdf", b"MZ\x90\x00" + bytes(200)),
        ("rechnung.pdf.exe", b"MZ\x90\x00"),
        ("lib.so", b"\x7fELF" + bytes(60)),
        ("run.sh", b"#!/bin/sh\nrm -rf /\n"),
        ("macro.vbs", b"MsgBox 1\n"),
        ("blob.bin", bytes(range(256)) * 10),
        ("bild.gif", b"GIF89a" + bytes(30)),
        ("film.mp4", b"\x00\x00\x00\x18ftypmp42" + bytes(30)),
        ("logo.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
        ("laughs.xml", b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">]><Invoice>&a;</Invoice>'),
        ("broken.xml", b"<Invoice><oops></Invoice>"),
        ("photos.zip", zipped(**{"a.pdf": factories.PDF})),
        ("empty.zip", zipped()),
        ("program.jar", zipped(**{"META-INF/MANIFEST.MF": b"x", "A.class": b"\xca\xfe\xba\xbe"})),
        ("cut.zip", zipped(**{"a.xml": CAMT})[:-30]),
        ("setup.msi", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4000)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_taken_is_refused_listed_and_audited(
    parts: Parts, client: Client, name: str, content: bytes
) -> None:
    refusal = refused(bring(parts, client, content, name, kind=DocumentKind.INCOMING_INVOICE))

    with parts.db.read() as session:
        kept = session.exec(select(Refusal)).one()
        assert session.exec(select(Document)).all() == []
        assert session.exec(select(AuditEntry.action)).all() == ["document.refused"]
    assert (kept.id, kept.filename, kept.size) == (refusal.id, name, len(content))
    assert kept.text


@pytest.mark.parametrize(
    ("name", "content", "media_type", "kind"),
    [
        ("foto.png", b"\x89PNG\r\n\x1a\n" + bytes(20), "image/png", DocumentKind.INCOMING_INVOICE),
        ("foto", b"\xff\xd8\xff\xe0" + bytes(20), "image/jpeg", DocumentKind.INCOMING_INVOICE),
        ("x.docx.pdf", b"\n \n%PDF-1.7\n", "application/pdf", DocumentKind.INCOMING_INVOICE),
        ("rechnung.exe", factories.PDF, "application/pdf", DocumentKind.INCOMING_INVOICE),
        ("xrechnung.xml", UBL, "application/xml", DocumentKind.INCOMING_INVOICE),
        ("xrechnung.xml", b"\xef\xbb\xbf" + UBL, "application/xml", DocumentKind.INCOMING_INVOICE),
        ("auszug.xml", CAMT, "application/xml", DocumentKind.STATEMENT),
        ("auszug.sta", MT940, "text/x-mt940", DocumentKind.STATEMENT),
        ("umsatz.csv", b"Datum;Betrag;Text\n1.1.26;5,00;x\n", "text/csv", DocumentKind.OTHER),
        ("fattura.xml", b"<p:Fattura xmlns:p='x'/>", "application/xml", DocumentKind.OTHER),
        ("brief.txt", "Grüße aus Köln".encode("cp1252"), "text/plain", DocumentKind.OTHER),
        ("seite.html", b"<!DOCTYPE html><html><script>x</script></html>", "text/html", DocumentKind.OTHER),
        ("mail.eml", b"From: a@b.de\nTo: c@d.de\nSubject: Hi\nDate: x\n\nHallo", "message/rfc822", DocumentKind.OTHER),
        ("alt.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "WordDocument".encode("utf-16-le"),
         "application/msword", DocumentKind.OTHER),
        ("neu.xlsx", zipped(**{"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"}),
         "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", DocumentKind.OTHER),
        ("text.odt", zipped(mimetype=b"application/vnd.oasis.opendocument.text"),
         "application/vnd.oasis.opendocument.text", DocumentKind.OTHER),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)  # fmt: skip
def test_the_type_is_told_from_the_bytes_and_decides_where_it_goes(
    parts: Parts, client: Client, name: str, content: bytes, media_type: str, kind: DocumentKind
) -> None:
    document = taken(bring(parts, client, content, name, kind=DocumentKind.INCOMING_INVOICE))
    reading = Reading.SETTLED if kind is DocumentKind.OTHER else Reading.WAITING
    assert (document.media_type, document.kind, document.reading) == (media_type, kind, reading)


def test_a_table_is_a_statement_when_its_sender_says_so() -> None:
    assert fitting(DocumentKind.STATEMENT, Form.TABLE) is DocumentKind.STATEMENT
    assert fitting(None, Form.TABLE) is None
    assert fitting(DocumentKind.STATEMENT, Form.E_INVOICE) is None


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\Users\\anna\\Rechnung.pdf", "Rechnung.pdf"),
        ("Rech\x00nung\r\n.pdf", "Rechnung .pdf"),
        ("gnp.\u202efdp.exe", "gnp.fdp.exe"),
        ("Ru\u0308ckzahlung.pdf", "R\u00fcckzahlung.pdf"),
        ("", "document"),
        ("...", "document"),
        ("/", "document"),
    ],
)
def test_file_names_are_never_paths_and_hide_nothing(parts: Parts, client: Client, sent: str, kept: str) -> None:
    assert taken(bring(parts, client, factories.PDF, sent)).filename == kept


def test_a_very_long_name_keeps_its_ending(parts: Parts, client: Client) -> None:
    name = taken(bring(parts, client, factories.PDF, "ü" * 400 + ".pdf")).filename
    assert len(name.encode()) <= 255
    assert name.endswith("ü.pdf")


def test_the_same_bytes_again_are_a_second_document_that_names_the_first(parts: Parts, client: Client) -> None:
    first, second = taken(bring(parts, client, factories.PDF)), taken(bring(parts, client, factories.PDF))

    assert first.twin_id is None
    assert (second.twin_id, second.twin_accepted) == (first.id, False)
    with parts.db.read() as session:
        assert len(session.exec(select(StoredFile)).all()) == 1


def test_the_same_bytes_at_another_client_are_no_twin(parts: Parts, client: Client, firm: Firm) -> None:
    with parts.db.transaction() as session:
        other = factories.client(session, firm)
    bring(parts, client, factories.PDF)
    assert taken(bring(parts, other, factories.PDF)).twin_id is None


def test_the_same_invoice_scanned_twice_is_a_twin(parts: Parts, client: Client) -> None:
    fields = {
        "party_name": "Meyer GmbH",
        "number": "RE-2026/17",
        "issued_on": "2026-03-01",
        "currency": "EUR",
        "gross": 11900,
    }
    first = taken(bring(parts, client, factories.PDF, fields=fields))
    again = {**fields, "party_name": "MEYER  GMBH", "number": "RE 2026 17"}

    assert taken(bring(parts, client, factories.PDF + b"%2", fields=again)).twin_id == first.id
    assert taken(bring(parts, client, factories.PDF + b"%3", fields={**fields, "gross": 11901})).twin_id is None


def test_wrong_fields_are_named_and_nothing_is_stored(parts: Parts, client: Client) -> None:
    with pytest.raises(Invalid) as caught:
        bring(parts, client, factories.PDF, fields={"net": 100, "tax": 19, "gross": 120, "currency": "EUR"})

    assert caught.value.field == "gross"
    with parts.db.read() as session:
        assert session.exec(select(StoredFile)).all() == []


def test_a_bank_account_of_another_client_is_not_accepted(parts: Parts, client: Client, firm: Firm) -> None:
    with parts.db.transaction() as session:
        account = factories.account(session, factories.client(session, firm))
    with pytest.raises(Invalid) as caught:
        bring(parts, client, factories.PDF, account_id=account.id)
    assert caught.value.field == "account_id"


@pytest.mark.parametrize("role", [Role.ASSISTANT, Role.CLIENT_MANAGER])
def test_who_may_not_add_documents_finds_nothing(parts: Parts, client: Client, viewer: MakeViewer, role: Role) -> None:
    who = viewer(role, assigned=(client.id,))
    with pytest.raises(NotFound):
        receive(parts, who, client.id, "a.pdf", io.BytesIO(factories.PDF), source=Source.UPLOAD)


def test_an_unknown_client_is_not_found(parts: Parts) -> None:
    with pytest.raises(NotFound):
        receive(parts, By(), uuid4(), "a.pdf", io.BytesIO(factories.PDF), source=Source.MAIL)


def test_a_file_too_large_to_be_sent_at_all_is_listed(parts: Parts, client: Client) -> None:
    refusal = refuse_unsent(parts, By(), client.id, "video.pdf", 3_000_000_000, Source.UPLOAD)
    with parts.db.read() as session:
        assert session.get_one(Refusal, refusal.id).size == 3_000_000_000


def test_arrivals_move_the_client_up_the_board(parts: Parts, client: Client, clock: Traveller) -> None:
    clock.advance(timedelta(hours=1))
    bring(parts, client, factories.PDF)
    with parts.db.read() as session:
        assert session.get_one(Client, client.id).active_at == clock.moment


def test_two_hundred_files_all_arrive_in_the_order_they_came(parts: Parts, client: Client) -> None:
    for number in range(200):
        taken(bring(parts, client, factories.PDF + b"%d" % number, f"{number}.pdf", kind=DocumentKind.RECEIPT))

    with parts.db.read() as session:
        names = _names(session)
        assert audit.broken(session, client.firm_id) is None
    assert names == [f"{number}.pdf" for number in range(200)]


def _names(session: Session) -> list[str]:
    return list(session.exec(select(Document.filename).order_by(col(Document.arrived_at), col(Document.id))))


def test_equal_files_at_the_same_moment_see_each_other(parts: Parts, client: Client) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(bring, parts, client, factories.PDF) for _ in range(4)]
        arrived = sorted((taken(answer.result()) for answer in answers), key=lambda one: (one.arrived_at, one.id))

    assert [document.twin_id for document in arrived] == [None, *[arrived[0].id] * 3]
    with parts.db.read() as session:
        assert len(session.exec(select(StoredFile)).all()) == 1
        assert audit.broken(session, client.firm_id) is None
