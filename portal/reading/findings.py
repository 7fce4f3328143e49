"""What a reader found in a document: each value with how sure it is and where it stands (D2).

All readers (XML, text layer, OCR) answer with ``Findings``. ``merge`` puts two readings of one document together;
``as_fields`` turns them into what ``portal.documents.fields.validated`` takes, once the direction (D3) is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, TypeVar

from integrations.contract import DocumentKind
from portal.money import Money

T = TypeVar("T")
Fact = str | int | list[str]  # a list holds message ids: each is translated, then joined by commas
NO_CURRENCY = "XXX"  # ISO 4217: amounts of a document that names no currency


class Source(StrEnum):
    """Where a value was read from."""

    XML = "xml"
    TEXT = "text"  # the text layer of a PDF
    OCR = "ocr"


class Paper(StrEnum):
    """What a document is, before anyone knows whose purchase or sale it is."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"  # its amounts count the other way round
    RECEIPT = "receipt"
    STATEMENT = "statement"
    OTHER = "other"


class Direction(StrEnum):
    """Whose invoice it is, seen from the client (D3)."""

    PURCHASE = "purchase"
    SALE = "sale"


class Level(StrEnum):
    """How much a flag matters."""

    ERROR = "error"  # the document breaks a rule, or contradicts itself
    WARNING = "warning"  # a person should look
    NOTE = "note"


@dataclass(frozen=True)
class Box:
    """A rectangle on a page as it is shown: PDF points (1/72 inch) from the page's upper left corner."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, kw_only=True)
class Finding(Generic[T]):
    """One value. ``confidence`` is the probability (0 to 1) that it is right; ``page`` counts from 1."""

    value: T
    confidence: float
    source: Source
    page: int | None = None
    box: Box | None = None
    xpath: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.confidence <= 1:
            raise ValueError(f"not a probability: {self.confidence}")


@dataclass(frozen=True, kw_only=True)
class Flag:
    """Something a person should know: a message id with ``%(name)s`` places, its facts, and the rule it stands on."""

    text: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    rule: str | None = None  # "BR-CO-15"
    level: Level = Level.WARNING


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line, its net amount as printed; allowances and charges of the whole document are lines, too."""

    description: str
    net: Money
    quantity: Decimal = Decimal(1)
    unit: str | None = None
    unit_price: Decimal | None = None
    tax_rate: Decimal | None = None  # percent


@dataclass(frozen=True, kw_only=True)
class Tax:
    """The tax of one category (UNTDID 5305: "S", "Z", "E", "AE", …) and rate in percent."""

    base: Money
    tax: Money
    rate: Decimal | None = None
    category: str | None = None


@dataclass(frozen=True, kw_only=True)
class Findings:
    """All that was read from one document; what was not found is None, never a guess. Amounts as they are printed."""

    paper: Finding[Paper] | None = None
    number: Finding[str] | None = None
    issued_on: Finding[date] | None = None
    due_on: Finding[date] | None = None
    seller: Finding[str] | None = None
    seller_vat_id: Finding[str] | None = None
    buyer: Finding[str] | None = None
    buyer_vat_id: Finding[str] | None = None
    currency: Finding[str] | None = None
    net: Finding[Money] | None = None
    tax: Finding[Money] | None = None
    gross: Finding[Money] | None = None
    prepaid: Finding[Money] | None = None
    payable: Finding[Money] | None = None
    iban: Finding[str] | None = None  # without blanks; where the money goes
    lines: tuple[Line, ...] = ()
    taxes: tuple[Tax, ...] = ()
    flags: tuple[Flag, ...] = ()

    def found(self) -> dict[str, Finding[Any]]:
        """The values that were found, by name."""
        named = ((one.name, getattr(self, one.name)) for one in fields(self))
        return {name: value for name, value in named if isinstance(value, Finding)}

    def flagged(self, more: Sequence[Flag]) -> Findings:
        """The same with more flags."""
        return replace(self, flags=(*self.flags, *more))


def merge(first: Findings, second: Findings) -> Findings:
    """Two readings of the same document, field by field: XML before pages, then whatever is surer.

    Pages that agree make each other surer, as independent witnesses do. Pages that contradict each other leave the
    better one no surer than it is against the other. Lines and taxes come whole from one of the two; flags from both.
    """
    one, two = first.found(), second.found()
    chosen: dict[str, Any] = {name: _better(one.get(name), two.get(name)) for name in one | two}
    return replace(
        first, **chosen, lines=first.lines or second.lines, taxes=first.taxes or second.taxes,
        flags=(*first.flags, *(flag for flag in second.flags if flag not in first.flags)),
    )  # fmt: skip


