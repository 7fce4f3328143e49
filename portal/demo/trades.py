"""The demo's eight clients and whom they trade with, as trades.toml says. Nobody there exists."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from portal.demo.papers.companies import Company, british, digits, german, irish
from portal.demo.papers.invoices import Item, Treatment

_FIRMS: Mapping[str, Callable[..., Company]] = {"DE": german, "GB": british, "IE": irish}
# unit as printed -> UN/ECE Recommendation 20
_CODES = {"Stk.": "C62", "kWh": "KWH", "Monat": "MON", "month": "MON", "Std.": "HUR", "hours": "HUR", "kg": "KGM",
          "m²": "MTK", "m": "MTR", "km": "KMT", "l": "LTR", "Tag": "DAY"}  # fmt: skip
_REASONS = {
    "small": (Treatment.EXEMPT, "Gemäß § 19 UStG wird keine Umsatzsteuer berechnet."),
    "medical": (Treatment.EXEMPT, "Umsatzsteuerfreie Heilbehandlung (§ 4 Nr. 14 UStG)."),
    "reverse": (
        Treatment.REVERSE_CHARGE,
        "Reverse charge: VAT to be accounted for by the recipient (Art. 196 Directive 2006/112/EC).",
    ),
    "building": (Treatment.REVERSE_CHARGE, "Steuerschuldnerschaft des Leistungsempfängers (§ 13b UStG)."),
    "export": (Treatment.EXPORT, "Zero-rated export of goods from the United Kingdom."),
}


@dataclass(frozen=True, kw_only=True)
class Partner:
    """Who sells to a client, or buys from it; ``wares`` is what may stand on an invoice, ``form`` how it comes."""

    company: Company
    wares: Sequence[Item] = ()
    layout: str = "letter"
    language: str = "de"
    currency: str = "EUR"
    treatment: Treatment = Treatment.NORMAL
    reason: str = ""
    form: str = "pdf"  # or zugferd, ubl, cii, scan
    lines: int = 3  # how many of the wares stand on one
    deliveries: int = 1  # delivery notes on one invoice; several make it two pages long
    prefix: str = "RE"
    intro: str = ""


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A till: what it prints on a line, the price with the tax inside in cents, the rate."""

    company: Company
    wares: Sequence[tuple[str, int, int]]


@dataclass(frozen=True, kw_only=True)
class Trade:
    """One client of the firm."""

    number: str
    company: Company
    owner: str  # who runs it
    helper: str  # who works there
    sells: Partner  # its own invoices: wares, layout, how tax applies
    suppliers: Sequence[Partner]
    customers: Sequence[Company]
    shops: Sequence[Shop]
    subject: str  # of a letter that is no invoice
    paragraphs: Sequence[str]


def trades() -> list[Trade]:
    """All eight, in the order of their numbers."""
    told = tomllib.loads((Path(__file__).parent / "trades.toml").read_text())
    partners = {name: _partner(entry) for name, entry in told["partner"].items()}
    shops = {name: _shop(entry) for name, entry in told["shop"].items()}
    return [_trade(entry, partners, shops) for entry in told["client"]]


def _trade(entry: Mapping[str, Any], partners: Mapping[str, Partner], shops: Mapping[str, Shop]) -> Trade:
    company = _company(entry["company"])
    return Trade(
        number=entry["number"],
        company=company,
        owner=entry["owner"],
        helper=entry["helper"],
        sells=_partner({**entry["sells"], "company": entry["company"]}),
        suppliers=[partners[name] for name in entry["suppliers"]],
        customers=[_company(customer) for customer in entry["customers"]],
        shops=[shops[name] for name in entry["shops"]],
        subject=entry["letter"][0],
        paragraphs=entry["letter"][1:],
    )


def _partner(entry: Mapping[str, Any]) -> Partner:
    given = dict(entry)
    treatment, reason = _REASONS.get(given.pop("why", ""), (Treatment.NORMAL, ""))
    wares = [_item(line) for line in given.pop("wares")]
    return Partner(company=_company(given.pop("company")), wares=wares, treatment=treatment, reason=reason, **given)


def _item(line: Sequence[Any]) -> Item:
    text, price, quantity, unit, rate = line
    return Item(
        text=text,
        price=Decimal(price),
        quantity=Decimal(quantity),
        unit=unit,
        code=_CODES[unit],
        rate=rate,
        article=f"{digits(text, 3)}.{digits(text + price, 3)}",
    )


def _shop(entry: Mapping[str, Any]) -> Shop:
    wares = [(text, cents, rate) for text, cents, rate in entry["wares"]]
    return Shop(company=_company(entry["company"]), wares=wares)


def _company(line: Sequence[Any]) -> Company:
    """[name, street, place] and, where more is known, a table: country, small, head, register, claim, colour."""
    name, street, place, *rest = line
    more = dict(rest[0]) if rest else {}
    return _FIRMS[more.pop("country", "DE")](name, street, place, **more)
