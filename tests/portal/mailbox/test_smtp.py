"""The receiver in real dialogues over loopback: what it takes, what it refuses, and when it says so."""

from __future__ import annotations

import shutil
import smtplib
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import select

from portal import audit, clock
from portal.accounts.models import Firm
from portal.audit import AuditEntry
from portal.mailbox import smtp, store
from portal.mailbox.models import MailAddress, MailState
from portal.mailbox.smtp import Receiver
from portal.mailbox.unpack import unpack_waiting
from portal.parts import Parts, assemble
from tests.portal.mailbox.conftest import Post
from tests.portal.mailbox.messages import SUPPLIER, invoice, message, sent
from tests.servers import until


@pytest.fixture
def receiver(parts: Parts) -> Iterator[Receiver]:
    with Receiver(parts, "127.0.0.1", 0) as running:
        yield running


@pytest.fixture
def line(receiver: Receiver) -> Iterator[smtplib.SMTP]:
    """A connection of a sender."""
    with smtplib.SMTP("127.0.0.1", receiver.port, timeout=20) as opened:
        yield opened


def test_an_attachment_becomes_a_document_that_knows_its_message(post: Post, line: smtplib.SMTP) -> None:
    made = message(invoice(), subject="Rechnung März")
    line.sendmail(SUPPLIER, [post.address], sent(made))

    mail = post.mail()
    assert (mail.state, mail.sender, mail.subject, mail.message_id) == (
        MailState.WAITING, SUPPLIER, "Rechnung März", made["Message-ID"],
    )  # fmt: skip
    unpack_waiting(post.parts)
    (document,) = post.documents()
    assert (document.filename, document.media_type, document.source) == ("rechnung-1.pdf", "application/pdf", "mail")
    with post.parts.db.read() as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.subject_id == document.id)).all()
        assert audit.broken(session, post.firm.id) is None
    told = {entry.action: entry.facts for entry in entries}
    assert {"from": SUPPLIER, "subject": "Rechnung März", "message_id": made["Message-ID"]}.items() <= told[
        "document.mailed"
    ].items()
    assert post.mail().state is MailState.TAKEN


def test_when_it_says_stored_the_whole_message_is_on_the_disk(post: Post, line: smtplib.SMTP) -> None:
    content = sent(message(invoice()))
    line.sendmail(SUPPLIER, [post.address], content)

    with post.parts.files.open(post.firm.id, post.mail().sha256) as file:
        assert file.read() == content


@pytest.mark.parametrize("address", ["niemand@belege.example", "{local}@other.example", "{local}x@belege.example"])
def test_whoever_is_no_client_is_refused_at_rcpt(post: Post, line: smtplib.SMTP, address: str) -> None:
    line.ehlo()
    line.mail(SUPPLIER)
    code, _text = line.rcpt(address.format(local=post.row.local))
    assert code == 550


def test_addresses_are_compared_without_case_and_with_a_mailbox_before_the_plus(post: Post, line: smtplib.SMTP) -> None:
    line.ehlo()
    line.mail(SUPPLIER)
    assert line.rcpt(post.address.upper())[0] == 250
    assert line.rcpt(f"belege+{post.address}")[0] == 250


def test_who_guesses_addresses_is_cut_off(post: Post, line: smtplib.SMTP) -> None:
    line.ehlo()
    line.mail("guesser@example.com")
    codes = [line.rcpt(f"brandt-{number}x@belege.example")[0] for number in range(smtp.GUESSES)]
    assert codes == [550] * (smtp.GUESSES - 1) + [421]


def test_a_replaced_address_is_refused_and_the_client_sees_who_wrote_to_it(post: Post, line: smtplib.SMTP) -> None:
    with post.parts.db.transaction() as session:
        session.get_one(MailAddress, post.row.id).retired_at = clock.now()
    for _try in range(2):
        line.ehlo()
        line.mail(SUPPLIER)
        assert line.rcpt(post.address)[0] == 550
        line.rset()

    mail = post.mail()  # one line a day, not one a try
    assert (mail.state, mail.text, mail.envelope_from) == (MailState.REFUSED, store.REPLACED, SUPPLIER)


