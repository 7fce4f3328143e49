"""UN/CEFACT Cross Industry Invoice: where each business term stands (EN 16931-3-3), and ZUGFeRD 1.0 by its own names.

XRechnung CII, ZUGFeRD 2 and Factur-X of all profiles are this syntax; ZUGFeRD 1.0 is its forerunner of 2014, with the
same structure but other names and namespaces.
"""

from __future__ import annotations

from collections.abc import Mapping

from portal.reading.einvoice.tree import Shape

CII = "{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice"
ZUGFERD_1 = "{urn:ferd:CrossIndustryDocument:invoice:1p0}CrossIndustryDocument"
_STANDARD = "urn:un:unece:uncefact:data:standard"
PREFIXES = {
    "rsm": f"{_STANDARD}:CrossIndustryInvoice:100",
    "ram": f"{_STANDARD}:ReusableAggregateBusinessInformationEntity:100",
    "udt": f"{_STANDARD}:UnqualifiedDataType:100",
    "qdt": f"{_STANDARD}:QualifiedDataType:100",
}
_OF_2014 = {
    "rsm": "urn:ferd:CrossIndustryDocument:invoice:1p0",
    "ram": f"{_STANDARD}:ReusableAggregateBusinessInformationEntity:12",
    "udt": f"{_STANDARD}:UnqualifiedDataType:15",
    "qdt": f"{_STANDARD}:QualifiedDataType:12",
}
# Names of today and of 2014. Longer names stand before names that they contain.
_RENAMED = (
    ("rsm:ExchangedDocumentContext", "rsm:SpecifiedExchangedDocumentContext"),
    ("rsm:ExchangedDocument", "rsm:HeaderExchangedDocument"),
    ("rsm:SupplyChainTradeTransaction", "rsm:SpecifiedSupplyChainTradeTransaction"),
    ("ApplicableHeaderTrade", "ApplicableSupplyChainTrade"),
    ("SpecifiedLineTrade", "SpecifiedSupplyChainTrade"),
    ("SpecifiedTradeSettlementHeaderMonetarySummation", "SpecifiedTradeSettlementMonetarySummation"),
    ("SpecifiedTradeSettlementLineMonetarySummation", "SpecifiedTradeSettlementMonetarySummation"),
    ("RateApplicablePercent", "ApplicablePercent"),
    ("IssuerAssignedID", "ID"),
)

_ROOT = "rsm:SupplyChainTradeTransaction"
_AGREEMENT = f"{_ROOT}/ram:ApplicableHeaderTradeAgreement"
_DELIVERY = f"{_ROOT}/ram:ApplicableHeaderTradeDelivery"
_SETTLEMENT = f"{_ROOT}/ram:ApplicableHeaderTradeSettlement"
_TOTALS = "ram:SpecifiedTradeSettlementHeaderMonetarySummation"
_CHARGE = "(normalize-space(ram:ChargeIndicator) = 'true' or normalize-space(ram:ChargeIndicator) = '1')"
_VAT_ID = "ram:SpecifiedTaxRegistration/ram:ID[@schemeID = 'VA']"
_ACCOUNT = "ram:PayeePartyCreditorFinancialAccount"
_MEANS = "ram:SpecifiedTradeSettlementPaymentMeans"
_DATE = "/*[self::udt:DateTimeString or self::qdt:DateTimeString or self::udt:DateTime or self::udt:DateString]"


