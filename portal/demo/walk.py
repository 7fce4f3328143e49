"""What people do at the simulated providers: open accounts, consent on the provider's page, take consent back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx


class Providers:
    """The sandbox at ``url``, as its people and its remote control use it."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=30)

    def close(self) -> None:
        """End the connections."""
        self._http.close()

    def open_account(self, kind: str, account: str, name: str, email: str) -> None:
        """A company or a Drive of that id; harmless when it is there."""
        if account in self._known(kind):
            return
        if kind == "quickbooks":
            self._order("quickbooks/company", {"id": account, "name": name, "country": "DE", "currency": "EUR"})
        else:
            self._order("google_drive/accounts", {"id": account, "name": name, "email": email})

    def consent(self, url: str, account: str) -> dict[str, str]:
        """Allow what the page at ``url`` asks for; what the browser is sent back with."""
        asked = dict(parse_qsl(urlsplit(url).query))
        answer = self._http.post(url, data={**asked, "account": account, "decision": "allow"})
        if answer.status_code != 302:
            raise RuntimeError(f"the consent page answered {answer.status_code}")
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query))

    def revoke(self, kind: str, account: str) -> None:
        """Take every consent of an account back, as its owner does in the provider's own settings."""
        self._order("revoke", {"provider": kind, "account": account})

    def close_books(self, account: str, day: str) -> None:
        """Close a company's books up to a day: what is dated earlier is refused."""
        prefs = {"AccountingInfoPrefs": {"BookCloseDate": day}}
        self._order("quickbooks/preferences", {"realm": account, "set": prefs})

    def trash_folder(self, account: str, name: str) -> None:
        """Delete a folder in a Drive."""
        files: list[dict[str, Any]] = self._order("google_drive/files", {"account": account})
        for file in files:
            if file["folder"] and file["name"] == name:
                self._order("google_drive/change", {"account": account, "id": file["id"], "action": "trash"})

    def _known(self, kind: str) -> str:
        """The page on which its accounts are chosen names them all."""
        query = {"client_id": "kontor-demo", "response_type": "code", "redirect_uri": "http://127.0.0.1/"}
        scope = {"quickbooks": "com.intuit.quickbooks.accounting", "google_drive": "openid"}[kind]
        return self._http.get(f"/{kind}/oauth2/authorize", params={**query, "scope": scope}).text

    def _order(self, path: str, order: Mapping[str, object]) -> Any:
        answer = self._http.post(f"/_control/{path}", json=dict(order))
        answer.raise_for_status()
        return answer.json()
