from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from portal.instances.memory import memory
from tests.portal.instances.conftest import Desk


def test_what_is_put_is_remembered_replaced_and_forgotten(desk: Desk) -> None:
    kept = memory(desk.parts, desk.begin().id)
    assert kept.get("folder") is None
    kept.put("folder", "1")
    kept.put("folder", "2")
    assert kept.get("folder") == "2"
    kept.forget("folder")
    kept.forget("folder")
    assert kept.get("folder") is None


def test_the_first_claim_counts_for_everybody(desk: Desk) -> None:
    kept = memory(desk.parts, desk.begin().id)
    assert kept.claim("folder", "first") == "first"
    assert kept.claim("folder", "second") == "first"


def test_claims_at_the_same_moment_agree(desk: Desk) -> None:
    kept = memory(desk.parts, desk.begin().id)
    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(lambda number: kept.claim("folder", str(number)), range(16)))
    assert len(answers) == 1
    assert answers == {kept.get("folder")}


def test_instances_do_not_share_a_memory(desk: Desk) -> None:
    memory(desk.parts, desk.begin().id).put("folder", "mine")
    assert memory(desk.parts, desk.begin().id).get("folder") is None
