"""Time has one source. Instants are aware UTC; a firm's zone turns them into dates for people."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

# Seconds since 1970. Only ``travel`` puts another source here, for the whole process and all its threads.
_source: Callable[[], float] = time.time


def now() -> datetime:
    """The instant, aware, in UTC."""
    return datetime.fromtimestamp(_source(), UTC)


def local_date(instant: datetime, zone: str) -> date:
    """The calendar date of an instant in an IANA zone ("Europe/Berlin")."""
    return instant.astimezone(ZoneInfo(zone)).date()


def token() -> str:
    """Who holds a lease: this process at this moment, readable in a log."""
    return f"{os.getpid()}-{time.monotonic_ns():x}"


class Traveller:
    """A clock that stands still until it is moved."""

    def __init__(self, start: datetime) -> None:
        self.moment = start.astimezone(UTC)

    def advance(self, by: timedelta) -> datetime:
        """Go on by a span; the new instant."""
        self.moment += by
        return self.moment

    def to(self, instant: datetime) -> datetime:
        """Go to an aware instant, in UTC from then on."""
        self.moment = instant.astimezone(UTC)
        return self.moment

    def timestamp(self) -> float:
        """Where it stands, in seconds since 1970."""
        return self.moment.timestamp()


@contextmanager
def travel(start: datetime | None = None) -> Iterator[Traveller]:
    """Stop this process's clock at ``start`` (aware; else the present); it is moved by hand until the block ends."""
    global _source  # noqa: PLW0603 - one source is the point
    before, traveller = _source, Traveller(start or now())
    _source = traveller.timestamp
    try:
        yield traveller
    finally:
        _source = before
