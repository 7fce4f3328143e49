"""The Bench of QuickBooks: what arrived is read from the simulator's books, what people do goes by its controls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import httpx
from pydantic import BaseModel

from integrations.conformance.bench import Arrival
from integrations.contract import Connector, Receipt
from integrations.money import Money
from integrations.quickbooks.connector import QuickBooks
from integrations.quickbooks.settings import Config
from integrations.sandbox.app import Sandbox
from integrations.sandbox.quickbooks import attachables
from integrations.sandbox.quickbooks.company import Company
from integrations.sandbox.server import Server
from tests.integrations.bench import SandboxBench

# a delivery to a connector, perhaps after an earlier receipt: the new receipt and the entry in the books
Deliver = Callable[..., tuple[Receipt, dict[str, Any]]]
ENTRIES = ("Bill", "VendorCredit", "Purchase", "Invoice", "CreditMemo")


class QuickBooksBench(SandboxBench):
    """Companies of one running sandbox."""

    def __init__(self, url: str, http: httpx.Client, sandbox: Sandbox) -> None:
        super().__init__(url, "quickbooks", http)
        self.sandbox = sandbox

    # --- what the kit asks for

    def arrived(self, connector: Connector) -> list[Arrival]:
        company = self.company(connector)
        files: dict[str, list[bytes]] = defaultdict(list)
        for attachable in company.all("Attachable"):
            for link in attachable["AttachableRef"]:
                files[link["EntityRef"]["value"]].append(attachables.content(company, attachable["Id"]))
        return [
            Arrival(remote_id=entry["Id"], name=entry.get("DocNumber", ""), files=tuple(files[entry["Id"]]))
            for entity in ENTRIES
            for entry in company.all(entity)
        ]

    def remove(self, connector: Connector, receipt: Receipt) -> None:
        entry = self.entry(connector, receipt)
        body = {"Id": entry["Id"], "SyncToken": entry["SyncToken"]}
        self.by_hand(connector, receipt.extras["type"], body, operation="delete")

    def alter(self, connector: Connector, receipt: Receipt) -> None:
        entry = self.entry(connector, receipt)
        line = {**entry["Line"][0], "Amount": 1.11}
        changed = {"Id": entry["Id"], "SyncToken": entry["SyncToken"], "sparse": True, "Line": [line]}
        self.by_hand(connector, receipt.extras["type"], changed)

    def folders(self, connector: Connector) -> list[str]:
        return []

    def fill(self, connector: Connector) -> None:
        raise NotImplementedError("a company has no limit of space")

    def pay(self, connector: Connector, receipt: Receipt, amount: Money) -> str:
        invoice = self.entry(connector, receipt)
        line = {"Amount": float(amount.decimal), "LinkedTxn": [{"TxnId": receipt.remote_id, "TxnType": "Invoice"}]}
        body = {"CustomerRef": invoice["CustomerRef"], "TotalAmt": float(amount.decimal), "Line": [line]}
        return str(self.by_hand(connector, "Payment", body)["Id"])

    def unpay(self, connector: Connector, payment_id: str) -> None:
        payment = self.company(connector).get("Payment", payment_id)
        body = {"Id": payment_id, "SyncToken": payment["SyncToken"]}
        self.by_hand(connector, "Payment", body, operation="delete")

    def mails(self, connector: Connector, receipt: Receipt) -> list[str]:
        sent = self.company(connector).bucket("mails").values()
        return [mail["to"] for mail in sent if mail["id"] == receipt.remote_id]

    # --- for fixtures and tests

    def company(self, connector: Connector) -> Company:
        """The books behind a connector."""
        realm = connector.wiring.tokens.current().extras["realmId"]
        return Company(self.sandbox.core.store, self.sandbox.core.clock, realm)

    def entry(self, connector: Connector, receipt: Receipt) -> dict[str, Any]:
        """The entry of a receipt."""
        return self.company(connector).get(receipt.extras["type"], receipt.remote_id)

    def by_hand(self, connector: Connector, entity: str, body: dict[str, Any], **how: str) -> Any:
        """What a person writes in QuickBooks itself."""
        realm = connector.wiring.tokens.current().extras["realmId"]
        return self.control("quickbooks/write", realm=realm, entity=entity, body=body, **how)

    def account(self, realm: str, kind: str) -> str:
        """The id of an account of a type."""
        company = Company(self.sandbox.core.store, self.sandbox.core.clock, realm)
        return str(next(one["Id"] for one in company.all("Account") if one["AccountType"] == kind))

    def connected(self, facts: dict[str, Any] | None = None, **settings: Any) -> QuickBooks:
        """A connector to a new company (German books unless ``facts`` say otherwise)."""
        order = {"name": "Neue Firma GmbH", "own_numbers": True, **(facts or {})}
        realm = self.control("quickbooks/company", **order)["id"]
        given = {
            "expense_account": self.account(realm, "Expense"),
            "income_account": self.account(realm, "Income"),
            **settings,
        }
        config: BaseModel = Config.model_validate(given)
        made: QuickBooks = self.connect(QuickBooks, realm, config, lambda answer: {"realmId": answer["realmId"]})
        return made


@contextmanager
def quickbooks() -> Iterator[QuickBooksBench]:
    """A running sandbox with QuickBooks alone."""
    sandbox = Sandbox(None, {"quickbooks": "integrations.sandbox.quickbooks:QuickBooks"})
    with Server(sandbox) as server, httpx.Client(timeout=30) as http:
        yield QuickBooksBench(server.url, http, sandbox)
    sandbox.close()


def names(bench: QuickBooksBench, connector: QuickBooks, entity: str) -> list[str]:
    """Display names of all vendors or customers."""
    return [one["DisplayName"] for one in bench.company(connector).all(entity)]


def total(entry: dict[str, Any]) -> Decimal:
    """The total of an entry of the books."""
    return Decimal(str(entry["TotalAmt"]))
