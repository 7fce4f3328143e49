"""Payments that QuickBooks recorded on invoices, as a feed that misses nothing and repeats nothing.

Source: change data capture of Payment (developer.intuit.com, «Change data capture»): full objects, deleted ones by
their status; 30 days back and 1000 objects at most. All items with one payment id replace what was known of that
payment; a deleted or voided one has no lines any more and comes as one reversed item without an invoice.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from integrations.contract import N_, Page, Payment
from integrations.errors import TargetGone
from integrations.money import Money, digits
from integrations.quickbooks.client import PAGE, Company, Entity

# What is committed late may carry an earlier time: each look goes back this far, and passes over what it saw.
OVERLAP = timedelta(minutes=5)
REACH = timedelta(days=30)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cursor:
    """The newest change seen, and what was seen within the overlap before it ("id:version")."""

    since: datetime
    seen: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return json.dumps({"since": self.since.isoformat(), "seen": sorted(self.seen)})

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """The cursor that ``str`` wrote."""
        kept = json.loads(text)
        return cls(datetime.fromisoformat(kept["since"]), frozenset(kept["seen"]))


def page(company: Company, cursor: str | None, now: datetime, home: str) -> Page[Payment]:
    """The changes since ``cursor``; None starts now. TargetGone when the cursor is older than the feed reaches."""
    if cursor is None:
        return Page(items=(), cursor=str(Cursor(now)), more=False)
    old = Cursor.parse(cursor)
    if now - old.since > REACH - OVERLAP:
        raise TargetGone(N_("QuickBooks tells changes of 30 days only; the payments must be read anew."))
    changed = company.changes("Payment", old.since - OVERLAP)
    if len(changed) >= PAGE:
        changed = _all_since(company, old.since - OVERLAP, changed)
    fresh = [one for one in changed if _name(one) not in old.seen]
    items = [payment for one in sorted(fresh, key=_changed_at) for payment in _payments(one, home)]
    return Page(items=items, cursor=str(_next(old, changed)), more=False)


def _all_since(company: Company, since: datetime, captured: list[Entity]) -> list[Entity]:
    """More than one capture tells: the living ones by query; deletions as far as the capture names them."""
    _LOG.warning("change data capture is full (%s objects): deletions beyond it are not told", len(captured))
    living = company.every("Payment", f"MetaData.LastUpdatedTime >= '{since.isoformat(timespec='seconds')}'")
    return [*(one for one in captured if one.get("status") == "Deleted"), *living]


def _next(old: Cursor, changed: list[Entity]) -> Cursor:
    since = max([old.since, *(_changed_at(one) for one in changed)])
    seen = frozenset(_name(one) for one in changed if _changed_at(one) >= since - OVERLAP)
    return Cursor(since, seen)


def _changed_at(one: Entity) -> datetime:
    told = datetime.fromisoformat(one["MetaData"]["LastUpdatedTime"])
    if told.tzinfo is None:
        raise ValueError("QuickBooks tells times with their zone")
    return told


def _name(one: Entity) -> str:
    return f"{one['Id']}:{one.get('status') or one.get('SyncToken', '')}"


def _payments(one: Entity, home: str) -> Iterator[Payment]:
    """One payment may settle several invoices; each is an item."""
    currency = one.get("CurrencyRef", {}).get("value", home)
    paid_on = date.fromisoformat(one["TxnDate"]) if "TxnDate" in one else _changed_at(one).date()
    applied = [
        (str(link["TxnId"]), _money(line.get("Amount", 0), currency))
        for line in one.get("Line", [])
        for link in line.get("LinkedTxn", [])
        if link.get("TxnType") == "Invoice"
    ]
    if one.get("status") == "Deleted" or not applied:
        nothing = Money(0, currency)
        yield Payment(id=str(one["Id"]), invoice_remote_id="", amount=nothing, paid_on=paid_on, reversed=True)
        return
    for invoice, amount in applied:
        yield Payment(id=str(one["Id"]), invoice_remote_id=invoice, amount=amount, paid_on=paid_on)


def _money(amount: object, currency: str) -> Money:
    exact = Decimal(str(amount))
    return Money.of(exact.quantize(Decimal(1).scaleb(-digits(currency))), currency)
