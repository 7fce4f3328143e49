"""One small invoice in every syntax, and PDFs that hold it in tidy and untidy ways."""

from __future__ import annotations

from io import BytesIO

import pikepdf

UBL_ROOT = (
    '<{root} xmlns="urn:oasis:names:specification:ubl:schema:xsd:{root}-2" '
    'xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2" '
    'xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">'
)
_STANDARD = "urn:un:unece:uncefact:data:standard"
_VAT = "<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>"


def ubl(*changes: tuple[str, str]) -> bytes:
    """Two lines at 19 % and 7 %, an allowance; each change replaces a piece of the XML that must be there."""
    return _changed(_UBL, changes)


def ubl_credit_note() -> bytes:
    """A credit note of 119.00 EUR with positive amounts."""
    return _changed(_UBL_CREDIT_NOTE, ())


def cii(*changes: tuple[str, str]) -> bytes:
    """The same invoice as CII."""
    return _changed(_CII, changes)


def zugferd_1(*changes: tuple[str, str]) -> bytes:
    """The same invoice as ZUGFeRD 1.0."""
    return _changed(_ZUGFERD_1, changes)


def _changed(text: str, changes: tuple[tuple[str, str], ...]) -> bytes:
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    return text.encode()


def pdf(files: dict[str, bytes], *, way: str = "names") -> bytes:
    """A PDF of one empty page with embedded files.

    Ways: "names" (tree of names), "af" (only /AF), "broken" (a tree of names that loops and lacks its values), "object"
    (no reference from the catalogue at all, as after a careless merge).
    """
    document = pikepdf.new()
    document.add_blank_page()
    specifications = [_specification(document, name, content) for name, content in files.items()]
    if way == "names":
        pairs = [each for name, one in zip(files, specifications, strict=True) for each in (pikepdf.String(name), one)]
        document.Root.Names = pikepdf.Dictionary(EmbeddedFiles=pikepdf.Dictionary(Names=pikepdf.Array(pairs)))
    elif way == "af":
        document.Root.AF = pikepdf.Array(specifications)
    else:
        if way == "broken":
            tree = document.make_indirect(pikepdf.Dictionary(Names=pikepdf.Array([pikepdf.String("a"), 5])))
            tree.Kids = pikepdf.Array([tree])
            document.Root.Names = pikepdf.Dictionary(EmbeddedFiles=tree)
        document.pages[0].Kept = pikepdf.Array(specifications)
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def _specification(document: pikepdf.Pdf, name: str, content: bytes) -> pikepdf.Object:
    stream = document.make_stream(content)
    return document.make_indirect(
        pikepdf.Dictionary(Type=pikepdf.Name.Filespec, F=name, UF=name, EF=pikepdf.Dictionary(F=stream))
    )


def _ubl_line(number: int, name: str, net: str, rate: str) -> str:
    return f"""<cac:InvoiceLine><cbc:ID>{number}</cbc:ID><cbc:InvoicedQuantity unitCode="HUR">2</cbc:InvoicedQuantity>
<cbc:LineExtensionAmount currencyID="EUR">{net}</cbc:LineExtensionAmount><cac:Item><cbc:Name>{name}</cbc:Name>
<cac:ClassifiedTaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>{rate}</cbc:Percent>{_VAT}</cac:ClassifiedTaxCategory></cac:Item>
<cac:Price><cbc:PriceAmount currencyID="EUR">{float(net) / 2:.2f}</cbc:PriceAmount></cac:Price></cac:InvoiceLine>"""


def _ubl_tax(base: str, tax: str, rate: str) -> str:
    return f"""<cac:TaxSubtotal><cbc:TaxableAmount currencyID="EUR">{base}</cbc:TaxableAmount>
<cbc:TaxAmount currencyID="EUR">{tax}</cbc:TaxAmount>
<cac:TaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>{rate}</cbc:Percent>{_VAT}</cac:TaxCategory></cac:TaxSubtotal>"""


def _ubl_party(role: str, name: str, vat_id: str, city: str) -> str:
    return f"""<cac:{role}><cac:Party>
<cac:PostalAddress><cbc:StreetName>Hauptstr. 1</cbc:StreetName><cbc:CityName>{city}</cbc:CityName>
<cbc:PostalZone>10115</cbc:PostalZone><cac:Country><cbc:IdentificationCode>DE</cbc:IdentificationCode></cac:Country>
</cac:PostalAddress><cac:PartyTaxScheme><cbc:CompanyID>{vat_id}</cbc:CompanyID>{_VAT}</cac:PartyTaxScheme>
<cac:PartyLegalEntity><cbc:RegistrationName>{name}</cbc:RegistrationName></cac:PartyLegalEntity></cac:Party></cac:{role}>"""


