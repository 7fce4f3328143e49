"""What must add up, and how amounts, dates and prices must be written: EN 16931-1 (6.4.2) and Peppol R120."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Context, Decimal

from portal.i18n import N_
from portal.reading.einvoice.invoice import Invoice, counts
from portal.reading.einvoice.profiles import Scope, Syntax
from portal.reading.einvoice.spots import Spot, Spots, named
from portal.reading.einvoice.tree import Group, Term
from portal.reading.findings import Fact, Flag, Level

CODE = "currencyID"
_WIDE = Context(prec=100)
ZERO, CENT = Decimal(0), Decimal("0.01")

TOTAL = (
    N_("The %(what)s (%(term)s) is %(found)s, but it must be %(expected)s: %(sum)s."),
    N_("%(place)s %(index)s: the %(what)s (%(term)s) is %(found)s, but it must be %(expected)s: %(sum)s."),
)
TAX_COUNT = N_("The total VAT (BT-110) must be given once in the currency of the invoice; it is there %(found)s times.")
NOT_A_NUMBER = (
    N_("The %(what)s (%(term)s) is not a number: “%(value)s”."),
    N_("%(place)s %(index)s: the %(what)s (%(term)s) is not a number: “%(value)s”."),
)
NOT_A_DATE = (
    N_("The %(what)s (%(term)s) is not a date: “%(value)s”."),
    N_("%(place)s %(index)s: the %(what)s (%(term)s) is not a date: “%(value)s”."),
)
FORMAT = (
    N_("The %(what)s (%(term)s) does not say that it is a date (format 102)."),
    N_("%(place)s %(index)s: the %(what)s (%(term)s) does not say that it is a date (format 102)."),
)
DECIMALS = (
    N_("The %(what)s (%(term)s) has more than two decimal places: %(value)s."),
    N_("%(place)s %(index)s: the %(what)s (%(term)s) has more than two decimal places: %(value)s."),
)
NEGATIVE = (
    N_("The %(what)s (%(term)s) must not be negative: %(value)s."),
    N_("%(place)s %(index)s: the %(what)s (%(term)s) must not be negative: %(value)s."),
)
PERIOD = (
    N_("The period ends (%(end)s) before it starts (%(start)s)."),
    N_("%(place)s %(index)s: the period ends (%(end)s) before it starts (%(start)s)."),
)
EXCLUSIVE = N_("Only one of these may be given: %(what)s (%(term)s).")

SUMS = {
    "BT-106": N_("the net amounts of all lines (BT-131)"),
    "BT-107": N_("the allowances of the whole invoice (BT-92)"),
    "BT-108": N_("the charges of the whole invoice (BT-99)"),
    "BT-109": N_("sum of the lines (BT-106) − allowances (BT-107) + charges (BT-108)"),
    "BT-110": N_("the VAT amounts of the breakdown (BT-117)"),
    "BT-112": N_("total without VAT (BT-109) + VAT (BT-110)"),
    "BT-115": N_("total with VAT (BT-112) − paid (BT-113) + rounding (BT-114)"),
    "BT-117": N_("taxable amount (BT-116) × rate (BT-119)"),
    "BT-131": N_("quantity (BT-129) × net price (BT-146) − allowances + charges"),
}  # fmt: skip

# Amounts of at most two decimals, by group (BR-DEC).
_TWO_DECIMALS = {
    "invoice": {"BT-110": "BR-DEC-13", "BT-111": "BR-DEC-15"},
    "BG-20": {"BT-92": "BR-DEC-01", "BT-93": "BR-DEC-02"},
    "BG-21": {"BT-99": "BR-DEC-05", "BT-100": "BR-DEC-06"},
    "BG-22": {
        "BT-106": "BR-DEC-09", "BT-107": "BR-DEC-10", "BT-108": "BR-DEC-11", "BT-109": "BR-DEC-12",
        "BT-110": "BR-DEC-13", "BT-112": "BR-DEC-14", "BT-111": "BR-DEC-15", "BT-113": "BR-DEC-16",
        "BT-114": "BR-DEC-17", "BT-115": "BR-DEC-18",
    },
    "BG-23": {"BT-116": "BR-DEC-19", "BT-117": "BR-DEC-20"},
    "BG-25": {"BT-131": "BR-DEC-23"},
    "BG-27": {"BT-136": "BR-DEC-24", "BT-137": "BR-DEC-25"},
    "BG-28": {"BT-141": "BR-DEC-27", "BT-142": "BR-DEC-28"},
}  # fmt: skip
_NUMBERS = ("BT-119", "BT-129", "BT-146", "BT-148", "BT-152", "BT-96", "BT-103")
_DATES = ("BT-2", "BT-7", "BT-9", "BT-26", "BT-72", "BT-73", "BT-74", "BT-134", "BT-135")


def cents(amount: Decimal) -> Decimal:
    """Rounded to two decimals, half away from zero; numbers of any size that a stranger may write."""
    return amount.quantize(CENT, ROUND_HALF_UP, context=_WIDE)


def summed(groups: list[Group], name: str) -> Decimal:
    """The sum of a term over groups; what is missing or no number adds nothing."""
    return sum((group.number(name) or ZERO for group in groups), ZERO)


def totals(invoice: Invoice) -> Iterator[Flag]:
    """The totals of BG-22, each against what it is the sum of. What is missing is the matter of other rules."""
    root, given = invoice.root, invoice.totals.number
    lines, allowances = invoice.counting_lines, root.of("BG-20")
    charges = summed(root.of("BG-21"), "BT-99") + summed(root.of("BG-X-42"), "BT-X-272")
    has_charges = bool(root.of("BG-21") or root.of("BG-X-42"))
    if lines:
        yield from _total(invoice, "BR-CO-10", "BT-106", summed(lines, "BT-131"))
    if allowances or given("BT-107"):
        yield from _total(invoice, "BR-CO-11", "BT-107", summed(allowances, "BT-92"))
    if has_charges or given("BT-108"):
        yield from _total(invoice, "BR-CO-12", "BT-108", charges)
    net, gross = given("BT-109"), given("BT-112")
    if (of_lines := given("BT-106")) is not None:
        expected = of_lines - (given("BT-107") or ZERO) + (given("BT-108") or ZERO)
        yield from _total(invoice, "BR-CO-13", "BT-109", expected)
    if net is not None:
        yield from _gross(invoice, net)
    if gross is not None:
        due = gross - (given("BT-113") or ZERO) + (given("BT-114") or ZERO) + _of_others(invoice)
        yield from _total(invoice, "BR-CO-16", "BT-115", due)


def _of_others(invoice: Invoice) -> Decimal:
    """BR-DEX-09: the extension of XRechnung adds what third parties claim to the amount due."""
    is_extension = invoice.profile.xrechnung and invoice.profile.scope is Scope.EXTENDED
    return summed(invoice.root.of("BG-DEX-09"), "BT-DEX-002") if is_extension else ZERO


def _gross(invoice: Invoice, net: Decimal) -> Iterator[Flag]:
    """BR-CO-15: with one total of VAT in the invoice's currency; in CII none counts as zero."""
    count = len(invoice.root.terms.get("BT-110", ()))
    unnamed = invoice.syntax is Syntax.CII and count == 1 and invoice.root.terms["BT-110"][0].attribute(CODE) is None
    if count > 1 or unnamed or (count == 0 and not invoice.is_cii):
        count -= unnamed
        yield Flag(text=TAX_COUNT, facts={"found": count}, rule="BR-CO-15", level=Level.ERROR)
        return
    tax = invoice.tax_total
    yield from _total(invoice, "BR-CO-15", "BT-112", net + ((tax.number if tax else None) or ZERO))


