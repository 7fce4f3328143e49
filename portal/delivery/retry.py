"""When to try again. Pure: the number of tries so far and the time go in, the next time or «give up» comes out."""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta

# Seconds after the first, second, … try; the last value repeats.
DELAYS = (5, 20, 60, 300, 900, 1800, 3600)
# About a day of tries; then a person looks at it.
MOST = 30
# Our own faults are not mended by waiting: a few tries in case the cause was passing.
MOST_BROKEN = 4
# This many different documents in a row without an answer: the provider is down, leave it alone for a while.
REST_AFTER = 3


def next_try(tries: int, now: datetime, key: str) -> datetime | None:
    """When to try again after ``tries`` tries (1 = the first just failed); None: give up.

    Spread by up to a fifth, by ``key`` and not by chance, so that a thousand deliveries do not return at one second
    and a test that failed once fails twice.
    """
    if tries >= MOST:
        return None
    delay = DELAYS[min(tries, len(DELAYS)) - 1]
    spread = zlib.crc32(f"{key}-{tries}".encode()) % 1000 / 5000
    return now + timedelta(seconds=delay * (1 + spread))


def rest(failures: int, now: datetime) -> datetime | None:
    """How long to leave the provider alone after ``failures`` documents in a row got no answer; None: go on."""
    if failures < REST_AFTER:
        return None
    return now + timedelta(seconds=DELAYS[min(failures - REST_AFTER, len(DELAYS) - 1)])
