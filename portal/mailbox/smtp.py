"""A small SMTP receiver (RFC 5321) for the clients' addresses; it relays nothing and sends nothing.

250 after the message's end means: its bytes and its rows are on the disk. When the database or the file store is away
the answer is 451, and the sender keeps the message. Who is no client's is refused at RCPT (550). It speaks no TLS: a
mail server in front (docs/operating.md) does that, and checks SPF, DKIM and DMARC.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from portal.mailbox import addresses, store
from portal.mailbox.models import MailAddress
from portal.parts import Parts

if TYPE_CHECKING:
    from portal.db import Database

log = structlog.get_logger()
CONNECTIONS = 10  # at once; each may hold one message in memory, some times its size
RECIPIENTS = 20
GUESSES = 3  # unknown recipients before a connection is ended
PATIENCE = 180.0  # seconds a command, or all of a message, may take
THREADS = 4

OK = "250 2.1.5 OK"
STORED = "250 2.0.0 Stored"
UNKNOWN = "550 5.1.1 There is no such address here"
REPLACED = "550 5.1.6 This address has been replaced; please ask your accountant for the new one"
GUESSING = "421 4.7.0 Too many unknown addresses"
TOO_MANY = "452 4.5.3 Too many recipients; please send the rest again"
LATER = "451 4.3.0 The message cannot be stored right now; please try again later"
FULL = "452 4.2.2 Too many messages wait for a decision; please try again later"
BUSY = b"421 4.3.2 Too many connections; please try again later\r\n"
TOO_LARGE = "552 5.3.4 The message is too large"

Answer = TypeVar("Answer")


class Handler:
    """What is answered to RCPT and to a message; the waiting is done in threads."""

    def __init__(self, parts: Parts, arrived: Callable[[], None]) -> None:
        self.parts, self.arrived = parts, arrived
        self.pool = ThreadPoolExecutor(THREADS, "smtp")
        self.connections = 0

    async def _apart(self, work: Callable[..., Answer], *values: object) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self.pool, work, *values)

    async def handle_RCPT(
        self, server: Protocol, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take an address that leads to a client, and no other."""
        if len(envelope.rcpt_tos) >= RECIPIENTS:
            return TOO_MANY
        try:
            answer = await self._apart(self._recipient, address, envelope.mail_from or "", _peer(session))
        except Exception as error:  # noqa: BLE001 - whatever is away, the sender tries again
            log.warning("smtp.postponed", at="RCPT", error=type(error).__name__)
            return LATER
        if answer == OK:
            envelope.rcpt_tos.append(address)
        if answer == UNKNOWN and server.guessed_wrong():
            return GUESSING
        return answer

    def _recipient(self, address: str, envelope_from: str, peer: str) -> str:
        found = _known(self.parts.db, [address])
        if not found:
            return UNKNOWN
        if found[0].retired_at is None:
            return OK
        store.note_replaced(self.parts.db, found[0], envelope_from, peer)
        return REPLACED

    async def handle_DATA(self, _server: Protocol, session: Session, envelope: Envelope) -> str:
        """Store the message; only then say so."""
        content = envelope.original_content or b""
        try:
            await self._apart(self._keep, content, list(envelope.rcpt_tos), envelope.mail_from or "", _peer(session))
        except store.Full:
            return FULL
        except Exception as error:  # noqa: BLE001 - whatever is away, the sender tries again
            log.warning("smtp.postponed", at="DATA", error=type(error).__name__)
            return LATER
        self.arrived()
        return STORED

    def _keep(self, content: bytes, recipients: list[str], envelope_from: str, peer: str) -> None:
        found = _known(self.parts.db, recipients)
        store.keep(self.parts, found, content, way="smtp", peer=peer, envelope_from=envelope_from)
        log.info("smtp.stored", size=len(content), clients=len(found))

    async def too_large(self, session: Session, envelope: Envelope, size: int) -> None:
        """Write down for each client that a message was too large."""
        try:
            await self._apart(self._note, list(envelope.rcpt_tos), envelope.mail_from or "", _peer(session), size)
        except Exception as error:  # noqa: BLE001 - the sender is told all the same
            log.warning("smtp.unnoted", error=type(error).__name__)

    def _note(self, recipients: list[str], envelope_from: str, peer: str, size: int) -> None:
        store.note_too_large(self.parts.db, _known(self.parts.db, recipients), envelope_from, peer, size)

    async def handle_exception(self, error: Exception) -> str:
        """A fault of ours: the sender tries again, and is told nothing else."""
        log.error("smtp.failed", exc_info=error)
        return LATER


def _known(db: Database, written: list[str]) -> list[MailAddress]:
    with db.read() as session:
        return list(addresses.known(session, written).values())


def _peer(session: Session) -> str:
    return str(session.peer[0]) if isinstance(session.peer, tuple) else ""


class Protocol(SMTP):
    """One connection: the library's, with longer lines, fewer guesses and a note of what was too large."""

    line_length_limit = 65_536  # programs that write HTML into one line are many, and their mail is not lost

    def __init__(self, handler: Handler) -> None:
        super().__init__(
            handler, data_size_limit=store.MESSAGE_LIMIT - 1, enable_SMTPUTF8=True, timeout=PATIENCE,
            hostname=socket.gethostname(), ident="Kontor", loop=asyncio.get_running_loop(),
        )  # fmt: skip
        self._handler = handler
        self._guesses = 0

    def guessed_wrong(self) -> bool:
        """Count an unknown recipient; whether that ends the connection."""
        self._guesses += 1
        if self._guesses >= GUESSES:
            asyncio.get_running_loop().call_later(0.5, self._hang_up)
        return self._guesses >= GUESSES

    def _hang_up(self) -> None:
        if isinstance(self.transport, asyncio.Transport):
            self.transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it."""
        self._handler.connections += 1
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Count it out."""
        self._handler.connections -= 1
        super().connection_lost(error)

    async def push(self, status: Any) -> None:
        """Answer. The library decides by itself that a message was too large: this is where that is to be seen."""
        if isinstance(status, str) and status.startswith("552 Error: Too much mail data"):
            if self.session is not None and self.envelope is not None:
                await self._handler.too_large(self.session, self.envelope, store.MESSAGE_LIMIT)
            status = TOO_LARGE
        await super().push(status)


class Busy(asyncio.Protocol):
    """A connection too many: told so, and ended."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say so and end."""
        if isinstance(transport, asyncio.Transport):
            transport.write(BUSY)
            transport.close()


class Receiver:
    """The receiver in a thread of its own, as a context: it listens when the block begins and is gone at its end.

    ``arrived`` is called, in that thread, after each message that was stored. Port 0 takes a free one; see ``port``.
    """

    def __init__(self, parts: Parts, host: str, port: int, arrived: Callable[[], None] = lambda: None) -> None:
        self._handler = Handler(parts, arrived)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=64)
        self.port: int = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="smtp", daemon=True)
        self._listening = threading.Event()

    def __enter__(self) -> Receiver:
        self._thread.start()
        self._listening.wait(10)
        return self

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(self._loop.create_server(self._protocol, sock=self._socket))
        self._listening.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(_end_tasks())
        self._loop.close()

    def _protocol(self) -> asyncio.BaseProtocol:
        return Protocol(self._handler) if self._handler.connections < CONNECTIONS else Busy()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._handler.pool.shutdown(wait=True)  # what is being stored is stored; its sender comes again


async def _end_tasks() -> None:
    """End the connections there are."""
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
