"""Each rule is broken on purpose, and named; an invoice that keeps them all is left in peace."""

from __future__ import annotations

from decimal import Decimal

import pytest

from portal.reading import xml
from portal.reading.einvoice import codes
from portal.reading.einvoice.checks import check
from portal.reading.einvoice.invoice import invoice_of
from portal.reading.einvoice.profiles import Scope, Syntax, profile_of
from portal.reading.findings import Flag, Level
from tests.portal.reading.einvoice.builders import cii, ubl, ubl_credit_note, zugferd_1

XRECHNUNG = "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"
PEPPOL = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
EN = "urn:cen.eu:en16931:2017"


def flags(content: bytes) -> tuple[Flag, ...]:
    invoice = invoice_of(xml.parse(content))
    assert invoice is not None
    return check(invoice)


def rules(content: bytes) -> set[str]:
    return {rule for flag in flags(content) for rule in (flag.rule or "").split("/")}


@pytest.mark.parametrize("content", [ubl(), ubl_credit_note(), cii(), zugferd_1()], ids=["ubl", "credit", "cii", "zf1"])
def test_a_valid_invoice_has_no_error(content: bytes) -> None:
    assert [flag for flag in flags(content) if flag.level is Level.ERROR] == []


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ("<cbc:ID>R-2026/17</cbc:ID>", "<cbc:ID/>", "BR-02"),
        ("<cbc:IssueDate>2026-03-02</cbc:IssueDate>", "", "BR-03"),
        ("<cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>", "", "BR-04"),
        ("<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>", "", "BR-05"),
        ("Seller &amp; Söhne GmbH", "", "BR-06"),
        ("Käufer AG", "", "BR-07"),
        (">DE</cbc:IdentificationCode>", "></cbc:IdentificationCode>", "BR-09"),
        (">DE</cbc:IdentificationCode>", ">XX</cbc:IdentificationCode>", "BR-CL-14"),
        ('<cbc:TaxInclusiveAmount currencyID="EUR">160.60</cbc:TaxInclusiveAmount>', "", "BR-14"),
        ("<cbc:Name>Buch</cbc:Name>", "", "BR-25"),
        (' unitCode="HUR"', "", "BR-23"),
        (' unitCode="HUR"', ' unitCode="HOUR"', "BR-CL-23"),
        ("<cbc:AllowanceChargeReason>Rabatt</cbc:AllowanceChargeReason>", "", "BR-CO-21"),
        ("<cbc:ID>DE02 1203 0000 0000 2020 51</cbc:ID>", "", "BR-61"),
        (">150.00<", ">151.00<", "BR-CO-10"),
        (">10.00</cbc:AllowanceTotalAmount>", ">11.00</cbc:AllowanceTotalAmount>", "BR-CO-11"),
        (">140.00</cbc:TaxExclusiveAmount>", ">141.00</cbc:TaxExclusiveAmount>", "BR-CO-13"),
        (">3.50<", ">4.50<", "BR-CO-14"),
        (">3.50<", ">4.50<", "BR-CO-17"),
        (">160.60<", ">160.61<", "BR-CO-15"),
        (">100.00</cbc:PayableAmount>", ">100.01</cbc:PayableAmount>", "BR-CO-16"),
        (">160.60<", ">160.600001<", "BR-DEC-14"),
        ("DE136695976", "136695976", "BR-CO-09"),
        ("DE136695976", "DE136695977", "BT-31"),
        ("2026-04-01", "2026-04-31", "CII-DT-097"),
        (">50.00</cbc:TaxableAmount>", ">51.00</cbc:TaxableAmount>", "BR-S-08"),
        ("<cbc:Percent>7</cbc:Percent>", "<cbc:Percent>0</cbc:Percent>", "BR-S-05"),
        ("<cbc:ID>S</cbc:ID>", "<cbc:ID>Z</cbc:ID>", "BR-Z-05"),
        ("<cbc:ID>S</cbc:ID>", "<cbc:ID>E</cbc:ID>", "BR-E-10"),
        ("<cbc:ID>S</cbc:ID>", "<cbc:ID>AE</cbc:ID>", "BR-AE-09"),
        ("<cbc:ID>S</cbc:ID>", "<cbc:ID>K</cbc:ID>", "BR-IC-12"),
        ("<cbc:ID>S</cbc:ID>", "<cbc:ID>O</cbc:ID>", "BR-O-02"),
        ("<cbc:ID>S</cbc:ID>", "<cbc:ID>Q</cbc:ID>", "BR-CL-18"),
        (">25.00<", ">26.00<", "PEPPOL-EN16931-R120"),
        (">25.00<", ">-25.00<", "BR-27"),
        (f">{EN}<", ">urn:my:own<", "BT-24"),
        ("<cbc:Note>Danke!</cbc:Note>", "<cbc:Colour>red</cbc:Colour>", "XSD"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_named(before: str, after: str, rule: str) -> None:
    assert rule not in rules(ubl())
    assert rule in rules(ubl((before, after)))


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ("<ram:ID>R-2026/17</ram:ID>", "", "BR-02"),
        ("20260302", "202603", "CII-DT-097"),
        ("<ram:GrandTotalAmount>", '<ram:GrandTotalAmount currencyID="EUR">', "CII-DT-031"),
        (">160.60<", ">161.60<", "BR-CO-15"),
        ("<ram:CategoryCode>S<", "<ram:CategoryCode>G<", "BR-G-05"),
        ("<ram:TypeCode>VAT</ram:TypeCode>", "<ram:TypeCode>VAT</ram:TypeCode><ram:Foo/>", "XSD"),
    ],
)
def test_rules_hold_in_cii_too(before: str, after: str, rule: str) -> None:
    assert rule not in rules(cii())
    assert rule in rules(cii((before, after)))


