from __future__ import annotations

import pytest

from integrations.conformance.checks import ExporterChecks
from integrations.google_drive.connector import GoogleDrive
from integrations.google_drive.upload import CHUNK
from tests.integrations.google_drive.bench import DriveBench


class TestConformance(ExporterChecks):
    chunk = CHUNK  # so that the documents that are broken off half way go by resumable upload

    @pytest.fixture
    def sandbox(self, sandbox: DriveBench) -> DriveBench:
        return sandbox

    @pytest.fixture
    def connector(self, sandbox: DriveBench) -> GoogleDrive:
        return sandbox.signed_in("anna")

    @pytest.fixture
    def other_account(self, sandbox: DriveBench) -> GoogleDrive:
        return sandbox.signed_in("jonas")