_PARTIES = _ubl_party("AccountingSupplierParty", "Seller &amp; Söhne GmbH", "DE136695976", "Berlin") + _ubl_party(
    "AccountingCustomerParty", "Käufer AG", "DE129273398", "Bonn"
)
_UBL = f"""<?xml version="1.0" encoding="UTF-8"?>
{UBL_ROOT.format(root="Invoice")}
<cbc:CustomizationID>urn:cen.eu:en16931:2017</cbc:CustomizationID>
<cbc:ID>R-2026/17</cbc:ID><cbc:IssueDate>2026-03-02</cbc:IssueDate><cbc:DueDate>2026-04-01</cbc:DueDate>
<cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode><cbc:Note>Danke!</cbc:Note>
<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>{_PARTIES}
<cac:PaymentMeans><cbc:PaymentMeansCode>58</cbc:PaymentMeansCode><cac:PayeeFinancialAccount>
<cbc:ID>DE02 1203 0000 0000 2020 51</cbc:ID></cac:PayeeFinancialAccount></cac:PaymentMeans>
<cac:AllowanceCharge><cbc:ChargeIndicator>false</cbc:ChargeIndicator>
<cbc:AllowanceChargeReason>Rabatt</cbc:AllowanceChargeReason>
<cbc:Amount currencyID="EUR">10.00</cbc:Amount>
<cac:TaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>19</cbc:Percent>{_VAT}</cac:TaxCategory>
</cac:AllowanceCharge>
<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">20.60</cbc:TaxAmount>{_ubl_tax("90.00", "17.10", "19")}
{_ubl_tax("50.00", "3.50", "7")}</cac:TaxTotal>
<cac:LegalMonetaryTotal><cbc:LineExtensionAmount currencyID="EUR">150.00</cbc:LineExtensionAmount>
<cbc:TaxExclusiveAmount currencyID="EUR">140.00</cbc:TaxExclusiveAmount>
<cbc:TaxInclusiveAmount currencyID="EUR">160.60</cbc:TaxInclusiveAmount>
<cbc:AllowanceTotalAmount currencyID="EUR">10.00</cbc:AllowanceTotalAmount>
<cbc:PrepaidAmount currencyID="EUR">60.60</cbc:PrepaidAmount>
<cbc:PayableAmount currencyID="EUR">100.00</cbc:PayableAmount></cac:LegalMonetaryTotal>
{_ubl_line(1, "Beratung", "100.00", "19")}{_ubl_line(2, "Buch", "50.00", "7")}
</Invoice>"""  # fmt: skip

_UBL_CREDIT_NOTE = f"""{UBL_ROOT.format(root="CreditNote")}
<cbc:CustomizationID>urn:cen.eu:en16931:2017</cbc:CustomizationID>
<cbc:ID>G-1</cbc:ID><cbc:IssueDate>2026-03-02</cbc:IssueDate><cbc:CreditNoteTypeCode>381</cbc:CreditNoteTypeCode>
<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>{_PARTIES}
<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">19.00</cbc:TaxAmount>{_ubl_tax("100.00", "19.00", "19")}</cac:TaxTotal>
<cac:LegalMonetaryTotal><cbc:LineExtensionAmount currencyID="EUR">100.00</cbc:LineExtensionAmount>
<cbc:TaxExclusiveAmount currencyID="EUR">100.00</cbc:TaxExclusiveAmount>
<cbc:TaxInclusiveAmount currencyID="EUR">119.00</cbc:TaxInclusiveAmount>
<cbc:PayableAmount currencyID="EUR">119.00</cbc:PayableAmount></cac:LegalMonetaryTotal>
{_ubl_line(1, "Beratung", "100.00", "19").replace("Invoice", "CreditNote").replace("CreditNotedQ", "CreditedQ")}
</CreditNote>"""


def _cii_line(number: int, name: str, net: str, rate: str) -> str:
    return f"""<ram:IncludedSupplyChainTradeLineItem>
<ram:AssociatedDocumentLineDocument><ram:LineID>{number}</ram:LineID></ram:AssociatedDocumentLineDocument>
<ram:SpecifiedTradeProduct><ram:Name>{name}</ram:Name></ram:SpecifiedTradeProduct>
<ram:SpecifiedLineTradeAgreement><ram:NetPriceProductTradePrice>
<ram:ChargeAmount>{float(net) / 2:.2f}</ram:ChargeAmount>
</ram:NetPriceProductTradePrice></ram:SpecifiedLineTradeAgreement>
<ram:SpecifiedLineTradeDelivery>
<ram:BilledQuantity unitCode="HUR">2</ram:BilledQuantity></ram:SpecifiedLineTradeDelivery>
<ram:SpecifiedLineTradeSettlement><ram:ApplicableTradeTax><ram:TypeCode>VAT</ram:TypeCode>
<ram:CategoryCode>S</ram:CategoryCode><ram:RateApplicablePercent>{rate}</ram:RateApplicablePercent></ram:ApplicableTradeTax>
<ram:SpecifiedTradeSettlementLineMonetarySummation><ram:LineTotalAmount>{net}</ram:LineTotalAmount>
</ram:SpecifiedTradeSettlementLineMonetarySummation></ram:SpecifiedLineTradeSettlement></ram:IncludedSupplyChainTradeLineItem>"""


