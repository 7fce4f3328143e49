"""Mailboxes looked into by IMAP, on a real server."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from portal.clock import Traveller
from portal.mailbox import imap, poll, store
from portal.mailbox.imap import quoted
from portal.mailbox.models import MailAccount, MailState, Security
from portal.mailbox.unpack import unpack_waiting
from tests import factories
from tests.portal.mailbox.conftest import Post
from tests.portal.mailbox.imap_server import PASSWORD, USER, ImapServer, Wire, certificate, imap_server
from tests.portal.mailbox.messages import invoice, message, sent


@pytest.fixture(scope="module")
def _running() -> Iterator[ImapServer]:
    with imap_server() as running:
        yield running


@pytest.fixture
def server(_running: ImapServer) -> ImapServer:
    """A mailbox with nothing in it."""
    _running.empty()
    return _running


def account(post: Post, port: int, *, password: str = PASSWORD, **more: Any) -> None:
    """The firm's mailbox is at this port of this machine."""
    with post.parts.db.transaction() as session:
        secret = post.parts.vault.lock({"password": password})
        fields: dict[str, Any] = {
            "host": "127.0.0.1",
            "username": USER,
            "security": Security.NONE,
            "secret": secret,
            **more,
        }
        session.add(MailAccount(firm_id=post.firm.id, port=port, **fields))


def looked(post: Post) -> MailAccount:
    with post.parts.db.read() as session:
        return session.get_one(MailAccount, post.firm.id)


def look_again(post: Post, clock: Traveller) -> int:
    clock.advance(timedelta(hours=1))
    return poll.poll_due(post.parts)


def test_an_unread_message_is_stored_then_marked_as_read(post: Post, server: ImapServer) -> None:
    account(post, server.port)
    server.deliver(sent(message(invoice(), to=post.address)))

    assert poll.poll_due(post.parts) == 1
    assert server.unread() == 0
    unpack_waiting(post.parts)
    assert post.names() == ["rechnung-1.pdf"]
    assert (looked(post).text, looked(post).unassigned) == (None, 0)


def test_it_is_not_due_again_at_once(post: Post, server: ImapServer, clock: Traveller) -> None:
    account(post, server.port)
    poll.poll_due(post.parts)
    server.deliver(sent(message(invoice(), to=post.address)))
    assert poll.poll_due(post.parts) == 0
    assert look_again(post, clock) == 1


def test_what_is_taken_can_be_moved(post: Post, server: ImapServer) -> None:
    account(post, server.port, moves_to="Übernommen")
    server.deliver(sent(message(invoice(), to=post.address)))
    poll.poll_due(post.parts)
    assert (server.all(), server.all(quoted("Übernommen"))) == (0, 1)


def test_mail_without_a_clients_address_is_left_unread(post: Post, server: ImapServer) -> None:
    account(post, server.port)
    server.deliver(sent(message(to="chef@kanzlei.example")))
    poll.poll_due(post.parts)
    assert (server.unread(), looked(post).unassigned, post.mails()) == (1, 1, [])


def test_a_hidden_recipient_is_found_where_the_server_wrote_it(post: Post, server: ImapServer) -> None:
    account(post, server.port)
    hidden = b"Delivered-To: " + post.address.encode() + b"\r\n" + sent(message(invoice(), to="undisclosed:;"))
    server.deliver(hidden)
    assert poll.poll_due(post.parts) == 1


def test_mail_that_a_person_opened_first_is_taken_all_the_same(
    post: Post, server: ImapServer, clock: Traveller
) -> None:
    account(post, server.port)
    poll.poll_due(post.parts)
    server.deliver(sent(message(invoice(), to=post.address)))
    server.read_all()
    assert look_again(post, clock) == 1


def test_what_was_read_before_the_first_look_is_not_taken(post: Post, server: ImapServer) -> None:
    account(post, server.port)
    server.deliver(sent(message(invoice(), to=post.address)), "(\\Seen)")
    assert poll.poll_due(post.parts) == 0


