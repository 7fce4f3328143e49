"""E4 at every storage: what people delete or change is found, restored or accepted."""

from __future__ import annotations

from typing import cast

import pytest

from integrations.conformance.bench import ExporterBench
from portal.access import Viewer
from portal.delivery import drifts
from portal.delivery.deliver import drain
from portal.delivery.models import Settlement
from portal.delivery.receipts import from_stored
from tests.flows.lookback import decide, delivered, found, look, proven, receipt, run, settled
from tests.flows.world import World

STORAGES = ("google_drive", "onedrive", "dropbox", "webdav", "s3")


@pytest.fixture
def bench(at: World) -> ExporterBench:
    return cast("ExporterBench", at.bench)


@pytest.mark.parametrize("kind", STORAGES)
def test_at_every_storage_a_deleted_file_comes_back(at: World, owner: Viewer, bench: ExporterBench) -> None:
    documents = delivered(at, 3)
    look(at)
    assert found(at) == []
    bench.remove(at.remote, from_stored(receipt(at, documents[1])))
    assert run(at, owner).delivered == 1
    assert settled(at) == [Settlement.COMES_BACK]
    at.holds(documents)
    assert proven(at)


@pytest.mark.parametrize("kind", STORAGES)
def test_at_every_storage_a_change_is_restored(at: World, owner: Viewer, bench: ExporterBench) -> None:
    documents = delivered(at, 2)
    bench.alter(at.remote, from_stored(receipt(at, documents[0])))
    look(at)
    assert settled(at) == [None]
    decide(at, owner, drifts.restore)
    drain(at.parts, at.instance.id)
    at.holds(documents)
    assert proven(at)


@pytest.mark.parametrize("kind", STORAGES)
def test_at_every_storage_a_change_is_accepted_and_taken_back(at: World, owner: Viewer, bench: ExporterBench) -> None:
    documents = delivered(at, 2)
    bench.alter(at.remote, from_stored(receipt(at, documents[0])))
    look(at)
    decide(at, owner, drifts.accept)
    assert proven(at)
    look(at)
    assert settled(at) == [Settlement.ACCEPTED]
    decide(at, owner, drifts.undo)
    assert proven(at, remote=False)
    assert not proven(at)
