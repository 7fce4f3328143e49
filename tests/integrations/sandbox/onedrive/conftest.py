from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from integrations.sandbox.app import Sandbox
from integrations.sandbox.server import Server
from tests.integrations.onedrive.bench import OneDriveBench
from tests.integrations.sandbox.onedrive.bare import App
from tests.integrations.sandbox.onedrive.replies import check

SIMULATOR = {"onedrive": "integrations.sandbox.onedrive:OneDrive"}
HOSTS = {"graph.microsoft.com": "/onedrive", "login.microsoftonline.com": "/onedrive"}


@pytest.fixture
def bench() -> Iterator[OneDriveBench]:
    app = Sandbox(None, SIMULATOR)
    with Server(app) as server, httpx.Client(timeout=20, event_hooks={"response": [check]}) as http:
        yield OneDriveBench(server.url, "onedrive", http)
    app.close()


@pytest.fixture
def app(bench: OneDriveBench) -> App:
    """At a personal account."""
    return App(bench, "anna")


@pytest.fixture
def company(bench: OneDriveBench) -> App:
    """At a company account."""
    return App(bench, "jonas")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"
