"""UBL 2.1 Invoice and CreditNote: where each business term stands (EN 16931-3-2), for Peppol and XRechnung alike."""

from __future__ import annotations

from collections.abc import Mapping

from portal.reading.einvoice.tree import Shape

INVOICE = "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice"
CREDIT_NOTE = "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote"
PREFIXES = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}
_VAT = "translate(normalize-space(cac:TaxScheme/cbc:ID), 'vat', 'VAT') = 'VAT'"
_CHARGE = "normalize-space(cbc:ChargeIndicator) = 'true' or normalize-space(cbc:ChargeIndicator) = '1'"
_OBJECT = "normalize-space(cbc:DocumentTypeCode) = '130'"


def _shape(path: str, terms: Mapping[str, str], groups: Mapping[str, Shape] | None = None) -> Shape:
    return Shape(path, terms, groups or {}, PREFIXES)


def _address(path: str, *names: str) -> Shape:
    """Names in the order: line 1, line 2, line 3, city, post code, subdivision, country."""
    places = (
        "cbc:StreetName", "cbc:AdditionalStreetName", "cac:AddressLine/cbc:Line", "cbc:CityName", "cbc:PostalZone",
        "cbc:CountrySubentity", "cac:Country/cbc:IdentificationCode",
    )  # fmt: skip
    return _shape(path, dict(zip(names, places, strict=True)))


def _contact(*names: str) -> Shape:
    places = ("cbc:Name", "cbc:Telephone", "cbc:ElectronicMail")
    return _shape("cac:Contact", dict(zip(names, places, strict=True)))


def _allowance(charge: bool, *names: str) -> Shape:
    """Names: amount, base, percent, category, rate, reason, reason code (those of a line have no category, no rate)."""
    places = ["cbc:Amount", "cbc:BaseAmount", "cbc:MultiplierFactorNumeric"]
    if len(names) == 7:
        places += [f"cac:TaxCategory[{_VAT}]/cbc:ID", f"cac:TaxCategory[{_VAT}]/cbc:Percent"]
    places += ["cbc:AllowanceChargeReason", "cbc:AllowanceChargeReasonCode"]
    condition = _CHARGE if charge else f"not({_CHARGE})"
    return _shape(f"cac:AllowanceCharge[{condition}]", dict(zip(names, places, strict=True)))


