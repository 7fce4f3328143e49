"""Purchase or sale, from the client's own name, VAT ids and IBANs (D3); pure, with its reasons.

What the client issued is never a purchase: where the seller is the client, and where signs contradict each other, the
answer is a sale or nothing, and a person decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import TypeVar

from portal.i18n import N_
from portal.reading.fields.parties import LEGAL
from portal.reading.findings import Direction, Fact, Finding, Findings, Paper, Source
from portal.reading.words import squeeze

T = TypeVar("T")
_SURE = 0.9

SELLER_ID = N_("The seller's VAT ID %(value)s is the client's own.")
BUYER_ID = N_("The buyer's VAT ID %(value)s is the client's own.")
SELLER_NAME = N_("The seller “%(value)s” is the client.")
BUYER_NAME = N_("The buyer “%(value)s” is the client.")
OWN_ACCOUNT = N_("The money goes to the client's own account %(value)s.")
NAMED = N_("The client is named on the document, and the seller is “%(value)s”.")
RECEIPT = N_("Receipts are purchases unless the client issued them.")
CONTRADICTION = N_("Signs contradict each other; a person decides.")
NOTHING = N_("Neither the client's name nor its VAT ID or account was found.")


@dataclass(frozen=True)
class ClientFacts:
    """What is known of the client whose document it is: names it bears, VAT ids and IBANs without blanks."""

    names: frozenset[str] = frozenset()
    vat_ids: frozenset[str] = frozenset()
    ibans: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Reason:
    """A sentence (message id and facts) that speaks for a direction, and how surely (0 to 1)."""

    text: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    speaks_for: Direction | None = None
    strength: float = 0.0


@dataclass(frozen=True)
class Decision:
    """Whose invoice it is, or None where a person must say; with the probability and all reasons, strongest first."""

    direction: Direction | None
    confidence: float
    reasons: tuple[Reason, ...]


def decide(findings: Findings, client: ClientFacts, text: str = "") -> Decision:
    """The direction of a document; ``text``: all its words, where the client may be named in passing."""
    reasons = sorted(_reasons(findings, client, text), key=lambda reason: -reason.strength)
    sale = [reason for reason in reasons if reason.speaks_for is Direction.SALE]
    purchase = [reason for reason in reasons if reason.speaks_for is Direction.PURCHASE]
    if sale and purchase:
        return _contradicted(sale, purchase, reasons)
    if not reasons:
        return Decision(None, 0.0, (Reason(NOTHING),))
    return Decision(reasons[0].speaks_for, _together(reasons), tuple(reasons))


def _contradicted(sale: Sequence[Reason], purchase: Sequence[Reason], reasons: Sequence[Reason]) -> Decision:
    """A clear sale stands against weak signs of a purchase, and the other way round; else nobody can tell."""
    for strong, weak in ((sale, purchase), (purchase, sale)):
        if strong[0].strength >= _SURE and weak[0].strength <= 0.6:
            return Decision(strong[0].speaks_for, 0.9, tuple(reasons))
    return Decision(None, 0.0, (Reason(CONTRADICTION), *reasons))


def _together(reasons: Sequence[Reason]) -> float:
    wrong = 1.0
    for reason in reasons:
        wrong *= 1 - reason.strength
    return round(min(1 - wrong, 0.999), 4)


def _reasons(findings: Findings, client: ClientFacts, text: str) -> list[Reason]:
    sale, purchase = Direction.SALE, Direction.PURCHASE
    found = [
        _of(findings.seller_vat_id, _is_in(client.vat_ids), SELLER_ID, sale, 0.98),
        _of(findings.buyer_vat_id, _is_in(client.vat_ids), BUYER_ID, purchase, 0.98),
        _of(findings.seller, _is_name(client.names), SELLER_NAME, sale, 0.95),
        _of(findings.buyer, _is_name(client.names), BUYER_NAME, purchase, 0.95),
        # An account is weaker: what is taken by direct debit names the payer's.
        _of(findings.iban, _is_in(client.ibans), OWN_ACCOUNT, sale, 0.6),
    ]
    reasons = [reason for reason in found if reason is not None]
    if not reasons and findings.seller is not None and _is_mentioned(client, text):
        reasons.append(Reason(NAMED, {"value": findings.seller.value}, purchase, 0.75 * findings.seller.confidence))
    if (
        findings.paper is not None
        and findings.paper.value is Paper.RECEIPT
        and not any(one.speaks_for is sale for one in reasons)
    ):
        reasons.append(Reason(RECEIPT, {}, purchase, 0.9 * findings.paper.confidence))
    return reasons


def _of(
    finding: Finding[str] | None, holds: Callable[[str], bool], text: str, speaks_for: Direction, strength: float
) -> Reason | None:
    """A reason from a finding, no stronger than the finding is sure; identity itself makes a misreading unlikely."""
    if finding is None or not holds(finding.value):
        return None
    sure = 1.0 if finding.source is Source.XML else max(finding.confidence, 0.9)
    return Reason(text, {"value": finding.value}, speaks_for, round(strength * sure, 4))


def _is_in(identities: frozenset[str]) -> Callable[[str], bool]:
    return lambda value: plain(value) in {plain(one) for one in identities}


def _is_name(names: frozenset[str]) -> Callable[[str], bool]:
    return lambda value: is_named(value, names)


def _is_mentioned(client: ClientFacts, text: str) -> bool:
    squeezed = squeeze(text)
    if any(squeeze(identity) in squeezed for identity in client.vat_ids | client.ibans):
        return True
    return any(len(core) >= 5 and core in squeezed for core in map(_core, client.names))


def is_named(name: str, names: frozenset[str]) -> bool:
    """Whether a printed name is one of the client's, apart from legal form, spelling and a letter misread."""
    core = _core(name)
    return any(_alike(core, _core(own)) for own in names)


def _alike(one: str, two: str) -> bool:
    if min(len(one), len(two)) < 3:
        return bool(one) and one == two
    short, long = sorted((one, two), key=len)
    if len(short) >= 6 and short in long and len(short) >= 0.6 * len(long):
        return True
    return SequenceMatcher(None, one, two, autojunk=False).ratio() >= 0.9


def _core(name: str) -> str:
    """A name without its legal form and address of a person."""
    return squeeze(
        LEGAL.sub(" ", re.sub(r"^(?:herrn?|frau|firma|fa\.|mr\.?|mrs\.?)\s+", "", name.strip(), flags=re.IGNORECASE))
    )


def plain(identity: str) -> str:
    """A VAT id or IBAN in capitals without blanks and signs."""
    return re.sub(r"[^A-Z0-9]", "", identity.upper())
