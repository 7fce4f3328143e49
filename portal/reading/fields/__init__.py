"""From words on pages to the fields of D2; pure: the same pages give the same findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from integrations.money import digits
from portal.money import Money
from portal.reading import confidence
from portal.reading.fields import amounts, dates, iban, numbers, paper, parties, totals
from portal.reading.fields.labels import Seen
from portal.reading.fields.ranking import Choice, Ranked, best
from portal.reading.findings import Findings, Paper
from portal.reading.words import Page

T = TypeVar("T")


@dataclass(frozen=True)
class Known:
    """What is known of the reader before reading: VAT ids and IBANs that are the client's own."""

    vat_ids: frozenset[str] = frozenset()
    ibans: frozenset[str] = frozenset()


def find(pages: Sequence[Page], known: Known | None = None) -> Findings:
    """All fields that the pages show, with confidence and place."""
    choices = choose(pages, known or Known())
    source = pages[0].source
    return Findings(**confidence.findings(choices, source))  # type: ignore[arg-type]


def choose(pages: Sequence[Page], known: Known) -> dict[str, Choice[Any]]:
    """The choice for each field, before its score is turned into a probability."""
    what = paper.choose(pages)
    accounts = iban.accounts(pages)
    ids = iban.vat_ids(pages)
    vat = iban.choose_id(ids, known.vat_ids)
    account = iban.choose_account(accounts, known.ibans)
    sums = totals.choose(pages)
    number = numbers.choose(pages, [one.seen.value.iban for one in accounts] + [one.seen.value.number for one in ids])
    issued, due = dates.choose(pages, number)
    hints = _hints(accounts, ids, vat)
    both = parties.choose(pages, hints, receipt=what.value is Paper.RECEIPT)
    countries = [one.seen.value.number[:2] for one in ids] + [one.seen.value.iban[:2] for one in accounts]
    coin = amounts.currency(pages, sums.gross, countries)
    given: dict[str, Choice[Any] | None] = {
        "paper": what, "number": number, "issued_on": issued, "due_on": due, "seller": both.seller, "buyer": both.buyer,
        "seller_vat_id": vat, "buyer_vat_id": _buyer_id(ids, vat), "currency": coin, "iban": account,
        **{name: _money(getattr(sums, name), coin) for name in ("net", "tax", "gross", "payable")},
    }  # fmt: skip
    return {name: choice for name, choice in given.items() if choice is not None}


def _buyer_id(ids: Sequence[Ranked[iban.VatId]], seller: Choice[str] | None) -> Choice[str] | None:
    ranked = [
        Ranked(
            Seen(one.seen.value.number, one.seen.cell, one.seen.start, one.seen.end),
            one.score - 1.0 + one.seen.value.buyers,
        )
        for one in ids
        if seller is not None and one.seen.value.number != seller.value
    ]
    return best(ranked)


def _hints(
    accounts: Sequence[Ranked[iban.Account]], ids: Sequence[Ranked[iban.VatId]], vat: Choice[str] | None
) -> list[parties.Hint]:
    own = [one.seen.cell for one in accounts]
    own += [one.seen.cell for one in ids if vat and one.seen.value.number == vat.value]
    return [parties.Hint(cell.page, cell.row, cell.place.left) for cell in own]


def _money(choice: Choice[Decimal] | None, coin: Choice[str] | None) -> Choice[Money] | None:
    """An amount in the currency found, else in euros, which the currency's absence keeps from being believed."""
    if choice is None:
        return None
    currency = coin.value if coin else "EUR"
    try:
        value = Money.of(choice.value.quantize(Decimal(1).scaleb(-digits(currency))), currency)
    except (ArithmeticError, ValueError):
        return None
    return Choice(value, choice.score, choice.page, choice.box, choice.sure)
