from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from integrations.sandbox.app import Sandbox
from integrations.sandbox.server import Server
from integrations.webdav.connector import WebDav
from tests.integrations.webdav.bench import DavBench


@pytest.fixture
def sandbox() -> Iterator[DavBench]:
    """A simulated Nextcloud over real HTTP, empty."""
    app = Sandbox(None, {"webdav": "integrations.sandbox.webdav:WebDav"})
    with Server(app) as server, httpx.Client(timeout=20) as http:
        yield DavBench(server.url, "webdav", http)
    app.close()


@pytest.fixture
def connector(sandbox: DavBench) -> WebDav:
    return sandbox.signed_in("anna")


@pytest.fixture
def other_account(sandbox: DavBench) -> WebDav:
    return sandbox.signed_in("jonas")
