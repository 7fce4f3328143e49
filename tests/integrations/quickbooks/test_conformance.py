from __future__ import annotations

from collections.abc import Iterator

import pytest

from integrations.conformance.checks import LedgerChecks
from integrations.conformance.checks.repeats import RepeatChecks
from integrations.quickbooks.connector import QuickBooks
from tests.integrations.quickbooks.bench import QuickBooksBench, quickbooks


class TestConformance(LedgerChecks):
    least_wait = 60.0  # Intuit documents no Retry-After, so a minute may be what is told

    @pytest.fixture
    def sandbox(self) -> Iterator[QuickBooksBench]:
        with quickbooks() as bench:
            yield bench

    @pytest.fixture
    def connector(self, sandbox: QuickBooksBench) -> QuickBooks:
        return sandbox.connected()

    @pytest.fixture
    def other_account(self, sandbox: QuickBooksBench) -> QuickBooks:
        return sandbox.connected({"name": "Andere Firma AG"})


class TestWithoutHelpFromRequestIds(RepeatChecks):
    """Repeats when QuickBooks forgets request ids: how long it keeps them is published nowhere."""

    least_wait = 60.0
    invoice = LedgerChecks.invoice
    test_a_sending_whose_answer_is_lost_sends_once = LedgerChecks.test_a_sending_whose_answer_is_lost_sends_once

    @pytest.fixture
    def sandbox(self) -> Iterator[QuickBooksBench]:
        with quickbooks() as bench:
            bench.control("settings", provider="quickbooks", requestid_honoured=False)
            yield bench

    @pytest.fixture
    def connector(self, sandbox: QuickBooksBench) -> QuickBooks:
        return sandbox.connected()

    @pytest.fixture
    def other_account(self, sandbox: QuickBooksBench) -> QuickBooks:
        return sandbox.connected({"name": "Andere Firma AG"})
