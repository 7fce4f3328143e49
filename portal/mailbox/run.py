"""``kontor mail``: the SMTP receiver, the look into mailboxes, and the opening of what was stored, in one process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack

import structlog

from portal.mailbox.poll import poll_due
from portal.mailbox.services import any_account
from portal.mailbox.smtp import Receiver
from portal.mailbox.unpack import unpack_waiting
from portal.parts import Parts

log = structlog.get_logger()
TICK = 2.0  # seconds between looks for work that nobody announced


def is_wanted(parts: Parts) -> bool:
    """Whether there is anything to do: a port to listen on, or a firm with a mailbox."""
    return parts.settings.smtp_port > 0 or any_account(parts.db)


def main(parts: Parts, stop: threading.Event) -> None:
    """Receive, look and open until ``stop``; what was begun is finished first. OSError when the port is taken."""
    arrived = threading.Event()

    def look() -> None:
        if poll_due(parts):
            arrived.set()

    with ExitStack() as stack:
        if port := parts.settings.smtp_port:
            receiver = stack.enter_context(Receiver(parts, parts.settings.smtp_host, port, arrived.set))
            log.info("smtp.listening", host=parts.settings.smtp_host, port=receiver.port)
        looking = threading.Thread(target=_again, args=(look, stop, threading.Event()), name="imap")
        looking.start()
        stack.callback(looking.join)
        _again(lambda: unpack_waiting(parts), stop, arrived)


def _again(work: Callable[[], object], stop: threading.Event, wake: threading.Event) -> None:
    """Work, then wait for ``wake`` or a tick; a fault is logged, and the next round comes."""
    while not stop.is_set():
        try:
            work()
        except Exception:  # a database that is away for a minute must not end the receiver
            log.exception("mail.failed")
        wake.wait(TICK)
        wake.clear()
