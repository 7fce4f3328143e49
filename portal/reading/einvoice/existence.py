"""What must be there: the existence rules of EN 16931-1 (6.4), of XRechnung (BR-DE) and of Peppol, as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from portal.i18n import N_
from portal.reading.einvoice.invoice import counts
from portal.reading.einvoice.spots import Spots, named
from portal.reading.einvoice.tree import Group
from portal.reading.findings import Flag, Level

MISSING = (
    N_("Missing: %(what)s (%(term)s)."),
    N_("%(place)s %(index)s: missing: %(what)s (%(term)s)."),
)
ONE_OF = (
    N_("At least one of these must be given: %(what)s (%(term)s)."),
    N_("%(place)s %(index)s: at least one of these must be given: %(what)s (%(term)s)."),
)
NO_SCHEME = (
    N_("The %(what)s (%(term)s) does not say which kind of identifier it is (scheme)."),
    N_("%(place)s %(index)s: the %(what)s (%(term)s) does not say which kind it is (scheme)."),
)


@dataclass(frozen=True)
class Need:
    """In each group of this name, at least one of the terms (or groups) must be there."""

    rule: str
    group: str
    terms: tuple[str, ...]
    when: Callable[[Group], bool] = lambda _group: True
    level: Level = Level.ERROR


def _transfer(means: Group) -> bool:
    """BT-81: a credit transfer (30) or SEPA credit transfer (58) of UNTDID 4461."""
    return means.text("BT-81") in {"30", "58"}


def _direct_debit(means: Group) -> bool:
    """BT-81: a direct debit (49) or SEPA direct debit (59) of UNTDID 4461."""
    return means.text("BT-81") in {"49", "59"}


def _corrected(invoice: Group) -> bool:
    """BT-3: a corrected invoice (384) of UNTDID 1001."""
    return invoice.text("BT-3") == "384"


def _due(invoice: Group) -> bool:
    return (invoice.one("BG-22").number("BT-115") or 0) > 0


def _taxed(group: Group) -> bool:
    return group.text("BT-118") != "O"


# «invoice», BG-4, BG-7 and BG-22 are there once; a missing one is looked at as an empty one.
CORE = (
    Need("BR-01", "invoice", ("BT-24",)),
    Need("BR-02", "invoice", ("BT-1",)),
    Need("BR-03", "invoice", ("BT-2",)),
    Need("BR-04", "invoice", ("BT-3",)),
    Need("BR-05", "invoice", ("BT-5",)),
    Need("BR-06", "BG-4", ("BT-27",)),
    Need("BR-07", "BG-7", ("BT-44",)),
    Need("BR-08", "BG-4", ("BG-5",)),
    Need("BR-09", "BG-5", ("BT-40",)),
    Need("BR-10", "BG-7", ("BG-8",)),
    Need("BR-11", "BG-8", ("BT-55",)),
    Need("BR-12", "BG-22", ("BT-106",)),
    Need("BR-13", "BG-22", ("BT-109",)),
    Need("BR-14", "BG-22", ("BT-112",)),
    Need("BR-15", "BG-22", ("BT-115",)),
    Need("BR-16", "invoice", ("BG-25",)),
    Need("BR-17", "BG-10", ("BT-59",)),
    Need("BR-18", "BG-11", ("BT-62",)),
    Need("BR-19", "BG-11", ("BG-12",)),
    Need("BR-20", "BG-12", ("BT-69",)),
    Need("BR-21", "BG-25", ("BT-126",)),
    Need("BR-22", "BG-25", ("BT-129",), counts),
    Need("BR-23", "BG-25", ("BT-130",), counts),
    Need("BR-24", "BG-25", ("BT-131",)),
    Need("BR-25", "BG-25", ("BT-153",)),
    Need("BR-26", "BG-25", ("BT-146",), counts),
    Need("BR-31", "BG-20", ("BT-92",)),
    Need("BR-32", "BG-20", ("BT-95",)),
    Need("BR-33/BR-CO-21", "BG-20", ("BT-97", "BT-98")),
    Need("BR-36", "BG-21", ("BT-99",)),
    Need("BR-37", "BG-21", ("BT-102",)),
    Need("BR-38/BR-CO-22", "BG-21", ("BT-104", "BT-105")),
    Need("BR-41", "BG-27", ("BT-136",)),
    Need("BR-42/BR-CO-23", "BG-27", ("BT-139", "BT-140")),
    Need("BR-43", "BG-28", ("BT-141",)),
    Need("BR-44/BR-CO-24", "BG-28", ("BT-144", "BT-145")),
    Need("BR-45", "BG-23", ("BT-116",)),
    Need("BR-46", "BG-23", ("BT-117",)),
    Need("BR-47", "BG-23", ("BT-118",)),
    Need("BR-48", "BG-23", ("BT-119",), _taxed),
    Need("BR-49", "BG-16", ("BT-81",)),
    Need("BR-50/BR-61", "BG-16", ("BT-84",), _transfer),
    Need("BR-52", "BG-24", ("BT-122",)),
    Need("BR-53", "invoice", ("BT-111",)),
    Need("BR-54", "BG-32", ("BT-160",)),
    Need("BR-54", "BG-32", ("BT-161",)),
    Need("BR-55", "BG-3", ("BT-25",)),
    Need("BR-56", "BG-11", ("BT-63",)),
    Need("BR-57", "BG-15", ("BT-80",)),
    Need("BR-CO-04", "BG-25", ("BT-151",), counts),
    Need("BR-CO-18", "invoice", ("BG-23",)),
    Need("BR-CO-19", "BG-14", ("BT-73", "BT-74", "BT-8")),
    Need("BR-CO-20", "BG-26", ("BT-134", "BT-135")),
    # No longer in EN 16931-1 of today, but in Factur-X: without either nobody knows when to pay.
    Need("BR-CO-25", "invoice", ("BT-9", "BT-20"), _due, Level.WARNING),
    Need("BR-CO-26", "BG-4", ("BT-29", "BT-30", "BT-31")),
)  # fmt: skip

# XRechnung 3.0, section 12 (rules for Germany).
XRECHNUNG = (
    Need("BR-DE-1", "invoice", ("BG-16",)),
    Need("BR-DE-2", "BG-4", ("BG-6",)),
    Need("BR-DE-3", "BG-5", ("BT-37",)),
    Need("BR-DE-4", "BG-5", ("BT-38",)),
    Need("BR-DE-5", "BG-6", ("BT-41",)),
    Need("BR-DE-6", "BG-6", ("BT-42",)),
    Need("BR-DE-7", "BG-6", ("BT-43",)),
    Need("BR-DE-8", "BG-8", ("BT-52",)),
    Need("BR-DE-9", "BG-8", ("BT-53",)),
    Need("BR-DE-10", "BG-15", ("BT-77",)),
    Need("BR-DE-11", "BG-15", ("BT-78",)),
    Need("BR-DE-14", "BG-23", ("BT-119",)),
    Need("BR-DE-15", "invoice", ("BT-10",)),
    Need("BR-DE-26", "invoice", ("BG-3",), _corrected, Level.WARNING),
)  # fmt: skip

# Peppol BIS Billing 3.0, transaction rules: what the network needs, not the books.
PEPPOL_AND_XRECHNUNG = (
    Need("PEPPOL-EN16931-R001", "invoice", ("BT-23",), level=Level.WARNING),
    Need("PEPPOL-EN16931-R010", "BG-7", ("BT-49",), level=Level.WARNING),
    Need("PEPPOL-EN16931-R020", "BG-4", ("BT-34",), level=Level.WARNING),
    Need("PEPPOL-EN16931-R061", "BG-16", ("BT-89",), _direct_debit, Level.WARNING),
)  # fmt: skip
PEPPOL = (Need("PEPPOL-EN16931-R003", "invoice", ("BT-10", "BT-13"), level=Level.WARNING),)

# Identifiers that must say what kind they are: rule, group, term, attribute.
_SCHEMES = (
    ("BR-62", "BG-4", "BT-34", "schemeID"),
    ("BR-63", "BG-7", "BT-49", "schemeID"),
    ("BR-64", "BG-25", "BT-157", "schemeID"),
    ("BR-65", "BG-25", "BT-158", "listID"),
)  # fmt: skip


def missing(needs: tuple[Need, ...], found: Spots) -> Iterator[Flag]:
    """What of the table is not there."""
    for need in needs:
        for spot in found.get(need.group, ()):
            if need.when(spot.group) and not any(_has(spot.group, term) for term in need.terms):
                texts = MISSING if len(need.terms) == 1 else ONE_OF
                yield spot.flag(need.rule, texts, named(*need.terms), need.level)


def _has(group: Group, term: str) -> bool:
    if term == "BT-84":
        return any(account.has("BT-84") for account in group.of("BG-17"))
    if term == "BT-111":
        return group.has("BT-111") or not group.has("BT-6")
    return group.has(term)


def without_scheme(found: Spots) -> Iterator[Flag]:
    """Identifiers that do not say what kind they are."""
    for rule, group, name, attribute in _SCHEMES:
        for spot in found.get(group, ()):
            if any(not term.attribute(attribute) for term in spot.group.terms.get(name, ())):
                yield spot.flag(rule, NO_SCHEME, named(name))
