"""An exporter that answers at once and keeps what it was given: for tests and figures of the engine around it.

It obeys the contract (same reservation, one effect); ``script`` says how its next calls end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from pydantic import BaseModel, Field

import integrations
from integrations import login
from integrations.contract import (
    Ability,
    Account,
    DocumentKind,
    Drift,
    Exporter,
    Manifest,
    OutgoingDocument,
    Plan,
    Receipt,
    Schedule,
    Step,
)
from integrations.errors import ReauthRequired

KIND = "echo"
Fault = Callable[[], None]


class Kept:
    """What one remote account holds, and how its next calls end."""

    def __init__(self) -> None:
        self.things: dict[str, tuple[str, int, str]] = {}  # reservation -> document, version, sha256
        self.calls = 0
        self.previous: list[Receipt | None] = []  # what each call was told of the version before
        self.before: list[Fault | None] = []  # raise before the effect
        self.keys = {"anna": "1234", "jonas": "5678"}  # of Safe
        self.after: list[Fault | None] = []  # raise after it: the answer is lost


kept = Kept()


class Echo(Exporter):
    """See the module."""

    manifest = Manifest(
        kind=KIND,
        name="Echo",
        summary="Keeps what it is given.",
        consent="Kontor may give documents to Echo.",
        takes=frozenset({DocumentKind.INCOMING_INVOICE, DocumentKind.RECEIPT, DocumentKind.OUTGOING_INVOICE}),
        needs={DocumentKind.INCOMING_INVOICE: ("party", "gross")},
        abilities=frozenset({Ability.UPDATE, Ability.IDS}),
        on_click=True,
        endpoints={},
    )

    class Config(BaseModel):
        """No settings."""

    class App(BaseModel):
        """No settings."""

    def check(self) -> Account:
        return Account(id="echo", name="Echo")

    def plan(self, document: OutgoingDocument, previous: Receipt | None) -> Plan:
        return Plan(step=Step.UPDATE if previous else Step.CREATE, thing="file")

    def deliver(self, document: OutgoingDocument, reservation: str, previous: Receipt | None) -> Receipt:
        kept.calls += 1
        kept.previous.append(previous)
        _next(kept.before)
        with document.open() as content:
            sha256 = hashlib.sha256(content.read()).hexdigest()
        key = previous.remote_id if previous else reservation
        kept.things[key] = (document.id, document.version, sha256)
        _next(kept.after)
        return Receipt(remote_id=key, checksum=f"sha256:{sha256}", link=f"https://echo.example/{key}")

    def inspect(self, receipts: Sequence[Receipt]) -> list[Drift]:
        return []


class Nightly(Echo):
    """The same, once a night."""

    manifest = Echo.manifest.model_copy(
        update={"kind": "nightly", "schedule": Schedule.NIGHTLY, "earlier_start": True, "needs": {}}
    )


class Safe(Echo):
    """The same behind a login that a person enters; ``kept.keys`` holds which ones it knows."""

    manifest = Echo.manifest.model_copy(update={"kind": "safe", "name": "Safe", "needs": {}})

    class Login(BaseModel):
        """Whose safe it is, and its key."""

        owner: str = Field(min_length=1, max_length=80, title="Owner")
        key: str = Field(min_length=1, max_length=80, title="Key", json_schema_extra={"secret": True})

    def check(self) -> Account:
        _next(kept.before)
        entered = login.opened(self.Login, self.wiring.tokens.current())
        if kept.keys.get(entered.owner) != entered.key:
            raise ReauthRequired("The safe does not open.")
        return Account(id=entered.owner, name=f"Safe of {entered.owner}", space_left=1000, space_total=2000)

    def deliver(self, document: OutgoingDocument, reservation: str, previous: Receipt | None) -> Receipt:
        self.check()
        return super().deliver(document, reservation, previous)


def _next(faults: list[Fault | None]) -> None:
    fault = faults.pop(0) if faults else None
    if fault is not None:
        fault()


def raises(error: Exception) -> Fault:
    """A fault that raises ``error``."""

    def fault() -> None:
        raise error

    return fault


def install() -> Kept:
    """Make the kinds known in this process, with nothing kept yet."""
    integrations.register(KIND, "tests.echo:Echo")
    integrations.register("nightly", "tests.echo:Nightly")
    integrations.register("safe", "tests.echo:Safe")
    kept.__init__()  # type: ignore[misc]
    return kept
