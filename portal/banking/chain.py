"""Statements of one account in a row: each begins where the one before ended. Pure.

Where a balance does not follow, a statement is missing. Statements that overlap (a month and its days) are no gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol
from uuid import UUID

# An opening balance bears the date of the last booking day before, over holidays some days back.
_REST = timedelta(days=7)


class Link(Protocol):
    """A statement as far as the row needs it; balances in minor units."""

    id: UUID
    opening: int | None
    opening_on: date | None
    closing: int | None
    closing_on: date | None


@dataclass(frozen=True)
class Gap:
    """Between two statements something is missing."""

    since: date
    until: date
    difference: int  # what the missing movements sum up to, in minor units


@dataclass(frozen=True)
class _Whole:
    id: UUID
    opening: int
    opening_on: date
    closing: int
    closing_on: date


def _whole(links: Iterable[Link]) -> list[_Whole]:
    """Those with both balances and their dates, in order."""
    found = [
        _Whole(one.id, one.opening, one.opening_on, one.closing, one.closing_on)
        for one in links
        if None not in (one.opening, one.opening_on, one.closing, one.closing_on)
        and one.opening is not None and one.opening_on is not None
        and one.closing is not None and one.closing_on is not None
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.opening_on, one.closing_on, one.id))


def gaps(links: Sequence[Link]) -> list[Gap]:
    """Where statements of one account and currency are missing, oldest first."""
    waiting, found = _whole(links), []
    if not waiting:
        return []
    reached = waiting.pop(0)
    while waiting:
        following = _following(waiting, reached)
        waiting.remove(following)
        if following.opening != reached.closing and following.opening_on >= reached.closing_on:
            found.append(Gap(reached.closing_on, following.opening_on, following.opening - reached.closing))
        if following.closing_on >= reached.closing_on:
            reached = following
    return found


def _following(waiting: Sequence[_Whole], reached: _Whole) -> _Whole:
    """The next by date; among several of one day the one that follows from what was reached."""
    day = waiting[0].opening_on
    same_day = [one for one in waiting if one.opening_on == day]
    return next((one for one in same_day if one.opening == reached.closing), same_day[0])


def are_apart(one: Link, other: Link) -> bool:
    """Whether one statement begins where the other ends, so that no movement can be in both."""
    pair = _whole((one, other))
    return len(pair) == 2 and (_follows(pair[0], pair[1]) or _follows(pair[1], pair[0]))


def _follows(later: _Whole, earlier: _Whole) -> bool:
    if later.opening != earlier.closing or not timedelta(0) <= later.opening_on - earlier.closing_on <= _REST:
        return False
    # A day that ends as it began could lie anywhere in the other's period.
    return earlier.opening != earlier.closing or earlier.opening_on < earlier.closing_on <= later.opening_on
