"""The whole conformance kit against a server that is not ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from integrations.conformance.bench import Arrival
from integrations.conformance.checks import ExporterChecks
from integrations.contract import Connector, Receipt
from integrations.http import PIECE
from integrations.layout import Layout
from integrations.sandbox.app import Sandbox
from integrations.sandbox.server import Server
from integrations.webdav.connector import WebDav
from integrations.webdav.login import DavLogin
from tests.integrations.bench import SandboxBench
from tests.integrations.webdav.bench import HERE
from tests.integrations.webdav.servers import USERS, Wsgidav


class DiskBench(SandboxBench):
    """wsgidav, whose files are on the disk."""

    root: Path

    def signed_in(self, account: str) -> WebDav:
        login = DavLogin(address=f"{self.url}/webdav/{account}", user=account, password=USERS[account])
        made = self.enter(WebDav, login, Layout(), HERE)
        assert isinstance(made, WebDav)
        return made

    def top(self, connector: Connector) -> Path:
        assert isinstance(connector, WebDav)
        return self.root / connector.login.user

    def revoke(self, connector: Connector) -> None:
        assert isinstance(connector, WebDav)
        self.control("webdav/password", account=connector.login.user, password="another")

    def arrived(self, connector: Connector) -> list[Arrival]:
        top = self.top(connector)
        return [
            Arrival(remote_id=str(file.relative_to(top)), name=file.name, files=(file.read_bytes(),))
            for file in sorted(top.rglob("*"))
            if file.is_file()
        ]

    def remove(self, connector: Connector, receipt: Receipt) -> None:
        (self.top(connector) / receipt.remote_id).unlink()

    def alter(self, connector: Connector, receipt: Receipt) -> None:
        (self.top(connector) / receipt.remote_id).write_text("changed by a person")

    def folders(self, connector: Connector) -> list[str]:
        return [str(one) for one in self.top(connector).rglob("*") if one.is_dir()]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[DiskBench]:
    Wsgidav.root, Wsgidav.passwords = tmp_path, dict(USERS)
    app = Sandbox(None, {"webdav": "tests.integrations.webdav.servers:Wsgidav"})
    with Server(app) as server, httpx.Client(timeout=20) as http:
        bench = DiskBench(server.url, "webdav", http)
        bench.root = tmp_path
        yield bench
    app.close()


class TestConformanceAtWsgidav(ExporterChecks):
    chunk = PIECE

    @pytest.fixture
    def sandbox(self, sandbox: DiskBench) -> DiskBench:
        return sandbox

    @pytest.fixture
    def connector(self, sandbox: DiskBench) -> WebDav:
        return sandbox.signed_in("anna")

    @pytest.fixture
    def other_account(self, sandbox: DiskBench) -> WebDav:
        return sandbox.signed_in("jonas")

    def test_only_declared_abilities_are_there(self, connector: Connector) -> None:
        pytest.skip("wsgidav tells no quota")

    def test_a_full_account_says_so(self) -> None:  # type: ignore[override]
        pytest.skip("wsgidav has no quota")
