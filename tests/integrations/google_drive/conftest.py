from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from integrations.google_drive.connector import GoogleDrive
from integrations.sandbox.app import Sandbox
from integrations.sandbox.server import Server
from tests.integrations.google_drive.bench import DriveBench


@pytest.fixture
def sandbox() -> Iterator[DriveBench]:
    """A Drive simulator over real HTTP, empty."""
    app = Sandbox(None, {"google_drive": "integrations.sandbox.google_drive:GoogleDrive"})
    with Server(app) as server, httpx.Client(timeout=20) as http:
        yield DriveBench(server.url, "google_drive", http)
    app.close()


@pytest.fixture
def connector(sandbox: DriveBench) -> GoogleDrive:
    return sandbox.signed_in("anna")


@pytest.fixture
def other_account(sandbox: DriveBench) -> GoogleDrive:
    return sandbox.signed_in("jonas")
