"""Several candidates for one field, ranked by their evidence; equal evidence goes to what stands first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from portal.reading.fields.labels import Seen
from portal.reading.findings import Box

T = TypeVar("T")
_LEAST = 0.3


@dataclass(frozen=True)
class Ranked(Generic[T]):
    """A candidate and how much speaks for it."""

    seen: Seen[T]
    score: float


@dataclass(frozen=True)
class Choice(Generic[T]):
    """The value that is put forward. ``score`` is what the calibration knows how to turn into a probability."""

    value: T
    score: float
    page: int | None = None
    box: Box | None = None
    sure: float = 1.0  # what the OCR engine says of the letters
    most: float = 1.0  # the probability that it cannot exceed: check digits do not hold


def best(ranked: Sequence[Ranked[T]], least: float = _LEAST) -> Choice[T] | None:
    """The candidate with the most evidence; a close runner-up with another value takes from its score."""
    ordered = sorted(ranked, key=lambda one: (-one.score, one.seen.key))
    if not ordered or ordered[0].score < least:
        return None
    first = ordered[0]
    others = [one.score for one in ordered if one.seen.value != first.seen.value]
    lead = first.score - max(others, default=-5.0)
    return chosen(first.seen, min(first.score, 1.0 + 1.5 * lead, first.score * 0.5 + lead))


def chosen(seen: Seen[T], score: float) -> Choice[T]:
    """A choice at the place of a candidate."""
    cell = seen.cell
    return Choice(seen.value, score, cell.page, cell.shown(seen.start, seen.end), cell.sure)
