"""The kit's Bench for Dropbox, and the person who works in that Dropbox."""

from __future__ import annotations

from typing import Any

from integrations.conformance.bench import Arrival
from integrations.contract import Connector, Receipt
from integrations.dropbox.connector import DropboxExport
from integrations.dropbox.settings import Config
from tests.integrations.bench import SandboxBench

APP_FOLDER = "Apps/Kontor"


class DropboxBench(SandboxBench):
    """One simulated Dropbox. Paths are told as the app sees them; what lies outside its folder starts with «../»."""

    app_folder = APP_FOLDER

    def signed_in(self, account: str, **settings: Any) -> DropboxExport:
        """A connector at an account; ``settings`` are those of the instance."""
        made = self.connect(DropboxExport, account, Config(**settings))
        assert isinstance(made, DropboxExport)
        return made

    def full_access(self) -> None:
        """From now on the app sees the whole Dropbox."""
        self.control("settings", provider=self.kind, app_folder=False)
        self.app_folder = ""

    def account_of(self, connector: Connector) -> str:
        """Found without a call, so that counting calls and scripts stays true."""
        return str(self._accounts[connector.wiring.tokens.current().refresh or ""])

    def connect(self, made: Any, account: str, config: Any, extras: Any = lambda _answer: {}) -> Any:
        connector = super().connect(made, account, config, extras)
        self._accounts[connector.wiring.tokens.current().refresh] = account
        return connector

    @property
    def _accounts(self) -> dict[str, str]:
        found: dict[str, str] = self.__dict__.setdefault("accounts", {})
        return found

    def all(self, account: str) -> list[dict[str, Any]]:
        """Everything in a Dropbox, deleted files too, but for the app's folder itself."""
        found: list[dict[str, Any]] = self.control(f"{self.kind}/files", account=account)
        return [{**one, "path": self._seen(one["path"])} for one in found if one["path"] not in {"Apps", APP_FOLDER}]

    def _seen(self, path: str) -> str:
        if not self.app_folder:
            return path
        inside = path.startswith(f"{self.app_folder}/")
        return path.removeprefix(f"{self.app_folder}/") if inside else f"../{path}"

    def living(self, account: str) -> dict[str, str]:
        """Path -> id of what is there."""
        return {one["path"]: one["id"] for one in self.all(account) if not one["deleted"]}

    def files(self, account: str) -> list[str]:
        """Paths of the files that are there."""
        return sorted(one["path"] for one in self.all(account) if not one["deleted"] and not one["folder"])

    def do(self, account: str, action: str, entry_id: str, **order: Any) -> None:
        """A person changes something."""
        self.control(f"{self.kind}/change", account=account, id=entry_id, action=action, **order)

    def put(self, account: str, path: str, text: str) -> str:
        """A person puts a file where the app sees it; its id."""
        whole = f"/{self.app_folder}/{path}" if self.app_folder else f"/{path}"
        return str(self.control(f"{self.kind}/put", account=account, path=whole, text=text)["id"])

    def log(self) -> list[dict[str, Any]]:
        """API calls only: looking at a page is none."""
        return [call for call in super().log() if call["path"].startswith(("/api/2/", "/content/2/"))]

    def calls(self) -> int:
        """How many API calls arrived so far, answered or not."""
        return len(self.log())

    # --- what the kit asks for

    def arrived(self, connector: Connector) -> list[Arrival]:
        account = self.account_of(connector)
        return [
            Arrival(remote_id=one["id"], name=one["name"], files=(self.content(one["id"], account),))
            for one in self.all(account)
            if not one["deleted"] and not one["folder"]
        ]

    def content(self, entry_id: str, account: str = "anna") -> bytes:
        """Downloaded as a person does."""
        response = self.http.get(f"{self.url}/{self.kind}/file/{account}/{entry_id}")
        assert response.status_code == 200
        return response.content

    def remove(self, connector: Connector, receipt: Receipt) -> None:
        self.do(self.account_of(connector), "trash", receipt.remote_id)

    def alter(self, connector: Connector, receipt: Receipt) -> None:
        self.do(self.account_of(connector), "write", receipt.remote_id, text="changed by a person")

    def folders(self, connector: Connector) -> list[str]:
        return [one["path"] for one in self.all(self.account_of(connector)) if one["folder"] and not one["deleted"]]

    def fill(self, connector: Connector) -> None:
        account = self.account_of(connector)
        used = sum(one["size"] for one in self.all(account) if not one["deleted"])
        self.control(f"{self.kind}/limit", account=account, bytes=used)