_SELLER = _shape(
    "cac:AccountingSupplierParty/cac:Party",
    {
        "BT-27": "cac:PartyLegalEntity/cbc:RegistrationName",
        "BT-28": "cac:PartyName/cbc:Name",
        "BT-29": "cac:PartyIdentification/cbc:ID[not(@schemeID = 'SEPA')]",
        "BT-30": "cac:PartyLegalEntity/cbc:CompanyID",
        "BT-31": f"cac:PartyTaxScheme[{_VAT}]/cbc:CompanyID",
        "BT-32": f"cac:PartyTaxScheme[not({_VAT})]/cbc:CompanyID",
        "BT-33": "cac:PartyLegalEntity/cbc:CompanyLegalForm",
        "BT-34": "cbc:EndpointID",
        "BT-90": "cac:PartyIdentification/cbc:ID[@schemeID = 'SEPA']",
    },
    {
        "BG-5": _address("cac:PostalAddress", "BT-35", "BT-36", "BT-162", "BT-37", "BT-38", "BT-39", "BT-40"),
        "BG-6": _contact("BT-41", "BT-42", "BT-43"),
    },
)
_BUYER = _shape(
    "cac:AccountingCustomerParty/cac:Party",
    {
        "BT-44": "cac:PartyLegalEntity/cbc:RegistrationName",
        "BT-45": "cac:PartyName/cbc:Name",
        "BT-46": "cac:PartyIdentification/cbc:ID",
        "BT-47": "cac:PartyLegalEntity/cbc:CompanyID",
        "BT-48": f"cac:PartyTaxScheme[{_VAT}]/cbc:CompanyID",
        "BT-49": "cbc:EndpointID",
    },
    {
        "BG-8": _address("cac:PostalAddress", "BT-50", "BT-51", "BT-163", "BT-52", "BT-53", "BT-54", "BT-55"),
        "BG-9": _contact("BT-56", "BT-57", "BT-58"),
    },
)
_PAYEE = _shape(
    "cac:PayeeParty",
    {
        "BT-59": "cac:PartyName/cbc:Name",
        "BT-60": "cac:PartyIdentification/cbc:ID[not(@schemeID = 'SEPA')]",
        "BT-90": "cac:PartyIdentification/cbc:ID[@schemeID = 'SEPA']",
        "BT-61": "cac:PartyLegalEntity/cbc:CompanyID",
    },
)
_REPRESENTATIVE = _shape(
    "cac:TaxRepresentativeParty",
    {"BT-62": "cac:PartyName/cbc:Name", "BT-63": f"cac:PartyTaxScheme[{_VAT}]/cbc:CompanyID"},
    {"BG-12": _address("cac:PostalAddress", "BT-64", "BT-65", "BT-164", "BT-66", "BT-67", "BT-68", "BT-69")},
)
_DELIVERY = _shape(
    "cac:Delivery",
    {
        "BT-70": "cac:DeliveryParty/cac:PartyName/cbc:Name",
        "BT-71": "cac:DeliveryLocation/cbc:ID",
        "BT-72": "cbc:ActualDeliveryDate",
    },
    {
        "BG-15": _address(
            "cac:DeliveryLocation/cac:Address", "BT-75", "BT-76", "BT-165", "BT-77", "BT-78", "BT-79", "BT-80"
        )
    },
)  # fmt: skip
_PAYMENT = _shape(
    "cac:PaymentMeans",
    {
        "BT-81": "cbc:PaymentMeansCode",
        "BT-82": "cbc:PaymentMeansCode/@name",
        "BT-83": "cbc:PaymentID",
        "BT-89": "cac:PaymentMandate/cbc:ID",
        "BT-91": "cac:PaymentMandate/cac:PayerFinancialAccount/cbc:ID",
    },
    {
        "BG-17": _shape(
            "cac:PayeeFinancialAccount",
            {"BT-84": "cbc:ID", "BT-85": "cbc:Name", "BT-86": "cac:FinancialInstitutionBranch/cbc:ID"},
        ),
        "BG-19": _shape("cac:PaymentMandate", {}),
        "BG-18": _shape("cac:CardAccount", {"BT-87": "cbc:PrimaryAccountNumberID", "BT-88": "cbc:HolderName"}),
    },
)
_TOTALS = _shape(
    "cac:LegalMonetaryTotal",
    {
        "BT-106": "cbc:LineExtensionAmount",
        "BT-107": "cbc:AllowanceTotalAmount",
        "BT-108": "cbc:ChargeTotalAmount",
        "BT-109": "cbc:TaxExclusiveAmount",
        "BT-112": "cbc:TaxInclusiveAmount",
        "BT-113": "cbc:PrepaidAmount",
        "BT-114": "cbc:PayableRoundingAmount",
        "BT-115": "cbc:PayableAmount",
    },
)
_TAXES = _shape(
    "cac:TaxTotal/cac:TaxSubtotal",
    {
        "BT-116": "cbc:TaxableAmount",
        "BT-117": "cbc:TaxAmount",
        "BT-118": f"cac:TaxCategory[{_VAT}]/cbc:ID",
        "BT-119": f"cac:TaxCategory[{_VAT}]/cbc:Percent",
        "BT-120": "cac:TaxCategory/cbc:TaxExemptionReason",
        "BT-121": "cac:TaxCategory/cbc:TaxExemptionReasonCode",
    },
)
_SUPPORT = _shape(
    f"cac:AdditionalDocumentReference[not({_OBJECT})]",
    {
        "BT-122": "cbc:ID",
        "BT-123": "cbc:DocumentDescription",
        "BT-124": "cac:Attachment/cac:ExternalReference/cbc:URI",
        "BT-125": "cac:Attachment/cbc:EmbeddedDocumentBinaryObject",
    },
)
_LINE = _shape(
    "cac:InvoiceLine | cac:CreditNoteLine",
    {
        "BT-126": "cbc:ID",
        "BT-127": "cbc:Note",
        "BT-128": f"cac:DocumentReference[{_OBJECT}]/cbc:ID",
        "BT-129": "cbc:InvoicedQuantity | cbc:CreditedQuantity",
        "BT-130": "cbc:InvoicedQuantity/@unitCode | cbc:CreditedQuantity/@unitCode",
        "BT-131": "cbc:LineExtensionAmount",
        "BT-132": "cac:OrderLineReference/cbc:LineID",
        "BT-133": "cbc:AccountingCost",
        "BT-146": "cac:Price/cbc:PriceAmount",
        "BT-147": "cac:Price/cac:AllowanceCharge/cbc:Amount",
        "BT-148": "cac:Price/cac:AllowanceCharge/cbc:BaseAmount",
        "BT-149": "cac:Price/cbc:BaseQuantity",
        "BT-150": "cac:Price/cbc:BaseQuantity/@unitCode",
        "BT-151": f"cac:Item/cac:ClassifiedTaxCategory[{_VAT}]/cbc:ID",
        "BT-152": f"cac:Item/cac:ClassifiedTaxCategory[{_VAT}]/cbc:Percent",
        "BT-153": "cac:Item/cbc:Name",
        "BT-154": "cac:Item/cbc:Description",
        "BT-155": "cac:Item/cac:SellersItemIdentification/cbc:ID",
        "BT-156": "cac:Item/cac:BuyersItemIdentification/cbc:ID",
        "BT-157": "cac:Item/cac:StandardItemIdentification/cbc:ID",
        "BT-158": "cac:Item/cac:CommodityClassification/cbc:ItemClassificationCode",
        "BT-159": "cac:Item/cac:OriginCountry/cbc:IdentificationCode",
    },
    {
        "BG-26": _shape("cac:InvoicePeriod", {"BT-134": "cbc:StartDate", "BT-135": "cbc:EndDate"}),
        "BG-27": _allowance(False, "BT-136", "BT-137", "BT-138", "BT-139", "BT-140"),
        "BG-28": _allowance(True, "BT-141", "BT-142", "BT-143", "BT-144", "BT-145"),
        "BG-32": _shape("cac:Item/cac:AdditionalItemProperty", {"BT-160": "cbc:Name", "BT-161": "cbc:Value"}),
    },
)
UBL = _shape(
    ".",
    {
        "BT-1": "cbc:ID",
        "BT-2": "cbc:IssueDate",
        "BT-3": "cbc:InvoiceTypeCode | cbc:CreditNoteTypeCode",
        "BT-5": "cbc:DocumentCurrencyCode",
        "BT-6": "cbc:TaxCurrencyCode",
        "BT-7": "cbc:TaxPointDate",
        "BT-8": "cac:InvoicePeriod/cbc:DescriptionCode",
        "BT-9": "cbc:DueDate | cac:PaymentMeans/cbc:PaymentDueDate",
        "BT-10": "cbc:BuyerReference",
        "BT-11": "cac:ProjectReference/cbc:ID | cac:AdditionalDocumentReference[cbc:DocumentTypeCode = '50']/cbc:ID",
        "BT-12": "cac:ContractDocumentReference/cbc:ID",
        "BT-13": "cac:OrderReference/cbc:ID",
        "BT-14": "cac:OrderReference/cbc:SalesOrderID",
        "BT-15": "cac:ReceiptDocumentReference/cbc:ID",
        "BT-16": "cac:DespatchDocumentReference/cbc:ID",
        "BT-17": "cac:OriginatorDocumentReference/cbc:ID",
        "BT-18": f"cac:AdditionalDocumentReference[{_OBJECT}]/cbc:ID",
        "BT-19": "cbc:AccountingCost",
        "BT-20": "cac:PaymentTerms/cbc:Note",
        "BT-22": "cbc:Note",
        "BT-23": "cbc:ProfileID",
        "BT-24": "cbc:CustomizationID",
        "BT-110": "cac:TaxTotal/cbc:TaxAmount[@currencyID = normalize-space(../../cbc:DocumentCurrencyCode)]",
        "BT-111": "cac:TaxTotal/cbc:TaxAmount[@currencyID = normalize-space(../../cbc:TaxCurrencyCode)]",
    },
    {
        "BG-3": _shape(
            "cac:BillingReference",
            {"BT-25": "cac:InvoiceDocumentReference/cbc:ID", "BT-26": "cac:InvoiceDocumentReference/cbc:IssueDate"},
        ),
        "BG-4": _SELLER,
        "BG-7": _BUYER,
        "BG-10": _PAYEE,
        "BG-11": _REPRESENTATIVE,
        "BG-13": _DELIVERY,
        "BG-14": _shape(
            "cac:InvoicePeriod", {"BT-73": "cbc:StartDate", "BT-74": "cbc:EndDate", "BT-8": "cbc:DescriptionCode"}
        ),
        "BG-16": _PAYMENT,
        "BG-20": _allowance(False, "BT-92", "BT-93", "BT-94", "BT-95", "BT-96", "BT-97", "BT-98"),
        "BG-21": _allowance(True, "BT-99", "BT-100", "BT-101", "BT-102", "BT-103", "BT-104", "BT-105"),
        "BG-22": _TOTALS,
        "BG-23": _TAXES,
        "BG-24": _SUPPORT,
        "BG-25": _LINE,
        # What others claim by the same invoice (BG-DEX-09), in the extension of XRechnung alone.
        "BG-DEX-09": _shape("cac:PrepaidPayment", {"BT-DEX-002": "cbc:PaidAmount"}),
    },
)  # fmt: skip
