"""E-invoices of every syntax, alone and inside PDFs, tidy and hostile."""

from __future__ import annotations

import zlib
from datetime import date
from io import BytesIO

import pikepdf
import pytest

from portal.errors import Invalid
from portal.money import Money
from portal.reading.einvoice.attachments import embedded
from portal.reading.einvoice.profiles import Syntax
from portal.reading.einvoice.reader import NO_INVOICE, SEVERAL, UNREADABLE, EInvoice, read_einvoice
from portal.reading.findings import Level, Paper
from portal.reading.xml import SIZE_LIMIT
from tests.portal.reading.einvoice.builders import cii, pdf, ubl, ubl_credit_note, zugferd_1

SYNTAXES = {Syntax.UBL_INVOICE: ubl(), Syntax.CII: cii(), Syntax.ZUGFERD_1: zugferd_1()}


def read(content: bytes, media_type: str = "application/xml") -> EInvoice:
    found = read_einvoice(BytesIO(content), media_type)
    assert found is not None
    return found


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_every_syntax_says_the_same(syntax: Syntax) -> None:
    einvoice = read(SYNTAXES[syntax])
    assert einvoice.invoice is not None
    assert einvoice.invoice.syntax is syntax
    said = {name: one.value for name, one in einvoice.findings.found().items()}
    assert said == {
        "paper": Paper.INVOICE, "number": "R-2026/17", "issued_on": date(2026, 3, 2), "due_on": date(2026, 4, 1),
        "seller": "Seller & Söhne GmbH", "seller_vat_id": "DE136695976", "buyer": "Käufer AG",
        "buyer_vat_id": "DE129273398", "currency": "EUR", "net": Money(14000, "EUR"), "tax": Money(2060, "EUR"),
        "gross": Money(16060, "EUR"), "prepaid": Money(6060, "EUR"), "payable": Money(10000, "EUR"),
        "iban": "DE02120300000000202051",
    }  # fmt: skip
    assert not [flag for flag in einvoice.findings.flags if flag.level is Level.ERROR]


@pytest.mark.parametrize("content", [ubl(), cii()])
def test_lines_with_allowances_make_up_the_net_amount(content: bytes) -> None:
    lines = read(content).findings.lines
    assert [(line.description, line.net.minor) for line in lines] == [
        ("Beratung", 10000),
        ("Buch", 5000),
        ("Rabatt", -1000),
    ]
    assert [(tax.base.minor, tax.tax.minor) for tax in read(content).findings.taxes] == [(9000, 1710), (5000, 350)]


def test_values_say_where_they_stand() -> None:
    number = read(cii()).findings.number
    assert number is not None
    assert number.xpath == "/rsm:CrossIndustryInvoice/rsm:ExchangedDocument/ram:ID"


def test_a_credit_note_is_known_by_its_root_or_its_code() -> None:
    for content in (ubl_credit_note(), cii(("<ram:TypeCode>380<", "<ram:TypeCode>381<"))):
        paper = read(content).findings.paper
        assert paper is not None
        assert paper.value is Paper.CREDIT_NOTE


def test_a_peppol_envelope_is_opened() -> None:
    body = ubl().partition(b"?>")[2]
    wrapped = b'<StandardBusinessDocument xmlns="urn:x"><Header/>' + body + b"</StandardBusinessDocument>"
    assert read(wrapped).findings.number is not None


def test_numbers_that_are_none_and_identifiers_that_fail_their_check_are_told() -> None:
    wrong = read(ubl(("160.60<", "16O.60<"), ("2020 51", "2020 52"))).findings
    assert wrong.gross is None
    assert wrong.iban is not None
    assert wrong.iban.confidence < 0.9
    assert {"BR-DEC-14", "BR-DE-19"} & {flag.rule for flag in wrong.flags}


def test_all_accounts_are_known() -> None:
    account = "<cac:PaymentMeans><cbc:PaymentMeansCode>58</cbc:PaymentMeansCode>"
    second = "<cac:PayeeFinancialAccount><cbc:ID>DE88 2008 0000 0970 3757 00</cbc:ID></cac:PayeeFinancialAccount>"
    invoice = read(ubl((account, f"{account}{second}</cac:PaymentMeans>{account}"))).invoice
    assert invoice is not None
    assert invoice.ibans == ["DE88200800000970375700", "DE02120300000000202051"]


def test_an_account_number_of_another_kind_is_no_iban() -> None:
    assert read(ubl(("DE02 1203 0000 0000 2020 51", "1234567891234"))).findings.iban is None


def test_without_a_currency_amounts_are_read_and_the_lack_is_named() -> None:
    naked = zugferd_1(("<ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>", ""), (' currencyID="EUR"', ""))
    findings = read(naked).findings
    assert findings.currency is None
    assert findings.gross is not None
    assert findings.gross.value.minor == 16060
    assert "BR-05" in {flag.rule for flag in findings.flags}


