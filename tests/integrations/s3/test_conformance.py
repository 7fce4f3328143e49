from __future__ import annotations

import pytest

from integrations.conformance.checks import ExporterChecks
from integrations.s3.connector import S3Bucket
from integrations.s3.failures import DEFAULT_WAIT
from integrations.s3.multipart import PART
from tests.integrations.s3.bench import JONAS, S3Bench


class TestConformance(ExporterChecks):
    chunk = PART  # so that the documents that are broken off half way go in parts
    large = 3 * PART + 17
    least_wait = DEFAULT_WAIT  # S3 names no wait

    @pytest.fixture
    def sandbox(self, sandbox: S3Bench) -> S3Bench:
        return sandbox

    @pytest.fixture
    def connector(self, sandbox: S3Bench) -> S3Bucket:
        return sandbox.signed_in()

    @pytest.fixture
    def other_account(self, sandbox: S3Bench) -> S3Bucket:
        return sandbox.signed_in(JONAS)