def tax_total(invoice: Invoice) -> Iterator[Flag]:
    """BR-CO-14: the total of VAT against its breakdown."""
    groups = invoice.root.of("BG-23")
    if groups:
        yield from _total(invoice, "BR-CO-14", "BT-110", summed(groups, "BT-117"))


def _total(invoice: Invoice, rule: str, term: str, expected: Decimal) -> Iterator[Flag]:
    found = (invoice.root if term == "BT-110" else invoice.totals).number(term)
    missing_sum = found is None and not invoice.totals.has(term) and term in {"BT-107", "BT-108"} and expected
    if missing_sum or (found is not None and found != cents(expected)):
        yield Spot(invoice.totals).flag(rule, TOTAL, _sum(term, found or ZERO, cents(expected)))


def _sum(term: str, found: Decimal, expected: Decimal) -> dict[str, Fact]:
    return {**named(term), "found": f"{found:f}", "expected": f"{expected:f}", "sum": [SUMS[term]]}


def rates(found: Spots) -> Iterator[Flag]:
    """BR-CO-17: VAT of a group = taxable amount × rate. Less than one unit apart passes; no rate counts as 0 %."""
    for spot in found.get("BG-23", ()):
        base, tax, rate = (spot.group.number(name) for name in ("BT-116", "BT-117", "BT-119"))
        if base is not None and tax is not None:
            expected = cents(base * (rate or ZERO) / 100)
            if abs(abs(tax) - expected.copy_sign(rate or ZERO)) >= 1:
                yield spot.flag("BR-CO-17", TOTAL, _sum("BT-117", tax, expected))


