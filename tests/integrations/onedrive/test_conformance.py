from __future__ import annotations

import pytest

from integrations.conformance.checks import ExporterChecks
from integrations.onedrive.connector import OneDrive
from integrations.onedrive.upload import CHUNK
from tests.integrations.onedrive.bench import OneDriveBench


class TestPersonal(ExporterChecks):
    chunk = CHUNK  # so that the documents that are broken off half way go by an upload session
    account, other = "anna", "praxis"

    @pytest.fixture
    def sandbox(self, sandbox: OneDriveBench) -> OneDriveBench:
        return sandbox

    @pytest.fixture
    def connector(self, sandbox: OneDriveBench) -> OneDrive:
        return sandbox.signed_in(self.account)

    @pytest.fixture
    def other_account(self, sandbox: OneDriveBench) -> OneDrive:
        return sandbox.signed_in(self.other)


class TestCompany(TestPersonal):
    account, other = "jonas", "kanzlei"
