"""The demo companies, and new ones on request: lists as a fresh company has them."""

from __future__ import annotations

from typing import Any

from integrations.sandbox.clock import Clock
from integrations.sandbox.quickbooks import lists
from integrations.sandbox.quickbooks.company import Company, companies
from integrations.sandbox.quickbooks.references import CURRENCIES
from integrations.sandbox.state import Store

GERMAN: dict[str, Any] = {
    "id": "9341453000000001", "name": "Lindenhof Handels GmbH", "country": "DE", "currency": "EUR", "global_tax": True,
    "own_numbers": True, "first_id": 101,
    "address": {"Line1": "Lindenallee 12", "City": "Köln", "PostalCode": "50667", "Country": "DEU"},
}  # fmt: skip
AMERICAN: dict[str, Any] = {
    "id": "9130347000000002", "name": "Hill Street Bakery LLC", "country": "US", "currency": "USD", "global_tax": False,
    "own_numbers": False, "first_id": 501,
    "address": {"Line1": "27 Hill Street", "City": "Oakland", "CountrySubDivisionCode": "CA", "PostalCode": "94607",
                "Country": "USA"},
}  # fmt: skip

_ACCOUNTS = {
    "Bank": ("Bank", "Checking"),
    "Forderungen aus Lieferungen und Leistungen": ("Accounts Receivable", "Accounts Receivable (A/R)"),
    "Verbindlichkeiten aus Lieferungen und Leistungen": ("Accounts Payable", "Accounts Payable (A/P)"),
    "Geldtransit": ("Other Current Asset", "Undeposited Funds"),
    "Kreditkarte": ("Credit Card", "Visa"),
    "Umsatzsteuer": ("Other Current Liability", "Sales Tax Payable"),
    "Eigenkapital": ("Equity", "Opening Balance Equity"),
    "Umsatzerlöse": ("Income", "Sales"),
    "Erlöse Dienstleistungen": ("Income", "Services"),
    "Wareneinkauf": ("Cost of Goods Sold", "Cost of Goods Sold"),
    "Bürobedarf": ("Expense", "Office Supplies"),
    "Reisekosten": ("Expense", "Travel"),
    "Bewirtungskosten": ("Expense", "Meals and Entertainment"),
    "Miete": ("Expense", "Rent or Lease"),
    "Telefon und Internet": ("Expense", "Utilities"),
    "Beratungskosten": ("Expense", "Legal & Professional Fees"),
    "Sonstige Aufwendungen": ("Expense", "Uncategorized Expense"),
}
_GERMAN_TAX = (("19 % USt", 19), ("7 % USt", 7), ("0 % steuerfrei", 0))
_TERMS = (("Fällig bei Erhalt", "Due on receipt", 0), ("14 Tage netto", "Net 14", 14), ("30 Tage netto", "Net 30", 30))


def sow(store: Store, clock: Clock) -> None:
    """Make the two demo companies unless the state has them."""
    for facts in (GERMAN, AMERICAN):
        if facts["id"] not in companies(store):
            make(store, clock, facts)


def make(store: Store, clock: Clock, facts: dict[str, Any]) -> Company:
    """A company with chart of accounts, tax codes, terms and items, in one step."""
    with store.transaction():
        companies(store).put(facts["id"], facts)
        company = Company(store, clock, str(facts["id"]))
        german = bool(facts["global_tax"])
        _about(company, facts)
        for name, (kind, english) in _ACCOUNTS.items():
            _add(company, "Account", {"Name": name if german else english, "AccountType": kind})
        _taxes(company, german)
        for name, english, days in _TERMS:
            _add(company, "Term", {"Name": name if german else english, "DueDays": days})
        income = next(one["Id"] for one in company.all("Account") if one["AccountType"] == "Income")
        for name in ("Dienstleistung", "Stunden") if german else ("Services", "Hours"):
            _add(company, "Item", {"Name": name, "Type": "Service", "IncomeAccountRef": {"value": income}})
        return company


def _add(company: Company, entity: str, thing: dict[str, Any]) -> None:
    company.create(entity, lists.filled(company, entity, thing, None))


