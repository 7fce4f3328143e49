"""Minutes of work while workers are killed at random and the provider misbehaves; the same end state as without.

``make soak`` runs it; KONTOR_SOAK_SECONDS and KONTOR_SOAK_SEED choose how long and which chances.
"""

from __future__ import annotations

import os
import random
import sys
import time

import pytest

from portal.config import Settings
from portal.delivery.sweep import sweep
from portal.documents.models import Document
from tests.flows.world import STORAGES, World, world

SECONDS = float(os.environ.get("KONTOR_SOAK_SECONDS") or 300)
SEED = int(os.environ.get("KONTOR_SOAK_SEED") or time.time())
FAULTS = {"commit-then-drop": 0.02, "throttle:1": 0.02, "down": 0.02, "reset": 0.02, "expired": 0.01}
WORKERS = 2
KINDS = ("quickbooks", *STORAGES)


@pytest.mark.soak
@pytest.mark.timeout(SECONDS * 2 + 300)
@pytest.mark.parametrize("kind", KINDS)
def test_killed_workers_and_faults_change_nothing_in_the_end(
    settings: Settings, environ: dict[str, str], kind: str
) -> None:
    print(f"seed {SEED} for {kind}", file=sys.stderr)  # noqa: T201 - so that the run can be repeated
    chance = random.Random(f"{SEED}-{kind}")
    with world(settings, environ, kind) as at:
        at.bench.control("faults", provider=kind, random=FAULTS, seed=SEED)
        documents, killed = _trouble(at, chance, SECONDS / len(KINDS))
        at.bench.clear()
        for worker in list(at.workers):
            at.kill(worker)
        at.recover()
        assert killed > 0
        at.holds(documents)
        print(f"{len(documents)} documents, {killed} workers killed, each arrived once", file=sys.stderr)  # noqa: T201


def _trouble(at: World, chance: random.Random, seconds: float) -> tuple[list[Document], int]:
    documents: list[Document] = []
    end, killed = time.monotonic() + seconds, 0
    while time.monotonic() < end or not killed:
        while len(at.workers) < WORKERS:
            at.start_worker()
        documents += at.add(chance.randint(0, 5), party_name=f"Lieferant {chance.randint(1, 20)}")
        time.sleep(chance.uniform(0.5, 4))
        sweep(at.parts.db)
        if chance.random() < 0.5:
            at.kill(chance.choice(at.workers))
            killed += 1
    return documents, killed
