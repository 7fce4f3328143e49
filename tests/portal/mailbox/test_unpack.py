"""From a stored message to documents: each part once, whatever dies in between, and nothing disappears."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from integrations.contract import DocumentKind
from portal.accounts.models import Firm, Role
from portal.audit import AuditEntry
from portal.clients.models import ContactRole
from portal.clock import Traveller
from portal.documents import archives
from portal.mailbox import parse, senders, store, unpack
from portal.mailbox.models import Mail, MailPart, MailSettings, MailState, PartOutcome, Proof
from tests import factories
from tests.portal.mailbox.conftest import Post
from tests.portal.mailbox.messages import invoice, message, png, sent
from tests.portal.test_intake import CAMT, zipped


def bring(post: Post, content: Any) -> Mail:
    """A message is stored as the receiver would, and opened if it waits."""
    raw = content if isinstance(content, bytes) else sent(content)
    (mail_id,) = store.keep(post.parts, [post.row], raw, way="smtp")
    unpack.unpack_waiting(post.parts)
    with post.parts.db.read() as session:
        return session.get_one(Mail, mail_id)


def outcomes(post: Post, mail: Mail) -> list[tuple[str, PartOutcome]]:
    with post.parts.db.read() as session:
        rows = session.exec(select(MailPart).where(MailPart.mail_id == mail.id).order_by(col(MailPart.number))).all()
    return [(row.filename, row.outcome) for row in rows]


def test_each_part_is_a_document_a_refusal_or_left_out(post: Post) -> None:
    made = message(
        invoice(1),
        ("setup.exe", "application/octet-stream", b"MZ\x90\x00"),
        ("s.p7s", "application/pgp-signature", b"x"),
    )
    mail = bring(post, made)
    assert outcomes(post, mail) == [
        ("rechnung-1.pdf", PartOutcome.DOCUMENT), ("setup.exe", PartOutcome.REFUSED), ("s.p7s", PartOutcome.LEFT_OUT),
    ]  # fmt: skip
    assert mail.state is MailState.TAKEN
    assert [refusal.filename for refusal in post.refusals()] == ["setup.exe"]


def test_a_message_without_attachments_is_kept_among_the_other_documents(post: Post) -> None:
    raw = sent(message(subject="Frage: März"))
    bring(post, raw)
    (document,) = post.documents()
    assert (document.kind, document.media_type, document.filename) == (
        DocumentKind.OTHER, "message/rfc822", "Frage- März.eml",
    )  # fmt: skip
    with post.parts.files.open(post.firm.id, document.sha256) as file:
        assert file.read() == raw


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=a.p7m\r\n\r\nx", parse.ENCRYPTED),
        (b"\n" * 2_000_000, parse.TOO_COMPLEX),
        (b"Content-Type: application/ms-tnef; name=winmail.dat\r\n\r\n\x78\x9f\x3e\x22", parse.TNEF),
    ],
)
def test_what_cannot_be_opened_is_refused_and_listed(post: Post, raw: bytes, reason: str) -> None:
    mail = bring(post, b"From: rechnung@muehle.example\r\nSubject: x\r\n" + raw)
    assert (mail.state, mail.text, post.documents()) == (MailState.REFUSED, reason, [])
    assert [refusal.text for refusal in post.refusals()] == [reason]
    assert post.refusals()[0].size > 0


def test_a_zip_is_taken_by_the_same_rules_as_everywhere(post: Post) -> None:
    statements = zipped(**{"a.xml": CAMT})
    bring(post, message(("umsatz.zip", "application/zip", statements)))
    assert post.names() == ["umsatz.zip"]
    bring(post, message(("rechnungen.zip", "application/zip", zipped(**{"a.pdf": factories.PDF}))))
    assert [refusal.text for refusal in post.refusals()] == [archives.NO_STATEMENT]


def test_pictures_alone_become_documents(post: Post) -> None:
    bring(post, message(("bon.png", "image/png", png(300, 900)), text=""))
    assert post.names() == ["bon.png"]


def _begun_anew(post: Post, mail: Mail) -> None:
    """As if the process had died: the message waits, and its lease has ended."""
    with post.parts.db.transaction() as session:
        row = session.get_one(Mail, mail.id)
        row.state = MailState.WAITING
        row.leased_until = row.received_at - timedelta(minutes=1)


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_process_that_dies_between_the_door_and_its_note_brings_nothing_twice(post: Post, lost: int) -> None:
    mail = bring(post, message(invoice(1), invoice(1), ("x.exe", "application/octet-stream", b"MZ")))
    before = post.names(), len(post.refusals())
    with post.parts.db.transaction() as session:  # what was noted of the last parts is lost
        session.execute(sa.delete(MailPart).where(col(MailPart.mail_id) == mail.id, col(MailPart.number) >= lost))
    _begun_anew(post, mail)

    unpack.unpack_waiting(post.parts)
    assert (post.names(), len(post.refusals())) == before
    assert [outcome for _name, outcome in outcomes(post, mail)] == [
        PartOutcome.DOCUMENT, PartOutcome.DOCUMENT, PartOutcome.REFUSED,
    ]  # fmt: skip
    assert post.mail().state is MailState.TAKEN


def test_a_message_that_kills_its_process_is_not_opened_for_ever(post: Post) -> None:
    (mail_id,) = store.keep(post.parts, [post.row], sent(message(invoice())), way="smtp")
    with post.parts.db.transaction() as session:
        session.get_one(Mail, mail_id).attempts = unpack.MOST_ATTEMPTS
    unpack.unpack_waiting(post.parts)
    assert (post.mail().state, post.mail().text) == (MailState.REFUSED, parse.UNREADABLE)
    assert len(post.refusals()) == 1


def test_while_the_file_store_is_away_it_waits(post: Post, clock: Traveller) -> None:
    store.keep(post.parts, [post.row], sent(message(invoice())), way="smtp")
    root = Path(post.parts.settings.files_url.removeprefix("file://"))
    shutil.move(root, root.with_name("away"))
    for _look in range(2 * unpack.MOST_ATTEMPTS):
        unpack.unpack_waiting(post.parts)
        clock.advance(unpack.REST * 2)
    assert post.mail().state is MailState.WAITING

    shutil.move(root.with_name("away"), root)
    unpack.unpack_waiting(post.parts)
    assert post.names() == ["rechnung-1.pdf"]


def test_two_processes_do_not_open_the_same_message(post: Post) -> None:
    (mail_id,) = store.keep(post.parts, [post.row], sent(message(invoice())), way="smtp")
    with post.parts.db.transaction() as session:
        row = session.get_one(Mail, mail_id)
        row.leased_until = row.received_at + unpack.LEASE
    assert unpack.unpack_waiting(post.parts) == 0


STRANGER = "fremd@woanders.example"


def test_a_strangers_message_waits_for_a_person(post: Post) -> None:
    mail = bring(post, message(invoice(), sender=STRANGER))
    assert (mail.state, mail.text, mail.facts) == (MailState.HELD, senders.STRANGER, {"sender": STRANGER})
    assert post.documents() == []


def test_people_who_may_add_documents_may_send_them(post: Post, firm: Firm) -> None:
    with post.parts.db.transaction() as session:
        factories.contact(
            session, post.client, role=ContactRole.MEMBER, who=factories.person(session, email="k@firma.example")
        )
        mine = (post.client.id,)
        for role, assigned in (
            (Role.OWNER, ()),
            (Role.ACCOUNTANT, mine),
            (Role.ASSISTANT, mine),
            (Role.CLIENT_MANAGER, ()),
        ):
            who = factories.person(session, email=f"{role.value}@kanzlei.example")
            factories.member(session, firm, role=role, assigned=assigned, who=who)
        other = factories.person(session, email="unassigned@kanzlei.example")
        factories.member(session, firm, role=Role.ACCOUNTANT, who=other)
        gone = factories.person(session, email="weg@firma.example")
        factories.contact(session, post.client, who=gone, ended_at=post.client.created_at)
    states = {
        name: bring(post, message(invoice(), sender=name)).state
        for name in (
            "K@Firma.example", "owner@kanzlei.example", "accountant@kanzlei.example", "assistant@kanzlei.example",
            "client_manager@kanzlei.example", "unassigned@kanzlei.example", "weg@firma.example",
        )
    }  # fmt: skip
    assert list(states.values()) == [MailState.TAKEN] * 3 + [MailState.HELD] * 4


def test_a_forged_sender_on_the_list_is_held_where_a_host_vouches_for_senders(post: Post) -> None:
    with post.parts.db.transaction() as session:
        session.get_one(MailSettings, post.firm.id).proof_host = "mx.kanzlei.example"
    good = b"Authentication-Results: mx.kanzlei.example; dmarc=pass header.from=muehle.example\r\n"
    proven, forged = bring(post, good + sent(message(invoice(1)))), bring(post, sent(message(invoice(2))))
    assert (proven.state, proven.proof) == (MailState.TAKEN, Proof.PASSED)
    assert (forged.state, forged.proof, forged.text) == (MailState.HELD, Proof.FAILED, senders.UNPROVEN)


def test_so_many_strangers_may_wait_and_more_must_wait_at_their_servers(post: Post) -> None:
    mail = bring(post, message(sender=STRANGER))
    with post.parts.db.transaction() as session:
        session.add_all([
            Mail(client_id=post.client.id, identity=str(number), address="x", way="smtp", state=MailState.HELD)
            for number in range(store.MOST_HELD)
        ])  # fmt: skip
    assert mail.state is MailState.HELD
    with pytest.raises(store.Full):
        bring(post, message(sender=STRANGER))
    assert bring(post, message(invoice())).state is MailState.TAKEN


def test_every_document_tells_its_message_in_the_audit_trail(post: Post) -> None:
    mail = bring(post, message(invoice(1), invoice(2)))
    with post.parts.db.read() as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.action == "document.mailed")).all()
    assert {entry.subject_id for entry in entries} == {document.id for document in post.documents()}
    assert {(entry.facts["mail"], entry.facts["from"], entry.facts["message_id"]) for entry in entries} == {
        (str(mail.id), mail.sender, mail.message_id)
    }
