from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

from portal import clock


def test_time_stands_still_while_travelling_and_goes_on_after() -> None:
    start = datetime(2030, 1, 1, tzinfo=UTC)
    with clock.travel(start) as traveller:
        assert clock.now() == start
        traveller.advance(timedelta(hours=3))
        assert clock.now() == datetime(2030, 1, 1, 3, tzinfo=UTC)
        assert traveller.to(start) == clock.now()
    assert clock.now() < start


def test_other_threads_travel_along() -> None:
    seen: list[datetime] = []
    with clock.travel(datetime(2030, 1, 1, tzinfo=UTC)):
        thread = threading.Thread(target=lambda: seen.append(clock.now()))
        thread.start()
        thread.join()
    assert seen == [datetime(2030, 1, 1, tzinfo=UTC)]


def test_the_date_of_an_instant_depends_on_the_zone() -> None:
    late = datetime(2026, 3, 4, 23, 30, tzinfo=UTC)
    assert clock.local_date(late, "Europe/Berlin") == date(2026, 3, 5)
    assert clock.local_date(late, "America/New_York") == date(2026, 3, 4)
