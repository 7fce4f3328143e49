from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from integrations.contract import OutgoingDocument, Receipt
from integrations.quickbooks.connector import QuickBooks
from tests.integrations.quickbooks.bench import Deliver, QuickBooksBench, quickbooks


@pytest.fixture
def bench() -> Iterator[QuickBooksBench]:
    with quickbooks() as made:
        yield made


@pytest.fixture
def books(bench: QuickBooksBench) -> QuickBooks:
    return bench.connected()


@pytest.fixture
def deliver(bench: QuickBooksBench) -> Deliver:
    def delivered(
        connector: QuickBooks, document: OutgoingDocument, previous: Receipt | None = None
    ) -> tuple[Receipt, dict[str, Any]]:
        receipt = connector.deliver(document, connector.reserve(document), previous)
        return receipt, bench.entry(connector, receipt)

    return delivered
