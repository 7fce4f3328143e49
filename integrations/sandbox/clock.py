"""The sandbox's own time: real time plus what it was advanced by, so that tokens expire without waiting."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from integrations.sandbox.state import Store

_KEY = "advanced"


class Clock:
    """Aware UTC instants; the advance is kept in the state and so survives a restart."""

    def __init__(self, store: Store) -> None:
        self._bucket = store.bucket("clock")

    def now(self) -> datetime:
        """The sandbox's present."""
        return datetime.fromtimestamp(self.timestamp(), UTC)

    def timestamp(self) -> float:
        """The sandbox's present in seconds since 1970."""
        return time.time() + self.advanced

    @property
    def advanced(self) -> float:
        """Seconds by which the sandbox is ahead of real time."""
        value = self._bucket.peek(_KEY)
        return float(value) if value is not None else 0.0

    def advance(self, seconds: float) -> datetime:
        """Go forward; ValueError for a step back, which no provider's clock makes."""
        if seconds < 0:
            raise ValueError("the clock only goes forward")
        self._bucket.put(_KEY, self.advanced + seconds)
        return self.now()

    def after(self, seconds: float) -> float:
        """The timestamp that many seconds from now."""
        return self.timestamp() + seconds

    def reset(self) -> None:
        """Back to real time."""
        self._bucket.delete(_KEY)


def iso(moment: datetime, offset: timedelta = timedelta(0)) -> str:
    """An instant as RFC 3339 in whole milliseconds with ``Z``, or with the given offset of a zone in whole seconds."""
    if not offset:
        return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    sign, minutes = ("-", -offset) if offset < timedelta(0) else ("+", offset)
    hours, rest = divmod(int(minutes.total_seconds()) // 60, 60)
    return f"{(moment.astimezone(UTC) + offset):%Y-%m-%dT%H:%M:%S}{sign}{hours:02}:{rest:02}"
