"""The alarm of a hybrid: its XML is what counts in law, its pages are what people read. They must say the same."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date

from portal.i18n import N_
from portal.money import Money
from portal.reading.findings import Finding, Findings, Flag, Level

SURE = 0.8  # a reading of the pages that is less sure raises no alarm

DIFFERS: Mapping[str, str] = {
    "number": N_("XML and pages differ in the invoice number (BT-1): “%(xml)s” in the XML, “%(pages)s” on the pages."),
    "issued_on": N_("XML and pages differ in the invoice date (BT-2): %(xml)s in the XML, %(pages)s on the pages."),
    "gross": N_("XML and pages differ in the total (BT-112): %(xml)s in the XML, %(pages)s on the pages."),
    "tax": N_("XML and pages differ in the VAT (BT-110): %(xml)s in the XML, %(pages)s on the pages."),
    "iban": N_("XML and pages differ in the IBAN (BT-84): %(xml)s in the XML, %(pages)s on the pages."),
}


def compare(
    xml: Findings, pages: Findings, ibans: Collection[str] = (), printed: Collection[str] = ()
) -> tuple[Flag, ...]:
    """What the pages of a hybrid say otherwise than its XML: total, VAT, IBAN, date, number.

    Only what both have, the pages at 0.8 sure or more. ``ibans`` are further accounts of the XML that pages may show;
    ``printed`` are all accounts on the pages: a letterhead may list more than the XML, but one of the XML's is there.
    Signs do not count (credit notes are printed either way), nor do blanks and dashes of numbers; the pages may show
    the amount due for the total.
    """
    written, seen = xml.found(), pages.found()
    flags = []
    for name, text in DIFFERS.items():
        if name in written and name in seen and seen[name].confidence >= SURE:
            allowed = _allowed(name, xml, ibans)
            shown = {_plain(seen[name].value), *(map(_plain, printed) if name == "iban" else ())}
            if not shown & allowed:
                facts = {"xml": _said(written[name].value), "pages": _said(seen[name].value)}
                flags.append(Flag(text=text, facts=facts, rule="HYBRID", level=Level.ERROR))
    return tuple(flags)


def _allowed(name: str, xml: Findings, ibans: Collection[str]) -> set[object]:
    found: list[Finding[object] | None] = [getattr(xml, name)]
    if name == "gross":
        found.append(xml.payable)  # type: ignore[arg-type]
    values = {_plain(one.value) for one in found if one is not None}
    return values | {_plain(iban) for iban in ibans} if name == "iban" else values


def _plain(value: object) -> object:
    """A value as it is compared."""
    if isinstance(value, Money):
        return Money(abs(value.minor), value.currency)
    return re.sub(r"[\W_]", "", value).upper() if isinstance(value, str) else value


def _said(value: object) -> str:
    if isinstance(value, Money):
        return f"{value.decimal:f} {value.currency}"
    return value.isoformat() if isinstance(value, date) else str(value)
