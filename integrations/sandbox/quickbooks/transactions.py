"""Rules of bills, purchases, invoices, credits and payments: what is needed, what is computed, what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from integrations.sandbox.quickbooks.company import Company
from integrations.sandbox.quickbooks.fault import Fault, missing
from integrations.sandbox.quickbooks.references import currency, resolve
from integrations.sandbox.quickbooks.tax import SALES, add_totals, cents, exact, number

Entity = dict[str, Any]
_PARTY = {
    "Bill": "VendorRef", "VendorCredit": "VendorRef", "BillPayment": "VendorRef", "Invoice": "CustomerRef",
    "CreditMemo": "CustomerRef", "Payment": "CustomerRef",
}  # fmt: skip
_EXPENSES = frozenset({"Bill", "Purchase", "VendorCredit"})
_EXPENSE_LINES = frozenset({"AccountBasedExpenseLineDetail", "ItemBasedExpenseLineDetail"})
_SALES_LINES = frozenset(
    {"SalesItemLineDetail", "SubTotalLineDetail", "DiscountLineDetail", "DescriptionOnly", "GroupLineDetail"}
)
_PAID_FROM = {"CreditCard": {"Credit Card"}, "Cash": {"Bank"}, "Check": {"Bank"}}
_PAYS = {"Payment": "Invoice", "BillPayment": "Bill"}
# Set by the provider; what a request says is ignored.
_COMPUTED = {
    "TotalAmt", "Balance", "HomeBalance", "HomeTotalAmt", "MetaData", "LinkedTxn", "DeliveryInfo", "InvoiceLink",
    "RecurDataRef", "UnappliedAmt", "status", "AttachableRef",
}  # fmt: skip


def filled(company: Company, entity: str, wanted: Mapping[str, Any], old: Entity | None, include: str) -> Entity:
    """The transaction as it is kept: checked, numbered, computed."""
    told = wanted.get("TotalAmt")
    thing = {name: value for name, value in wanted.items() if value is not None and name not in _COMPUTED}
    thing["TxnDate"] = thing.get("TxnDate") or company.clock.now().date().isoformat()
    _check_open(company, thing["TxnDate"], old)
    if entity in _PARTY and _PARTY[entity] not in thing:
        raise missing(_PARTY[entity])
    if entity in _PAYS:
        _payment(company, entity, thing, told)
    else:
        _document(company, entity, thing, old)
    _set_currency(company, entity, thing)
    resolve(company, entity, thing)
    if entity not in _PAYS:
        _tax_codes(company, thing)
        add_totals(company, entity, thing)
        if thing["TotalAmt"] < 0:
            raise Fault(6000, "Business Validation Error: Transaction amount must be 0 or greater.")
    _number_it(company, entity, thing, old, include)
    return thing


def _check_open(company: Company, day: str, old: Entity | None) -> None:
    closed = company.preference("AccountingInfoPrefs", "BookCloseDate")
    if closed and min(day, (old or {"TxnDate": day})["TxnDate"]) <= closed:
        raise Fault(6210)


def _document(company: Company, entity: str, thing: Entity, old: Entity | None) -> None:
    if not thing.get("Line"):
        raise missing("Line")
    if entity == "Purchase":
        _purchase(company, thing)
    lines = thing["Line"] = [line for line in thing["Line"] if line.get("DetailType") != "SubTotalLineDetail"]
    used = {line["Id"] for line in lines if "Id" in line}
    following = max((int(key) for key in used if str(key).isdigit()), default=0)
    for position, line in enumerate(lines, 1):
        if "Id" not in line:
            following += 1
            line["Id"] = str(following)
        line["LineNum"] = position
        _line(company, entity, line)
    if not lines:
        raise missing("Line")
    if entity in {"Bill", "VendorCredit"}:
        thing.setdefault("APAccountRef", {"value": _account(company, "Accounts Payable")})
    if entity in {"Bill", "Invoice"}:
        thing.setdefault("DueDate", _due(company, thing))
    if entity in SALES:
        thing["EmailStatus"] = thing.get("EmailStatus") or (old or {}).get("EmailStatus", "NotSet")
        thing.setdefault("PrintStatus", "NeedToPrint")
        _check_bill_mail(thing)
        if old and "DeliveryInfo" in old:
            thing["DeliveryInfo"] = old["DeliveryInfo"]


def _purchase(company: Company, thing: Entity) -> None:
    for name in ("PaymentType", "AccountRef"):
        if name not in thing:
            raise missing(name)
    account = company.find("Account", thing["AccountRef"]["value"])
    allowed = _PAID_FROM.get(thing["PaymentType"], {"Bank", "Credit Card"})
    if account is not None and account["AccountType"] not in allowed:
        detail = f"Business Validation Error: The account of a {thing['PaymentType']} expense is of the wrong type."
        raise Fault(6000, detail, "AccountRef")


def _line(company: Company, entity: str, line: Entity) -> None:
    kind = line.get("DetailType")
    if kind is None:
        raise missing("DetailType")
    if kind not in (_EXPENSE_LINES if entity in _EXPENSES else _SALES_LINES):
        raise Fault(2170, f"DetailType: {kind} is not one of {entity}", "DetailType")
    if kind == "DescriptionOnly":
        return
    detail = line.get(kind)
    if detail is None:
        raise missing(kind)
    if line.get("Amount") is None:
        raise missing("Amount")
    _check_places(line["Amount"])
    if kind == "AccountBasedExpenseLineDetail":
        _expense(company, detail)
    elif kind == "ItemBasedExpenseLineDetail" and "ItemRef" not in detail:
        raise missing("ItemRef")
    if "Qty" in detail and "UnitPrice" in detail and entity in SALES:
        product = cents(exact(detail["Qty"]) * exact(detail["UnitPrice"]))
        if product != cents(exact(line["Amount"])):
            raise Fault(6070, f"Amount is not equal to UnitPrice * Qty. Supplied value:{line['Amount']}", "Amount")
    if kind in _EXPENSE_LINES:
        detail.setdefault("BillableStatus", "NotBillable")


def _check_places(amount: Any) -> None:
    if exact(amount) != cents(exact(amount)):
        raise Fault(6000, f"Business Validation Error: The amount {amount} has more than two decimal places.", "Amount")


def _expense(company: Company, detail: Entity) -> None:
    if "AccountRef" not in detail:
        raise missing("AccountRef")
    account = company.find("Account", detail["AccountRef"]["value"])
    if account is not None and account["AccountType"] in {"Accounts Payable", "Accounts Receivable"}:
        detail_text = "Business Validation Error: An expense line cannot be booked on receivables or payables."
        raise Fault(6000, detail_text, "AccountRef")


def _tax_codes(company: Company, thing: Entity) -> None:
    """Outside the US lines carry the company's codes unless tax does not apply; inside only TAX or NON."""
    worldwide = company.facts["global_tax"]
    if not worldwide and thing.pop("GlobalTaxCalculation", None) == "TaxInclusive":
        raise Fault(6000, "Business Validation Error: GlobalTaxCalculation does not apply to this company.")
    if worldwide:
        thing.setdefault("GlobalTaxCalculation", "TaxExcluded")
    for line in thing["Line"]:
        detail = line.get(line.get("DetailType"), {})
        if not isinstance(detail, dict) or line.get("DetailType") not in {*_EXPENSE_LINES, "SalesItemLineDetail"}:
            continue
        code = detail.get("TaxCodeRef", {}).get("value")
        if not worldwide and code not in {None, "TAX", "NON"}:
            raise Fault(6100, f"Valid Line TaxCodes for US should be TAX or NON. Supplied value:{code}", "TaxCodeRef")
        if not worldwide:
            detail.setdefault("TaxCodeRef", {"value": "NON"})
        elif code is None and thing["GlobalTaxCalculation"] != "NotApplicable":
            detail_text = (
                "Business Validation Error: Make sure all your transactions have a VAT/GST rate before you save."
            )
            raise Fault(6000, detail_text, "TaxCodeRef")


