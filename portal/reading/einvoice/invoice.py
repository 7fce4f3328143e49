"""One e-invoice: its terms, the standard it follows, and what it says to the rest of the portal."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeVar

from lxml import etree
from schwifty import IBAN

from portal.money import Money, digits
from portal.reading.einvoice import cii, ubl
from portal.reading.einvoice.profiles import Profile, Syntax, profile_of
from portal.reading.einvoice.tree import Group, Term
from portal.reading.findings import NO_CURRENCY, Finding, Findings, Line, Paper, Source, Tax
from portal.reading.xml import hits

T = TypeVar("T")

_SHAPES = {
    ubl.INVOICE: (Syntax.UBL_INVOICE, ubl.UBL),
    ubl.CREDIT_NOTE: (Syntax.UBL_CREDIT_NOTE, ubl.UBL),
    cii.CII: (Syntax.CII, cii.TODAY),
    cii.ZUGFERD_1: (Syntax.ZUGFERD_1, cii.OF_2014),
}
# UNTDID 1001: documents whose amounts go back to the buyer (EN 16931-1, BT-3; credit notes of BR-CL-01).
CREDIT_NOTES = frozenset("81 83 261 262 296 308 381 396 420 458 502 503 532".split())
_NO_DETAIL = frozenset({"GROUP", "INFORMATION"})  # lines of EXTENDED that sum up or explain others
DOUBTFUL = 0.5  # an identifier that fails its own check digits


@dataclass(frozen=True, eq=False)
class Invoice:
    """An e-invoice by its terms. ``root`` is the group of all."""

    syntax: Syntax
    profile: Profile
    root: Group

    @property
    def currency(self) -> str:
        """BT-5; where it is missing, the currency that all amounts name."""
        stated = self.root.text("BT-5").upper()
        if stated:
            return stated
        named = {str(each) for each in hits(self.root.element, "//@currencyID")}
        return named.pop() if len(named) == 1 else ""

    @property
    def totals(self) -> Group:
        """BG-22."""
        return self.root.one("BG-22")

    @property
    def is_cii(self) -> bool:
        """Whether it is written in CII, of today or of 2014."""
        return self.syntax in {Syntax.CII, Syntax.ZUGFERD_1}

    @property
    def counting_lines(self) -> list[Group]:
        """The lines whose amounts make up the total."""
        return [line for line in self.root.of("BG-25") if counts(line)]

    @property
    def ibans(self) -> list[str]:
        """All accounts of the payee (BT-84), without blanks."""
        return [compact(term.value) for _group, term in self.root.find("BT-84")]

    @property
    def is_credit_note(self) -> bool:
        """Whether positive amounts go from seller to buyer."""
        return self.syntax is Syntax.UBL_CREDIT_NOTE or self.root.text("BT-3") in CREDIT_NOTES

    @property
    def tax_total(self) -> Term | None:
        """BT-110; where no currency is stated, the only total of tax that there is."""
        found = self.root.term("BT-110")
        if found is not None or self.root.has("BT-5"):
            return found
        totals = hits(self.root.element, "//*[local-name() = 'TaxTotalAmount']")
        return Term((totals[0].text or "").strip(), totals[0]) if len(totals) == 1 else None


def counts(line: Group) -> bool:
    """Whether a line's amount is part of the total: EXTENDED knows lines that only sum up or explain others."""
    return line.text("BT-X-8") not in _NO_DETAIL


def invoice_of(root: etree._Element) -> Invoice | None:
    """The invoice that this XML is, or that its Peppol envelope holds; None when its syntax is none that is known."""
    if etree.QName(root).localname == "StandardBusinessDocument":
        root = next(root.iter(*_SHAPES), root)
    known = _SHAPES.get(root.tag)
    if known is None:
        return None
    syntax, shape = known
    group = shape.read("invoice", root)
    return Invoice(syntax, profile_of(group.text("BT-24"), syntax), group)


def findings_of(invoice: Invoice) -> Findings:
    """What the invoice says. A value that is not what its term asks for (a date, an amount) is none."""
    root, totals = invoice.root, invoice.totals
    seller, buyer = root.one("BG-4"), root.one("BG-7")
    currency = _currency(invoice)
    found = Findings(
        paper=_finding(root.term("BT-3"), Paper.CREDIT_NOTE if invoice.is_credit_note else Paper.INVOICE)
        or Finding(value=Paper.INVOICE, confidence=0.9, source=Source.XML),
        number=_text(root.term("BT-1")),
        issued_on=_day(root.term("BT-2")),
        due_on=_day(root.term("BT-9")),
        seller=_text(seller.term("BT-27") or seller.term("BT-28")),
        seller_vat_id=_text(seller.term("BT-31")),
        buyer=_text(root.one("BG-7").term("BT-44") or buyer.term("BT-45")),
        buyer_vat_id=_text(buyer.term("BT-48")),
        currency=currency,
        iban=_iban(root),
    )
    return _with_amounts(found, invoice, totals, currency.value if currency else NO_CURRENCY)


