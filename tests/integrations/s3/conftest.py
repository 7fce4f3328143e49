from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from integrations.s3.connector import S3Bucket
from integrations.sandbox.app import Sandbox
from integrations.sandbox.server import Server
from tests.integrations.s3.bench import S3Bench


@pytest.fixture
def sandbox() -> Iterator[S3Bench]:
    """A simulated S3 over real HTTP, empty."""
    app = Sandbox(None, {"s3": "integrations.sandbox.s3:S3"})
    with Server(app) as server, httpx.Client(timeout=20) as http:
        yield S3Bench(server.url, "s3", http)
    app.close()


@pytest.fixture
def connector(sandbox: S3Bench) -> S3Bucket:
    return sandbox.signed_in()
