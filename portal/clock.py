"""Time has one source. Instants are aware UTC; a firm's zone turns them into dates for people."""

from __future__ import annotations

import os
import time
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    """The instant, aware, in UTC."""
    return datetime.fromtimestamp(time.time(), UTC)


def local_date(instant: datetime, zone: str) -> date:
    """The calendar date of an instant in an IANA zone ("Europe/Berlin")."""
    return instant.astimezone(ZoneInfo(zone)).date()


def token() -> str:
    """Who holds a lease: this process at this moment, readable in a log."""
    return f"{os.getpid()}-{time.monotonic_ns():x}"