def _with_amounts(found: Findings, invoice: Invoice, totals: Group, currency: str) -> Findings:
    return replace(
        found,
        net=_money(totals.term("BT-109"), currency),
        tax=_money(invoice.tax_total, currency),
        gross=_money(totals.term("BT-112"), currency),
        prepaid=_money(totals.term("BT-113"), currency),
        payable=_money(totals.term("BT-115"), currency),
        lines=tuple(_lines(invoice, currency)),
        taxes=tuple(filter(None, (_tax(group, currency) for group in invoice.root.of("BG-23")))),
    )


def _finding(term: Term | None, value: T | None, confidence: float = 1.0) -> Finding[T] | None:
    if term is None or value is None:
        return None
    return Finding(value=value, confidence=confidence, source=Source.XML, xpath=term.xpath)


def _text(term: Term | None) -> Finding[str] | None:
    return _finding(term, " ".join(term.value.split()) if term else None)


def _day(term: Term | None) -> Finding[date] | None:
    return _finding(term, term.day if term else None)


def _money(term: Term | None, currency: str) -> Finding[Money] | None:
    number = term.number if term else None
    return _finding(term, None if number is None else rounded(number, currency))


def rounded(amount: Decimal, currency: str) -> Money:
    """An amount to the currency's places, half away from zero."""
    return Money.of(amount.quantize(Decimal(1).scaleb(-digits(currency)), ROUND_HALF_UP), currency)


def _currency(invoice: Invoice) -> Finding[str] | None:
    code = invoice.currency
    if not re.fullmatch(r"[A-Z]{3}", code):
        return None
    term = invoice.root.term("BT-5")
    return _finding(term, code) if term else Finding(value=code, confidence=0.8, source=Source.XML)


def _iban(root: Group) -> Finding[str] | None:
    """BT-84 of the first credit transfer, unless it is an account number of another kind (digits alone).

    What fails the check digits is told with doubt.
    """
    for _group, term in root.find("BT-84"):
        number = compact(term.value)
        if number[:1].isalpha():
            return _finding(term, number, 1.0 if is_iban(number) else DOUBTFUL)
        return None
    return None


def compact(number: str) -> str:
    """An identifier without blanks, in capitals."""
    return re.sub(r"\s", "", number).upper()


def is_iban(number: str) -> bool:
    """Whether country, length and check digits of an IBAN (ISO 13616) are right."""
    return bool(IBAN(number, allow_invalid=True).is_valid)


def _lines(invoice: Invoice, currency: str) -> list[Line]:
    """The lines, then allowances (negative) and charges of the whole document, so that all together are the net."""
    lines = [_line(group, currency) for group in invoice.counting_lines if group.number("BT-131") is not None]
    root = invoice.root
    more = [(one, "BT-92", "BT-97", "BT-96", -1) for one in root.of("BG-20")]
    more += [(one, "BT-99", "BT-104", "BT-103", 1) for one in root.of("BG-21")]
    more += [(one, "BT-X-272", "BT-X-271", "BT-X-274", 1) for one in root.of("BG-X-42")]
    for group, amount, reason, rate, sign in more:
        number = group.number(amount)
        if number:
            text = group.text(reason) or ("Allowance" if sign < 0 else "Charge")
            lines.append(
                Line(description=text, net=rounded(sign * number, currency), tax_rate=group.number(rate))
            )  # fmt: skip
    return lines


def _line(group: Group, currency: str) -> Line:
    quantity = group.number("BT-129")
    return Line(
        description=group.text("BT-153") or group.text("BT-154") or group.text("BT-127") or group.text("BT-126") or "–",
        net=rounded(group.number("BT-131") or Decimal(0), currency),
        quantity=Decimal(1) if quantity is None else quantity,
        unit=group.text("BT-130") or None,
        unit_price=_unit_price(group),
        tax_rate=group.number("BT-152"),
    )


def _unit_price(group: Group) -> Decimal | None:
    """BT-146 for one unit: divided by the base quantity (BT-149) that it is for."""
    price, base = group.number("BT-146"), group.number("BT-149")
    return price / base if price is not None and base else price


def _tax(group: Group, currency: str) -> Tax | None:
    base, tax = group.number("BT-116"), group.number("BT-117")
    if base is None and tax is None:
        return None
    return Tax(
        base=rounded(base or Decimal(0), currency), tax=rounded(tax or Decimal(0), currency),
        rate=group.number("BT-119"), category=group.text("BT-118") or None,
    )  # fmt: skip
