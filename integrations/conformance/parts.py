"""What a connector is wired with in tests: a login and a memory that live as long as the test, and documents."""

from __future__ import annotations

import hashlib
import io
import itertools
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from integrations.contract import Connector, DocumentKind, Memory, OutgoingDocument, Party, Token
from integrations.money import Money

_counter = itertools.count(1)


class MemoryTokens:
    """A TokenSource for tests; ``refresh`` asks the provider. Keeps the same promises as the portal's."""

    def __init__(self, token: Token, refresh: Callable[[Token], Token]) -> None:
        self.token, self.refresh = token, refresh
        self.refreshes = 0
        self.seen = [token]  # every token there was: none of them may ever be told
        self._lock = threading.Lock()

    def current(self) -> Token:
        """The newest token."""
        return self.token

    def refreshed(self, stale: Token) -> Token:
        """A newer one; who comes second gets what the first was given."""
        with self._lock:
            if self.token.access == stale.access:
                self.token = self.refresh(stale)
                self.refreshes += 1
                self.seen.append(self.token)
            return self.token


class MemoryFacts:
    """A Memory for tests."""

    def __init__(self) -> None:
        self.facts: dict[str, str] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> str | None:
        """The value, or None."""
        return self.facts.get(key)

    def claim(self, key: str, value: str) -> str:
        """The first value wins."""
        with self._lock:
            return self.facts.setdefault(key, value)

    def put(self, key: str, value: str) -> None:
        """The last value wins."""
        with self._lock:
            self.facts[key] = value

    def forget(self, key: str) -> None:
        """Remove it."""
        with self._lock:
            self.facts.pop(key, None)


def worker(connector: Connector, memory: Memory | None = None, **wiring: Any) -> Any:
    """The same instance in another process: same login and settings, the shared memory or another one."""
    changed = replace(connector.wiring, memory=memory or connector.wiring.memory, **wiring)
    return type(connector)(changed)


def sample(kind: DocumentKind, content: bytes = b"%PDF-1.7 sample", **facts: Any) -> OutgoingDocument:
    """A believable document, unlike every other one of this run unless ``facts`` say so."""
    turn = next(_counter)
    given: dict[str, Any] = {
        "id": f"01890000-0000-7000-8000-{turn:012d}",
        "version": 1,
        "kind": kind,
        "client": "Bäckerei Sonnenschein GmbH",
        "filename": f"Rechnung {turn}.pdf",
        "media_type": "application/pdf",
        "arrived_on": date(2026, 3, 2),
        "party": Party(name=f"Mühlenwerke {turn} AG", email="rechnung@muehle.example"),
        "number": f"R-2026-{turn:05d}",
        "issued_on": date(2026, 3, 1),
        "due_on": date(2026, 3, 31),
        "net": Money(10_000, "EUR"),
        "tax": Money(1_900, "EUR"),
        "gross": Money(11_900, "EUR"),
        "account": "Girokonto",
    }
    return OutgoingDocument(**{**given, **facts, **_bytes(content)})


def revised(document: OutgoingDocument, content: bytes | None = None, **facts: Any) -> OutgoingDocument:
    """The next version of a document, with other bytes when ``content`` is given."""
    changed = _bytes(content) if content is not None else {}
    return replace(document, version=document.version + 1, **changed, **facts)


def filler(size: int, period: int = 251) -> bytes:
    """So many bytes, of which no two pieces of a round size are alike (``period`` is a prime)."""
    return (bytes(range(period)) * (size // period + 1))[:size]


def content_of(document: OutgoingDocument) -> bytes:
    """Its bytes."""
    with document.open() as file:
        return file.read()


def _bytes(content: bytes) -> dict[str, Any]:
    return {
        "open": lambda: io.BytesIO(content),
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
