"""`kontor mail` as a process: what it said 250 to is there, whatever kills it, and once."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col

from portal.accounts.models import Firm
from portal.clock import now
from portal.mailbox.models import Mail, MailAccount, MailState, Security
from portal.parts import Parts
from tests.forks import Fork
from tests.portal.mailbox.conftest import Post
from tests.portal.mailbox.imap_server import PASSWORD, USER, free_port, imap_server
from tests.portal.mailbox.messages import SUPPLIER, invoice, message, sent
from tests.servers import until

MAIL = [sys.executable, "-m", "portal.cli", "mail"]
# Seconds from the end of the message to the kill: before it is stored, within, between storing and answering, after.
MOMENTS = (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1)


class Receiving:
    """One `kontor mail` that listens."""

    def __init__(self, environ: dict[str, str], port: int) -> None:
        self.port = port
        self.process = Fork("portal.cli:main", ["mail"], environ={**environ, "KONTOR_SMTP_PORT": str(port)})
        until(self.listens, 30, "the start of kontor mail")

    def listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as line:
            return line.recv(100).startswith(b"220")
        return False

    def send(self, post: Post, content: bytes) -> None:
        """Deliver, as a mail server does."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=20) as line:
            line.sendmail(SUPPLIER, [post.address], content)

    def killed_while_sending(self, post: Post, content: bytes, wait: float) -> None:
        """Deliver and kill the receiver ``wait`` seconds after the end of the message; nobody reads the answer."""
        line = smtplib.SMTP("127.0.0.1", self.port, timeout=20)
        line.ehlo()
        line.mail(SUPPLIER)
        line.rcpt(post.address)
        line.docmd("DATA")
        line.send(content + b"\r\n.\r\n")
        time.sleep(wait)
        self.process.kill()
        line.close()

    def close(self) -> None:
        self.process.kill()


@pytest.fixture
def post(parts: Parts, firm: Firm) -> Post:
    return Post(parts, firm)


@pytest.fixture
def receive(environ: dict[str, str]) -> Iterator[Callable[[], Receiving]]:
    """``receive()`` starts a receiver, always on the same port; what still runs is killed at the end."""
    port, started = free_port(), []

    def start() -> Receiving:
        made = Receiving(environ, port)
        started.append(made)
        return made

    yield start
    for one in started:
        one.close()


@pytest.fixture
def receiving(receive: Callable[[], Receiving]) -> Receiving:
    return receive()


def _time_goes_by(post: Post) -> None:
    """Whoever had a message open has it no more: nobody waits for a lease here."""
    with post.parts.db.transaction() as session:
        begun = col(Mail.leased_until).is_not(None)
        session.execute(sa.update(Mail).where(begun).values(leased_until=now() - timedelta(seconds=1)))


def _opened(post: Post) -> bool:
    return all(mail.state is MailState.TAKEN for mail in post.mails())


def test_a_message_becomes_documents_without_anybody_asking(post: Post, receiving: Receiving) -> None:
    receiving.send(post, sent(message(invoice(1), invoice(2))))
    until(lambda: len(post.documents()) == 2, 15, "the opening of the message")


def test_it_stops_when_told_and_finishes_what_it_began(post: Post, receiving: Receiving) -> None:
    for number in range(5):
        receiving.send(post, sent(message(invoice(number))))
    assert receiving.process.stop(20) == 0
    assert len(post.mails()) == 5


@pytest.mark.timeout(300)
def test_killed_at_any_moment_around_its_answer_a_repeated_message_is_one_document(
    post: Post, receive: Callable[[], Receiving]
) -> None:
    receiving = receive()
    for number, wait in enumerate(MOMENTS):
        content = sent(message(invoice(number)))
        receiving.killed_while_sending(post, content, wait)
        _time_goes_by(post)
        receiving = receive()
        receiving.send(post, content)
        until(lambda wanted=number + 1: len(post.mails()) == wanted and _opened(post), 20, "the opening")  # type: ignore[misc]
    assert post.names() == [f"rechnung-{number}.pdf" for number in range(len(MOMENTS))]
    assert [document.twin_id for document in post.documents()] == [None] * len(MOMENTS)


@pytest.mark.timeout(300)
def test_killed_while_it_opens_messages_every_part_is_one_document(
    post: Post, receive: Callable[[], Receiving]
) -> None:
    parts, receiving = 12, receive()
    for number in range(3):
        receiving.send(post, sent(message(*(invoice(100 * number + part) for part in range(parts)))))
    until(lambda: len(post.documents()) > parts // 2, 20, "the first documents")
    receiving.close()
    assert len(post.documents()) < 3 * parts
    _time_goes_by(post)
    receive()
    until(lambda: _opened(post), 60, "the opening of all")
    names = sorted(f"rechnung-{100 * number + part}.pdf" for number in range(3) for part in range(parts))
    assert sorted(post.names()) == names
    assert {document.twin_id for document in post.documents()} == {None}


def test_it_looks_into_a_mailbox_that_a_firm_sets_while_it_runs(post: Post, receiving: Receiving) -> None:
    with imap_server() as server:
        server.deliver(sent(message(invoice(), to=post.address)))
        with post.parts.db.transaction() as session:
            secret = post.parts.vault.lock({"password": PASSWORD})
            session.add(
                MailAccount(
                    firm_id=post.firm.id, host="127.0.0.1", port=server.port, security=Security.NONE, username=USER,
                    secret=secret,
                )
            )  # fmt: skip
        until(lambda: post.names() == ["rechnung-1.pdf"], 15, "the document")
        until(lambda: server.unread() == 0, 10, "the mark")


def test_a_port_that_is_taken_is_said_in_one_sentence(environ: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            MAIL,
            check=False,
            env={**environ, "KONTOR_SMTP_PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    assert str(port) in done.stderr
    assert "Traceback" not in done.stderr


def test_kontor_up_receives_mail_when_it_has_a_port(environ: dict[str, str]) -> None:
    port = free_port()
    up = subprocess.Popen(
        [sys.executable, "-m", "portal.cli", "up"], env={**environ, "KONTOR_SMTP_PORT": str(port)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        line = Receiving.__new__(Receiving)
        line.port = port
        until(line.listens, 60, "the receiver")
        up.send_signal(signal.SIGTERM)
        assert up.wait(30) == 0
        assert not line.listens()
    finally:
        if up.poll() is None:
            os.kill(up.pid, signal.SIGKILL)
            up.wait()
