"""What is due when, in a firm's zone. Pure: the time comes in, the next time comes out."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

NIGHTLY = time(23, 30)
EVERY = timedelta(hours=3)


def next_nightly(after: datetime, zone: str, at: time = NIGHTLY) -> datetime:
    """The first instant after ``after`` at which clocks in ``zone`` show ``at``; UTC.

    A time that a spring change skips is taken at the same distance from the hour before it; one that an autumn change
    repeats is taken the first time only (PEP 495, ``fold=0``), so a night never has two runs and never none.
    """
    local = after.astimezone(ZoneInfo(zone))
    day = local.date()
    while True:
        candidate = datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)
        if candidate > after:
            return candidate
        day += timedelta(days=1)


def next_every(after: datetime, every: timedelta = EVERY) -> datetime:
    """The first multiple of ``every`` since the epoch after ``after``; UTC."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + ((after - epoch) // every + 1) * every
