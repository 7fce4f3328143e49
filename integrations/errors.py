"""Everything a connector may raise, sorted by who must act.

ConnectorError
├── Transient          we, later: time-out, reset, 5xx, an unclear answer
│   └── Throttled      we, after ``wait`` seconds
├── Rejected           a person, at the document: the provider will never take it as it is
├── ReauthRequired     the owner of the connection: sign in again at the provider
├── Misconfigured      whoever set up the instance or the installation: a setting is wrong or missing
├── TargetGone         nobody at once: what the document was put into was deleted at the provider
└── StorageFull        the owner of the storage: make room

Each carries one English sentence that the firm may read and that is translated for display (a message id with
``%(name)s`` places) and the facts that fill it. Never a token, a URL with a secret or a provider's raw body: those
belong to the chained cause, which only the log sees.
"""

from __future__ import annotations

Fact = str | int


class ConnectorError(Exception):
    """The base: ``text`` is the message id, ``facts`` its values; ``str()`` is the English sentence."""

    def __init__(self, text: str, /, **facts: Fact) -> None:
        super().__init__(text)
        self.text = text
        self.facts: dict[str, Fact] = facts

    def __str__(self) -> str:
        return self.text % self.facts if self.facts else self.text


class Transient(ConnectorError):
    """It may work later, unchanged."""


class Throttled(Transient):
    """The provider asked us to wait ``wait`` seconds."""

    def __init__(self, text: str, /, *, wait: float, **facts: Fact) -> None:
        super().__init__(text, **facts)
        self.wait = wait


class Rejected(ConnectorError):
    """The provider refuses this document; somebody must change the document or a mapping."""


class ReauthRequired(ConnectorError):
    """The login is dead (revoked, expired for good, rights lost)."""


class Misconfigured(ConnectorError):
    """A setting of the instance or the installation is wrong; no document can go until it is mended."""


class TargetGone(ConnectorError):
    """The thing to update, or the root that everything goes into, no longer exists at the provider."""


class StorageFull(ConnectorError):
    """The storage has no room; ``needed`` bytes would have been used."""

    def __init__(self, text: str, /, *, needed: int, **facts: Fact) -> None:
        super().__init__(text, **facts)
        self.needed = needed
