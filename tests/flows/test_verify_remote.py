"""``verify --remote`` asks the provider: what is there holds, what somebody deleted or changed there is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest

from integrations.conformance.bench import ExporterBench
from integrations.contract import Exporter
from portal.config import Settings
from portal.delivery import check
from portal.delivery.deliver import drain
from portal.delivery.receipts import from_stored
from tests.flows.world import KINDS, World, world


@pytest.fixture(params=KINDS)
def at(request: pytest.FixtureRequest, settings: Settings, environ: dict[str, str]) -> Iterator[World]:
    with world(settings, environ, request.param) as made:
        made.add(3)
        drain(made.parts, made.instance.id)
        yield made


def told(at: World) -> list[str]:
    return [problem.text for problem in check.verify_remote(at.parts, at.client.firm_id)]


def test_what_is_there_as_delivered_holds(at: World) -> None:
    assert told(at) == []


def test_what_somebody_deleted_or_changed_is_told_with_its_document(at: World) -> None:
    bench, remote = cast("ExporterBench", at.bench), cast("Exporter", at.remote)
    with at.parts.db.read() as session:
        gone, changed, _ = check._page(session, at.instance.id, None)
    bench.remove(remote, from_stored(gone))
    bench.alter(remote, from_stored(changed))
    problems = {problem.document_id: problem.text for problem in check.verify_remote(at.parts, at.client.firm_id)}
    assert set(problems) == {gone.document_id, changed.document_id}
    assert len(set(problems.values())) == 2


def test_a_provider_that_does_not_answer_does_not_count_as_proof(at: World) -> None:
    at.bench.script(["down"] * 20)
    assert told(at) == [check.UNREACHABLE]
