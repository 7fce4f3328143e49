"""What XRechnung, Peppol and the syntax bindings ask besides EN 16931: each rule broken on purpose, and named."""

from __future__ import annotations

import pytest

from portal.reading.findings import Flag, Level
from tests.portal.reading.einvoice.builders import cii, ubl, ubl_credit_note
from tests.portal.reading.einvoice.test_checks import EN, PEPPOL, XRECHNUNG, flags

AS_XRECHNUNG = (f">{EN}<", f">{XRECHNUNG}<")
AS_PEPPOL = (f">{EN}<", f">{PEPPOL}<")
MEANS = "<cbc:PaymentMeansCode>58</cbc:PaymentMeansCode>"
ACCOUNT = "<cac:PayeeFinancialAccount>\n<cbc:ID>DE02 1203 0000 0000 2020 51</cbc:ID></cac:PayeeFinancialAccount>"
MANDATE = "<cac:PaymentMandate><cbc:ID>M-1</cbc:ID></cac:PaymentMandate>"
CARD = (
    "<cac:CardAccount><cbc:PrimaryAccountNumberID>1234</cbc:PrimaryAccountNumberID><cbc:NetworkID>VISA</cbc:NetworkID>"
    "</cac:CardAccount>"
)
VAT_ID = "<cbc:CompanyID>DE136695976</cbc:CompanyID>"
CONTACT = (
    "</cac:PartyLegalEntity><cac:Contact><cbc:Name>A</cbc:Name><cbc:Telephone>{}</cbc:Telephone>"
    "<cbc:ElectronicMail>{}</cbc:ElectronicMail></cac:Contact></cac:Party></cac:AccountingSupplierParty>"
)
END = "</cac:PartyLegalEntity></cac:Party></cac:AccountingSupplierParty>"
TERMS = "<cac:PaymentTerms><cbc:Note>{}</cbc:Note></cac:PaymentTerms>\n<cac:AllowanceCharge>"
PDF = (
    "<cac:AdditionalDocumentReference><cbc:ID>{}</cbc:ID><cac:Attachment><cbc:EmbeddedDocumentBinaryObject "
    'mimeCode="application/pdf" filename="a.pdf">YQ==</cbc:EmbeddedDocumentBinaryObject></cac:Attachment>'
    "</cac:AdditionalDocumentReference>"
)
TAX_AGAIN = '<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">0</cbc:TaxAmount></cac:TaxTotal>'
SUPPLIER = "<cac:AccountingSupplierParty>"


def named(content: bytes) -> dict[str, Flag]:
    return {rule: flag for flag in flags(content) for rule in (flag.rule or "").split("/")}


@pytest.mark.parametrize(
    ("before", "after", "rule", "level"),
    [
        (VAT_ID, "<cbc:CompanyID/>", "BR-DE-16", Level.ERROR),
        (">380<", ">388<", "BR-DE-17", Level.WARNING),
        ("<cac:AllowanceCharge>", TERMS.format("#SKONTO#TAGE=7#PROZENT=2#\n"), "BR-DE-18", Level.ERROR),
        ("<cac:AllowanceCharge>", TERMS.format("#SKONTO#TAGE=7#PROZENT=2.00#"), "BR-DE-18", Level.ERROR),
        ("DE02 1203 0000 0000 2020 51", "4711", "BR-DE-19", Level.WARNING),
        (f">{EN}<", ">urn:cen.eu:en16931:2017#compliant#urn:xoev-de:kosit:standard:xrechnung_2.3<", "BR-DE-21",
         Level.WARNING),
        (SUPPLIER, PDF.format(1) + PDF.format(2) + SUPPLIER, "BR-DE-22", Level.ERROR),
        (ACCOUNT, "", "BR-DE-23-a", Level.ERROR),
        (ACCOUNT, ACCOUNT + MANDATE, "BR-DE-23-b", Level.ERROR),
        (MEANS, MEANS.replace("58", "54"), "BR-DE-24-a", Level.ERROR),
        (MEANS, MEANS.replace("58", "48") + CARD, "BR-DE-24-b", Level.ERROR),
        (MEANS, MEANS.replace("58", "59"), "BR-DE-25-a", Level.ERROR),
        (MEANS, MEANS.replace("58", "59"), "BR-DE-25-b", Level.ERROR),
        (MEANS, MEANS.replace("58", "59"), "PEPPOL-EN16931-R061", Level.WARNING),
        (">380<", ">384<", "BR-DE-26", Level.WARNING),
        (END, CONTACT.format("12", "a@example.org"), "BR-DE-27", Level.WARNING),
        (END, CONTACT.format("030 123", "a.example.org"), "BR-DE-28", Level.WARNING),
        (ACCOUNT, MANDATE, "BR-DE-30", Level.ERROR),
        (ACCOUNT, MANDATE, "BR-DE-31", Level.ERROR),
    ],
)  # fmt: skip
def test_xrechnung(before: str, after: str, rule: str, level: Level) -> None:
    changes = ((before, after),) if before == AS_XRECHNUNG[0] else (AS_XRECHNUNG, (before, after))
    assert rule not in named(ubl(AS_XRECHNUNG))
    assert named(ubl(*changes))[rule].level is level


def test_skonto_as_xrechnung_asks() -> None:
    terms = TERMS.format("#SKONTO#TAGE=7#PROZENT=2.00#\n#SKONTO#TAGE=14#PROZENT=1.00#BASISBETRAG=100.00#\n")
    assert "BR-DE-18" not in named(ubl(AS_XRECHNUNG, ("<cac:AllowanceCharge>", terms)))


