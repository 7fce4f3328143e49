"""QuickBooks Online: documents of a client go into the books of one company."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import cast

from integrations.contract import (
    N_,
    Account,
    Choice,
    DocumentKind,
    Drift,
    DriftKind,
    Ledger,
    OutgoingDocument,
    Page,
    Payment,
    Plan,
    Receipt,
    Step,
    Wiring,
)
from integrations.errors import ReauthRequired, TargetGone
from integrations.oauth import Bearer, Flow, OAuthApp
from integrations.quickbooks import mapping, payments
from integrations.quickbooks.client import Company, Entity, quoted
from integrations.quickbooks.entries import Entries, Entry
from integrations.quickbooks.faults import INVALID_REFERENCE, NAME, Fault
from integrations.quickbooks.lists import EXPENSES, INCOME, PAYING, Lists
from integrations.quickbooks.mapping import References
from integrations.quickbooks.settings import MANIFEST, Config

_INSPECTED_AT_ONCE = 100
_THINGS = {
    "Bill": N_("bill"),
    "VendorCredit": N_("vendor credit"),
    "Purchase": N_("expense"),
    "Invoice": N_("invoice"),
    "CreditMemo": N_("credit memo"),
}
_PARTIES = {"Vendor": N_("vendor"), "Customer": N_("customer")}
_UNKNOWN = "-"  # the id, in a plan, of what does not exist yet


class QuickBooks(Ledger):
    """One company, for one client's instance."""

    manifest = MANIFEST
    Config = Config
    App = OAuthApp

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        self.config = cast("Config", wiring.config)
        self._opened: Company | None = None

    @property
    def company(self) -> Company:
        """The company that was consented to; its realm came with the sign-in."""
        if self._opened is None:
            realm = self.wiring.tokens.current().extras.get("realmId")
            if not realm or not realm.isdigit():  # it came in a query and goes into a path
                text = N_("The sign-in at %(provider)s did not tell the company. Please connect again.")
                raise ReauthRequired(text, provider=NAME)
            bearer = Bearer(self.wiring.tokens, self.wiring.now)
            self._opened = Company(self.wiring.http, bearer, self.endpoint("api"), realm)
        return self._opened

    @property
    def lists(self) -> Lists:
        """The company's lists."""
        return Lists(self.company, self.wiring.memory, self.wiring.now().date())

    @property
    def entries(self) -> Entries:
        """The company's entries."""
        return Entries(self.company, self.endpoint("app"))

    def check(self) -> Account:
        """The company behind the login."""
        info = self.company.info()
        email = info.get("Email", {}).get("Address")
        return Account(id=self.company.realm, name=str(info["CompanyName"]), email=email)

    def revoke(self) -> None:
        """End the grant at Intuit."""
        app = OAuthApp.model_validate(self.wiring.app.model_dump())
        Flow(self.manifest, app, self.wiring.http, self.wiring.endpoints).revoke(self.wiring.tokens.current())

    def choices(self, field: str) -> list[Choice]:
        """Accounts and tax codes of the company."""
        if field == "tax_code":
            return self.lists.tax_codes()
        types = {"expense_account": EXPENSES, "income_account": INCOME, "payment_account": PAYING}.get(field)
        return self.lists.accounts(types) if types else []

    def plan(self, document: OutgoingDocument, previous: Receipt | None) -> Plan:
        """What would be written; reads only."""
        entity = self._entity(document)
        books, party = self.lists.books(), self._party_entity(document)
        known = self.lists.find_party(party, document, books)
        also = [] if known else [(_PARTIES[party], document.party.name if document.party else "")]
        if entity in mapping.SALES:
            also += [(N_("service item"), name) for name in self.lists.missing_items(document)]
        if previous is not None:
            return Plan(step=Step.UPDATE, thing=_THINGS[entity], also=tuple(also))
        step, _existing = self.entries.find(self._draft(document, known or _UNKNOWN))
        return Plan(step=step, thing=_THINGS[entity], also=tuple(also))

    def deliver(self, document: OutgoingDocument, reservation: str, previous: Receipt | None) -> Receipt:
        """Enter it, with vendor, customer and items; what was remembered wrongly is looked up once more."""
        try:
            return self._deliver(document, reservation, previous)
        except Fault as fault:
            if fault.code not in INVALID_REFERENCE:
                raise
            self.lists.forget(document)
            self._check_accounts(document)
            return self._deliver(document, reservation, previous)

    def inspect(self, receipts: Sequence[Receipt]) -> list[Drift]:
        """Deleted entries, and those with another total, date, number or party than they were left with."""
        by_type: dict[str, list[Receipt]] = defaultdict(list)
        for receipt in receipts:
            by_type[receipt.extras["type"]].append(receipt)
        pages = [
            (entity, group[start : start + _INSPECTED_AT_ONCE])
            for entity, group in by_type.items()
            for start in range(0, len(group), _INSPECTED_AT_ONCE)
        ]
        return [drift for entity, group in pages for drift in self._drifts(entity, group)]

    def send(self, receipt: Receipt, reservation: str, email: str) -> Receipt:
        """Have QuickBooks mail the invoice once.

        Sending has no published guarantee against repeats, so what QuickBooks told of mails before the first attempt is
        remembered: another delivery time later means that an attempt has had its effect.
        """
        invoice = self._invoice(receipt)
        before = self.wiring.memory.claim(f"send:{reservation}", _sent_at(invoice))
        if _sent_at(invoice) == before:
            name = mapping.request_id(reservation, "send", {"email": email, "invoice": receipt.remote_id})
            invoice = self.company.send(receipt.remote_id, email, name)
        return Receipt(
            remote_id=receipt.remote_id,
            remote_version=str(invoice["SyncToken"]),
            link=receipt.link,
            extras={**receipt.extras, "sent_to": email, "sent_at": _sent_at(invoice)},
        )

    def payments(self, cursor: str | None) -> Page[Payment]:
        """See ``payments``: items of one payment replace what was known of it."""
        return payments.page(self.company, cursor, self.wiring.now(), self.lists.books().home)

    def _deliver(self, document: OutgoingDocument, reservation: str, previous: Receipt | None) -> Receipt:
        self._draft(document, _UNKNOWN)  # what cannot be entered leaves no vendor behind
        entry = self._entry(document, reservation, self._references(document, reservation))
        return self.entries.change(entry, previous) if previous else self.entries.bring(entry)

    def _entity(self, document: OutgoingDocument) -> str:
        return mapping.entity_of(document, pays_at_once=self.config.payment_account is not None)

    def _entry(self, document: OutgoingDocument, reservation: str, references: References) -> Entry:
        entity = self._entity(document)
        payload = mapping.payload(entity, document, self.lists.books(), references)
        return Entry(entity=entity, payload=payload, document=document, reservation=reservation)

    def _draft(self, document: OutgoingDocument, party: str) -> Entry:
        """The entry with what it refers to left open; Rejected when it cannot be made."""
        references = References(party=party, items={None: _UNKNOWN}, tax_code=self.config.tax_code)
        return self._entry(document, "", references)

    @staticmethod
    def _party_entity(document: OutgoingDocument) -> str:
        return "Customer" if document.kind is DocumentKind.OUTGOING_INVOICE else "Vendor"

    def _references(self, document: OutgoingDocument, reservation: str) -> References:
        entity, books = self._entity(document), self.lists.books()
        party = self.lists.party(self._party_entity(document), document, books, reservation)
        paid_from = self.config.payment_account if entity == "Purchase" else None
        sales = entity in mapping.SALES
        return References(
            party=party,
            account=self.config.expense_account,
            paid_from=paid_from,
            paid_by_card=bool(paid_from) and self.lists.is_card(paid_from or ""),
            items=self.lists.items(document, self.config.income_account, reservation) if sales else {},
            tax_code=self.config.tax_code,
        )

    def _check_accounts(self, document: OutgoingDocument) -> None:
        sale = document.kind is DocumentKind.OUTGOING_INVOICE
        for account in (self.config.income_account,) if sale else (self.config.expense_account,):
            self.lists.account(account)
        if self.config.payment_account and document.kind is DocumentKind.RECEIPT:
            self.lists.account(self.config.payment_account)

    def _drifts(self, entity: str, receipts: Sequence[Receipt]) -> list[Drift]:
        ids = ", ".join(quoted(receipt.remote_id) for receipt in receipts)
        found = {str(one["Id"]): one for one in self.company.query(entity, f"Id IN ({ids})")}
        drifts = [(receipt.remote_id, _drift(found.get(receipt.remote_id), receipt)) for receipt in receipts]
        return [Drift(remote_id=remote_id, kind=kind) for remote_id, kind in drifts if kind]

    def _invoice(self, receipt: Receipt) -> Entity:
        try:
            return self.company.read("Invoice", receipt.remote_id)
        except Fault as fault:
            if fault.code != 610:
                raise
            raise TargetGone(N_("The invoice that should be sent was deleted in QuickBooks.")) from fault


def _drift(existing: Entity | None, receipt: Receipt) -> DriftKind | None:
    if existing is None:
        return DriftKind.GONE
    return None if mapping.content(existing) == receipt.extras["content"] else DriftKind.CHANGED


def _sent_at(invoice: Entity) -> str:
    """When QuickBooks mailed the invoice last; empty when never."""
    sent = invoice.get("EmailStatus") == "EmailSent"
    return str(invoice.get("DeliveryInfo", {}).get("DeliveryTime", "")) if sent else ""