@pytest.mark.parametrize("content", [b"<a/>", b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"/>'])
def test_other_xml_is_no_e_invoice(content: bytes) -> None:
    assert read_einvoice(content, "application/xml") is None


def test_damaged_xml_says_why() -> None:
    with pytest.raises(Invalid):
        read_einvoice(ubl()[:-20], "application/xml")


def test_other_types_are_not_looked_at() -> None:
    assert read_einvoice(ubl(), "text/plain") is None


@pytest.mark.parametrize("way", ["names", "af", "broken", "object"])
@pytest.mark.parametrize("name", ["factur-x.xml", "ZUGFeRD-invoice.xml", "xrechnung.xml", "invoice-4711.xml"])
def test_a_hybrid_is_read_however_its_file_hangs_in_the_pdf(way: str, name: str) -> None:
    einvoice = read(pdf({"terms.txt": b"no xml", name: cii()}, way=way), "application/pdf")
    assert einvoice.hybrid
    assert einvoice.name == name
    assert einvoice.findings.number is not None
    assert einvoice.findings.number.value == "R-2026/17"
    assert set(einvoice.attachments) == {"terms.txt", name}


def test_a_pdf_without_files_or_with_others_is_no_e_invoice() -> None:
    assert read_einvoice(pdf({}), "application/pdf") is None
    assert read_einvoice(pdf({"data.xml": b"<a/>", "photo.jpg": b"\xff\xd8\xff"}), "application/pdf") is None


@pytest.mark.parametrize(
    ("content", "text"),
    [(b'<?xml version="1.0 encoding="UTF-8"?><a/>', UNREADABLE), (b"", UNREADABLE), (b"<a/>", NO_INVOICE),
     (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', UNREADABLE)],
)  # fmt: skip
def test_a_file_that_promises_an_e_invoice_and_is_none_is_told(content: bytes, text: str) -> None:
    einvoice = read(pdf({"factur-x.xml": content}), "application/pdf")
    assert einvoice.invoice is None
    assert not einvoice.findings.found()
    assert [(flag.text, flag.level) for flag in einvoice.findings.flags] == [(text, Level.ERROR)]


def test_two_e_invoices_that_differ_are_told_and_two_that_agree_are_not() -> None:
    other = cii(("R-2026/17", "R-2026/18"))
    texts = [flag.text for flag in read(pdf({"factur-x.xml": cii(), "b.xml": other}), "application/pdf").findings.flags]
    assert SEVERAL in texts
    both = {"factur-x.xml": cii(), "ZUGFeRD-invoice.xml": zugferd_1()}
    agreeing = read(pdf(both), "application/pdf")
    assert agreeing.name == "factur-x.xml"
    assert SEVERAL not in [flag.text for flag in agreeing.findings.flags]


def test_a_bomb_in_an_attachment_stays_packed() -> None:
    document = pikepdf.new()
    stream = pikepdf.Stream(document, zlib.compress(b"<" + b"a" * (SIZE_LIMIT + 100)), Filter=pikepdf.Name.FlateDecode)
    twice = pikepdf.Stream(document, zlib.compress(zlib.compress(b"<" + b" " * 90_000_000)))
    twice.Filter = pikepdf.Array([pikepdf.Name.FlateDecode, pikepdf.Name.FlateDecode])
    files = [
        pikepdf.Dictionary(
            Type=pikepdf.Name.Filespec, F="factur-x.xml", EF=pikepdf.Dictionary(F=document.make_indirect(one))
        )
        for one in (stream, twice)
    ]
    document.Root.AF = pikepdf.Array(files)
    out = BytesIO()
    document.save(out, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    assert [attachment.content for attachment in embedded(out.getvalue())] == [b"", b""]


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"%PDF-1.7\n%%EOF", b"\x00" * 100])
def test_damaged_pdfs_are_no_e_invoice(content: bytes) -> None:
    assert read_einvoice(content, "application/pdf") is None


def test_a_pdf_cut_anywhere_never_crashes() -> None:
    whole = pdf({"factur-x.xml": cii()})
    for length in range(0, len(whole), max(1, len(whole) // 60)):
        read_einvoice(whole[:length], "application/pdf")


def test_a_locked_pdf_is_no_e_invoice() -> None:
    out = BytesIO()
    with pikepdf.open(BytesIO(pdf({"factur-x.xml": cii()}))) as document:
        document.save(out, encryption=pikepdf.Encryption(user="secret", owner="secret"))
    assert read_einvoice(out.getvalue(), "application/pdf") is None


def test_a_pdf_that_anybody_may_open_is_read_though_it_is_encrypted() -> None:
    out = BytesIO()
    with pikepdf.open(BytesIO(pdf({"factur-x.xml": cii()}))) as document:
        document.save(out, encryption=pikepdf.Encryption(user="", owner="secret"))
    assert read(out.getvalue(), "application/pdf").findings.number is not None