def _cii_tax(base: str, tax: str, rate: str) -> str:
    return f"""<ram:ApplicableTradeTax><ram:CalculatedAmount>{tax}</ram:CalculatedAmount>
<ram:TypeCode>VAT</ram:TypeCode>
<ram:BasisAmount>{base}</ram:BasisAmount><ram:CategoryCode>S</ram:CategoryCode>
<ram:RateApplicablePercent>{rate}</ram:RateApplicablePercent></ram:ApplicableTradeTax>"""


def _cii_party(role: str, name: str, vat_id: str, city: str) -> str:
    return f"""<ram:{role}><ram:Name>{name}</ram:Name><ram:PostalTradeAddress><ram:PostcodeCode>10115</ram:PostcodeCode>
<ram:LineOne>Hauptstr. 1</ram:LineOne><ram:CityName>{city}</ram:CityName><ram:CountryID>DE</ram:CountryID>
</ram:PostalTradeAddress><ram:SpecifiedTaxRegistration><ram:ID schemeID="VA">{vat_id}</ram:ID>
</ram:SpecifiedTaxRegistration></ram:{role}>"""


_CII = f"""<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossIndustryInvoice xmlns:rsm="{_STANDARD}:CrossIndustryInvoice:100"
 xmlns:ram="{_STANDARD}:ReusableAggregateBusinessInformationEntity:100" xmlns:udt="{_STANDARD}:UnqualifiedDataType:100">
<rsm:ExchangedDocumentContext><ram:GuidelineSpecifiedDocumentContextParameter><ram:ID>urn:cen.eu:en16931:2017</ram:ID>
</ram:GuidelineSpecifiedDocumentContextParameter></rsm:ExchangedDocumentContext>
<rsm:ExchangedDocument><ram:ID>R-2026/17</ram:ID><ram:TypeCode>380</ram:TypeCode><ram:IssueDateTime>
<udt:DateTimeString format="102">20260302</udt:DateTimeString></ram:IssueDateTime>
<ram:IncludedNote><ram:Content>Danke!</ram:Content></ram:IncludedNote></rsm:ExchangedDocument>
<rsm:SupplyChainTradeTransaction>{_cii_line(1, "Beratung", "100.00", "19")}{_cii_line(2, "Buch", "50.00", "7")}
<ram:ApplicableHeaderTradeAgreement>{_cii_party("SellerTradeParty", "Seller &amp; Söhne GmbH", "DE136695976", "Berlin")}
{_cii_party("BuyerTradeParty", "Käufer AG", "DE129273398", "Bonn")}</ram:ApplicableHeaderTradeAgreement>
<ram:ApplicableHeaderTradeDelivery/>
<ram:ApplicableHeaderTradeSettlement><ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>
<ram:SpecifiedTradeSettlementPaymentMeans><ram:TypeCode>58</ram:TypeCode><ram:PayeePartyCreditorFinancialAccount>
<ram:IBANID>DE02 1203 0000 0000 2020 51</ram:IBANID></ram:PayeePartyCreditorFinancialAccount>
</ram:SpecifiedTradeSettlementPaymentMeans>{_cii_tax("90.00", "17.10", "19")}{_cii_tax("50.00", "3.50", "7")}
<ram:SpecifiedTradeAllowanceCharge><ram:ChargeIndicator><udt:Indicator>false</udt:Indicator></ram:ChargeIndicator>
<ram:ActualAmount>10.00</ram:ActualAmount><ram:Reason>Rabatt</ram:Reason><ram:CategoryTradeTax>
<ram:TypeCode>VAT</ram:TypeCode><ram:CategoryCode>S</ram:CategoryCode><ram:RateApplicablePercent>19</ram:RateApplicablePercent>
</ram:CategoryTradeTax></ram:SpecifiedTradeAllowanceCharge>
<ram:SpecifiedTradePaymentTerms><ram:DueDateDateTime><udt:DateTimeString format="102">20260401</udt:DateTimeString>
</ram:DueDateDateTime></ram:SpecifiedTradePaymentTerms>
<ram:SpecifiedTradeSettlementHeaderMonetarySummation><ram:LineTotalAmount>150.00</ram:LineTotalAmount>
<ram:AllowanceTotalAmount>10.00</ram:AllowanceTotalAmount><ram:TaxBasisTotalAmount>140.00</ram:TaxBasisTotalAmount>
<ram:TaxTotalAmount currencyID="EUR">20.60</ram:TaxTotalAmount><ram:GrandTotalAmount>160.60</ram:GrandTotalAmount>
<ram:TotalPrepaidAmount>60.60</ram:TotalPrepaidAmount><ram:DuePayableAmount>100.00</ram:DuePayableAmount>
</ram:SpecifiedTradeSettlementHeaderMonetarySummation></ram:ApplicableHeaderTradeSettlement>
</rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>"""

