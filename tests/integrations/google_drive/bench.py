"""The kit's Bench for Google Drive, and the person who works in that Drive."""

from __future__ import annotations

from typing import Any

from integrations.conformance.bench import Arrival
from integrations.contract import Connector, Receipt
from integrations.google_drive.connector import Config, GoogleDrive
from tests.integrations.bench import SandboxBench


class DriveBench(SandboxBench):
    """One simulated Google Drive."""

    def signed_in(self, account: str, **settings: Any) -> GoogleDrive:
        """A connector at an account; ``settings`` are those of the instance."""
        made = self.connect(GoogleDrive, account, Config(**settings))
        assert isinstance(made, GoogleDrive)
        return made

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
        """Everything in a Drive, the bin too."""
        found: list[dict[str, Any]] = self.control(f"{self.kind}/files", account=account)
        return found

    def living(self, account: str) -> dict[str, str]:
        """Path -> id of what is not in the bin."""
        return {one["path"]: one["id"] for one in self.all(account) if not one["trashed"]}

    def files(self, account: str) -> list[str]:
        """Paths of the files that are not in the bin."""
        return sorted(one["path"] for one in self.all(account) if not one["trashed"] and not one["folder"])

    def do(self, account: str, action: str, file_id: str, **order: Any) -> None:
        """A person changes something."""
        self.control(f"{self.kind}/change", account=account, id=file_id, action=action, **order)

    def log(self) -> list[dict[str, Any]]:
        """API calls only: looking at a page is none."""
        return [call for call in super().log() if call["path"].startswith(("/drive/v3", "/upload/"))]

    def calls(self) -> int:
        """How many API calls arrived so far, answered or not."""
        return len(self.log())

    # --- what the kit asks for

    def arrived(self, connector: Connector) -> list[Arrival]:
        return [
            Arrival(remote_id=one["id"], name=one["name"], files=(self.content(one["id"]),))
            for one in self.all(self.account_of(connector))
            if not one["trashed"] and not one["folder"]
        ]

    def content(self, file_id: str) -> bytes:
        """Downloaded as a person does."""
        response = self.http.get(f"{self.url}/{self.kind}/uc", params={"id": file_id})
        assert response.status_code == 200
        return response.content

    def remove(self, connector: Connector, receipt: Receipt) -> None:
        self.do(self.account_of(connector), "trash", receipt.remote_id)

    def alter(self, connector: Connector, receipt: Receipt) -> None:
        self.do(self.account_of(connector), "write", receipt.remote_id, text="changed by a person")

    def folders(self, connector: Connector) -> list[str]:
        return [one["path"] for one in self.all(self.account_of(connector)) if one["folder"] and not one["trashed"]]

    def fill(self, connector: Connector) -> None:
        used = sum(one["size"] for one in self.all(self.account_of(connector)))
        self.control(f"{self.kind}/limit", account=self.account_of(connector), bytes=used)
