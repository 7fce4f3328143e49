"""XRechnung 3.0, section 12 (BR-DE): what the rules for Germany ask beyond a term that must be there.

Peppol asks the same of invoices between German parties, by names of its own (DE-R).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from portal.i18n import N_
from portal.reading.einvoice import existence
from portal.reading.einvoice.invoice import Invoice, compact
from portal.reading.einvoice.spots import Spot, Spots, named
from portal.reading.einvoice.tree import Group
from portal.reading.findings import Flag, Level
from portal.reading.xml import hits

NOT_WITH_THIS = (
    N_("With this means of payment (BT-81) these must not be given: %(what)s (%(term)s)."),
    N_("%(place)s %(index)s: with this means of payment (BT-81) these must not be given: %(what)s (%(term)s)."),
)
NO_IBAN = (
    N_("A SEPA payment (BT-81) needs an IBAN; the %(what)s (%(term)s) is “%(value)s”."),
    N_("%(place)s %(index)s: a SEPA payment (BT-81) needs an IBAN; the %(what)s (%(term)s) is “%(value)s”."),
)
DEBIT = N_("A direct debit (BG-19) needs: %(what)s (%(term)s).")
TYPE = N_("XRechnung uses no invoices of type (BT-3) “%(value)s”.")
CUSTOMIZED = N_("The specification (BT-24) “%(value)s” is not that of today's XRechnung.")
SAME_NAME = N_("Attached files (BT-125) must have different names; “%(value)s” is there twice.")
PHONE = N_("The telephone number of the seller (BT-42) has less than three digits: “%(value)s”.")
EMAIL = N_("The e-mail address of the seller (BT-43) cannot be right: “%(value)s”.")
SKONTO = N_("A line about cash discount in the payment terms (BT-20) is not written as XRechnung asks: “%(value)s”.")
WHEN = N_("It is not said when the goods or services were delivered (BT-72, BG-14 or BG-26).")

_TRANSFERS, _CARDS, _DEBITS = ("30", "58"), ("48", "54", "55"), ("59",)  # UNTDID 4461
_TYPES = frozenset("326 380 381 384 389 875 876 877".split())
_TAXED = frozenset("S Z E AE K G L M".split())
_IDENTIFIER = re.compile(
    r"urn:cen\.eu:en16931:2017#compliant#urn:xeinkauf\.de:kosit:xrechnung_3\.0"
    r"(#conformant#urn:xeinkauf\.de:kosit:extension:xrechnung_3\.0|#compliant#urn:xeinkauf\.de:kosit:xrechnung:cvd_0\.9)?"
)
_EMAIL = re.compile(r"[^@\s]+@([^@.\s]+\.)+[^@.\s]+")
_SKONTO = re.compile(r"#SKONTO#TAGE=\d+#PROZENT=\d+\.\d{2}(#BASISBETRAG=-?\d+\.\d{2})?#")


def rules(invoice: Invoice, found: Spots) -> Iterator[Flag]:
    """What breaks a rule of XRechnung."""
    yield from existence.missing(existence.XRECHNUNG, found)
    yield from _tax_numbers(invoice, found)
    yield from _payments(invoice, found)
    yield from _debits(invoice)
    yield from _attachments(invoice)
    yield from _seller(invoice)
    yield from _terms(invoice)
    if not invoice.profile.peppol:
        yield from _identifier(invoice)
    if invoice.root.has("BT-3") and invoice.root.text("BT-3") not in _TYPES:
        yield _flag("BR-DE-17", TYPE, invoice.root.text("BT-3"), Level.WARNING)
    if not _is_dated(invoice):
        yield Flag(text=WHEN, rule="BR-DE-TMP-32", level=Level.NOTE)


def in_peppol(invoice: Invoice, found: Spots) -> Iterator[Flag]:
    """The same between German parties in Peppol, by Peppol's names; what a network needs is no error of the books."""
    countries = [invoice.root.one(party).one(address).text(country) for party, address, country in _COUNTRIES]
    if countries != ["DE", "DE"]:
        return
    for flag in rules(invoice, found):
        if name := re.fullmatch(r"BR-DE-(\d+)(?:-([ab]))?", flag.rule or ""):
            part = {"a": "-1", "b": "-2"}.get(name[2] or "", "")
            yield replace(flag, rule=f"DE-R-{int(name[1]):03}{part}", level=Level.WARNING)


_COUNTRIES = (("BG-4", "BG-5", "BT-40"), ("BG-7", "BG-8", "BT-55"))


def _flag(rule: str, text: str, value: str, level: Level = Level.ERROR) -> Flag:
    return Flag(text=text, facts={"value": value[:120]}, rule=rule, level=level)


def _tax_numbers(invoice: Invoice, found: Spots) -> Iterator[Flag]:
    """BR-DE-16: whoever names a VAT category names a tax number, too."""
    terms = (("BG-20", "BT-95"), ("BG-21", "BT-102"), ("BG-25", "BT-151"))
    used = {spot.group.text(term) for group, term in terms for spot in found.get(group, ())}
    seller = invoice.root.one("BG-4")
    if used & _TAXED and not (seller.has("BT-31") or seller.has("BT-32") or invoice.root.has("BG-11")):
        facts = named("BT-31", "BT-32", "BT-63")
        yield Flag(text=existence.ONE_OF[0], facts=facts, rule="BR-DE-16", level=Level.ERROR)


