"""The checks as classes to inherit from. Importing this needs pytest."""

from __future__ import annotations

import pytest

# before they are imported: a bare AssertionError of a failed check would tell nothing
pytest.register_assert_rewrite(
    "integrations.conformance.checks.connectors",
    "integrations.conformance.checks.exporters",
    "integrations.conformance.checks.repeats",
    "integrations.conformance.checks.ledgers",
    "integrations.conformance.checks.importers",
)

from integrations.conformance.checks.connectors import ConnectorChecks  # noqa: E402
from integrations.conformance.checks.exporters import ExporterChecks  # noqa: E402
from integrations.conformance.checks.importers import ImporterChecks  # noqa: E402
from integrations.conformance.checks.ledgers import LedgerChecks  # noqa: E402

__all__ = ["ConnectorChecks", "ExporterChecks", "ImporterChecks", "LedgerChecks"]
