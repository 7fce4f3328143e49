"""23:30 in the firm's zone, every night once: over both changes of the clocks, leap days, nights without 23:30."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from portal.schedule import NIGHTLY, next_every, next_nightly

BERLIN = "Europe/Berlin"


def nights(first: datetime, zone: str, count: int) -> list[datetime]:
    """The runs after an instant, each asked for at the moment of the one before."""
    found = [next_nightly(first, zone)]
    while len(found) < count:
        found.append(next_nightly(found[-1], zone))
    return found


@pytest.mark.parametrize(
    ("after", "due"),
    [
        # an hour ahead of UTC in winter, two in summer
        ("2026-03-04 09:00", "2026-03-04 22:30"),
        ("2026-07-04 09:00", "2026-07-04 21:30"),
        # the exact moment is over: the next one is meant
        ("2026-03-04 22:30", "2026-03-05 22:30"),
        # after local midnight, before UTC midnight: already the next day there
        ("2026-03-04 23:15", "2026-03-05 22:30"),
        # the last Sunday of March and of October
        ("2026-03-28 23:00", "2026-03-29 21:30"),
        ("2026-10-24 22:00", "2026-10-25 22:30"),
        # leap day
        ("2028-02-28 23:00", "2028-02-29 22:30"),
        ("2028-02-29 22:30", "2028-03-01 22:30"),
        # the end of the year
        ("2026-12-31 22:31", "2027-01-01 22:30"),
    ],
)
def test_the_next_night_in_berlin(after: str, due: str) -> None:
    begin, expected = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (after, due))
    assert next_nightly(begin, BERLIN) == expected


@pytest.mark.parametrize("year", [2026, 2027, 2028])
@pytest.mark.parametrize("zone", [BERLIN, "Europe/London", "America/New_York", "Australia/Lord_Howe", "UTC"])
def test_a_whole_year_has_one_run_for_each_day_at_half_past_eleven(year: int, zone: str) -> None:
    there = ZoneInfo(zone)
    days = (datetime(year + 1, 1, 1, tzinfo=UTC) - datetime(year, 1, 1, tzinfo=UTC)).days
    found = nights(datetime(year, 1, 1, tzinfo=there).astimezone(UTC), zone, days)
    assert {run.astimezone(there).time() for run in found} == {NIGHTLY}
    assert len({run.astimezone(there).date() for run in found}) == days
    assert {run.astimezone(there).year for run in found} == {year}


@pytest.mark.parametrize(
    ("zone", "around"),
    [
        ("America/Scoresbysund", datetime(2025, 3, 29, tzinfo=UTC)),  # 23:00 to 24:00 is skipped
        ("America/Sao_Paulo", datetime(2018, 2, 17, tzinfo=UTC)),  # 23:00 to 24:00 comes twice
    ],
)
def test_a_night_whose_half_past_eleven_is_skipped_or_comes_twice_has_one_run(zone: str, around: datetime) -> None:
    found = nights(around - timedelta(days=3), zone, 6)
    assert all(timedelta(hours=22) < later - earlier < timedelta(hours=26) for earlier, later in pairwise(found))
    assert len(found) == len(set(found)) == 6


def test_every_three_hours_means_the_same_hours_everywhere() -> None:
    at = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
    assert next_every(at) == at + timedelta(hours=3)
    assert next_every(at - timedelta(seconds=1)) == at
