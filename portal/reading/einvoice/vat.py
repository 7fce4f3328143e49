"""The rules of each VAT category (EN 16931-1, 6.4.3): BR-S, -Z, -E, -AE, -IC, -G, -O, -AF, -AG, -B."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from portal.i18n import N_
from portal.reading.einvoice.amounts import ZERO, cents, summed
from portal.reading.einvoice.invoice import Invoice
from portal.reading.einvoice.spots import Spot, Spots, named
from portal.reading.einvoice.tree import Group
from portal.reading.findings import Fact, Flag, Level


class Rate(StrEnum):
    """What the rate of a category must be."""

    POSITIVE = N_("greater than 0 %")
    ZERO = N_("0 %")
    ANY = N_("0 % or more")
    ABSENT = N_("absent")


@dataclass(frozen=True)
class Category:
    """One code of BT-118 with what it asks for; every inner tuple of ``needs`` is a choice of terms."""

    code: str
    rules: str
    name: str
    rate: Rate
    needs: tuple[tuple[str, ...], ...]
    reason: bool  # the exemption's reason: must be given, or must not
    once: bool = True  # one group of the breakdown; else one for each rate


_SELLER = ("BT-31", "BT-32", "BT-63")
_SELLER_VAT = ("BT-31", "BT-63")
CATEGORIES = (
    Category("S", "BR-S", N_("S (standard rate)"), Rate.POSITIVE, (_SELLER,), reason=False, once=False),
    Category("Z", "BR-Z", N_("Z (zero rated)"), Rate.ZERO, (_SELLER,), reason=False),
    Category("E", "BR-E", N_("E (exempt)"), Rate.ZERO, (_SELLER,), reason=True),
    Category(
        "AE", "BR-AE", N_("AE (reverse charge)"), Rate.ZERO, (_SELLER, ("BT-48", "BT-47")), reason=True
    ),
    Category("K", "BR-IC", N_("K (intra-Community supply)"), Rate.ZERO, (_SELLER_VAT, ("BT-48",)), reason=True),
    Category("G", "BR-G", N_("G (export outside the EU)"), Rate.ZERO, (_SELLER_VAT,), reason=True),
    Category("O", "BR-O", N_("O (not subject to VAT)"), Rate.ABSENT, (), reason=True),
    Category("L", "BR-AF", N_("L (Canary Islands, IGIC)"), Rate.ANY, (_SELLER,), reason=False, once=False),
    Category("M", "BR-AG", N_("M (Ceuta and Melilla, IPSI)"), Rate.ANY, (_SELLER,), reason=False, once=False),
)  # fmt: skip

# Where a category is used: group, its amount, category and rate, its sign in the sum, and the last digits of the rules
# about identifiers (-02 to -04) and rates (-05 to -07).
_USES = (
    ("BG-25", "BT-131", "BT-151", "BT-152", 1, 2, 5),
    ("BG-20", "BT-92", "BT-95", "BT-96", -1, 3, 6),
    ("BG-21", "BT-99", "BT-102", "BT-103", 1, 4, 7),
    ("BG-X-42", "BT-X-272", "BT-X-273", "BT-X-274", 1, 4, 7),
)  # fmt: skip

BREAKDOWN = N_("The VAT category %(category)s is used, but the VAT breakdown (BG-23) has %(found)s groups for it.")
NEEDS = N_("With the VAT category %(category)s at least one of these must be given: %(what)s (%(term)s).")
FORBIDS = N_("With the VAT category %(category)s these must not be given: %(what)s (%(term)s).")
RATE = N_(
    "%(place)s %(index)s: with the VAT category %(category)s the rate (%(term)s) must be "
    "%(expected)s; it is “%(found)s”."
)
BASE = N_(
    "VAT category %(category)s, %(rate)s %%: the taxable amount (BT-116) is %(found)s, but lines, allowances and "
    "charges come to %(expected)s."
)
TAX_NOT_ZERO = N_("VAT category %(category)s: the VAT amount (BT-117) must be 0; it is %(found)s.")
TAX_WRONG = N_(
    "VAT category %(category)s, %(rate)s %%: the VAT amount (BT-117) is %(found)s, but it must be %(expected)s."
)
REASON = N_("VAT category %(category)s: a reason for the exemption must be given (BT-120 or BT-121).")
NO_REASON = N_("VAT category %(category)s: no reason for an exemption may be given (BT-120, BT-121).")
ALONE = N_("With VAT category O (not subject to VAT) there must be no other category: %(found)s in %(where)s.")
DELIVERY = N_("An intra-Community supply needs the date of delivery (BT-72) or the invoicing period (BG-14).")
DESTINATION = N_("An intra-Community supply needs the country of delivery (BT-80).")
ITALIAN = N_("VAT category B (split payment) is for invoices within Italy alone.")
SPLIT = N_("VAT category B (split payment) and S (standard rate) must not be in one invoice.")


def categories(invoice: Invoice, found: Spots) -> Iterator[Flag]:
    """All rules of the categories that an invoice uses."""
    for category in CATEGORIES:
        used = [use for use in _USES if any(_is(spot.group, use[2], category.code) for spot in found.get(use[0], ()))]
        groups = [spot for spot in found.get("BG-23", ()) if spot.group.text("BT-118") == category.code]
        if used or groups:
            yield from _breakdown(category, invoice, bool(used), len(groups))
            yield from _identifiers(category, invoice, used)
            yield from _rates(category, found)
            for spot in groups:
                yield from _group(category, invoice, spot)
    yield from _special(invoice, found)


def _is(group: Group, term: str, code: str) -> bool:
    return group.text(term) == code


def _named(category: Category) -> list[str]:
    return [category.name]


def _error(rule: str, text: str, **facts: Fact) -> Flag:
    return Flag(text=text, facts=facts, rule=rule, level=Level.ERROR)


def _breakdown(category: Category, invoice: Invoice, used: bool, groups: int) -> Iterator[Flag]:
    """-01: a group for what is used. None for what is not: in UBL of taxed categories, in CII of the others."""
    unused = not used and category.once is invoice.is_cii and bool(invoice.root.of("BG-25"))
    if (used and (groups == 0 or (category.once and groups != 1))) or (unused and groups):
        yield _error(f"{category.rules}-01", BREAKDOWN, category=_named(category), found=groups)


def _identifiers(
    category: Category, invoice: Invoice, used: list[tuple[str, str, str, str, int, int, int]]
) -> Iterator[Flag]:
    present = {name for group in ("BG-4", "BG-7", "BG-11") for name in invoice.root.one(group).terms}
    for *_use, digit, _rate in used:
        rule = f"{category.rules}-{digit:02}"
        for choice in category.needs:
            if not present & set(choice):
                yield _error(rule, NEEDS, category=_named(category), **named(*choice))
        unwanted = sorted(present & {"BT-31", "BT-48", "BT-63"})
        if category.code == "O" and unwanted:
            yield _error(rule, FORBIDS, category=_named(category), **named(*unwanted))


def _rates(category: Category, found: Spots) -> Iterator[Flag]:
    for name, _amount, code, rate, _sign, _digit, digit in _USES:
        for spot in found.get(name, ()):
            if _is(spot.group, code, category.code) and not _right(category.rate, spot.group, rate):
                facts: dict[str, Fact] = {
                    "place": [spot.place], "index": spot.index, "category": _named(category), "term": rate,
                    "expected": [str(category.rate)], "found": spot.group.text(rate) or "–",
                }  # fmt: skip
                yield Flag(text=RATE, facts=facts, rule=f"{category.rules}-{digit:02}", level=Level.ERROR)


def _right(wanted: Rate, group: Group, term: str) -> bool:
    rate = group.number(term)
    if wanted is Rate.ABSENT:
        return not group.has(term)
    if rate is None:
        return False
    return {Rate.POSITIVE: rate > 0, Rate.ZERO: rate == 0, Rate.ANY: rate >= 0}[wanted]


def _group(category: Category, invoice: Invoice, spot: Spot) -> Iterator[Flag]:
    """One group of the breakdown: its taxable amount (-08), its tax (-09) and its reason (-10)."""
    group, name = spot.group, _named(category)
    base, tax, rate = group.number("BT-116"), group.number("BT-117"), group.number("BT-119")
    expected = _base(category, invoice, rate)
    if base is not None and expected is not None and abs(base - expected) >= 1:
        yield _error(
            f"{category.rules}-08", BASE, category=name, rate=f"{rate or ZERO:f}", found=f"{base:f}",
            expected=f"{cents(expected):f}",
        )  # fmt: skip
    yield from _tax(category, base, tax, rate)
    has_reason = group.has("BT-120") or group.has("BT-121")
    if category.reason is not has_reason:
        yield _error(f"{category.rules}-10", REASON if category.reason else NO_REASON, category=name)


def _base(category: Category, invoice: Invoice, rate: Decimal | None) -> Decimal | None:
    """What the lines, allowances and charges of a category (and rate, where it counts) come to; None without lines."""
    if not invoice.root.of("BG-25"):
        return None
    total = ZERO
    for name, amount, code, percent, sign, *_rest in _USES:
        groups = invoice.counting_lines if name == "BG-25" else invoice.root.of(name)
        alike = [
            group for group in groups
            if _is(group, code, category.code) and (category.once or group.number(percent) == rate)
        ]  # fmt: skip
        total += sign * summed(alike, amount)
    return total


def _tax(category: Category, base: Decimal | None, tax: Decimal | None, rate: Decimal | None) -> Iterator[Flag]:
    if tax is None:
        return
    rule, name = f"{category.rules}-09", _named(category)
    if category.once:
        if tax != 0:
            yield _error(rule, TAX_NOT_ZERO, category=name, found=f"{tax:f}")
    elif base is not None and rate is not None:
        expected = cents(base * rate / 100)
        if abs(abs(tax) - expected.copy_sign(rate)) >= 1:
            yield _error(
                rule, TAX_WRONG, category=name, rate=f"{rate:f}", found=f"{tax:f}", expected=f"{expected:f}"
            )  # fmt: skip


def _special(invoice: Invoice, found: Spots) -> Iterator[Flag]:
    codes = {spot.group.text("BT-118") for spot in found.get("BG-23", ())}
    root = invoice.root
    if "O" in codes:
        yield from _alone(found)
    if "K" in codes:
        if not any(delivery.has("BT-72") for delivery in root.of("BG-13")) and not any(
            period.has("BT-73") or period.has("BT-74") for period in root.of("BG-14")
        ):
            yield _error("BR-IC-11", DELIVERY)
        if not any(address.has("BT-80") for delivery in root.of("BG-13") for address in delivery.of("BG-15")):
            yield _error("BR-IC-12", DESTINATION)
    used = codes | {spot.group.text(use[2]) for use in _USES for spot in found.get(use[0], ())}
    if "B" in used:
        countries = {term.value for name in ("BT-40", "BT-55", "BT-69", "BT-80") for _g, term in root.find(name)}
        if countries - {"IT"}:
            yield _error("BR-B-01", ITALIAN)
        if "S" in used:
            yield _error("BR-B-02", SPLIT)


def _alone(found: Spots) -> Iterator[Flag]:
    for rule, group, term in (
        ("BR-O-11", "BG-23", "BT-118"), ("BR-O-12", "BG-25", "BT-151"), ("BR-O-13", "BG-20", "BT-95"),
        ("BR-O-14", "BG-21", "BT-102"),
    ):  # fmt: skip
        others = sorted({spot.group.text(term) for spot in found.get(group, ())} - {"O", ""})
        if others:
            yield _error(rule, ALONE, found=", ".join(others), where=f"{group} ({term})")
