"""A sandbox on a free port, and a company's books in it, for the tests beside this file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import httpx

from integrations.sandbox.app import Sandbox
from integrations.sandbox.server import Server

GERMAN, AMERICAN = "9341453000000001", "9130347000000002"


class Running:
    """A sandbox that answers at ``url``."""

    def __init__(self, url: str, http: httpx.Client) -> None:
        self.url, self.http = url, http

    def control(self, action: str, method: str = "POST", **order: Any) -> Any:
        """A control call that must succeed."""
        options: dict[str, Any] = {"params": order} if method == "GET" else {"json": order}
        response = self.http.request(method, f"{self.url}/_control/{action}", **options)
        assert response.status_code == 200, response.text
        return response.json()

    def faults(self, *script: str, match: str = "") -> None:
        """QuickBooks' next matching calls go wrong like this."""
        self.control("faults", provider="quickbooks", script=list(script), match=match)

    def calls(self, path: str = "") -> list[dict[str, Any]]:
        """The calls that arrived whose path contains ``path``."""
        return [call for call in self.control("log", "GET") if path in call["path"]]


@contextmanager
def running(state: Path | None = None) -> Iterator[Running]:
    """A sandbox in this process, stopped for good at the end."""
    sandbox = Sandbox(state)
    try:
        with Server(sandbox) as server, httpx.Client(timeout=10) as http:
            yield Running(server.url, http)
    finally:
        sandbox.close()


class Books:
    """One company over the API, with a token of its own."""

    def __init__(self, sandbox: Running, realm: str = GERMAN) -> None:
        self.sandbox, self.realm = sandbox, realm
        self.token = sandbox.control("grant", provider="quickbooks", account=realm)
        self.base = f"{sandbox.url}/quickbooks/v3/company/{realm}"
        self.seen: list[Any] = []

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A signed call that wants JSON."""
        headers = {"authorization": f"Bearer {self.token['access_token']}", "accept": "application/json"}
        headers |= options.pop("headers", {})
        response = self.sandbox.http.request(method, f"{self.base}/{path}", headers=headers, **options)
        if "json" in response.headers.get("content-type", ""):
            self.seen.append(response.json())
        return response

    def get(self, path: str, **params: Any) -> Any:
        """A reading call that must succeed."""
        response = self.request("GET", path, params=params)
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, path: str, body: Any, **params: Any) -> httpx.Response:
        """A writing call."""
        return self.request("POST", path, json=body, params=params)

    def write(self, entity: str, body: Mapping[str, Any], **params: Any) -> dict[str, Any]:
        """Create or change; must succeed."""
        response = self.post(entity.lower(), body, **params)
        assert response.status_code == 200, response.text
        return cast("dict[str, Any]", response.json()[entity])

    def read(self, entity: str, key: str) -> dict[str, Any]:
        """One object."""
        return cast("dict[str, Any]", self.get(f"{entity.lower()}/{key}")[entity])

    def refusal(self, entity: str, body: Any, **params: Any) -> tuple[str, str]:
        """The code and detail that writing this is refused with."""
        return refusal_of(self.post(entity.lower(), body, **params))

    def query(self, text: str) -> dict[str, Any]:
        """The value of QueryResponse."""
        return cast("dict[str, Any]", self.get("query", query=text)["QueryResponse"])

    def first(self, entity: str, where: str = "") -> dict[str, Any]:
        """The first object that fulfils ``where``."""
        text = f"select * from {entity} {f'where {where}' if where else ''} maxresults 1"
        return cast("dict[str, Any]", self.query(text)[entity][0])

    def id_of(self, entity: str, where: str = "") -> str:
        """The id of that object."""
        return str(self.first(entity, where)["Id"])

    # --- objects with sensible defaults; a test names what it is about

    def vendor(self, name: str = "Meyer GmbH", **fields: Any) -> dict[str, Any]:
        """A vendor."""
        return self.write("Vendor", {"DisplayName": name, **fields})

    def customer(self, name: str = "Kunde AG", **fields: Any) -> dict[str, Any]:
        """A customer."""
        return self.write("Customer", {"DisplayName": name, **fields})

    def expense_line(self, amount: float = 100.0, **detail: Any) -> dict[str, Any]:
        """A line on the first expense account, taxed where the country has tax codes."""
        code = {"TaxCodeRef": {"value": self.id_of("TaxCode", "Name LIKE '19%'")}} if self.realm == GERMAN else {}
        account = {"AccountRef": {"value": self.id_of("Account", "AccountType = 'Expense'")}}
        kind = "AccountBasedExpenseLineDetail"
        return {"Amount": amount, "DetailType": kind, kind: {**account, **code, **detail}}

    def bill_body(self, vendor: str, **fields: Any) -> dict[str, Any]:
        """A bill of 100 net."""
        lines = fields.pop("Line", None) or [self.expense_line()]
        return {"VendorRef": {"value": vendor}, "TxnDate": "2026-10-01", "Line": lines, **fields}

    def bill(self, vendor: str, **fields: Any) -> dict[str, Any]:
        """A bill that is written."""
        return self.write("Bill", self.bill_body(vendor, **fields))

    def sales_line(self, amount: float = 100.0, **detail: Any) -> dict[str, Any]:
        """A line with the first item."""
        german = self.realm == GERMAN
        code = {"TaxCodeRef": {"value": self.id_of("TaxCode", "Name LIKE '19%'") if german else "NON"}}
        return {
            "Amount": amount,
            "DetailType": "SalesItemLineDetail",
            "SalesItemLineDetail": {"ItemRef": {"value": self.id_of("Item")}, **code, **detail},
        }

    def invoice(self, customer: str, **fields: Any) -> dict[str, Any]:
        """An invoice of 100 net."""
        lines = fields.pop("Line", None) or [self.sales_line()]
        return self.write("Invoice", {"CustomerRef": {"value": customer}, "Line": lines, **fields})

    def upload(self, content: bytes, name: str = "rechnung.pdf", **metadata: Any) -> dict[str, Any]:
        """One file; its AttachableResponse item."""
        described = {"FileName": name, "ContentType": "application/pdf", **metadata}
        files = {
            "file_metadata_01": ("attachment.json", json.dumps(described), "application/json"),
            "file_content_01": (name, content, "application/pdf"),
        }
        response = self.request("POST", "upload", files=files)
        assert response.status_code == 200, response.text
        return cast("dict[str, Any]", response.json()["AttachableResponse"][0])


def refusal_of(response: httpx.Response) -> tuple[str, str]:
    """Code and detail of a fault."""
    body = response.json()
    assert "Fault" in body, body
    error = body["Fault"]["Error"][0]
    return error["code"], error["Detail"]
