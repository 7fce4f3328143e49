"""What may be there only once: the rules of the syntax bindings (UBL-SR, CII-SR) that a schema leaves open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from portal.i18n import N_
from portal.reading.einvoice import cii, ubl
from portal.reading.einvoice.invoice import Invoice
from portal.reading.einvoice.profiles import Scope, Syntax
from portal.reading.findings import Fact, Flag, Level
from portal.reading.xml import hits

TWICE = N_("“%(value)s” (%(term)s) may be there only once; it is there %(found)s times.")

_VAT = "translate(normalize-space(cac:TaxScheme/cbc:ID), 'vat', 'VAT') = 'VAT'"
_SELLER = "cac:AccountingSupplierParty/cac:Party"
_BUYER = "cac:AccountingCustomerParty/cac:Party"
_LINE = "(cac:InvoiceLine | cac:CreditNoteLine)"
_TOTALS = "//ram:SpecifiedTradeSettlementHeaderMonetarySummation"


@dataclass(frozen=True)
class Once:
    """What occurs at most once in each of its holders, with the rule that says so and the term that it is."""

    rule: str
    term: str
    holders: etree.XPath
    what: etree.XPath


# Rule: its term, the elements that hold it, and what occurs once in each of them.
_UBL: Mapping[str, tuple[str, str, str]] = {
    "UBL-SR-01": ("BT-12", ".", "cac:ContractDocumentReference/cbc:ID"),
    "UBL-SR-02": ("BT-15", ".", "cac:ReceiptDocumentReference/cbc:ID"),
    "UBL-SR-03": ("BT-16", ".", "cac:DespatchDocumentReference/cbc:ID"),
    "UBL-SR-04": ("BT-18", ".", "cac:AdditionalDocumentReference[cbc:DocumentTypeCode = '130']/cbc:ID"),
    "UBL-SR-05": ("BT-20", ".", "cac:PaymentTerms/cbc:Note"),
    "UBL-SR-08": ("BG-14", ".", "cac:InvoicePeriod"),
    "UBL-SR-09": ("BT-27", _SELLER, "cac:PartyLegalEntity/cbc:RegistrationName"),
    "UBL-SR-10": ("BT-28", _SELLER, "cac:PartyName/cbc:Name"),
    "UBL-SR-11": ("BT-30", _SELLER, "cac:PartyLegalEntity/cbc:CompanyID"),
    "UBL-SR-12": ("BT-31", _SELLER, f"cac:PartyTaxScheme[{_VAT}]/cbc:CompanyID"),
    "UBL-SR-13": ("BT-32", _SELLER, f"cac:PartyTaxScheme[not({_VAT})]/cbc:CompanyID"),
    "UBL-SR-15": ("BT-44", _BUYER, "cac:PartyLegalEntity/cbc:RegistrationName"),
    "UBL-SR-16": ("BT-46", _BUYER, "cac:PartyIdentification/cbc:ID"),
    "UBL-SR-17": ("BT-47", _BUYER, "cac:PartyLegalEntity/cbc:CompanyID"),
    "UBL-SR-18": ("BT-48", _BUYER, f"cac:PartyTaxScheme[{_VAT}]/cbc:CompanyID"),
    "UBL-SR-24": ("BG-13", ".", "cac:Delivery"),
    "UBL-SR-45": ("BT-9", ".", "cac:PaymentMeans/cbc:PaymentDueDate"),
    "UBL-SR-25": ("BT-70", "cac:Delivery/cac:DeliveryParty", "cac:PartyName/cbc:Name"),
    "UBL-SR-30": ("BT-97", "cac:AllowanceCharge[cbc:ChargeIndicator = 'false']", "cbc:AllowanceChargeReason"),
    "UBL-SR-31": ("BT-104", "cac:AllowanceCharge[cbc:ChargeIndicator = 'true']", "cbc:AllowanceChargeReason"),
    "UBL-SR-33": ("BT-123", "cac:AdditionalDocumentReference", "cbc:DocumentDescription"),
    "UBL-SR-39": ("BT-11", ".", "cac:ProjectReference/cbc:ID"),
    "UBL-SR-40": ("BT-45", _BUYER, "cac:PartyName/cbc:Name"),
    "UBL-SR-54": ("BG-18", ".", "cac:PaymentMeans/cac:CardAccount"),
    "UBL-SR-55": ("BG-19", ".", "cac:PaymentMeans/cac:PaymentMandate"),
    "UBL-SR-26": ("BT-83", "cac:PaymentMeans", "cbc:PaymentID"),
    "UBL-SR-35": ("BT-132", _LINE, "cac:OrderLineReference/cbc:LineID"),
    "UBL-SR-34": ("BT-127", _LINE, "cbc:Note"),
    "UBL-SR-36": ("BG-26", _LINE, "cac:InvoicePeriod"),
    "UBL-SR-48": ("BT-151", _LINE, "cac:Item/cac:ClassifiedTaxCategory"),
    "UBL-SR-50": ("BT-154", _LINE, "cac:Item/cbc:Description"),
}
_CII: Mapping[str, tuple[str, str, str]] = {
    "CII-SR-439": ("BT-146", "//ram:NetPriceProductTradePrice", "ram:ChargeAmount"),
    "CII-SR-441": ("BT-148", "//ram:GrossPriceProductTradePrice", "ram:ChargeAmount"),
    "CII-SR-455": ("BG-6", "//ram:SellerTradeParty", "ram:DefinedTradeContact"),
    "CII-SR-456": ("BG-9", "//ram:BuyerTradeParty", "ram:DefinedTradeContact"),
    "CII-SR-459": ("BT-34", "//ram:SellerTradeParty", "ram:URIUniversalCommunication"),
    "CII-SR-460": ("BT-49", "//ram:BuyerTradeParty", "ram:URIUniversalCommunication"),
    "CII-SR-461": ("BT-7", "//ram:ApplicableHeaderTradeSettlement", "ram:ApplicableTradeTax/ram:TaxPointDate"),
    "CII-SR-477": ("BT-106", _TOTALS, "ram:LineTotalAmount"),
    "CII-SR-478": ("BT-108", _TOTALS, "ram:ChargeTotalAmount"),
    "CII-SR-479": ("BT-107", _TOTALS, "ram:AllowanceTotalAmount"),
    "CII-SR-480": ("BT-109", _TOTALS, "ram:TaxBasisTotalAmount"),
    "CII-SR-481": ("BT-114", _TOTALS, "ram:RoundingAmount"),
    "CII-SR-482": ("BT-112", _TOTALS, "ram:GrandTotalAmount"),
    "CII-SR-484": ("BT-113", _TOTALS, "ram:TotalPrepaidAmount"),
    "CII-SR-487": ("BT-115", _TOTALS, "ram:DuePayableAmount"),
}


def _compiled(table: Mapping[str, tuple[str, str, str]], prefixes: Mapping[str, str]) -> tuple[Once, ...]:
    return tuple(
        Once(rule, term, *(etree.XPath(path, namespaces=dict(prefixes)) for path in paths))
        for rule, (term, *paths) in table.items()
    )


_ONCE = {
    Syntax.UBL_INVOICE: _compiled(_UBL, ubl.PREFIXES),
    Syntax.UBL_CREDIT_NOTE: _compiled(_UBL, ubl.PREFIXES),
    Syntax.CII: _compiled(_CII, cii.PREFIXES),
}


def repeated(invoice: Invoice) -> Iterator[Flag]:
    """What is there more than once and must not be. Extensions may repeat, and are left alone."""
    if invoice.profile.scope is Scope.EXTENDED:
        return
    for once in _ONCE.get(invoice.syntax, ()):
        for holder in hits(invoice.root.element, once.holders):
            found = hits(holder, once.what)
            if len(found) > 1:
                name = str(found[1].tag).rpartition("}")[2]
                facts: dict[str, Fact] = {"value": name, "term": once.term, "found": len(found)}
                yield Flag(text=TWICE, facts=facts, rule=once.rule, level=Level.ERROR)