def test_a_sentence_names_place_term_and_numbers() -> None:
    (flag,) = [
        flag
        for flag in flags(ubl((">100.00</cbc:PayableAmount>", ">90.00</cbc:PayableAmount>")))
        if flag.rule == "BR-CO-16"
    ]
    assert (flag.facts["term"], flag.facts["found"], flag.facts["expected"]) == ("BT-115", "90.00", "100.00")
    (flag,) = [flag for flag in flags(ubl(("<cbc:Name>Buch</cbc:Name>", ""))) if flag.rule == "BR-25"]
    assert (flag.facts["place"], flag.facts["index"], flag.facts["term"]) == (["Line"], "2", "BT-153")


def test_xrechnung_and_peppol_add_their_own_rules() -> None:
    assert not {rule for rule in rules(ubl()) if rule.startswith(("BR-DE-15", "PEPPOL"))}
    assert {"BR-DE-2", "BR-DE-15"} <= rules(ubl((f">{EN}<", f">{XRECHNUNG}<")))
    peppol = flags(ubl((f">{EN}<", f">{PEPPOL}<")))
    assert {flag.level for flag in peppol if (flag.rule or "").startswith("PEPPOL")} == {Level.WARNING}


def test_a_profile_without_lines_is_not_asked_for_lines() -> None:
    text = cii((f">{EN}<", ">urn:factur-x.eu:1p0:minimum<")).decode()
    start, end = text.index("<ram:IncludedSupply"), text.rindex("</ram:IncludedSupplyChainTradeLineItem>")
    bare = text[:start] + text[end + len("</ram:IncludedSupplyChainTradeLineItem>") :]
    assert not {"BR-16", "BR-CO-10", "BR-S-08", "BR-S-01"} & rules(bare.encode())
    assert "BR-16" in rules(bare.replace("urn:factur-x.eu:1p0:minimum", EN).encode())


@pytest.mark.parametrize(
    ("identifier", "scope", "known"),
    [
        (EN, Scope.CORE, True),
        (XRECHNUNG, Scope.CORE, True),
        (f"{XRECHNUNG}#conformant#urn:xeinkauf.de:kosit:extension:xrechnung_3.0", Scope.EXTENDED, True),
        (PEPPOL, Scope.CORE, True),
        ("urn:factur-x.eu:1p0:minimum", Scope.MINIMUM, True),
        ("urn:factur-x.eu:1p0:basicwl", Scope.HEADER, True),
        (f"{EN}#compliant#urn:factur-x.eu:1p0:basic", Scope.CORE, True),
        (f"{EN}#conformant#urn:factur-x.eu:1p0:extended", Scope.EXTENDED, True),
        (f"{EN}#conformant#urn:zugferd.de:2p0:extended", Scope.EXTENDED, True),
        (f"{EN}#compliant#urn:efactura.mfinante.ro:CIUS-RO:1.0.1", Scope.CORE, True),
        (f"{EN}:compliant:factur-x.eu:1p0:extended", Scope.EXTENDED, False),
        ("urn:ferd:CrossIndustryDocument:invoice:1p0:basic", Scope.BEFORE, True),
        ("nonsense", Scope.CORE, False),
    ],
)
def test_profiles_are_told_by_their_identifier(identifier: str, scope: Scope, known: bool) -> None:
    profile = profile_of(identifier, Syntax.CII)
    assert (profile.scope, profile.known) == (scope, known)


@pytest.mark.parametrize("name", codes.LISTS)
def test_the_code_lists_are_where_they_are_expected(name: str) -> None:
    assert len(codes.codes(name)) > 5


@pytest.mark.parametrize(("tax", "right"), [("20.60", True), ("21.59", False)])
def test_cents_are_exact(tax: str, right: bool) -> None:
    gross = str(Decimal(140) + Decimal(tax))
    found = rules(
        ubl(
            ("20.60<", f"{tax}<"),
            ("160.60<", f"{gross}<"),
            ("100.00</cbc:Pay", f"{Decimal(gross) - Decimal('60.60')}</cbc:Pay"),
        )
    )
    assert ("BR-CO-14" not in found) is right


def test_a_flood_of_faults_is_cut() -> None:
    text = ubl().decode()
    line = text[text.rindex("<cac:InvoiceLine>") : text.rindex("</Invoice>")].replace("<cbc:Name>Buch</cbc:Name>", "")
    many = text.replace(
        "</Invoice>", "".join(line.replace(">2</cbc:ID>", f">{i}</cbc:ID>") for i in range(500)) + "</Invoice>"
    )
    assert len(flags(many.encode())) == 200