def _check_bill_mail(thing: Entity) -> None:
    address = thing.get("BillEmail", {}).get("Address")
    if address is not None and ("@" not in address or "." not in address):
        raise Fault(6000, "Business Validation Error: The email address is not valid.", "BillEmail")


def _account(company: Company, kind: str) -> str:
    return next(str(account["Id"]) for account in company.all("Account") if account["AccountType"] == kind)


def _due(company: Company, thing: Mapping[str, Any]) -> str:
    term = company.find("Term", thing.get("SalesTermRef", {}).get("value", "")) or {}
    days = int(term.get("DueDays", 0))
    return (date.fromisoformat(thing["TxnDate"]) + timedelta(days=days)).isoformat()


def _set_currency(company: Company, entity: str, thing: Entity) -> None:
    """The transaction's currency is its party's; needed in the request where the company has several."""
    home = company.facts["currency"]
    several = company.preference("CurrencyPrefs", "MultiCurrencyEnabled")
    wanted = thing.get("CurrencyRef", {}).get("value")
    if several and wanted is None:
        raise missing("CurrencyRef")
    party = thing.get(_PARTY.get(entity, ""), {}).get("value", "")
    known = company.find("Vendor" if _PARTY.get(entity) == "VendorRef" else "Customer", party) or {}
    own = known.get("CurrencyRef", {}).get("value", wanted or home)
    if wanted and own != wanted and several:
        raise Fault(6000, "Business Validation Error: You can only use one foreign currency per transaction.")
    thing["CurrencyRef"] = currency(company, wanted or home)
    if several:
        thing.setdefault("ExchangeRate", 1)
    else:
        thing.pop("ExchangeRate", None)


