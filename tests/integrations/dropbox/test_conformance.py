from __future__ import annotations

import pytest

from integrations.conformance.checks import ExporterChecks
from integrations.dropbox.connector import DropboxExport
from integrations.dropbox.upload import CHUNK
from tests.integrations.dropbox.bench import DropboxBench


class TestConformance(ExporterChecks):
    chunk = CHUNK  # so that the documents that are broken off half way go by upload session
    large = CHUNK + 3_000_000

    @pytest.fixture
    def sandbox(self, sandbox: DropboxBench) -> DropboxBench:
        return sandbox

    @pytest.fixture
    def connector(self, sandbox: DropboxBench) -> DropboxExport:
        return sandbox.signed_in("anna")

    @pytest.fixture
    def other_account(self, sandbox: DropboxBench) -> DropboxExport:
        return sandbox.signed_in("jonas")