@pytest.mark.parametrize("command", [b"STORE", b"MOVE", b"LOGOUT"])
def test_a_line_cut_between_storing_and_marking_costs_a_look_and_doubles_nothing(
    post: Post, server: ImapServer, clock: Traveller, command: bytes
) -> None:
    wire = Wire(server.port)
    account(post, wire.port, moves_to="Taken")
    server.deliver(sent(message(invoice(), to=post.address)))
    wire.cut_at = command
    poll.poll_due(post.parts)
    assert len(post.mails()) == 1

    wire.cut_at = None
    look_again(post, clock)
    unpack_waiting(post.parts)
    assert (len(post.mails()), post.names(), server.all(), server.all("Taken")) == (1, ["rechnung-1.pdf"], 0, 1)
    assert looked(post).text is None
    wire.close()


@pytest.mark.parametrize("command", [b"AUTHENTICATE", b"SELECT", b"SEARCH", b"FETCH"])
def test_a_line_cut_before_that_is_told_to_the_firm_and_tried_again(
    post: Post, server: ImapServer, clock: Traveller, command: bytes
) -> None:
    wire = Wire(server.port)
    account(post, wire.port)
    server.deliver(sent(message(invoice(), to=post.address)))
    wire.cut_at = command
    poll.poll_due(post.parts)
    assert (looked(post).text in {imap.BROKEN, imap.NO_ANSWER}, server.unread()) == (True, 1)

    wire.cut_at = None
    assert look_again(post, clock) == 1
    assert looked(post).text is None
    wire.close()


def test_a_wrong_password_is_told_and_not_tried_every_minute(post: Post, server: ImapServer, clock: Traveller) -> None:
    account(post, server.port, password="falsch")
    poll.poll_due(post.parts)
    assert (looked(post).text, looked(post).facts) == (imap.LOGIN, {"username": USER})
    assert looked(post).due_at - clock.moment == poll.AFTER_REFUSAL


def test_a_folder_that_is_not_there_is_told(post: Post, server: ImapServer) -> None:
    account(post, server.port, folder="Belege")
    poll.poll_due(post.parts)
    assert looked(post).text == imap.NO_FOLDER


def test_a_server_that_is_not_there_is_told(post: Post, server: ImapServer) -> None:
    account(post, 9)
    poll.poll_due(post.parts)
    assert looked(post).text == imap.NO_ANSWER


def test_a_message_too_large_is_refused_and_listed_unfetched(post: Post, server: ImapServer) -> None:
    account(post, server.port)
    head = f"From: a@b.example\r\nTo: {post.address}\r\n\r\n".encode()
    server.deliver(head + (b"x" * 76 + b"\r\n") * (store.MESSAGE_LIMIT // 78 + 1))
    poll.poll_due(post.parts)
    assert (post.mail().state, post.mail().text, len(post.refusals())) == (MailState.REFUSED, store.TOO_LARGE, 1)
    assert server.unread() == 0


def test_another_firms_addresses_lead_nowhere_from_here(post: Post, server: ImapServer) -> None:
    with post.parts.db.transaction() as session:
        elsewhere = factories.firm(session, name="Kanzlei Fremd")
    other = Post(post.parts, elsewhere, "Tischlerei Ahlers KG")
    account(post, server.port)
    server.deliver(sent(message(invoice(), to=other.address)))
    assert poll.poll_due(post.parts) == 0
    assert other.mails() == []


def test_the_connection_is_encrypted_and_the_certificate_checked(
    post: Post, tmp_path: Path, clock: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with imap_server(pem) as server:
        wire = Wire(server.port, context)
        for port, security in ((wire.port, Security.TLS), (server.port, Security.STARTTLS)):
            monkeypatch.delenv("SSL_CERT_FILE", raising=False)
            account(post, port, security=security)
            poll.poll_due(post.parts)
            assert looked(post).text == imap.NO_TLS

            monkeypatch.setenv("SSL_CERT_FILE", str(pem))
            look_again(post, clock)
            assert looked(post).text is None
            with post.parts.db.transaction() as session:
                session.delete(session.get_one(MailAccount, post.firm.id))
        wire.close()


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("INBOX", b"INBOX"),
        ("Übernommen & fertig", b"&ANw-bernommen &- fertig"),
        ('a"b\\c', b'a\\"b\\\\c'),
        ("日本語", b"&ZeVnLIqe-"),
    ],
)
def test_names_of_folders_are_written_as_the_protocol_wants(name: str, written: bytes) -> None:
    assert quoted(name).encode() == b'"' + written + b'"'