def test_a_message_too_large_is_refused_and_listed(post: Post, line: smtplib.SMTP) -> None:
    huge = b"Subject: x\r\n\r\n" + (b"x" * 76 + b"\r\n") * (store.MESSAGE_LIMIT // 78 + 1)
    line.ehlo()
    assert line.mail(SUPPLIER, [f"SIZE={len(huge)}"])[0] == 552  # so a sender that tells its size need not send it
    line.mail(SUPPLIER)
    line.rcpt(post.address)
    assert line.data(huge)[0] == 552

    assert (post.mail().state, post.mail().text) == (MailState.REFUSED, store.TOO_LARGE)
    (refusal,) = post.refusals()
    assert refusal.size >= store.MESSAGE_LIMIT


def test_very_long_lines_are_taken(post: Post, line: smtplib.SMTP) -> None:
    line.sendmail(SUPPLIER, [post.address], b"From: rechnung@muehle.example\r\nSubject: x\r\n\r\n" + b"x" * 30_000)
    assert post.mail().size > 30_000


def test_a_message_to_two_clients_is_stored_for_both(post: Post, firm: Firm, line: smtplib.SMTP) -> None:
    other = Post(post.parts, firm, "Tischlerei Ahlers KG")
    line.sendmail(SUPPLIER, [post.address, other.address], sent(message(invoice())))

    unpack_waiting(post.parts)
    assert post.names() == other.names() == ["rechnung-1.pdf"]


def test_the_same_message_again_is_the_same_and_a_new_one_with_the_same_file_is_a_twin(
    post: Post, line: smtplib.SMTP
) -> None:
    content = sent(message(invoice()))
    line.sendmail(SUPPLIER, [post.address], content)
    unpack_waiting(post.parts)
    relayed = b"Received: from a by b; Wed, 04 Mar 2026 10:00:00 +0100\r\n" + content
    line.sendmail(SUPPLIER, [post.address], relayed)
    unpack_waiting(post.parts)
    assert len(post.documents()) == 1

    line.sendmail(SUPPLIER, [post.address], sent(message(invoice())))
    unpack_waiting(post.parts)
    first, second = post.documents()
    assert second.twin_id == first.id


def test_while_the_file_store_is_away_the_sender_keeps_the_message(post: Post, line: smtplib.SMTP) -> None:
    root = Path(post.parts.settings.files_url.removeprefix("file://"))
    shutil.rmtree(root, ignore_errors=True)
    root.write_text("in the way")
    line.ehlo()
    content = sent(message(invoice()))
    assert _told(line, post, content) == 451
    assert post.mails() == []

    root.unlink()
    assert _told(line, post, content) == 250


def test_while_the_database_is_away_the_sender_keeps_the_message(post: Post) -> None:
    away = replace(
        post.parts.settings, database_url="postgresql+psycopg://nobody@127.0.0.1:9/nothing?connect_timeout=2"
    )
    broken = assemble(away)
    with Receiver(broken, "127.0.0.1", 0) as running, smtplib.SMTP("127.0.0.1", running.port, timeout=20) as line:
        line.ehlo()
        line.mail(SUPPLIER)
        assert line.rcpt(post.address)[0] == 451
    broken.db.bell.redis.close()  # type: ignore[union-attr]


def _told(line: smtplib.SMTP, post: Post, content: bytes) -> int:
    line.mail(SUPPLIER)
    line.rcpt(post.address)
    return line.data(content)[0]


def test_bounces_are_taken_and_wait_for_a_person(post: Post, line: smtplib.SMTP) -> None:
    line.ehlo()
    assert line.mail("")[0] == 250
    line.rcpt(post.address)
    assert line.data(sent(message(sender="Mail Delivery <mailer-daemon@mx.example>")))[0] == 250
    assert post.mail().state is MailState.HELD


def test_more_connections_than_it_takes_are_told_to_come_later(post: Post, receiver: Receiver) -> None:
    held = [smtplib.SMTP("127.0.0.1", receiver.port, timeout=20) for _ in range(smtp.CONNECTIONS)]
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=20) as one_more:
        assert one_more.recv(100).startswith(b"421")
    for line in held:
        line.close()
    until(lambda: _greeting(receiver).startswith(b"220"), 10, "a free connection")


def _greeting(receiver: Receiver) -> bytes:
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=20) as line:
        return line.recv(100)


def test_nonsense_does_not_end_it(post: Post, receiver: Receiver) -> None:
    for nonsense in (b"\x00\xff" * 500 + b"\r\n", b"DATA\r\n.\r\n", b"MAIL FROM:<" + b"a" * 5000 + b">\r\n", b""):
        with socket.create_connection(("127.0.0.1", receiver.port), timeout=20) as raw:
            raw.sendall(nonsense)
    with smtplib.SMTP("127.0.0.1", receiver.port, timeout=20) as line:
        line.sendmail(SUPPLIER, [post.address], sent(message(invoice())))
    assert post.mail().state is MailState.WAITING
