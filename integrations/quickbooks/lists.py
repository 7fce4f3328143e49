"""The company's lists that documents refer to: vendors, customers, service items, accounts, and how the books are kept.

Reads are metered at Intuit, so what was found is kept in the instance's memory; what a fault proves wrong is forgotten.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date

from integrations.contract import N_, Choice, Memory, OutgoingDocument, Party
from integrations.errors import Misconfigured, Rejected
from integrations.quickbooks.client import Company, Entity, quoted
from integrations.quickbooks.faults import DUPLICATE_NAME, Fault
from integrations.quickbooks.mapping import ITEM_NAME_LENGTH, NO_PARTY, Books, display_name, new_party, request_id

# What the item is called that new companies start with; the first is made where there is none of them.
DEFAULT_ITEMS = ("Services", "Dienstleistungen", "Dienstleistung")
DEFAULT_ITEM = DEFAULT_ITEMS[0]
# One name list for vendors, customers and employees: whoever comes second gets the suffix.
SUFFIXES = {"Vendor": " (Lieferant)", "Customer": " (Kunde)"}
EXPENSES = ("Expense", "Other Expense", "Cost of Goods Sold")
INCOME = ("Income", "Other Income")
PAYING = ("Bank", "Credit Card")
CARD = "Credit Card"


class Lists:
    """Looks up what a document refers to, and creates what is missing."""

    def __init__(self, company: Company, memory: Memory, today: date) -> None:
        self.company, self.memory, self.today = company, memory, today

    def books(self) -> Books:
        """How the books are kept; read once a day."""
        kept = json.loads(self.memory.get("books") or "{}")
        if kept.pop("read_on", None) != self.today.isoformat():
            kept = self._read_books()
            self.memory.put("books", json.dumps({**kept, "read_on": self.today.isoformat()}))
        return Books(**kept)

    def find_party(self, entity: str, document: OutgoingDocument, books: Books) -> str | None:
        """The id of the vendor or customer of exactly that name and currency, None when there is none."""
        if known := self.memory.get(self._party_key(entity, document)):
            return known
        for name in self._names(entity, document, books):
            for found in self.company.query(entity, f"DisplayName = {quoted(name)}"):
                if _same_name(found, name) and _fits(found, document, books):
                    self.memory.put(self._party_key(entity, document), str(found["Id"]))
                    return str(found["Id"])
        return None

    def party(self, entity: str, document: OutgoingDocument, books: Books, reservation: str) -> str:
        """The id of the vendor or customer, created when there is none."""
        if found := self.find_party(entity, document, books):
            return found
        refusal: Fault | None = None
        for name in self._names(entity, document, books):
            wanted = new_party(name, document, books)
            try:
                made = self.company.write(entity, wanted, request_id(reservation, entity, wanted))
            except Fault as fault:
                if fault.code != DUPLICATE_NAME:
                    raise
                # another worker may have been quicker; else somebody else has the name: try the next one
                if found := self.find_party(entity, document, books):
                    return found
                refusal = fault
                continue
            self.memory.put(self._party_key(entity, document), str(made["Id"]))
            return str(made["Id"])
        raise refusal or Rejected(NO_PARTY)

    def items(self, document: OutgoingDocument, income_account: str, reservation: str) -> Mapping[str | None, str]:
        """Service type -> item id, created on the income account where there is none or it has no account."""
        types: set[str | None] = {None, *(line.service_type for line in document.lines)}
        return {kind: self._item(kind or DEFAULT_ITEM, income_account, reservation) for kind in types}

    def missing_items(self, document: OutgoingDocument) -> list[str]:
        """Names of the items that ``items`` would create."""
        names = {DEFAULT_ITEM, *(line.service_type for line in document.lines if line.service_type)}
        return sorted(name for name in names if not self.memory.get(_key("item", name)) and not self._find_item(name))

    def is_card(self, account: str) -> bool:
        """Whether the paying account is a credit card."""
        known = self.memory.get(f"account:{account}")
        if known is None:
            known = self.account(account)["AccountType"]
            self.memory.put(f"account:{account}", known)
        return known == CARD

    def account(self, account: str) -> Entity:
        """An active account by id; Misconfigured when there is none."""
        found = self.company.query("Account", f"Id = {quoted(account)}")
        if not found or found[0].get("Active") is False:
            raise Misconfigured(
                N_("An account chosen in the settings no longer exists in QuickBooks. Please choose another one.")
            )
        return found[0]

    def accounts(self, types: Iterable[str]) -> list[Choice]:
        """Active accounts of some types, by full name."""
        wanted = ", ".join(quoted(kind) for kind in types)
        found = self.company.every("Account", f"AccountType IN ({wanted}) AND Active = true")
        labels = [(str(one.get("FullyQualifiedName") or one["Name"]), str(one["Id"])) for one in found]
        return [Choice(value=value, label=label) for label, value in sorted(labels)]

    def tax_codes(self) -> list[Choice]:
        """Active tax codes; none in the United States, where QuickBooks computes the tax itself."""
        if not self.books().global_tax:
            return []
        found = self.company.every("TaxCode", "Active = true")
        return [Choice(value=str(one["Id"]), label=str(one["Name"])) for one in found]

    def forget(self, document: OutgoingDocument) -> None:
        """Drop what was remembered for a document; the next look-up asks QuickBooks again."""
        names = {DEFAULT_ITEM, *(line.service_type for line in document.lines if line.service_type)}
        keys = [self._party_key(entity, document) for entity in SUFFIXES] + [_key("item", name) for name in names]
        for key in (*keys, "books"):
            self.memory.forget(key)

    def _read_books(self) -> dict[str, str | bool]:
        preferences, info = self.company.preferences(), self.company.info()
        currency = preferences.get("CurrencyPrefs", {})
        return {
            "home": str(currency.get("HomeCurrency", {}).get("value", "USD")),
            "many_currencies": bool(currency.get("MultiCurrencyEnabled", False)),
            "own_numbers": bool(preferences.get("SalesFormsPrefs", {}).get("CustomTxnNumbers", False)),
            "global_tax": str(info.get("Country", "US")) not in {"US", "USA"},
        }

    def _names(self, entity: str, document: OutgoingDocument, books: Books) -> list[str]:
        name, suffix = _party(document).name, SUFFIXES[entity]
        currency = document.gross.currency if document.gross else books.home
        endings = ["", suffix]
        if books.many_currencies:
            # the currency of a name is fixed for ever, so a second currency needs a second name
            other = ["", f" ({currency})"]
            foreign = currency != books.home
            endings = [f"{one}{two}" for one in endings for two in other] if foreign else [*endings, *other[1:]]
        return [display_name(name, ending) for ending in endings]

    def _party_key(self, entity: str, document: OutgoingDocument) -> str:
        currency = document.gross.currency if document.gross else ""
        return _key(f"{entity.lower()}:{currency}", _party(document).name)

    def _item(self, name: str, income_account: str, reservation: str) -> str:
        if known := self.memory.get(_key("item", name)):
            return known
        found = self._find_item(name)
        if found is None or not found.get("IncomeAccountRef"):
            found = self._write_item(name, income_account, reservation, found)
        self.memory.put(_key("item", name), str(found["Id"]))
        return str(found["Id"])

    def _find_item(self, name: str) -> Entity | None:
        wanted = DEFAULT_ITEMS if name == DEFAULT_ITEM else (display_name(name, length=ITEM_NAME_LENGTH),)
        found = self.company.query("Item", f"Name IN ({', '.join(quoted(one) for one in wanted)})")
        by_name = {str(one.get("Name", "")).casefold(): one for one in reversed(found)}
        return next((by_name[one.casefold()] for one in wanted if one.casefold() in by_name), None)

    def _write_item(self, name: str, income_account: str, reservation: str, found: Entity | None) -> Entity:
        wanted: Entity = {"IncomeAccountRef": {"value": income_account}}
        if found:
            wanted |= {"Id": found["Id"], "SyncToken": found["SyncToken"], "sparse": True}
        else:
            wanted |= {"Name": display_name(name, length=ITEM_NAME_LENGTH), "Type": "Service"}
        try:
            return self.company.write("Item", wanted, request_id(reservation, "item", wanted))
        except Fault as fault:
            raced = self._find_item(name) if fault.code == DUPLICATE_NAME else None
            if raced is None:
                raise
            return raced


def _party(document: OutgoingDocument) -> Party:
    if document.party is None:
        raise Rejected(NO_PARTY)
    return document.party


def _same_name(found: Entity, name: str) -> bool:
    return str(found.get("DisplayName", "")).casefold() == name.casefold()


def _fits(found: Entity, document: OutgoingDocument, books: Books) -> bool:
    currency = found.get("CurrencyRef", {}).get("value", books.home)
    return not books.many_currencies or document.gross is None or currency == document.gross.currency


def _key(prefix: str, name: str) -> str:
    """A memory key that no name makes too long."""
    return f"{prefix}:{hashlib.sha256(name.casefold().encode()).hexdigest()[:32]}"