def prices(found: Spots) -> Iterator[Flag]:
    """PEPPOL-EN16931-R120: a line's net amount against quantity and price; two cents of rounding pass."""
    for spot in found.get("BG-25", ()):
        line = spot.group
        net, quantity, price = (line.number(name) for name in ("BT-131", "BT-129", "BT-146"))
        if net is None or quantity is None or price is None or not counts(line):
            continue
        more = summed(line.of("BG-28"), "BT-141") - summed(line.of("BG-27"), "BT-136")
        expected = cents(quantity * price / (line.number("BT-149") or Decimal(1)) + more)
        if abs(net - expected) > 2 * CENT:
            facts = _sum("BT-131", net, expected)
            yield spot.flag("PEPPOL-EN16931-R120", TOTAL, facts, Level.WARNING)


def written(found: Spots) -> Iterator[Flag]:
    """Amounts, numbers and dates that are none, or have too many places."""
    for group, spots in found.items():
        two_decimals = _TWO_DECIMALS.get(group, {})
        for spot in spots:
            for name, terms in spot.group.terms.items():
                look = _amount if name in two_decimals else _numeral if name in _NUMBERS else _date
                if look is not _date or name in _DATES:
                    yield from filter(None, (look(spot, name, term) for term in terms))


def _numeral(spot: Spot, name: str, term: Term) -> Flag | None:
    if term.number is not None:
        return None
    return spot.flag(name, NOT_A_NUMBER, {**named(name), "value": term.value[:40]})


def _amount(spot: Spot, name: str, term: Term) -> Flag | None:
    if term.number is None:
        return _numeral(spot, name, term)
    if len(term.value.partition(".")[2].rstrip("0")) <= 2:
        return None
    rule = _TWO_DECIMALS[spot.group.name][name]
    return spot.flag(rule, DECIMALS, {**named(name), "value": term.value[:40]})


def _date(spot: Spot, name: str, term: Term) -> Flag | None:
    """CII-DT-097 (BR-03): eight digits that are a day, and say so (format 102); UBL writes ISO 8601."""
    if term.day is None:
        return spot.flag("CII-DT-097", NOT_A_DATE, {**named(name), "value": term.value[:40]})
    if str(term.element.tag).endswith("}DateTimeString") and term.attribute("format") not in {"102", "205"}:
        rule = "BR-03" if name == "BT-2" else "CII-DT-097"
        return spot.flag(rule, FORMAT, named(name), Level.WARNING)
    return None


def signs_and_periods(invoice: Invoice, found: Spots) -> Iterator[Flag]:
    """BR-27, BR-28: no negative prices. BR-29, BR-30: periods run forward. BR-CO-03: one tax point."""
    for spot in found.get("BG-25", ()):
        for name, rule in (("BT-146", "BR-27"), ("BT-148", "BR-28")):
            value = spot.group.number(name)
            if value is not None and value < 0:
                yield spot.flag(rule, NEGATIVE, {**named(name), "value": f"{value:f}"})
    for group, start, end, rule in (("BG-14", "BT-73", "BT-74", "BR-29"), ("BG-26", "BT-134", "BT-135", "BR-30")):
        for spot in found.get(group, ()):
            first, last = spot.group.day(start), spot.group.day(end)
            if first and last and last < first:
                yield spot.flag(rule, PERIOD, {"start": first.isoformat(), "end": last.isoformat()})
    if invoice.root.has("BT-7") and invoice.root.has("BT-8"):
        yield Flag(text=EXCLUSIVE, facts=named("BT-7", "BT-8"), rule="BR-CO-03", level=Level.ERROR)
