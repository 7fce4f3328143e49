from __future__ import annotations

import pytest

from integrations.conformance.checks import ExporterChecks
from integrations.http import PIECE
from integrations.webdav.connector import WebDav
from tests.integrations.webdav.bench import DavBench


class TestConformance(ExporterChecks):
    chunk = PIECE

    @pytest.fixture
    def sandbox(self, sandbox: DavBench) -> DavBench:
        return sandbox

    @pytest.fixture
    def connector(self, sandbox: DavBench) -> WebDav:
        return sandbox.signed_in("anna")

    @pytest.fixture
    def other_account(self, sandbox: DavBench) -> WebDav:
        return sandbox.signed_in("jonas")
