"""When to try again: a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from portal.delivery import retry

NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(("tries", "at_least"), [(1, 5), (2, 20), (3, 60), (4, 300), (7, 3600), (29, 3600)])
def test_it_waits_longer_each_time_and_spreads_by_a_fifth(tries: int, at_least: int) -> None:
    moments = [retry.next_try(tries, NOW, str(key)) for key in range(50)]
    waits = [(moment - NOW).total_seconds() for moment in moments if moment]
    assert len(waits) == 50
    assert at_least <= min(waits) < max(waits) <= at_least * 1.2


def test_the_same_question_has_the_same_answer() -> None:
    assert retry.next_try(3, NOW, "a") == retry.next_try(3, NOW, "a")


def test_it_gives_up_in_the_end() -> None:
    assert retry.next_try(retry.MOST, NOW, "a") is None


def test_a_provider_rests_only_after_several_in_a_row() -> None:
    assert retry.rest(retry.REST_AFTER - 1, NOW) is None
    rested = retry.rest(retry.REST_AFTER, NOW)
    assert rested is not None
    assert rested > NOW
    assert retry.rest(1000, NOW) == NOW + timedelta(seconds=retry.DELAYS[-1])