class _Syntax:
    """Makes shapes of paths in today's names, for either set of names."""

    def __init__(self, prefixes: Mapping[str, str], renamed: tuple[tuple[str, str], ...] = ()) -> None:
        self._prefixes, self._renamed = prefixes, renamed

    def shape(self, path: str, terms: Mapping[str, str], groups: Mapping[str, Shape] | None = None) -> Shape:
        named = {name: self._named(where) for name, where in terms.items()}
        return Shape(self._named(path), named, groups or {}, self._prefixes)

    def _named(self, path: str) -> str:
        for today, before in self._renamed:
            path = path.replace(today, before)
        return path

    def address(self, *names: str) -> Shape:
        """Names: line 1, line 2, line 3, city, post code, subdivision, country."""
        places = ("LineOne", "LineTwo", "LineThree", "CityName", "PostcodeCode", "CountrySubDivisionName", "CountryID")
        return self.shape(
            "ram:PostalTradeAddress", {name: f"ram:{place}" for name, place in zip(names, places, strict=True)}
        )

    def contact(self, *names: str) -> Shape:
        places = (
            "ram:PersonName | ram:DepartmentName",
            "ram:TelephoneUniversalCommunication/ram:CompleteNumber",
            "ram:EmailURIUniversalCommunication/*[self::ram:URIID or self::ram:CompleteNumber]",
        )
        return self.shape("ram:DefinedTradeContact", dict(zip(names, places, strict=True)))

    def allowance(self, charge: bool, *names: str) -> Shape:
        """Names: amount, base, percent, category, rate, reason, reason code (a line's have no category, no rate)."""
        places = ["ram:ActualAmount", "ram:BasisAmount", "ram:CalculationPercent"]
        if len(names) == 7:
            places += ["ram:CategoryTradeTax/ram:CategoryCode", "ram:CategoryTradeTax/ram:RateApplicablePercent"]
        places += ["ram:Reason", "ram:ReasonCode"]
        condition = _CHARGE if charge else f"not({_CHARGE})"
        above = f"{_SETTLEMENT}/" if len(names) == 7 else "ram:SpecifiedLineTradeSettlement/"
        return self.shape(
            f"{above}ram:SpecifiedTradeAllowanceCharge[{condition}]", dict(zip(names, places, strict=True))
        )

    def period(self, path: str, start: str, end: str) -> Shape:
        return self.shape(path, {start: f"ram:StartDateTime{_DATE}", end: f"ram:EndDateTime{_DATE}"})

    def seller(self) -> Shape:
        return self.shape(
            f"{_AGREEMENT}/ram:SellerTradeParty",
            {
                "BT-27": "ram:Name",
                "BT-28": "ram:SpecifiedLegalOrganization/ram:TradingBusinessName",
                "BT-29": "ram:ID | ram:GlobalID",
                "BT-30": "ram:SpecifiedLegalOrganization/ram:ID",
                "BT-31": _VAT_ID,
                "BT-32": "ram:SpecifiedTaxRegistration/ram:ID[@schemeID = 'FC']",
                "BT-33": "ram:Description",
                "BT-34": "ram:URIUniversalCommunication/ram:URIID",
                "BT-90": "../../ram:ApplicableHeaderTradeSettlement/ram:CreditorReferenceID",
            },
            {
                "BG-5": self.address("BT-35", "BT-36", "BT-162", "BT-37", "BT-38", "BT-39", "BT-40"),
                "BG-6": self.contact("BT-41", "BT-42", "BT-43"),
            },
        )

    def buyer(self) -> Shape:
        return self.shape(
            f"{_AGREEMENT}/ram:BuyerTradeParty",
            {
                "BT-44": "ram:Name",
                "BT-45": "ram:SpecifiedLegalOrganization/ram:TradingBusinessName",
                "BT-46": "ram:ID | ram:GlobalID",
                "BT-47": "ram:SpecifiedLegalOrganization/ram:ID",
                "BT-48": _VAT_ID,
                "BT-49": "ram:URIUniversalCommunication/ram:URIID",
            },
            {
                "BG-8": self.address("BT-50", "BT-51", "BT-163", "BT-52", "BT-53", "BT-54", "BT-55"),
                "BG-9": self.contact("BT-56", "BT-57", "BT-58"),
            },
        )

    def parties(self) -> dict[str, Shape]:
        return {
            "BG-4": self.seller(),
            "BG-7": self.buyer(),
            "BG-10": self.shape(
                f"{_SETTLEMENT}/ram:PayeeTradeParty",
                {
                    "BT-59": "ram:Name",
                    "BT-60": "ram:ID | ram:GlobalID",
                    "BT-61": "ram:SpecifiedLegalOrganization/ram:ID",
                },
            ),
            "BG-11": self.shape(
                f"{_AGREEMENT}/ram:SellerTaxRepresentativeTradeParty",
                {"BT-62": "ram:Name", "BT-63": _VAT_ID},
                {"BG-12": self.address("BT-64", "BT-65", "BT-164", "BT-66", "BT-67", "BT-68", "BT-69")},
            ),
            "BG-13": self.shape(
                _DELIVERY,
                {
                    "BT-70": "ram:ShipToTradeParty/ram:Name",
                    "BT-71": "ram:ShipToTradeParty/ram:ID | ram:ShipToTradeParty/ram:GlobalID",
                    "BT-72": f"ram:ActualDeliverySupplyChainEvent/ram:OccurrenceDateTime{_DATE}",
                },
                {"BG-15": self.ship_to()},
            ),
        }

    def ship_to(self) -> Shape:
        address = self.address("BT-75", "BT-76", "BT-165", "BT-77", "BT-78", "BT-79", "BT-80")
        address.path = self.shape("ram:ShipToTradeParty/ram:PostalTradeAddress", {}).path
        return address

    def money(self) -> dict[str, Shape]:
        return {
            "BG-16": self.shape(
                f"{_SETTLEMENT}/{_MEANS}",
                {
                    "BT-81": "ram:TypeCode",
                    "BT-82": "ram:Information",
                    "BT-83": "../ram:PaymentReference",
                    "BT-89": "../ram:SpecifiedTradePaymentTerms/ram:DirectDebitMandateID",
                    "BT-91": "ram:PayerPartyDebtorFinancialAccount/ram:IBANID",
                },
                {
                    "BG-17": self.shape(
                        _ACCOUNT,
                        {
                            "BT-84": "ram:IBANID | ram:ProprietaryID",
                            "BT-85": "ram:AccountName",
                            "BT-86": "../ram:PayeeSpecifiedCreditorFinancialInstitution/ram:BICID",
                        },
                    ),
                    "BG-18": self.shape(
                        "ram:ApplicableTradeSettlementFinancialCard",
                        {"BT-87": "ram:ID", "BT-88": "ram:CardholderName"},
                    ),
                },
            ),
            "BG-20": self.allowance(False, "BT-92", "BT-93", "BT-94", "BT-95", "BT-96", "BT-97", "BT-98"),
            "BG-21": self.allowance(True, "BT-99", "BT-100", "BT-101", "BT-102", "BT-103", "BT-104", "BT-105"),
            # Freight of ZUGFeRD 1.0 and EXTENDED (BG-X-42), which counts as a charge.
            "BG-X-42": self.shape(
                f"{_SETTLEMENT}/ram:SpecifiedLogisticsServiceCharge",
                {
                    "BT-X-271": "ram:Description",
                    "BT-X-272": "ram:AppliedAmount",
                    "BT-X-273": "ram:AppliedTradeTax/ram:CategoryCode",
                    "BT-X-274": "ram:AppliedTradeTax/ram:RateApplicablePercent",
                },
            ),
            "BG-22": self.totals(),
            "BG-23": self.shape(
                f"{_SETTLEMENT}/ram:ApplicableTradeTax",
                {
                    "BT-116": "ram:BasisAmount",
                    "BT-117": "ram:CalculatedAmount",
                    "BT-118": "ram:CategoryCode",
                    "BT-119": "ram:RateApplicablePercent",
                    "BT-120": "ram:ExemptionReason",
                    "BT-121": "ram:ExemptionReasonCode",
                },
            ),
        }

    def totals(self) -> Shape:
        return self.shape(
            f"{_SETTLEMENT}/{_TOTALS}",
            {
                "BT-106": "ram:LineTotalAmount",
                "BT-107": "ram:AllowanceTotalAmount",
                "BT-108": "ram:ChargeTotalAmount",
                "BT-109": "ram:TaxBasisTotalAmount",
                "BT-112": "ram:GrandTotalAmount",
                "BT-113": "ram:TotalPrepaidAmount",
                "BT-114": "ram:RoundingAmount",
                "BT-115": "ram:DuePayableAmount",
            },
        )

    def line(self) -> Shape:
        agreement, settlement = "ram:SpecifiedLineTradeAgreement", "ram:SpecifiedLineTradeSettlement"
        net, gross = f"{agreement}/ram:NetPriceProductTradePrice", f"{agreement}/ram:GrossPriceProductTradePrice"
        tax, product = f"{settlement}/ram:ApplicableTradeTax", "ram:SpecifiedTradeProduct"
        return self.shape(
            f"{_ROOT}/ram:IncludedSupplyChainTradeLineItem",
            {
                "BT-126": "ram:AssociatedDocumentLineDocument/ram:LineID",
                "BT-127": "ram:AssociatedDocumentLineDocument/ram:IncludedNote/ram:Content",
                "BT-X-8": "ram:AssociatedDocumentLineDocument/ram:LineStatusReasonCode",
                "BT-129": "ram:SpecifiedLineTradeDelivery/ram:BilledQuantity",
                "BT-130": "ram:SpecifiedLineTradeDelivery/ram:BilledQuantity/@unitCode",
                "BT-131": f"{settlement}/ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount",
                "BT-132": f"{agreement}/ram:BuyerOrderReferencedDocument/ram:LineID",
                "BT-133": f"{settlement}/ram:ReceivableSpecifiedTradeAccountingAccount/ram:ID",
                "BT-146": f"{net}/ram:ChargeAmount",
                "BT-147": f"{gross}/ram:AppliedTradeAllowanceCharge[not({_CHARGE})]/ram:ActualAmount",
                "BT-148": f"{gross}/ram:ChargeAmount",
                "BT-149": f"{net}/ram:BasisQuantity",
                "BT-150": f"{net}/ram:BasisQuantity/@unitCode",
                "BT-151": f"{tax}/ram:CategoryCode",
                "BT-152": f"{tax}/ram:RateApplicablePercent",
                "BT-153": f"{product}/ram:Name",
                "BT-154": f"{product}/ram:Description",
                "BT-155": f"{product}/ram:SellerAssignedID",
                "BT-156": f"{product}/ram:BuyerAssignedID",
                "BT-157": f"{product}/ram:GlobalID",
                "BT-158": f"{product}/ram:DesignatedProductClassification/ram:ClassCode",
                "BT-159": f"{product}/ram:OriginTradeCountry/ram:ID",
            },
            {
                "BG-26": self.period(f"{settlement}/ram:BillingSpecifiedPeriod", "BT-134", "BT-135"),
                "BG-27": self.allowance(False, "BT-136", "BT-137", "BT-138", "BT-139", "BT-140"),
                "BG-28": self.allowance(True, "BT-141", "BT-142", "BT-143", "BT-144", "BT-145"),
                "BG-32": self.shape(
                    f"{product}/ram:ApplicableProductCharacteristic",
                    {"BT-160": "ram:Description", "BT-161": "ram:Value"},
                ),
            },
        )

    def references(self) -> dict[str, Shape]:
        support = "ram:AdditionalReferencedDocument[not(ram:TypeCode) or ram:TypeCode = '916']"
        return {
            "BG-3": self.shape(
                f"{_SETTLEMENT}/ram:InvoiceReferencedDocument",
                {"BT-25": "ram:IssuerAssignedID", "BT-26": f"ram:FormattedIssueDateTime{_DATE}"},
            ),
            "BG-14": self.period(f"{_SETTLEMENT}/ram:BillingSpecifiedPeriod", "BT-73", "BT-74"),
            "BG-24": self.shape(
                f"{_AGREEMENT}/{support}",
                {
                    "BT-122": "ram:IssuerAssignedID",
                    "BT-123": "ram:Name",
                    "BT-124": "ram:URIID",
                    "BT-125": "ram:AttachmentBinaryObject",
                },
            ),
            "BG-25": self.line(),
        }

    def invoice(self) -> Shape:
        document = "rsm:ExchangedDocument"
        other = f"{_AGREEMENT}/ram:AdditionalReferencedDocument"
        tax = f"{_SETTLEMENT}/{_TOTALS}/ram:TaxTotalAmount"
        return self.shape(
            ".",
            {
                "BT-1": f"{document}/ram:ID",
                "BT-2": f"{document}/ram:IssueDateTime{_DATE}",
                "BT-3": f"{document}/ram:TypeCode",
                "BT-5": f"{_SETTLEMENT}/ram:InvoiceCurrencyCode",
                "BT-6": f"{_SETTLEMENT}/ram:TaxCurrencyCode",
                "BT-7": f"{_SETTLEMENT}/ram:ApplicableTradeTax/ram:TaxPointDate{_DATE}",
                "BT-8": f"{_SETTLEMENT}/ram:ApplicableTradeTax/ram:DueDateTypeCode",
                "BT-9": f"{_SETTLEMENT}/ram:SpecifiedTradePaymentTerms/ram:DueDateDateTime{_DATE}",
                "BT-10": f"{_AGREEMENT}/ram:BuyerReference",
                "BT-11": f"{_AGREEMENT}/ram:SpecifiedProcuringProject/ram:ID",
                "BT-12": f"{_AGREEMENT}/ram:ContractReferencedDocument/ram:IssuerAssignedID",
                "BT-13": f"{_AGREEMENT}/ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID",
                "BT-14": f"{_AGREEMENT}/ram:SellerOrderReferencedDocument/ram:IssuerAssignedID",
                "BT-15": f"{_DELIVERY}/ram:ReceivingAdviceReferencedDocument/ram:IssuerAssignedID",
                "BT-16": f"{_DELIVERY}/ram:DespatchAdviceReferencedDocument/ram:IssuerAssignedID",
                "BT-17": f"{other}[ram:TypeCode = '50']/ram:IssuerAssignedID",
                "BT-18": f"{other}[ram:TypeCode = '130']/ram:IssuerAssignedID",
                "BT-19": f"{_SETTLEMENT}/ram:ReceivableSpecifiedTradeAccountingAccount/ram:ID",
                "BT-20": f"{_SETTLEMENT}/ram:SpecifiedTradePaymentTerms/ram:Description",
                "BT-22": f"{document}/ram:IncludedNote/ram:Content",
                "BT-23": "rsm:ExchangedDocumentContext/ram:BusinessProcessSpecifiedDocumentContextParameter/ram:ID",
                "BT-24": "rsm:ExchangedDocumentContext/ram:GuidelineSpecifiedDocumentContextParameter/ram:ID",
                "BT-110": f"{tax}[not(@currencyID) or @currencyID = normalize-space(../../ram:InvoiceCurrencyCode)]",
                "BT-111": f"{tax}[@currencyID = normalize-space(../../ram:TaxCurrencyCode)]",
            },
            {**self.parties(), **self.money(), **self.references()},
        )


TODAY = _Syntax(PREFIXES).invoice()
OF_2014 = _Syntax(_OF_2014, _RENAMED).invoice()
