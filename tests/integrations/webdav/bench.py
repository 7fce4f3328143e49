"""The kit's Bench for WebDAV, and the person who works in that Nextcloud."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx

from integrations.addresses import Reach
from integrations.conformance.bench import Arrival
from integrations.contract import Connector, Receipt
from integrations.layout import Layout
from integrations.webdav.connector import WebDav
from integrations.webdav.login import DavLogin
from tests.integrations.bench import SandboxBench, entered

HERE = Reach(inner="127.0.0.1")


class DavBench(SandboxBench):
    """One simulated Nextcloud."""

    def signed_in(self, account: str, *, address: str = "", user: str = "", **settings: Any) -> WebDav:
        """A connector at an account; ``settings`` are those of the instance."""
        login = DavLogin(
            address=address or f"{self.url}/webdav", user=user or account, password=f"{account}-app-password"
        )
        made = self.enter(WebDav, login, Layout(**settings), HERE)
        assert isinstance(made, WebDav)
        return made

    @staticmethod
    def account_of(connector: Connector) -> str:
        assert isinstance(connector, WebDav)
        return connector.login.user

    def all(self, account: str) -> list[dict[str, Any]]:
        """Everything there."""
        found: list[dict[str, Any]] = self.control("webdav/files", account=account)
        return found

    def paths(self, account: str) -> list[str]:
        """Of the files."""
        return [one["path"] for one in self.all(account) if not one["folder"]]

    def do(self, account: str, action: str, path: str, **order: Any) -> None:
        """A person changes something."""
        self.control("webdav/change", account=account, path=path, action=action, **order)

    def log(self) -> list[dict[str, Any]]:
        """WebDAV calls only."""
        return [call for call in super().log() if call["path"].startswith("/remote.php/")]

    def content(self, account: str, path: str) -> bytes:
        """Downloaded as a person does."""
        url = f"{self.url}/webdav/index.php/apps/files/{account}?get={quote(path)}"
        return self.http.get(url).raise_for_status().content

    # --- what the kit asks for

    def revoke(self, connector: Connector) -> None:
        self.control("webdav/password", account=self.account_of(connector), password="another")

    def arrived(self, connector: Connector) -> list[Arrival]:
        account = self.account_of(connector)
        return [
            Arrival(remote_id=path, name=path.rpartition("/")[2], files=(self.content(account, path),))
            for path in self.paths(account)
        ]

    def remove(self, connector: Connector, receipt: Receipt) -> None:
        self.do(self.account_of(connector), "delete", receipt.remote_id)

    def alter(self, connector: Connector, receipt: Receipt) -> None:
        self.do(self.account_of(connector), "write", receipt.remote_id, text="changed by a person")

    def folders(self, connector: Connector) -> list[str]:
        return [one["path"] for one in self.all(self.account_of(connector)) if one["folder"]]

    def fill(self, connector: Connector) -> None:
        account = self.account_of(connector)
        self.control("webdav/limit", account=account, bytes=sum(one["size"] for one in self.all(account)))


def at(address: str, http: httpx.Client, app: Reach = HERE) -> WebDav:
    login = DavLogin(address=address, user="anna", password="secret of anna")
    made = entered(WebDav, login, Layout(), app, http)
    assert isinstance(made, WebDav)
    return made
