"""``kontor mail``: the SMTP receiver, the look into mailboxes, and the opening of what was stored, in one process."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from portal.config import Settings
from portal.mailbox.models import MailAccount
from portal.mailbox.poll import poll_due
from portal.mailbox.smtp import Receiver
from portal.mailbox.unpack import unpack_waiting
from portal.parts import Parts

log = structlog.get_logger()
TICK = 2.0  # seconds between looks for work that nobody announced


def is_wanted(settings: Settings) -> bool:
    """Whether there is anything to do: a port to listen on, or a firm with a mailbox.

    Asked by the parent of all processes, which forks: it must not wait long and keeps no connection.
    """
    if settings.smtp_port:
        return True
    is_sqlite = settings.database_url.startswith("sqlite")
    patience = {"timeout": 3} if is_sqlite else {"connect_timeout": 3}
    engine = sa.create_engine(settings.database_url, poolclass=sa.NullPool, connect_args=patience)
    try:
        with engine.connect() as connection:
            return connection.execute(sa.select(col(MailAccount.firm_id)).limit(1)).first() is not None
    except DBAPIError as error:  # away for a moment: asked again
        log.warning("mail.unknown", error=type(error).__name__)
        return False
    finally:
        engine.dispose()


def run(parts: Parts) -> None:
    """Work until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    main(parts, stop)


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