def test_a_direct_debit_that_says_all_is_right() -> None:
    account = "<cac:PayerFinancialAccount><cbc:ID>DE02120300000000202051</cbc:ID></cac:PayerFinancialAccount>"
    mandate = MANDATE.replace("</cac:PaymentMandate>", f"{account}</cac:PaymentMandate>")
    creditor = '<cac:PartyIdentification><cbc:ID schemeID="SEPA">DE98ZZZ09999999999</cbc:ID></cac:PartyIdentification>'
    changes = (MEANS, MEANS.replace("58", "59")), (ACCOUNT, mandate)
    party = (f"{SUPPLIER}<cac:Party>", f"{SUPPLIER}<cac:Party>{creditor}")
    found = named(ubl(AS_XRECHNUNG, *changes, party))
    assert not {
        rule for rule in found if rule.startswith(("BR-DE-2", "BR-DE-3")) and rule not in {"BR-DE-2", "BR-DE-3"}
    }


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ("<cbc:Note>Danke!</cbc:Note>", "<cbc:Note/>", "PEPPOL-EN16931-R008"),
        ("<cbc:Amount ", "<cbc:MultiplierFactorNumeric>9</cbc:MultiplierFactorNumeric><cbc:Amount ",
         "PEPPOL-EN16931-R041"),
        (">10.00</cbc:Amount>", '>10.00</cbc:Amount><cbc:BaseAmount currencyID="EUR">9</cbc:BaseAmount>',
         "PEPPOL-EN16931-R042"),
        ('currencyID="EUR">25.00', 'currencyID="USD">25.00', "PEPPOL-EN16931-R051"),
        ('25.00</cbc:PriceAmount>', '25.00</cbc:PriceAmount><cbc:BaseQuantity>-1</cbc:BaseQuantity>',
         "PEPPOL-EN16931-R121"),
        ('25.00</cbc:PriceAmount>', '25.00</cbc:PriceAmount><cbc:BaseQuantity unitCode="DAY">1</cbc:BaseQuantity>',
         "PEPPOL-EN16931-R130"),
        ("</cbc:DocumentCurrencyCode>", "</cbc:DocumentCurrencyCode><cbc:TaxCurrencyCode>EUR</cbc:TaxCurrencyCode>",
         "PEPPOL-EN16931-R005"),
        ("<cac:TaxTotal>", f"{TAX_AGAIN}<cac:TaxTotal>", "PEPPOL-EN16931-R054"),
    ],
)  # fmt: skip
def test_peppol_and_xrechnung_alike(before: str, after: str, rule: str) -> None:
    for profile in (AS_XRECHNUNG, AS_PEPPOL):
        assert rule not in named(ubl(profile))
        assert named(ubl(profile, (before, after)))[rule].level is Level.WARNING
    assert rule not in named(ubl((before, after)))


def test_peppol_asks_german_parties_what_xrechnung_asks() -> None:
    found = named(ubl(AS_PEPPOL))
    assert {"DE-R-002", "DE-R-015", "PEPPOL-EN16931-R007"} <= set(found)
    assert not {rule for rule in found if rule.startswith("BR-DE-") and found[rule].level is Level.ERROR}
    abroad = named(ubl(AS_PEPPOL, (">DE</cbc:IdentificationCode>", ">AT</cbc:IdentificationCode>")))
    assert not {rule for rule in abroad if rule.startswith("DE-R")}


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (ubl((">380<", ">381<")), "BR-CL-01"),
        (ubl(('currencyID="EUR">25.00', 'currencyID="QQQ">25.00')), "BR-CL-03"),
        (ubl(("<cbc:DueDate>2026-04-01</cbc:DueDate>", "")), "BR-CO-25"),
        (ubl((VAT_ID, "")), "UBL-SR-53"),
        (ubl(("<cbc:Name>Buch</cbc:Name>", "<cbc:Description/><cbc:Description/><cbc:Name>Buch</cbc:Name>")),
         "UBL-SR-50"),
        (cii(("<ram:TypeCode>VAT</ram:TypeCode>", "<ram:TypeCode>GST</ram:TypeCode>")), "CII-DT-037"),
        (cii((' format="102">20260302', ">20260302")), "BR-03"),
        (cii(("<ram:GrandTotalAmount>", "<ram:GrandTotalAmount>1</ram:GrandTotalAmount><ram:GrandTotalAmount>")),
         "CII-SR-482"),
        (cii(('<ram:TaxTotalAmount currencyID="EUR">', "<ram:TaxTotalAmount>")), "BR-CO-15"),
    ],
)  # fmt: skip
def test_the_standard_in_its_syntaxes(content: bytes, rule: str) -> None:
    assert rule in named(content)
    assert rule not in {*named(ubl()), *named(cii()), *named(ubl_credit_note())} - {"BR-CO-25"}


def test_lines_that_only_group_others_need_no_price() -> None:
    extended = cii((f">{EN}<", f">{EN}#conformant#urn:factur-x.eu:1p0:extended<"))
    status = "<ram:LineID>2</ram:LineID><ram:LineStatusReasonCode>GROUP</ram:LineStatusReasonCode>"
    grouped = extended.replace(b"<ram:LineID>2</ram:LineID>", status.encode())
    price = (
        b"<ram:NetPriceProductTradePrice>\n<ram:ChargeAmount>25.00</ram:ChargeAmount>\n</ram:NetPriceProductTradePrice>"
    )
    assert price in grouped
    assert "BR-26" in named(extended.replace(price, b""))
    assert "BR-26" not in named(grouped.replace(price, b""))


def test_numbers_of_any_size_are_checked_not_choked_on() -> None:
    giant = "9" * 20
    changes = (
        (">90.00</cbc:TaxableAmount>", f">{giant}</cbc:TaxableAmount>"),
        ("<cbc:Percent>19<", f"<cbc:Percent>{giant}<"),
    )
    assert "BR-CO-17" in named(ubl(*changes))