def _about(company: Company, facts: dict[str, Any]) -> None:
    address = {"Id": "1", **facts.get("address", {})}
    company.create("CompanyInfo", {
        "CompanyName": facts["name"], "LegalName": facts["name"], "CompanyAddr": address,
        "CustomerCommunicationAddr": address, "LegalAddr": address, "CompanyStartDate": "2024-01-01",
        "FiscalYearStartMonth": "January", "Country": facts["country"], "Email": {"Address": "office@example.com"},
        "SupportedLanguages": "de" if facts["country"] == "DE" else "en",
        "NameValue": [{"Name": "NeoEnabled", "Value": "true"}, {"Name": "SubscriptionStatus", "Value": "PAID"},
                      {"Name": "OfferingSku", "Value": "QuickBooks Online Essentials"}],
    })  # fmt: skip
    company.create("Preferences", preferences(facts))
    for entity in ("CompanyInfo", "Preferences"):  # both are always number 1
        only = company.all(entity)[0]
        company.bucket(entity).clear()
        company.bucket(entity).put("1", {**only, "Id": "1"})


def preferences(facts: dict[str, Any]) -> dict[str, Any]:
    """Preferences of a company with these facts."""
    worldwide = bool(facts["global_tax"])
    pairs = {"WarnDuplicateBillNumber": "true", "WarnDuplicateCheckNumber": "true", "SFCEnabled": "true"}
    return {
        "AccountingInfoPrefs": {
            "UseAccountNumbers": False, "TrackDepartments": False, "ClassTrackingPerTxn": False,
            "ClassTrackingPerTxnLine": False, "FirstMonthOfFiscalYear": "January", "TaxYearMonth": "January",
            "CustomerTerminology": "Customers",
        },
        "ProductAndServicesPrefs": {"ForSales": True, "ForPurchase": True, "QuantityWithPriceAndRate": True,
                                    "QuantityOnHand": False},
        "SalesFormsPrefs": {
            "CustomTxnNumbers": bool(facts.get("own_numbers")), "EmailCopyToCompany": False, "AllowDeposit": False,
            "AllowDiscount": False, "AllowEstimates": True, "ETransactionEnabledStatus": "NotApplicable",
            "ETransactionAttachPDF": False, "ETransactionPaymentEnabled": False, "IPNSupportEnabled": False,
            "AllowServiceDate": False, "AllowShipping": False, "AutoApplyCredit": False, "AutoApplyPayments": False,
            "UsingPriceLevels": False,
        },
        "VendorAndPurchasesPrefs": {"TrackingByCustomer": False, "BillableExpenseTracking": False},
        "TaxPrefs": {"UsingSalesTax": True, "PartnerTaxEnabled": not worldwide},
        "CurrencyPrefs": {
            "MultiCurrencyEnabled": bool(facts.get("multicurrency")),
            "HomeCurrency": {"value": facts["currency"], "name": CURRENCIES[facts["currency"]]},
        },
        "ReportPrefs": {"ReportBasis": "Accrual", "CalcAgingReportFromTxnDate": False},
        "OtherPrefs": {"NameValue": [{"Name": name, "Value": value} for name, value in pairs.items()]},
    }  # fmt: skip


def _taxes(company: Company, german: bool) -> None:
    rates: tuple[tuple[str, float], ...] = _GERMAN_TAX if german else (("California", 8),)
    for name, percent in rates:
        made = {
            side: _rate(company, f"{name} ({side})" if german else name, percent)
            for side in ("Sales", "Purchase")
            if german or side == "Sales"
        }
        lists_by_side = {f"{side}TaxRateList": _rate_list(rate, str(rate["Name"])) for side, rate in made.items()}
        code = {"Name": name, "Description": name, "Taxable": percent > 0, "TaxGroup": True, "Active": True}
        company.create("TaxCode", {**code, "Hidden": False, **lists_by_side})


def _rate(company: Company, name: str, percent: float) -> dict[str, Any]:
    effective = [{"RateValue": percent, "EffectiveDate": "2021-01-01T00:00:00-08:00"}]
    return company.create("TaxRate", {
        "Name": name, "Description": name, "Active": True, "RateValue": percent, "AgencyRef": {"value": "1"},
        "SpecialTaxType": "NONE", "DisplayType": "ReadOnly", "EffectiveTaxRate": effective,
    })  # fmt: skip


def _rate_list(rate: dict[str, Any], name: str) -> dict[str, Any]:
    reference = {"value": rate["Id"], "name": name}
    return {"TaxRateDetail": [{"TaxRateRef": reference, "TaxTypeApplicable": "TaxOnAmount", "TaxOrder": 0}]}
