"""The kit's Bench for OneDrive, and the person who works in that drive."""

from __future__ import annotations

from typing import Any

from integrations.conformance.bench import Arrival
from integrations.contract import Connector, Receipt
from integrations.onedrive.connector import OneDrive
from integrations.onedrive.settings import App, Config
from tests.integrations.bench import SandboxBench


class OneDriveBench(SandboxBench):
    """One simulated OneDrive."""

    app = App(client_id="kontor-demo", client_secret="kontor-demo-secret")

    def signed_in(self, account: str, **settings: Any) -> OneDrive:
        """A connector at an account; ``settings`` are those of the instance."""
        made = self.connect(OneDrive, account, Config(**settings))
        assert isinstance(made, OneDrive)
        self._accounts[id(made.wiring.tokens)] = account
        return made

    def account_of(self, connector: Connector) -> str:
        """Found without a call, so that counting calls and scripts stays true."""
        return self._accounts[id(connector.wiring.tokens)]

    @property
    def _accounts(self) -> dict[int, str]:
        found: dict[int, str] = self.__dict__.setdefault("accounts", {})
        return found

    def set(self, **values: Any) -> None:
        """Switches of the simulator."""
        self.control("settings", provider=self.kind, **values)

    def all(self, account: str) -> list[dict[str, Any]]:
        """Everything in a drive, the recycle bin too."""
        found: list[dict[str, Any]] = self.control(f"{self.kind}/files", account=account)
        return found

    def living(self, account: str) -> dict[str, str]:
        """Path -> id of what is not in the recycle bin."""
        return {one["path"]: one["id"] for one in self.all(account) if not one["trashed"]}

    def files(self, account: str) -> list[str]:
        """Paths of the files that are not in the recycle bin."""
        return sorted(one["path"] for one in self.all(account) if not one["trashed"] and not one["folder"])

    def do(self, account: str, action: str, item_id: str, **order: Any) -> None:
        """A person changes something."""
        self.control(f"{self.kind}/change", account=account, id=item_id, action=action, **order)

    def log(self) -> list[dict[str, Any]]:
        """API calls only: looking at a page or signing in is none."""
        return [call for call in super().log() if call["path"].startswith(("/v1.0", "/up/"))]

    def calls(self) -> int:
        """How many API calls arrived so far, answered or not."""
        return len(self.log())

    # --- what the kit asks for

    def arrived(self, connector: Connector) -> list[Arrival]:
        account = self.account_of(connector)
        return [
            Arrival(remote_id=one["id"], name=one["name"], files=(self.content(one["id"], account),))
            for one in self.all(account)
            if not one["trashed"] and not one["folder"]
        ]

    def content(self, item_id: str, account: str = "anna") -> bytes:
        """Downloaded as a person does."""
        response = self.http.get(f"{self.url}/{self.kind}/download/{account}/{item_id}")
        assert response.status_code == 200
        return response.content

    def remove(self, connector: Connector, receipt: Receipt) -> None:
        self.do(self.account_of(connector), "trash", receipt.remote_id)

    def alter(self, connector: Connector, receipt: Receipt) -> None:
        self.do(self.account_of(connector), "write", receipt.remote_id, text="changed by a person")

    def folders(self, connector: Connector) -> list[str]:
        return [one["path"] for one in self.all(self.account_of(connector)) if one["folder"] and not one["trashed"]]

    def fill(self, connector: Connector) -> None:
        account = self.account_of(connector)
        self.control(f"{self.kind}/limit", account=account, bytes=sum(one["size"] for one in self.all(account)))
