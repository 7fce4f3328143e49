"""What the kit needs of a provider's simulator. How it does it, in one process or over HTTP, is its own affair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from integrations.contract import Connector, Receipt
from integrations.money import Money


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """One thing that the provider holds because of a document: a file, or an entry with the files attached to it."""

    remote_id: str
    name: str
    files: tuple[bytes, ...]


class Bench(Protocol):
    """For every connector. Steps of a script are ``ok``, ``down``, ``reset`` (no effect), ``commit-then-drop`` (full
    effect, no answer), ``throttle:SECONDS`` and ``slow:SECONDS``; each call of the API, and no other, takes one.
    """

    def script(self, steps: Sequence[str]) -> None:
        """What happens to the next calls of the API, in order; afterwards all goes well."""

    def clear(self) -> None:
        """Forget what is left of scripts."""

    def advance(self, seconds: float) -> None:
        """Move the provider's clock, and the one the connectors are wired with, forward."""

    def expire(self, connector: Connector) -> None:
        """End the connector's access token; the refresh token still works. (OAUTH only.)"""

    def revoke(self, connector: Connector) -> None:
        """End the connector's login for good, as its owner does at the provider."""


class ExporterBench(Bench, Protocol):
    """For connectors that take documents to a provider."""

    def arrived(self, connector: Connector) -> list[Arrival]:
        """All that the connector's account holds because of documents; not what a person deleted."""

    def remove(self, connector: Connector, receipt: Receipt) -> None:
        """Delete the thing as a person does."""

    def alter(self, connector: Connector, receipt: Receipt) -> None:
        """Change its content (a file) or its amount (an entry) as a person does."""

    def folders(self, connector: Connector) -> list[str]:
        """Paths of all folders of the account, one for each folder even when two have one path. (FOLDERS only.)"""

    def fill(self, connector: Connector) -> None:
        """Leave no room in the account. (SPACE_LEFT only.)"""


class LedgerBench(ExporterBench, Protocol):
    """For accounting packages."""

    def pay(self, connector: Connector, receipt: Receipt, amount: Money) -> str:
        """Record a payment on an invoice; its id."""

    def unpay(self, connector: Connector, payment_id: str) -> None:
        """Delete a payment."""

    def mails(self, connector: Connector, receipt: Receipt) -> list[str]:
        """Addresses that the invoice was sent to, one for each sending."""


class ImporterBench(Bench, Protocol):
    """For connectors that fetch documents."""

    def put(self, connector: Connector, name: str, content: bytes) -> str:
        """A person puts a file where the connector looks; its id."""

    def rename(self, connector: Connector, file_id: str, name: str) -> None:
        """A person renames it."""

    def revise(self, connector: Connector, file_id: str, content: bytes) -> None:
        """A person replaces its content."""

    def discard(self, connector: Connector, file_id: str) -> None:
        """A person deletes it."""

    def forget_cursors(self, connector: Connector) -> None:
        """The provider no longer knows the cursors it gave."""
