"""One company's books: its objects by entity, ids, versions and times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from integrations.sandbox.clock import Clock
from integrations.sandbox.quickbooks.fault import Fault, not_found, stamp
from integrations.sandbox.state import Bucket, Store

Entity = dict[str, Any]
LISTS = frozenset({"Account", "Class", "Customer", "Item", "TaxCode", "TaxRate", "Term", "Vendor"})
TRANSACTIONS = frozenset({"Bill", "BillPayment", "CreditMemo", "Invoice", "Payment", "Purchase", "VendorCredit"})
# What the provider has but this simulator has not: queries find nothing, writing is refused.
ELSEWHERE = frozenset(
    "Budget CompanyCurrency CustomerType Department Deposit Employee Estimate ExchangeRate JournalEntry PaymentMethod "
    "PurchaseOrder RecurringTransaction RefundReceipt ReimburseCharge SalesReceipt TaxAgency TimeActivity "
    "Transfer".split()
)
_NAME_FIELD = {"Customer": "DisplayName", "Vendor": "DisplayName"}
_SEQUENCE = {**dict.fromkeys(TRANSACTIONS, "transaction"), "Customer": "name", "Vendor": "name"}


class Company:
    """The books of ``realm``. Facts about the company itself (country, currency, rules) are in ``facts``."""

    def __init__(self, store: Store, clock: Clock, realm: str) -> None:
        self.store, self.clock, self.realm = store, clock, realm

    @property
    def facts(self) -> dict[str, Any]:
        """How this company is: name, country, currency, global_tax."""
        found: dict[str, Any] | None = companies(self.store).peek(self.realm)
        if found is None:
            raise KeyError(self.realm)
        return found

    def bucket(self, name: str) -> Bucket:
        """A bucket of this company."""
        return self.store.bucket(f"quickbooks:{self.realm}:{name}")

    def find(self, entity: str, key: str) -> Entity | None:
        """An own copy of an object, or None."""
        found: Entity | None = self.bucket(entity).get(key)
        return found

    def get(self, entity: str, key: str) -> Entity:
        """An own copy of an object; Fault 610 when it is not there."""
        found = self.find(entity, key)
        if found is None:
            raise not_found(f"Something you're trying to use has been made inactive. {entity} {key} does not exist.")
        return found

    def all(self, entity: str) -> list[Entity]:
        """All objects in order of creation, to be read only."""
        return self.bucket(entity).values()

    def preference(self, section: str, name: str) -> Any:
        """A value of Preferences."""
        return self.bucket("Preferences").peek("1").get(section, {}).get(name)

    def other_preference(self, name: str) -> bool:
        """A yes or no of OtherPrefs."""
        pairs = self.preference("OtherPrefs", "NameValue") or []
        return any(pair["Name"] == name and pair["Value"] == "true" for pair in pairs)

    def create(self, entity: str, thing: Mapping[str, Any]) -> Entity:
        """Keep a new object under the next id."""
        sequence = _SEQUENCE.get(entity, entity)
        key = str(self.bucket("sequences").next_number(sequence, int(self.facts.get("first_id", 1))))
        now = stamp(self.clock.now())
        return self._put(entity, {**thing, "Id": key, "SyncToken": "0"}, {"CreateTime": now, "LastUpdatedTime": now})

    def update(self, entity: str, thing: Mapping[str, Any]) -> Entity:
        """Keep a changed object under its id with the next version."""
        old = self.get(entity, thing["Id"])
        made = {**thing, "SyncToken": str(int(old["SyncToken"]) + 1)}
        times = {"CreateTime": old["MetaData"]["CreateTime"], "LastUpdatedTime": stamp(self.clock.now())}
        return self._put(entity, made, times)

    def _put(self, entity: str, thing: Entity, times: Mapping[str, str]) -> Entity:
        kept = {name: value for name, value in thing.items() if value is not None and name not in {"sparse", "domain"}}
        kept = {**kept, "domain": "QBO", "sparse": False, "MetaData": dict(times)}
        self.bucket(entity).put(kept["Id"], kept)
        return kept

    def delete(self, entity: str, key: str) -> Entity:
        """Take an object out; what is left of it is the tombstone of change data capture."""
        self.bucket(entity).delete(key)
        tombstone = {
            "domain": "QBO", "status": "Deleted", "Id": key, "MetaData": {"LastUpdatedTime": stamp(self.clock.now())},
        }  # fmt: skip
        self.bucket(f"deleted:{entity}").put(key, tombstone)
        return tombstone

    def name_of(self, entity: str, key: str) -> str | None:
        """The name of a list object."""
        thing = self.bucket(entity).peek(key)
        return None if thing is None else str(thing.get(_NAME_FIELD.get(entity, "Name"), ""))

    def need_version(self, entity: str, body: Mapping[str, Any]) -> Entity:
        """The stored object that ``body`` wants to change; 2020, 610 or 5010 when it may not."""
        if body.get("SyncToken") is None:
            raise Fault(2020, "Required parameter SyncToken is missing in the request", "SyncToken")
        old = self.get(entity, str(body["Id"]))
        if str(body["SyncToken"]) != old["SyncToken"]:
            raise Fault(5010)
        return old


def companies(store: Store) -> Bucket:
    """All companies' facts by realm."""
    return store.bucket("quickbooks:companies")


def every(store: Store, clock: Clock) -> Iterator[Company]:
    """All companies."""
    for facts in companies(store).values():
        yield Company(store, clock, facts["id"])
