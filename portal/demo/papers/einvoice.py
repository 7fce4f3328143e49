"""E-invoices of EN 16931: CII (ZUGFeRD / Factur-X inside a PDF/A-3, or alone as XRechnung) and UBL."""

from __future__ import annotations

import logging
import re
from datetime import date
from decimal import Decimal
from typing import Any

from portal.demo.papers.companies import Company
from portal.demo.papers.invoices import Invoice, Item
from portal.demo.papers.pages import page, text

EN16931 = "urn:cen.eu:en16931:2017"
XRECHNUNG = f"{EN16931}#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"


def ubl(invoice: Invoice) -> bytes:
    """XRechnung 3.0 as UBL 2.1."""
    return text("ubl.xml", language=invoice.language, invoice=invoice).encode()


def cii(invoice: Invoice, guideline: str = XRECHNUNG) -> bytes:
    """The invoice as CII, valid against the schema of Factur-X EN 16931 (checked while it is written)."""
    from drafthorse.models.document import Document

    document = Document()
    document.context.guideline_parameter.id = guideline
    if guideline == XRECHNUNG:
        document.context.business_parameter.id = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
    document.header.id = invoice.number
    document.header.type_code = "381" if invoice.corrects else "380"
    document.header.issue_date_time = invoice.issued_on
    trade = document.trade
    trade.agreement.buyer_reference = invoice.order or invoice.customer or "0"
    _party(trade.agreement.seller, invoice.seller, contact=True)
    _party(trade.agreement.buyer, invoice.buyer, contact=False)
    trade.delivery.event.occurrence = invoice.issued_on
    for number, item in enumerate(invoice.items, 1):
        trade.items.add(_line(invoice, item, number))
    _settle(trade.settlement, invoice)
    written: bytes = document.serialize(schema="FACTUR-X_EN16931")
    return written


def zugferd(invoice: Invoice) -> bytes:
    """The page as PDF/A-3b with the CII inside."""
    import facturx

    logging.getLogger("pypdf").setLevel(logging.ERROR)  # remarks on WeasyPrint's trailer help nobody
    pages = page(invoice.layout, language=invoice.language, pdfa=True, invoice=invoice)
    combined: bytes = facturx.generate_from_binary(
        pages,
        cii(invoice, EN16931),
        flavor="factur-x",
        level="en16931",
        check_schematron=False,  # would send the invoice to a server, and pass unchecked when there is none
        lang=invoice.language,
        afrelationship="alternative",
        xmp_compression=False,
    )
    return _dated(combined, invoice.issued_on)


def _party(party: Any, company: Company, *, contact: bool) -> None:
    from drafthorse.models.party import TaxRegistration

    party.name = company.name
    party.address.line_one = company.street
    party.address.postcode = company.postcode
    party.address.city_name = company.town
    party.address.country_id = company.country
    party.electronic_address.uri_ID = ("EM", company.email)
    if contact:
        party.contact.person_name = company.head or company.name
        party.contact.telephone.number = company.phone
        party.contact.email.address = company.email
    for scheme, number in (("VA", company.vat_id), ("FC", company.tax_number if contact else "")):
        if number:
            party.tax_registrations.add(TaxRegistration(id=(scheme, number)))


def _line(invoice: Invoice, item: Item, number: int) -> Any:
    from drafthorse.models.tradelines import LineItem

    line = LineItem()
    line.document.line_id = str(number)
    line.product.name = item.text
    line.agreement.net.amount = item.price
    line.delivery.billed_quantity = (item.quantity, item.code)
    line.settlement.trade_tax.type_code = "VAT"
    line.settlement.trade_tax.category_code = invoice.treatment.value
    line.settlement.trade_tax.rate_applicable_percent = Decimal(item.rate)
    line.settlement.monetary_summation.total_amount = invoice.net_of(item).decimal
    return line


def _settle(settlement: Any, invoice: Invoice) -> None:
    from drafthorse.models.accounting import ApplicableTradeTax
    from drafthorse.models.payment import PaymentMeans, PaymentTerms

    settlement.payment_reference = invoice.number
    settlement.currency_code = invoice.currency
    means = PaymentMeans(type_code="58")
    means.payee_account.iban = invoice.seller.iban
    means.payee_account.account_name = invoice.seller.name
    settlement.payment_means.add(means)
    for tax in invoice.taxes:
        share = ApplicableTradeTax(
            calculated_amount=tax.amount.decimal,
            type_code="VAT",
            basis_amount=tax.base.decimal,
            category_code=invoice.treatment.value,
            rate_applicable_percent=Decimal(tax.rate),
        )
        if invoice.reason:
            share.exemption_reason = invoice.reason
        settlement.trade_tax.add(share)
    settlement.terms.add(PaymentTerms(due=invoice.due_on))
    if invoice.corrects:
        settlement.invoice_referenced_document.issuer_assigned_id = invoice.corrects
    sums = settlement.monetary_summation
    sums.line_total = sums.tax_basis_total = invoice.net.decimal
    sums.charge_total = sums.allowance_total = Decimal("0.00")
    sums.tax_total = (invoice.tax.decimal, invoice.currency)
    sums.grand_total = sums.due_amount = invoice.gross.decimal


def _dated(content: bytes, day: date) -> bytes:
    """The PDF as if made on that day, so that equal papers are equal bytes; every replacement keeps its length."""
    # pypdf may escape the colon
    content = re.sub(rb"(D(?::|\\072))\d{14}", rb"\g<1>" + f"{day:%Y%m%d}080000".encode(), content)
    return re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", f"{day:%Y-%m-%d}T08:00:00".encode(), content)