_1P0 = "urn:ferd:CrossIndustryDocument:invoice:1p0"
_ZUGFERD_1 = f"""<rsm:CrossIndustryDocument xmlns:rsm="{_1P0}"
 xmlns:ram="{_STANDARD}:ReusableAggregateBusinessInformationEntity:12" xmlns:udt="{_STANDARD}:UnqualifiedDataType:15">
<rsm:SpecifiedExchangedDocumentContext><ram:GuidelineSpecifiedDocumentContextParameter><ram:ID>{_1P0}:comfort</ram:ID>
</ram:GuidelineSpecifiedDocumentContextParameter></rsm:SpecifiedExchangedDocumentContext>
<rsm:HeaderExchangedDocument><ram:ID>R-2026/17</ram:ID><ram:Name>RECHNUNG</ram:Name><ram:TypeCode>380</ram:TypeCode>
<ram:IssueDateTime><udt:DateTimeString format="102">20260302</udt:DateTimeString></ram:IssueDateTime>
</rsm:HeaderExchangedDocument>
<rsm:SpecifiedSupplyChainTradeTransaction><ram:ApplicableSupplyChainTradeAgreement>
{_cii_party("SellerTradeParty", "Seller &amp; Söhne GmbH", "DE136695976", "Berlin")}
{_cii_party("BuyerTradeParty", "Käufer AG", "DE129273398", "Bonn")}</ram:ApplicableSupplyChainTradeAgreement>
<ram:ApplicableSupplyChainTradeDelivery/>
<ram:ApplicableSupplyChainTradeSettlement><ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>
<ram:SpecifiedTradeSettlementPaymentMeans><ram:TypeCode>42</ram:TypeCode><ram:PayeePartyCreditorFinancialAccount>
<ram:IBANID>DE02120300000000202051</ram:IBANID></ram:PayeePartyCreditorFinancialAccount>
</ram:SpecifiedTradeSettlementPaymentMeans>
<ram:ApplicableTradeTax><ram:CalculatedAmount currencyID="EUR">20.60</ram:CalculatedAmount>
<ram:TypeCode>VAT</ram:TypeCode>
<ram:BasisAmount currencyID="EUR">140.00</ram:BasisAmount><ram:CategoryCode>S</ram:CategoryCode>
<ram:ApplicablePercent>14.71</ram:ApplicablePercent></ram:ApplicableTradeTax>
<ram:SpecifiedTradePaymentTerms><ram:DueDateDateTime><udt:DateTimeString format="102">20260401</udt:DateTimeString>
</ram:DueDateDateTime></ram:SpecifiedTradePaymentTerms>
<ram:SpecifiedTradeSettlementMonetarySummation><ram:LineTotalAmount currencyID="EUR">140.00</ram:LineTotalAmount>
<ram:ChargeTotalAmount currencyID="EUR">0.00</ram:ChargeTotalAmount>
<ram:AllowanceTotalAmount currencyID="EUR">0.00</ram:AllowanceTotalAmount>
<ram:TaxBasisTotalAmount currencyID="EUR">140.00</ram:TaxBasisTotalAmount>
<ram:TaxTotalAmount currencyID="EUR">20.60</ram:TaxTotalAmount>
<ram:GrandTotalAmount currencyID="EUR">160.60</ram:GrandTotalAmount>
<ram:TotalPrepaidAmount currencyID="EUR">60.60</ram:TotalPrepaidAmount>
<ram:DuePayableAmount currencyID="EUR">100.00</ram:DuePayableAmount></ram:SpecifiedTradeSettlementMonetarySummation>
</ram:ApplicableSupplyChainTradeSettlement>
<ram:IncludedSupplyChainTradeLineItem><ram:AssociatedDocumentLineDocument><ram:LineID>1</ram:LineID>
</ram:AssociatedDocumentLineDocument><ram:SpecifiedSupplyChainTradeSettlement>
<ram:SpecifiedTradeSettlementMonetarySummation><ram:LineTotalAmount currencyID="EUR">140.00</ram:LineTotalAmount>
</ram:SpecifiedTradeSettlementMonetarySummation></ram:SpecifiedSupplyChainTradeSettlement>
<ram:SpecifiedTradeProduct><ram:Name>Beratung</ram:Name></ram:SpecifiedTradeProduct>
</ram:IncludedSupplyChainTradeLineItem></rsm:SpecifiedSupplyChainTradeTransaction></rsm:CrossIndustryDocument>"""
