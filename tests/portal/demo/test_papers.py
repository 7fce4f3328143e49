"""The demo's papers: right to the cent, valid in their formats, the same each time."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal

import facturx
import pikepdf
import pypdfium2
import pytest
from lxml import etree
from PIL import Image
from stdnum import iban
from stdnum.de import vat as de_vat
from stdnum.gb import vat as gb_vat
from stdnum.ie import vat as ie_vat

from integrations.contract import DocumentKind
from integrations.money import Money
from portal.demo.book import Paper, book
from portal.demo.papers.companies import Company, german
from portal.demo.papers.invoices import Invoice, Item
from portal.demo.papers.receipts import Bought, Receipt
from portal.demo.trades import Trade, trades

TODAY = date(2026, 11, 24)
SELLER = german("Nadelwerk GmbH", "Gasse 1", "23552 Lübeck")
BUYER = german("Leseladen KG", "Weg 2", "23552 Lübeck")
VAT = {"DE": de_vat, "GB": gb_vat, "IE": ie_vat}


def an_invoice(*items: Item) -> Invoice:
    return Invoice(seller=SELLER, buyer=BUYER, number="1", issued_on=TODAY, due_on=TODAY, items=items, layout="letter")


def everyone(trade: Trade) -> list[Company]:
    return [trade.company, *trade.customers, *(p.company for p in trade.suppliers), *(s.company for s in trade.shops)]


def find(trade_number: str, words: str) -> Paper:
    trade = next(one for one in trades() if one.number == trade_number)
    return next(paper for paper in book(trade, TODAY) if words in paper.filename)


def words_of(content: bytes) -> str:
    with pypdfium2.PdfDocument(content) as document:
        return "\n".join(page.get_textpage().get_text_range() for page in document)


def test_tax_is_rounded_once_per_rate_and_half_up() -> None:
    # three lines of 0.03 at 19 % would give three roundings of 0.0057 to 0.01; one rounding gives 0.02
    line = Item(text="Nadel", quantity=Decimal(1), price=Decimal("0.03"))
    milk = Item(text="Milch", quantity=Decimal("1.5"), price=Decimal("0.95"), rate=7)
    invoice = an_invoice(line, line, line, milk)
    assert invoice.net == Money(9 + 143, "EUR")
    assert [(tax.rate, tax.amount.minor) for tax in invoice.taxes] == [(19, 2), (7, 10)]
    assert invoice.gross == Money(164, "EUR")


def test_a_receipts_tax_and_net_make_the_price_that_was_paid() -> None:
    bought = [Bought(text="A", amount=Money(6995, "EUR")), Bought(text="B", amount=Money(1399, "EUR"), rate=7)]
    receipt = Receipt(shop=SELLER, number="1", bought_on=TODAY, items=bought)
    assert sum(tax.net.minor + tax.amount.minor for tax in receipt.taxes) == receipt.gross.minor == 8394
    assert [tax.amount.minor for tax in receipt.taxes] == [1117, 92]


@pytest.mark.parametrize("trade", trades(), ids=lambda trade: trade.number)
def test_every_number_passes_its_check_and_is_given_to_one_only(trade: Trade) -> None:
    for company in everyone(trade):
        assert iban.is_valid(company.iban, check_country=False), company.iban
        if company.vat_id:
            assert VAT[company.country].is_valid(company.vat_id[2:]), company.vat_id
    ibans = {company.name: company.iban for one in trades() for company in everyone(one)}
    assert len(set(ibans.values())) == len(ibans)


@pytest.mark.parametrize("trade", trades(), ids=lambda trade: trade.number)
def test_a_shoebox_holds_all_kinds_once_and_is_the_same_tomorrow(trade: Trade) -> None:
    papers = book(trade, TODAY)
    assert {paper.kind for paper in papers} == set(DocumentKind)
    assert len({paper.filename for paper in papers}) == len(papers) >= 25
    assert all(paper.issued_on < TODAY for paper in papers)
    assert [p.filename for p in book(trade, date(2026, 11, 2))] == [p.filename for p in papers]


def test_a_zugferd_invoice_says_the_same_in_print_and_inside() -> None:
    paper = find("10020", "TE-2608-5896.pdf")
    content = paper.bytes()
    name, xml = facturx.get_facturx_xml_from_pdf(io.BytesIO(content))
    total = etree.fromstring(xml).findtext(".//{*}GrandTotalAmount")
    assert name == "factur-x.xml"
    assert paper.gross is not None
    assert Decimal(str(total)) == paper.gross.decimal
    printed = f"{paper.gross.decimal:,.2f}".translate(str.maketrans(",.", ".,"))
    assert printed in words_of(content)
    with pikepdf.open(io.BytesIO(content)) as document:
        assert b"pdfaid:part" in document.Root.Metadata.read_bytes()
        assert len(document.Root.AF) == 1


@pytest.mark.parametrize("words", ["TE-2608-5896.pdf", "Beleg_", "Kontoauszug 2026-10"])
def test_the_same_paper_is_the_same_bytes(words: str) -> None:
    assert find("10020", words).bytes() == find("10020", words).bytes()


def test_a_long_invoice_has_two_pages() -> None:
    with pypdfium2.PdfDocument(find("10040", "GZ2608").bytes()) as document:
        assert len(document) == 2


def test_xrechnungen_come_as_ubl_and_as_cii() -> None:
    ubl = etree.fromstring(_xml("10080", "SH"))
    cii = etree.fromstring(_xml("10020", "BN"))
    assert ubl.tag.endswith("Invoice-2}Invoice")
    assert cii.tag.endswith("CrossIndustryInvoice")


def _xml(number: str, prefix: str) -> bytes:
    return find(number, f" {prefix}2608").bytes()


def test_statements_add_up_in_every_format_and_follow_each_other() -> None:
    mt940 = find("10010", "Kontoauszug 2026-09.sta").bytes().decode("ascii").splitlines()
    signs = {"C": 1, "D": -1}
    amounts = [line for line in mt940 if line.startswith(":61:")]
    moved = sum(signs[line[14]] * Decimal(line[15 : line.index("NTRF")].replace(",", ".")) for line in amounts)
    opening = next(line for line in mt940 if line.startswith(":60F:"))
    closing = next(line for line in mt940 if line.startswith(":62F:"))
    assert Decimal(opening[15:].replace(",", ".")) + moved == Decimal(closing[15:].replace(",", "."))
    camt = etree.fromstring(find("10010", "Kontoauszug 2026-10.xml").bytes())
    balances = [Decimal(str(one.text)) for one in camt.iterfind(".//{*}Bal/{*}Amt")]
    entries = [
        Decimal(str(one.findtext("{*}Amt"))) * (-1 if one.findtext("{*}CdtDbtInd") == "DBIT" else 1)
        for one in camt.iterfind(".//{*}Ntry")
    ]
    assert balances[0] + sum(entries) == balances[1]
    assert balances[0] == Decimal(closing[15:].replace(",", "."))


def test_a_photographed_receipt_is_a_picture_of_some_size() -> None:
    content = find("10010", "Beleg_").bytes()
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.format == "JPEG"
        assert picture.width > 400
