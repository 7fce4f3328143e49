"""Amounts that the provider computes: net, tax and total of a transaction, to the cent."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from integrations.sandbox.quickbooks.company import Company
from integrations.sandbox.quickbooks.fault import Fault

Entity = dict[str, Any]
_CENT = Decimal("0.01")
SALES = frozenset({"Invoice", "CreditMemo"})


def exact(value: Any) -> Decimal:
    """A JSON number as the exact decimal that was written."""
    return Decimal(str(value if value is not None else 0))


def cents(value: Decimal) -> Decimal:
    """Rounded half up to two places."""
    return value.quantize(_CENT, ROUND_HALF_UP)


def number(value: Decimal) -> float:
    """A rounded amount as a JSON number."""
    return float(cents(value))


def add_totals(company: Company, entity: str, thing: Entity) -> None:
    """Set TotalAmt, and TxnTaxDetail where tax applies, from the lines of a bill, purchase, invoice or credit."""
    lines = [line for line in thing["Line"] if line.get("DetailType") not in {"SubTotalLineDetail", "DescriptionOnly"}]
    model = thing.get("GlobalTaxCalculation") if company.facts["global_tax"] else None
    rates = {index: _rate_of(company, entity, line, thing) for index, line in enumerate(lines)}
    if model == "TaxInclusive":
        for index, line in enumerate(lines):
            _take_tax_out(line, rates[index][1])
    net = sum((_signed(line) for line in lines), Decimal(0))
    tax = _tax(company, thing, lines, rates) if model != "NotApplicable" else Decimal(0)
    if entity in SALES:
        thing["Line"].append({"Amount": number(net), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}})
    thing["TotalAmt"] = number(net + tax)


def _signed(line: Mapping[str, Any]) -> Decimal:
    amount = exact(line.get("Amount"))
    return -amount if line.get("DetailType") == "DiscountLineDetail" else amount


def _detail(line: Mapping[str, Any]) -> Entity:
    found = line.get(str(line.get("DetailType")), {})
    return dict(found) if isinstance(found, dict) else {}


def _rate_of(company: Company, entity: str, line: Mapping[str, Any], thing: Mapping[str, Any]) -> tuple[str, Decimal]:
    """Id and percentage of the tax rate of a line; ("", 0) for none."""
    code = _detail(line).get("TaxCodeRef", {}).get("value", "")
    if not company.facts["global_tax"]:
        chosen = thing.get("TxnTaxDetail", {}).get("TxnTaxCodeRef", {}).get("value", "")
        code = chosen if code == "TAX" and entity in SALES else ""
    if not code:
        return "", Decimal(0)
    kept = company.get("TaxCode", code)
    rates = kept.get("SalesTaxRateList" if entity in SALES else "PurchaseTaxRateList", {}).get("TaxRateDetail", [])
    if not rates:
        return "", Decimal(0)
    rate = company.get("TaxRate", rates[0]["TaxRateRef"]["value"])
    return rate["Id"], exact(rate["RateValue"])


def _take_tax_out(line: Entity, percent: Decimal) -> None:
    """For TaxInclusive: Amount becomes net, TaxInclusiveAmt what the line costs with its tax."""
    detail = line.get(str(line.get("DetailType")))
    if not isinstance(detail, dict) or "TaxCodeRef" not in detail:
        return
    gross = exact(detail.get("TaxInclusiveAmt", line.get("Amount")))
    line["Amount"] = number(gross / (1 + percent / 100))
    detail["TaxInclusiveAmt"] = number(gross)


def _tax(company: Company, thing: Entity, lines: list[Entity], rates: Mapping[int, tuple[str, Decimal]]) -> Decimal:
    """The tax, told by the request (TotalTax, TaxLine) or computed by rate; writes TxnTaxDetail."""
    bases: dict[str, tuple[Decimal, Decimal]] = {}
    for index, line in enumerate(lines):
        rate, percent = rates[index]
        if rate:
            bases[rate] = (percent, bases.get(rate, (percent, Decimal(0)))[1] + _signed(line))
    told = thing.pop("TxnTaxDetail", None) or {}
    if not bases and not told.get("TaxLine"):
        if exact(told.get("TotalTax")):
            raise Fault(6000, "Business Validation Error: Tax is told, but no line has a tax code with a rate.")
        return Decimal(0)
    computed = {rate: cents(base * percent / 100) for rate, (percent, base) in bases.items()}
    total = sum(computed.values(), Decimal(0))
    if told.get("TotalTax") is not None:
        wanted = cents(exact(told["TotalTax"]))
        _override(computed, wanted - total)
        total = wanted
    made = [_tax_line(company, rate, *bases[rate], computed[rate]) for rate in bases]
    code = {"TxnTaxCodeRef": told["TxnTaxCodeRef"]} if "TxnTaxCodeRef" in told else {}
    thing["TxnTaxDetail"] = {**code, "TotalTax": number(total), "TaxLine": made}
    return total


def _override(computed: dict[str, Decimal], difference: Decimal) -> None:
    """The difference to a total told by hand goes to the largest tax line."""
    if computed and difference:
        largest = max(computed, key=lambda rate: abs(computed[rate]))
        computed[largest] += difference


def _tax_line(company: Company, rate: str, percent: Decimal, base: Decimal, tax: Decimal) -> Entity:
    detail = {
        "TaxRateRef": {"value": rate, "name": company.name_of("TaxRate", rate)},
        "PercentBased": True, "TaxPercent": float(percent), "NetAmountTaxable": number(base),
    }  # fmt: skip
    return {"Amount": number(tax), "DetailType": "TaxLineDetail", "TaxLineDetail": detail}