def _payments(invoice: Invoice, found: Spots) -> Iterator[Flag]:
    """BR-DE-23, -24, -25: transfer, card or direct debit, and nothing beside it. BR-DE-19, -20: SEPA knows IBANs."""
    for spot in found.get("BG-16", ()):
        code, means = spot.group.text("BT-81"), spot.group
        given = {"BG-17": means.has("BG-17"), "BG-18": means.has("BG-18"), "BG-19": is_debit(invoice, means)}
        for codes, rule, own in ((_TRANSFERS, "23", "BG-17"), (_CARDS, "24", "BG-18"), (_DEBITS, "25", "BG-19")):
            if code not in codes:
                continue
            if not given[own]:
                yield spot.flag(f"BR-DE-{rule}-a", existence.MISSING, named(own))
            if others := [group for group in given if group != own and given[group]]:
                yield spot.flag(f"BR-DE-{rule}-b", NOT_WITH_THIS, named(*others))
        if code == "58":
            yield from _sepa(spot, "BR-DE-19", "BT-84", [account.text("BT-84") for account in means.of("BG-17")])
        elif code == "59":
            yield from _sepa(spot, "BR-DE-20", "BT-91", means.all("BT-91"))


def _sepa(spot: Spot, rule: str, term: str, numbers: list[str]) -> Iterator[Flag]:
    """Numbers that are not even built like an IBAN; wrong check digits are told of every invoice."""
    for number in numbers:
        if number and not compact(number)[:1].isalpha():
            yield spot.flag(rule, NO_IBAN, {**named(term), "value": number[:40]}, Level.WARNING)


def is_debit(invoice: Invoice, means: Group) -> bool:
    """Whether BG-19 is there; in CII it has no element of its own and is there by what it says."""
    said = means.has("BT-89") or means.has("BT-91") or invoice.root.one("BG-4").has("BT-90")
    return said if invoice.is_cii else means.has("BG-19")


def _debits(invoice: Invoice) -> Iterator[Flag]:
    """BR-DE-30, BR-DE-31: a direct debit names its creditor and the account."""
    debits = [means for means in invoice.root.of("BG-16") if is_debit(invoice, means)]
    if debits and not any(invoice.root.find("BT-90")):
        yield Flag(text=DEBIT, facts=named("BT-90"), rule="BR-DE-30", level=Level.ERROR)
    if debits and not any(means.has("BT-91") for means in debits):
        yield Flag(text=DEBIT, facts=named("BT-91"), rule="BR-DE-31", level=Level.ERROR)


def _attachments(invoice: Invoice) -> Iterator[Flag]:
    """BR-DE-22: file names are different."""
    names = [str(name) for name in hits(invoice.root.element, "//@filename")]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield _flag("BR-DE-22", SAME_NAME, name)


def _seller(invoice: Invoice) -> Iterator[Flag]:
    """BR-DE-27, BR-DE-28: a telephone number has digits, an e-mail address its form."""
    contact = invoice.root.one("BG-4").one("BG-6")
    phone, email = contact.text("BT-42"), contact.text("BT-43")
    if phone and sum(char.isdigit() for char in phone) < 3:
        yield _flag("BR-DE-27", PHONE, phone, Level.WARNING)
    if email and not _EMAIL.fullmatch(email):
        yield _flag("BR-DE-28", EMAIL, email, Level.WARNING)


def _terms(invoice: Invoice) -> Iterator[Flag]:
    """BR-DE-18: lines with # are about cash discount, and a line ends behind each."""
    term = invoice.root.term("BT-20")
    written = (term.element.text or "") if term else ""
    lines = [line.strip() for line in written.splitlines() if line.strip().startswith("#")]
    wrong = next((line for line in lines if not _SKONTO.fullmatch(line)), None)
    if wrong is None and lines and not re.match(r"\s*\n", written[written.rindex("#") + 1 :]):
        wrong = lines[-1]
    if wrong is not None:
        yield _flag("BR-DE-18", SKONTO, wrong)


def _identifier(invoice: Invoice) -> Iterator[Flag]:
    """BR-DE-21: the specification of today."""
    value = invoice.root.text("BT-24")
    if not _IDENTIFIER.fullmatch(value):
        yield _flag("BR-DE-21", CUSTOMIZED, value, Level.WARNING)


def _is_dated(invoice: Invoice) -> bool:
    """BR-DE-TMP-32: the day or the period of delivery, of the whole or of every line."""
    lines = invoice.root.of("BG-25")
    whole = invoice.root.has("BG-14") or any(delivery.has("BT-72") for delivery in invoice.root.of("BG-13"))
    return whole or (bool(lines) and all(line.has("BG-26") for line in lines))
