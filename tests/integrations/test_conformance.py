"""The kit passes on a connector that is right, and fails on each that is wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from integrations.conformance.checks import ExporterChecks, ImporterChecks
from integrations.conformance.report import Result, _Collected
from integrations.errors import Rejected
from integrations.sandbox.app import Sandbox
from integrations.sandbox.server import Server
from tests.integrations import broken
from tests.integrations.shelf.connector import Config, Shelf, ShelfImporter, ShelfLogin
from tests.integrations.shelf.simulator import ShelfBench


@pytest.fixture
def bench() -> Iterator[ShelfBench]:
    sandbox = Sandbox(None, {"shelf": "tests.integrations.shelf.simulator:ShelfSimulator"})
    with Server(sandbox) as server, httpx.Client(timeout=10) as http:
        yield ShelfBench(server.url, "shelf", http)
    sandbox.close()


def connected(bench: ShelfBench, made: type[ShelfLogin], account: str) -> Any:
    return bench.connect(made, account, Config(), lambda _answer: {"account": account})


class TestShelf(ExporterChecks):
    @pytest.fixture
    def sandbox(self, bench: ShelfBench) -> ShelfBench:
        return bench

    @pytest.fixture
    def connector(self, bench: ShelfBench) -> Any:
        return connected(bench, Shelf, "anna")

    @pytest.fixture
    def other_account(self, bench: ShelfBench) -> Any:
        return connected(bench, Shelf, "bert")


class TestShelfImporter(ImporterChecks):
    @pytest.fixture
    def sandbox(self, bench: ShelfBench) -> ShelfBench:
        return bench

    @pytest.fixture
    def connector(self, bench: ShelfBench) -> Any:
        return connected(bench, ShelfImporter, "anna")

    @pytest.fixture
    def other_account(self, bench: ShelfBench) -> Any:
        return connected(bench, ShelfImporter, "bert")


class Against(ExporterChecks, ImporterChecks):
    """The same checks, called by hand on a broken connector."""


CAUGHT = [
    (broken.MakesTwoOnRepeat, "test_the_same_delivery_twice_makes_one"),
    (broken.MakesTwoOnRepeat, "test_an_answer_lost_after_the_commit_makes_one"),
    (broken.LosesBytes, "test_bytes_arrive_whole"),
    (broken.OverwritesByName, "test_two_documents_of_one_name_are_both_kept"),
    (broken.RefusesWhenThrottled, "test_throttling_tells_how_long_to_wait"),
    (broken.RefusesWhenThrottled, "test_a_throttled_delivery_waits_and_arrives_once"),
    (broken.NeverRefreshes, "test_an_expired_token_is_refreshed_once_and_handed_back"),
    (broken.KeepsTheTokenToItself, "test_an_expired_token_is_refreshed_once_and_handed_back"),
    (broken.ForgetsWhatWasThere, "test_an_update_keeps_the_id"),
    (broken.PlansByDoing, "test_a_plan_tells_and_touches_nothing"),
    (broken.TakesDeletedForFine, "test_inspecting_tells_what_was_changed_and_what_is_gone"),
    (broken.IgnoresADeadLogin, "test_a_revoked_login_asks_to_sign_in_again"),
    (broken.IgnoresADeadLogin, "test_a_delivery_with_a_dead_login_asks_to_sign_in_again"),
    (broken.ReadsOnePage, "test_every_file_comes_once_page_by_page"),
    (broken.BeginsAnewInSilence, "test_a_cursor_that_is_no_longer_known_is_told"),
    (broken.TakesNamesForContent, "test_renamed_revised_and_deleted_are_told_apart"),
]


@pytest.mark.parametrize(("made", "check"), CAUGHT)
def test_a_broken_connector_is_caught(bench: ShelfBench, made: type[ShelfLogin], check: str) -> None:
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - an assertion, or the wrong error that came out
        getattr(Against(), check)(bench, connected(bench, made, "anna"))
    assert not isinstance(caught.value, (TypeError, AttributeError, KeyError)), caught.value


def test_a_connector_that_gives_up_on_trouble_is_caught(bench: ShelfBench) -> None:
    with pytest.raises(Rejected):
        Against().test_passing_trouble_is_transient(bench, connected(bench, broken.GivesUpOnTrouble, "anna"), "down")


def test_a_connector_that_tells_a_token_is_caught(bench: ShelfBench, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(AssertionError):
        Against().test_no_token_is_ever_told(bench, connected(bench, broken.TellsTheToken, "anna"), caplog)


def test_a_connector_that_mixes_accounts_is_caught(bench: ShelfBench) -> None:
    both = [connected(bench, broken.RemembersForEverybody, account) for account in ("anna", "bert")]
    with pytest.raises(AssertionError):
        Against().test_what_one_account_gets_no_other_sees(bench, *both)


def test_a_result_counts_the_worst_outcome_of_each_check() -> None:
    def phase(name: str, outcome: str, when: str = "call") -> Any:
        return pytest.TestReport(name, ("file", 1, f"TestX.test_{name}"), {}, outcome, None, when)  # type: ignore[arg-type]

    collected = _Collected()
    for report in (
        phase("one_thing", "passed"),
        phase("other", "passed"),
        phase("other", "failed", "teardown"),
        phase("third", "skipped", "setup"),
    ):
        collected.pytest_runtest_logreport(report)
    assert dict(collected) == {"one thing": "passed", "other": "failed", "third": "not declared"}


def test_a_result_without_a_passed_check_does_not_conform() -> None:
    result = Result.model_validate(
        {"kind": "quickbooks", "tried_at": "2026-01-01T00:00:00Z", "source": "x", "checks": {"a": "not declared"}}
    )
    assert not result.conforms
    assert not result.is_current


def test_production_never_imports_the_kit() -> None:
    modules = "integrations, integrations.quickbooks.connector, integrations.conformance.report, sys"
    script = f"import {modules}; print('pytest' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert loaded.stdout.strip() == b"False"
