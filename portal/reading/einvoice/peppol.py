"""The rules of Peppol BIS Billing 3.0 (PEPPOL-EN16931-R…), of which XRechnung takes over the most.

They are what the network needs, so they are warnings: the books can be right without.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from portal.i18n import N_
from portal.reading.einvoice import existence
from portal.reading.einvoice.amounts import CENT, ZERO, cents
from portal.reading.einvoice.invoice import Invoice
from portal.reading.einvoice.profiles import Syntax
from portal.reading.einvoice.spots import Spot, Spots, named
from portal.reading.findings import Flag, Level
from portal.reading.xml import hits

PROCESS = N_("The business process (BT-23) “%(value)s” is none that Peppol knows.")
NOTES = N_("There must be only one note (BT-22); there are %(found)s.")
SAME_CURRENCY = N_("The currency of the tax accounting (BT-6) must be another than that of the invoice (BT-5).")
EMPTY = N_("There are empty elements in the XML: %(found)s, the first is “%(value)s”.")
TOTALS = N_("The totals of VAT (BT-110, BT-111) are not given as often as the currencies (BT-5, BT-6) ask.")
SIGNS = N_("The totals of VAT (BT-110, BT-111) have different signs.")
CURRENCY = N_("An amount is in another currency than the invoice (BT-5): %(value)s.")
PERCENT = (
    N_("The %(what)s (%(term)s) is %(found)s, but base × percentage is %(expected)s."),
    N_("%(place)s %(index)s: the %(what)s (%(term)s) is %(found)s, but base × percentage is %(expected)s."),
)
PRICE = (
    N_("The net price (BT-146) is %(found)s, but gross price (BT-148) − discount (BT-147) is %(expected)s."),
    N_(
        "%(place)s %(index)s: the net price (BT-146) is %(found)s, but gross price (BT-148) − discount (BT-147) is "
        "%(expected)s."
    ),
)
QUANTITY = (
    N_("The base quantity of the price (BT-149) must be greater than 0: %(value)s."),
    N_("%(place)s %(index)s: the base quantity of the price (BT-149) must be greater than 0: %(value)s."),
)
UNIT = (
    N_("The unit of the price (BT-150) must be that of the quantity (BT-130): “%(value)s”."),
    N_("%(place)s %(index)s: the unit of the price (BT-150) must be that of the quantity (BT-130): “%(value)s”."),
)
OUTSIDE = (
    N_("The period of a line (BG-26) must lie within that of the invoice (BG-14)."),
    N_("%(place)s %(index)s: the period of the line (BG-26) must lie within that of the invoice (BG-14)."),
)
MISMATCH = N_("The code of the reason (BT-121) “%(value)s” does not belong to the VAT category (BT-118) %(category)s.")

_PROCESS = re.compile(r"urn:fdc:peppol\.eu:2017:poacc:billing:\d{2}:1\.0")
_EMPTY = "//*[not(*) and not(normalize-space()) and local-name() != 'ApplicableHeaderTradeDelivery']"
# Group with base, percentage and amount.
_PERCENTAGES = (
    ("BG-20", "BT-93", "BT-94", "BT-92"), ("BG-21", "BT-100", "BT-101", "BT-99"),
    ("BG-27", "BT-137", "BT-138", "BT-136"), ("BG-28", "BT-142", "BT-143", "BT-141"),
)  # fmt: skip
# VATEX codes of one category: rule, category.
_REASONS = {
    "VATEX-EU-G": ("P0104", "G"), "VATEX-EU-O": ("P0105", "O"), "VATEX-EU-IC": ("P0106", "K"),
    "VATEX-EU-AE": ("P0107", "AE"), "VATEX-EU-D": ("P0108", "E"), "VATEX-EU-F": ("P0109", "E"),
    "VATEX-EU-I": ("P0110", "E"), "VATEX-EU-J": ("P0111", "E"),
}  # fmt: skip


def rules(invoice: Invoice, found: Spots) -> Iterator[Flag]:
    """What breaks a rule that Peppol and XRechnung share."""
    yield from existence.missing(existence.PEPPOL_AND_XRECHNUNG, found)
    yield from _currencies(invoice)
    yield from _empty(invoice)
    for group, base, percent, amount in _PERCENTAGES:
        for spot in found.get(group, ()):
            yield from _percentage(spot, base, percent, amount)
    yield from _prices(found)
    yield from _periods(invoice, found)


def of_the_network(invoice: Invoice, found: Spots) -> Iterator[Flag]:
    """What Peppol asks besides."""
    yield from existence.missing(existence.PEPPOL, found)
    process, notes = invoice.root.text("BT-23"), len(invoice.root.all("BT-22"))
    if not _PROCESS.fullmatch(process):
        yield _warning("R007", PROCESS, value=process[:80])
    parties = (("BG-4", "BG-5", "BT-40"), ("BG-7", "BG-8", "BT-55"))
    german = all(invoice.root.one(party).one(address).text(term) == "DE" for party, address, term in parties)
    if notes > 1 and not german:
        yield _warning("R002", NOTES, found=notes)
    for spot in found.get("BG-23", ()):
        code, category = spot.group.text("BT-121").upper(), spot.group.text("BT-118")
        if code in _REASONS and _REASONS[code][1] != category:
            yield _warning(_REASONS[code][0], MISMATCH, value=code, category=category or "–")


def _warning(rule: str, text: str, **facts: str | int) -> Flag:
    return Flag(text=text, facts=facts, rule=f"PEPPOL-EN16931-{rule}", level=Level.WARNING)


def _currencies(invoice: Invoice) -> Iterator[Flag]:
    """R005, R051, R053 to R055: one currency for the books, perhaps a second for the tax, each with its total."""
    root, own, other = invoice.root, invoice.root.text("BT-5"), invoice.root.text("BT-6")
    if own and own == other:
        yield _warning("R005", SAME_CURRENCY)
        if invoice.is_cii:
            yield _warning("R054", TOTALS)
    elif other and root.has("BT-110") and root.has("BT-111"):
        signs = {(root.number(term) or ZERO) > 0 for term in ("BT-110", "BT-111") if root.number(term)}
        if len(signs) > 1:
            yield _warning("R055", SIGNS)
    if invoice.syntax in {Syntax.UBL_INVOICE, Syntax.UBL_CREDIT_NOTE}:
        yield from _of_ubl(invoice, own, other)


def _of_ubl(invoice: Invoice, own: str, other: str) -> Iterator[Flag]:
    element = invoice.root.element
    broken_down = hits(element, "*[local-name() = 'TaxTotal'][*[local-name() = 'TaxSubtotal']]")
    plain = hits(element, "*[local-name() = 'TaxTotal'][not(*[local-name() = 'TaxSubtotal'])]")
    if len(broken_down) != 1:
        yield _warning("R053", TOTALS)
    if len(plain) != bool(other):
        yield _warning("R054", TOTALS)
    named_ones = {str(each) for each in hits(element, "//@currencyID")} - {own, other}
    if own and named_ones:
        yield _warning("R051", CURRENCY, value=", ".join(sorted(named_ones))[:40])


def _empty(invoice: Invoice) -> Iterator[Flag]:
    """R008."""
    if found := hits(invoice.root.element, _EMPTY):
        name = str(found[0].tag).rpartition("}")[2]
        yield _warning("R008", EMPTY, found=len(found), value=name[:60])


def _percentage(spot: Spot, base: str, percent: str, amount: str) -> Iterator[Flag]:
    """R040, R041, R042: base, percentage and amount of an allowance or a charge."""
    group = spot.group
    if group.has(percent) != group.has(base):
        rule, term = ("R041", base) if group.has(percent) else ("R042", percent)
        yield spot.flag(f"PEPPOL-EN16931-{rule}", existence.MISSING, named(term), Level.WARNING)
    of, rate, found = (group.number(term) for term in (base, percent, amount))
    if of is not None and rate is not None and found is not None and abs(found - of * rate / 100) > 2 * CENT:
        facts = {**named(amount), "found": f"{found:f}", "expected": f"{cents(of * rate / 100):f}"}
        yield spot.flag("PEPPOL-EN16931-R040", PERCENT, facts, Level.WARNING)


def _prices(found: Spots) -> Iterator[Flag]:
    """R046, R121, R130: net price, base quantity and its unit."""
    for spot in found.get("BG-25", ()):
        line = spot.group
        net, gross, base = (line.number(term) for term in ("BT-146", "BT-148", "BT-149"))
        if net is not None and gross is not None and net != (expected := gross - (line.number("BT-147") or Decimal(0))):
            facts = {"found": f"{net:f}", "expected": f"{expected:f}"}
            yield spot.flag("PEPPOL-EN16931-R046", PRICE, facts, Level.WARNING)
        if base is not None and base <= 0:
            yield spot.flag("PEPPOL-EN16931-R121", QUANTITY, {"value": f"{base:f}"}, Level.WARNING)
        if line.has("BT-150") and line.text("BT-130") and line.text("BT-150") != line.text("BT-130"):
            yield spot.flag("PEPPOL-EN16931-R130", UNIT, {"value": line.text("BT-150")[:20]}, Level.WARNING)


def _periods(invoice: Invoice, found: Spots) -> Iterator[Flag]:
    """R110, R111: a line's period within the invoice's."""
    start, end = invoice.root.one("BG-14").day("BT-73"), invoice.root.one("BG-14").day("BT-74")
    for spot in found.get("BG-26", ()):
        first, last = spot.group.day("BT-134"), spot.group.day("BT-135")
        if start and first and first < start:
            yield spot.flag("PEPPOL-EN16931-R110", OUTSIDE, {}, Level.WARNING)
        if end and last and last > end:
            yield spot.flag("PEPPOL-EN16931-R111", OUTSIDE, {}, Level.WARNING)
