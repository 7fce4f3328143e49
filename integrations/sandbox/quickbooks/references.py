"""References between objects: they must exist and be active, and come back with the name of what they mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from integrations.sandbox.quickbooks.company import LISTS, Company
from integrations.sandbox.quickbooks.fault import Fault, not_found

Entity = dict[str, Any]
CURRENCIES = {
    "EUR": "Euro", "USD": "United States Dollar", "GBP": "British Pound Sterling", "CHF": "Swiss Franc",
    "PLN": "Polish Zloty",
    "CZK": "Czech Koruna", "DKK": "Danish Krone", "SEK": "Swedish Krona", "NOK": "Norwegian Krone",
    "CAD": "Canadian Dollar", "JPY": "Japanese Yen", "AUD": "Australian Dollar", "HUF": "Hungarian Forint",
}  # fmt: skip
_TARGETS = {
    "VendorRef": "Vendor", "CustomerRef": "Customer", "ItemRef": "Item", "ClassRef": "Class", "TaxRateRef": "TaxRate",
    "PrefVendorRef": "Vendor", "TermRef": "Term", "SalesTermRef": "Term",
}  # fmt: skip
# Fields whose objects this simulator has not: a value there is a reference to nothing.
_FOREIGN = frozenset({"DepartmentRef", "PaymentMethodRef", "ShipMethodRef", "CustomerTypeRef", "SalesRepRef"})
_UNKNOWN = "Something you're trying to use has been made inactive. Check the fields with accounts, customers, items, "


def target(name: str, entity: str) -> str | None:
    """The entity that a property refers to, None for those that are not checked."""
    if name == "ParentRef":
        return entity
    if name.endswith("AccountRef"):
        return "Account"
    if name.endswith("TaxCodeRef"):
        return "TaxCode"
    return _TARGETS.get(name)


def resolve(company: Company, entity: str, thing: Entity) -> None:
    """Check every reference of an object and write the names in; Fault 2500 or 610."""
    for holder, name in list(_references(thing)):
        reference = holder[name]
        if name == "CurrencyRef":
            holder[name] = currency(company, reference["value"])
        elif name in _FOREIGN:
            raise Fault(2500, f"{_UNKNOWN}vendors or employees.", name)
        elif name == "EntityRef" and entity == "Purchase":
            kind = str(reference.get("type") or "Vendor")
            holder[name] = {**_checked(company, kind, reference["value"], name), "type": kind}
        elif meant := target(name, entity):
            holder[name] = _checked(company, meant, reference["value"], name)


def _references(thing: Any) -> Iterator[tuple[Entity, str]]:
    if isinstance(thing, dict):
        for name, value in thing.items():
            if isinstance(value, dict) and "value" in value and name.endswith("Ref"):
                yield thing, name
            elif name not in {"TxnTaxDetail", "MetaData"}:
                yield from _references(value)
    elif isinstance(thing, list):
        for item in thing:
            yield from _references(item)


def _checked(company: Company, kind: str, key: str, name: str) -> Entity:
    if kind == "TaxCode" and not company.facts["global_tax"] and key in {"TAX", "NON"}:
        return {"value": key}
    known = company.bucket(kind).peek(key) if kind in LISTS else None
    if known is None:
        raise Fault(2500, f"{_UNKNOWN}vendors or employees.", name)
    if known.get("Active") is False:
        raise not_found()
    return {"value": key, "name": company.name_of(kind, key) or ""}


def currency(company: Company, code: str) -> Entity:
    """A currency the company may use; Fault 6000 for any other."""
    several = company.preference("CurrencyPrefs", "MultiCurrencyEnabled")
    if code not in CURRENCIES or (code != company.facts["currency"] and not several):
        raise Fault(
            6000, f"Business Validation Error: The currency {code} is not valid for this company.", "CurrencyRef"
        )
    return {"value": code, "name": CURRENCIES[code]}
