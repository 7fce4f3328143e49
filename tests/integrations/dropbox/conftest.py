from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from integrations.dropbox.connector import DropboxExport
from integrations.sandbox.app import Sandbox
from integrations.sandbox.server import Server
from tests.integrations.dropbox.bench import DropboxBench


@pytest.fixture
def sandbox() -> Iterator[DropboxBench]:
    """A Dropbox simulator over real HTTP, empty."""
    app = Sandbox(None, {"dropbox": "integrations.sandbox.dropbox:Dropbox"})
    with Server(app) as server, httpx.Client(timeout=20) as http:
        yield DropboxBench(server.url, "dropbox", http)
    app.close()


@pytest.fixture
def connector(sandbox: DropboxBench) -> DropboxExport:
    return sandbox.signed_in("anna")


@pytest.fixture
def other_account(sandbox: DropboxBench) -> DropboxExport:
    return sandbox.signed_in("jonas")
