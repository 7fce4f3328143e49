"""Rules of the objects that have a name: customers, vendors, accounts, items, terms, classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.sandbox.quickbooks.company import Company
from integrations.sandbox.quickbooks.fault import Fault, missing
from integrations.sandbox.quickbooks.references import currency, resolve
from integrations.sandbox.quickbooks.tax import exact

Entity = dict[str, Any]
CLASSIFICATION = {
    "Bank": "Asset", "Accounts Receivable": "Asset", "Other Current Asset": "Asset", "Fixed Asset": "Asset",
    "Other Asset": "Asset", "Accounts Payable": "Liability", "Credit Card": "Liability",
    "Other Current Liability": "Liability", "Long Term Liability": "Liability", "Equity": "Equity",
    "Income": "Revenue", "Other Income": "Revenue", "Cost of Goods Sold": "Expense", "Expense": "Expense",
    "Other Expense": "Expense",
}  # fmt: skip
_SUBTYPE = {
    "Bank": "Checking", "Accounts Receivable": "AccountsReceivable", "Accounts Payable": "AccountsPayable",
    "Credit Card": "CreditCard", "Income": "SalesOfProductIncome", "Expense": "OtherMiscellaneousServiceCost",
    "Cost of Goods Sold": "SuppliesMaterialsCogs", "Equity": "OpeningBalanceEquity",
}  # fmt: skip
_PEOPLE = ("Customer", "Vendor")
_INCOME = frozenset({"Income", "Other Income"})
# Set by the provider; what a request says is ignored.
_COMPUTED = {
    "Balance", "BalanceWithJobs", "CurrentBalance", "CurrentBalanceWithSubAccounts", "FullyQualifiedName", "Level",
    "Classification", "V4IDPseudonym", "OverDueBalance", "MetaData", "IsProject",
}  # fmt: skip


def filled(company: Company, entity: str, wanted: Mapping[str, Any], old: Entity | None) -> Entity:
    """The object as it is kept: checked, with defaults and computed values. ``old`` is what it changes."""
    thing = {name: value for name, value in wanted.items() if value is not None and name not in _COMPUTED}
    thing.setdefault("Active", True)
    match entity:
        case "Customer" | "Vendor":
            _person(company, entity, thing, old)
        case "Account":
            _account(company, thing, old)
        case "Item":
            _item(company, thing, old)
        case _:
            _named(entity, thing)
    resolve(company, entity, thing)
    _unique(company, entity, thing)
    return thing


def _named(entity: str, thing: Entity) -> None:
    if not thing.get("Name"):
        raise missing("Name")
    if entity == "Class":
        thing["FullyQualifiedName"] = thing["Name"]
    if entity == "Term" and "DueDays" in thing:
        thing["Type"] = "STANDARD"


def _person(company: Company, entity: str, thing: Entity, old: Entity | None) -> None:
    parts = [thing.get(name) for name in ("Title", "GivenName", "MiddleName", "FamilyName", "Suffix")]
    name = thing.get("DisplayName") or " ".join(str(part) for part in parts if part) or thing.get("CompanyName")
    if not name:
        raise Fault(
            6080, "Title, GivenName, MiddleName, FamilyName, DisplayName, Suffix - one of these must be non-empty"
        )
    thing["DisplayName"] = name
    thing.setdefault("PrintOnCheckName", str(thing.get("CompanyName") or name)[:110])
    _check_mail(thing)
    _fix_currency(company, thing, old)
    thing["Balance"] = old.get("Balance", 0.0) if old else 0.0
    for identifier in ("TaxIdentifier", "PrimaryTaxIdentifier", "SecondaryTaxIdentifier"):
        if identifier in thing and thing[identifier] != (old or {}).get(identifier):
            thing[identifier] = masked(str(thing[identifier]))
    if entity == "Customer":
        thing |= {"FullyQualifiedName": name, "BalanceWithJobs": thing["Balance"], "Job": False}
        thing.setdefault("Taxable", True)
        thing.setdefault("PreferredDeliveryMethod", "None")
    else:
        thing.setdefault("Vendor1099", False)


def masked(identifier: str) -> str:
    """A tax number as it comes back: only its last five characters can be read."""
    return "X" * max(len(identifier) - 5, 0) + identifier[-5:]


def _check_mail(thing: Entity) -> None:
    address = thing.get("PrimaryEmailAddr", {}).get("Address")
    if address is not None and ("@" not in address or "." not in address):
        detail = "Business Validation Error: Email Address does not conform to the syntax rules of RFC 822."
        raise Fault(6000, detail, "PrimaryEmailAddr")


def _fix_currency(company: Company, thing: Entity, old: Entity | None) -> None:
    """The currency of a name is what it was made with, for ever."""
    wanted = thing.get("CurrencyRef", {}).get("value")
    first = old.get("CurrencyRef", {}).get("value") if old else None
    if first and wanted and wanted != first:
        raise Fault(6000, "Business Validation Error: The currency of this name cannot be changed.", "CurrencyRef")
    thing["CurrencyRef"] = currency(company, first or wanted or company.facts["currency"])


def _account(company: Company, thing: Entity, old: Entity | None) -> None:
    if not thing.get("Name"):
        raise missing("Name")
    kind = thing.get("AccountType") or (old or {}).get("AccountType")
    if not kind and not thing.get("AccountSubType"):
        raise Fault(6000, "Business Validation Error: Either AccountType or AccountSubType must be specified.")
    kind = kind or next((name for name, sub in _SUBTYPE.items() if sub == thing.get("AccountSubType")), "Expense")
    thing["AccountType"] = kind
    thing.setdefault("AccountSubType", _SUBTYPE.get(kind, "OtherMiscellaneousExpense"))
    thing |= {
        "Classification": CLASSIFICATION.get(kind, "Asset"), "FullyQualifiedName": thing["Name"],
        "CurrentBalance": 0.0, "CurrentBalanceWithSubAccounts": 0.0,
    }  # fmt: skip
    thing.setdefault("SubAccount", "ParentRef" in thing)
    thing["CurrencyRef"] = currency(company, thing.get("CurrencyRef", {}).get("value") or company.facts["currency"])


def _item(company: Company, thing: Entity, old: Entity | None) -> None:
    if not thing.get("Name"):
        raise missing("Name")
    kind = thing.setdefault("Type", (old or {}).get("Type", "Service"))
    if kind == "Inventory":
        raise Fault(5020, "This feature is not included in your current plan.")
    if kind in {"Service", "NonInventory"} and "IncomeAccountRef" not in thing and "ExpenseAccountRef" not in thing:
        raise missing("IncomeAccountRef")
    account = company.find("Account", thing.get("IncomeAccountRef", {}).get("value", ""))
    if account is not None and account["AccountType"] not in _INCOME:
        detail = "Business Validation Error: The account of a product or service must be an income account."
        raise Fault(6000, detail, "IncomeAccountRef")
    thing["FullyQualifiedName"] = thing["Name"]
    thing["UnitPrice"] = float(exact(thing.get("UnitPrice")))
    thing.setdefault("Taxable", False)
    thing["TrackQtyOnHand"] = False


def _unique(company: Company, entity: str, thing: Entity) -> None:
    """A name is used once: people's over customers and vendors together, also by inactive ones, whatever the case."""
    field = "DisplayName" if entity in _PEOPLE else "Name"
    parent = thing.get("ParentRef")
    for other in _PEOPLE if entity in _PEOPLE else (entity,):
        for known in company.all(other):
            same = str(known.get(field, "")).casefold() == str(thing[field]).casefold()
            if same and known.get("ParentRef") == parent and (other, known["Id"]) != (entity, thing.get("Id")):
                word = {"Customer": "customer", "Vendor": "vendor"}.get(other, other.lower())
                detail = f"The name supplied already exists. : Another {word} is already using this name. "
                raise Fault(6240, f"{detail}Please use a different name.")
