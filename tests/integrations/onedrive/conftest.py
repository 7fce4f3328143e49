from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from integrations.onedrive.connector import OneDrive
from integrations.sandbox.app import Sandbox
from integrations.sandbox.server import Server
from tests.integrations.onedrive.bench import OneDriveBench
from tests.integrations.sandbox.onedrive.replies import check


@pytest.fixture
def sandbox() -> Iterator[OneDriveBench]:
    """A OneDrive simulator over real HTTP, empty; every reply to a connector is as Microsoft publishes."""
    app = Sandbox(None, {"onedrive": "integrations.sandbox.onedrive:OneDrive"})
    with Server(app) as server, httpx.Client(timeout=20, event_hooks={"response": [check]}) as http:
        yield OneDriveBench(server.url, "onedrive", http)
    app.close()


@pytest.fixture
def connector(sandbox: OneDriveBench) -> OneDrive:
    """At a personal account."""
    return sandbox.signed_in("anna")


@pytest.fixture
def company(sandbox: OneDriveBench) -> OneDrive:
    """At a company account."""
    return sandbox.signed_in("jonas")