def _better(one: Finding[Any] | None, two: Finding[Any] | None) -> Finding[Any]:
    if one is None or two is None:
        return one or two  # type: ignore[return-value]
    if (one.source is Source.XML) is not (two.source is Source.XML):
        return one if one.source is Source.XML else two
    better, other = (one, two) if one.confidence >= two.confidence else (two, one)
    if better.value == other.value:
        return replace(better, confidence=1 - (1 - better.confidence) * (1 - other.confidence))
    return replace(better, confidence=_against(better.confidence, other.confidence))


def _against(better: float, other: float) -> float:
    """The probability that the better one is right when exactly one of two independent readings can be."""
    right, wrong = better * (1 - other), (1 - better) * other
    both_wrong = (1 - better) * (1 - other)
    return right / (right + wrong + both_wrong) if right else 0.0


def kind_of(paper: Paper | None, direction: Direction | None) -> DocumentKind | None:
    """The folder of a document; None as long as an invoice's direction is not known."""
    if paper in {Paper.INVOICE, Paper.CREDIT_NOTE}:
        folders = {
            Direction.PURCHASE: DocumentKind.INCOMING_INVOICE, Direction.SALE: DocumentKind.OUTGOING_INVOICE
        }  # fmt: skip
        return folders[direction] if direction else None
    others = {Paper.RECEIPT: DocumentKind.RECEIPT, Paper.STATEMENT: DocumentKind.STATEMENT,
              Paper.OTHER: DocumentKind.OTHER}  # fmt: skip
    return others[paper] if paper else None


def as_fields(findings: Findings, direction: Direction | None, least: float = 0.0) -> dict[str, object]:
    """What the portal keeps as a document's fields, by their names there; only values at ``least`` this sure.

    The counterparty of a purchase is the seller, of a sale the buyer; without a direction there is none (a receipt is
    a purchase). A credit note's amounts are negative, however its issuer wrote them. Amounts that contradict each
    other are left out but for the total, lines that do not add up to the net amount altogether.
    """
    sure = {name: one.value for name, one in findings.found().items() if one.confidence >= least}
    paper = sure.get("paper")
    side = "seller" if direction is Direction.PURCHASE or paper is Paper.RECEIPT else "buyer" if direction else ""
    given: dict[str, object] = {
        "party_name": sure.get(side),
        "party_vat_id": sure.get(f"{side}_vat_id"),
        **{name: sure.get(name) for name in ("number", "issued_on", "due_on", "currency")},
        **_amounts(sure, -1 if paper is Paper.CREDIT_NOTE else 1),
    }
    given["lines"] = _lines(findings, given.get("net"))
    return {name: value for name, value in given.items() if value is not None}


def _amounts(sure: Mapping[str, Any], sign: int) -> dict[str, object]:
    """Net, tax and gross in minor units. ``sign`` turns a credit note's positive total round."""
    amounts = {name: sure[name].minor for name in ("net", "tax", "gross") if name in sure}
    currencies = {sure[name].currency for name in amounts}
    if len(currencies) != 1 or not currencies <= {sure.get("currency", *currencies)} - {NO_CURRENCY}:
        return {}
    if len(amounts) == 3 and amounts["net"] + amounts["tax"] != amounts["gross"]:
        amounts = {"gross": amounts["gross"]}
    turn = sign if amounts.get("gross", amounts.get("net", 0)) > 0 else 1
    return {"currency": currencies.pop(), **{name: turn * minor for name, minor in amounts.items()}}


def _lines(findings: Findings, net: object) -> list[dict[str, object]] | None:
    total = sum(line.net.minor for line in findings.lines)
    if not findings.lines or not isinstance(net, int) or abs(total) != abs(net):
        return None
    return [_line(line, 1 if total == net else -1) for line in findings.lines]


def _line(line: Line, sign: int) -> dict[str, object]:
    price = None if line.unit_price is None else sign * line.unit_price
    known = {"description": line.description, "net": sign * line.net.minor, "quantity": line.quantity,
             "unit_price": price, "tax_rate": line.tax_rate}  # fmt: skip
    return {name: value for name, value in known.items() if value is not None}
