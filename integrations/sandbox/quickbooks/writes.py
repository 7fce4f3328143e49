"""Create, update (full and sparse), delete and void, each with its checks; the same for single calls and batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.sandbox.quickbooks import attachables, lists, transactions
from integrations.sandbox.quickbooks.company import LISTS, TRANSACTIONS, Company
from integrations.sandbox.quickbooks.fault import Fault
from integrations.sandbox.quickbooks.names import checked

Entity = dict[str, Any]
_CHANGEABLE = (LISTS - {"TaxCode", "TaxRate"}) | TRANSACTIONS | {"Attachable"}
_PAYERS = {"Invoice": "Payment", "Bill": "BillPayment"}
_VOIDED = frozenset({"Invoice", "Payment", "BillPayment"})


def write(company: Company, entity: str, body: Any, *, operation: str = "", include: str = "") -> Entity:
    """Do what a POST to an entity's address asks; the object as it is afterwards, or its tombstone."""
    if entity not in _CHANGEABLE and entity not in {"CompanyInfo", "Preferences"}:
        raise Fault(500, f"Operation {operation or 'create'} on {entity} is not supported.")
    wanted = checked(entity, body)
    with company.store.transaction():
        if operation == "delete":
            return delete(company, entity, wanted)
        if operation == "void" or include == "void":
            return void(company, entity, wanted)
        if operation not in {"", "create", "update"}:
            raise Fault(500, f"Operation {operation} is not supported.")
        if wanted.get("Id"):
            return _changed(company, entity, wanted, include)
        if operation == "update":
            raise Fault(2020, "Required parameter Id is missing in the request", "Id")
        return _created(company, entity, wanted, include)


def _created(company: Company, entity: str, wanted: Mapping[str, Any], include: str) -> Entity:
    if entity in {"CompanyInfo", "Preferences"}:
        raise Fault(500, f"Operation create on {entity} is not supported.")
    made = company.create(entity, _filled(company, entity, wanted, None, include))
    _after(company, entity, None, made)
    return made if entity not in _PAYERS else company.get(entity, made["Id"])


def _changed(company: Company, entity: str, wanted: Mapping[str, Any], include: str) -> Entity:
    old = company.need_version(entity, wanted)
    if wanted.get("sparse"):
        kept = old if "TxnTaxDetail" in wanted or "Line" not in wanted else _without_tax(old)
        wanted = {**kept, **wanted}
    if entity in {"CompanyInfo", "Preferences"}:
        return company.update(entity, {**old, **wanted})
    thing = _filled(company, entity, {**wanted, "Id": old["Id"]}, old, include)
    if entity in _PAYERS:
        transactions.rebalance(company, _PAYERS[entity], entity, thing)
    made = company.update(entity, thing)
    _after(company, entity, old, made)
    return made


def _without_tax(old: Entity) -> Entity:
    """New lines are taxed anew: only the choice of the tax code outlives them."""
    told = old.get("TxnTaxDetail", {})
    kept = {"TxnTaxDetail": {"TxnTaxCodeRef": told["TxnTaxCodeRef"]}} if "TxnTaxCodeRef" in told else {}
    return {**{name: value for name, value in old.items() if name != "TxnTaxDetail"}, **kept}


def _filled(company: Company, entity: str, wanted: Mapping[str, Any], old: Entity | None, include: str) -> Entity:
    if entity in LISTS:
        return lists.filled(company, entity, wanted, old)
    if entity == "Attachable":
        return attachables.filled(company, wanted, old)
    thing = transactions.filled(company, entity, wanted, old, include)
    if entity in {"Bill", "Invoice", "CreditMemo", "VendorCredit"} and old is None:
        thing |= {"Balance": thing["TotalAmt"], "LinkedTxn": []}
    return thing


def _after(company: Company, entity: str, before: Entity | None, after: Entity | None) -> None:
    if entity in TRANSACTIONS:
        transactions.settle(company, entity, before, after)


def delete(company: Company, entity: str, wanted: Mapping[str, Any]) -> Entity:
    """Take out a transaction or attachment; names are only made inactive."""
    if entity not in TRANSACTIONS | {"Attachable"}:
        raise Fault(500, f"Operation delete on {entity} is not supported.")
    if not wanted.get("Id"):
        raise Fault(2020, "Required parameter Id is missing in the request", "Id")
    old = company.need_version(entity, wanted)
    if old.get("LinkedTxn"):
        raise Fault(6000, "Business Validation Error: The transaction has payments. Delete or unlink them first.")
    tombstone = company.delete(entity, old["Id"])
    _after(company, entity, old, None)
    return {name: value for name, value in tombstone.items() if name != "MetaData"}


def void(company: Company, entity: str, wanted: Mapping[str, Any]) -> Entity:
    """Set an invoice or payment to nothing, but keep it."""
    if entity not in _VOIDED:
        raise Fault(500, f"Operation void on {entity} is not supported.")
    if not wanted.get("Id"):
        raise Fault(2020, "Required parameter Id is missing in the request", "Id")
    old = company.need_version(entity, wanted)
    if old.get("LinkedTxn"):
        raise Fault(6000, "Business Validation Error: The transaction has payments. Delete or unlink them first.")
    made = {**old, "PrivateNote": "Voided", "TotalAmt": 0.0, "LinkedTxn": []}
    if entity == "Invoice":
        made |= {"Balance": 0.0, "Line": [_emptied(line) for line in old["Line"]]}
        made.pop("TxnTaxDetail", None)
    else:
        made |= {"Line": [], **({"UnappliedAmt": 0.0} if entity == "Payment" else {})}
    made = company.update(entity, made)
    _after(company, entity, old, made)
    return made


def _emptied(line: Mapping[str, Any]) -> Entity:
    made = {**line, **({"Amount": 0.0} if "Amount" in line else {})}
    detail = made.get(str(line.get("DetailType")))
    if isinstance(detail, dict):
        made[str(line["DetailType"])] = {**detail, **{name: 0 for name in ("Qty", "UnitPrice") if name in detail}}
    return made