def _number_it(company: Company, entity: str, thing: Entity, old: Entity | None, include: str) -> None:
    own = bool(company.preference("SalesFormsPrefs", "CustomTxnNumbers"))
    if entity in SALES and not own:
        number_now = (old or {}).get("DocNumber") or str(company.bucket("sequences").next_number("document", 1001))
        thing["DocNumber"] = number_now
        return
    wanted = thing.get("DocNumber")
    if not wanted or (old and old.get("DocNumber") == wanted) or "allowduplicatedocnum" in include.lower():
        return
    warns = {"Bill": "WarnDuplicateBillNumber", "Purchase": "WarnDuplicateCheckNumber"}.get(entity)
    if warns and not company.other_preference(warns):
        return
    party = thing.get("VendorRef")
    for known in company.all(entity):
        if known.get("DocNumber") == wanted and (entity in SALES or known.get("VendorRef") == party):
            detail = "You must specify a different number. This number has already been used. "
            raise Fault(6140, f"{detail}DocNumber={wanted} is assigned to TxnType={entity} with TxnId={known['Id']}")


def _payment(company: Company, entity: str, thing: Entity, told: Any) -> None:
    """A payment and what it pays: lines of linked transactions with the amount for each."""
    if told is None:
        raise missing("TotalAmt")
    if entity == "BillPayment":
        _bill_payment(thing)
    thing.setdefault("Line", [])
    applied = Decimal(0)
    for line in thing["Line"]:
        if line.get("Amount") is None:
            raise missing("Amount")
        applied += exact(line["Amount"])
        for link in line.get("LinkedTxn", []):
            _check_link(company, entity, thing, link)
    if applied > exact(told):
        raise Fault(6000, "Business Validation Error: You can't apply more than the amount of the payment.")
    thing["TotalAmt"] = number(exact(told))
    if entity == "Payment":
        thing["UnappliedAmt"] = number(exact(told) - applied)
        thing.setdefault("ProcessPayment", False)
        thing.setdefault("DepositToAccountRef", {"value": _account(company, "Other Current Asset")})


def _bill_payment(thing: Entity) -> None:
    if "PayType" not in thing:
        raise missing("PayType")
    part = {"Check": ("CheckPayment", "BankAccountRef"), "CreditCard": ("CreditCardPayment", "CCAccountRef")}
    name, account = part[thing["PayType"]]
    if account not in thing.get(name, {}):
        raise missing(f"{name}.{account}")
    if not thing.get("Line"):
        raise missing("Line")


def _check_link(company: Company, entity: str, thing: Entity, link: Entity) -> None:
    kind = link.get("TxnType")
    paid = company.find(_PAYS[entity], str(link.get("TxnId"))) if kind == _PAYS[entity] else None
    party = _PARTY[entity]
    if paid is None or paid[party]["value"] != thing[party]["value"]:
        raise Fault(620, f"Transaction {kind} {link.get('TxnId')} can not be linked", "LinkedTxn")


def settle(company: Company, entity: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
    """After a payment was written, changed or taken out: the balances of what it pays or paid."""
    if entity in {"Bill", "Invoice"}:
        return
    target = _PAYS.get(entity)
    if target is None:
        return
    keys = {
        link["TxnId"]
        for payment in (before, after)
        if payment
        for line in payment.get("Line", [])
        for link in line.get("LinkedTxn", [])
        if link.get("TxnType") == target
    }
    for key in sorted(keys):
        thing = company.find(target, key)
        if thing is not None:
            rebalance(company, entity, target, thing)
            company.update(target, thing)


def rebalance(company: Company, entity: str, target: str, thing: Entity) -> None:
    """Balance and LinkedTxn of a bill or invoice from all payments on it."""
    paid, links = Decimal(0), []
    for payment in company.all(entity):
        for line in payment.get("Line", []):
            if {"TxnId": thing["Id"], "TxnType": target}.items() <= {
                key: value for link in line.get("LinkedTxn", []) for key, value in link.items()
            }.items():
                paid += exact(line["Amount"])
                kind = "BillPaymentCheck" if entity == "BillPayment" else entity
                links.append({"TxnId": payment["Id"], "TxnType": kind})
    balance = cents(exact(thing["TotalAmt"]) - paid)
    if balance < 0:
        raise Fault(6000, "Business Validation Error: You can't pay more than the open balance.")
    thing["Balance"] = number(balance)
    thing["LinkedTxn"] = links
