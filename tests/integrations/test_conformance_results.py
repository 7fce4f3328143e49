"""The results that the store shows are those of the connectors that are here."""

from __future__ import annotations

import pytest

import integrations
from integrations.conformance import report


@pytest.mark.parametrize("kind", sorted(integrations.KINDS))
def test_every_connector_has_a_result_of_its_present_source(kind: str) -> None:
    result = report.read(kind)
    assert result is not None
    assert result.conforms
    assert result.is_current, f"{kind} changed since: run python -m integrations.conformance {kind} --write"
