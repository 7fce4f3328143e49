"""Detected lines of text on a skewed or tilted picture, laid flat so that rows are rows again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import atan2, cos, hypot, pi, sin
from statistics import median

from portal.reading.findings import Box
from portal.reading.words import Word, in_words

Point = tuple[float, float]


@dataclass(frozen=True)
class Detected:
    """A line of text: its four corners from the upper left in reading direction, its letters, the engine's score."""

    corners: tuple[Point, Point, Point, Point]
    text: str
    sure: float

    @property
    def length(self) -> float:
        """From its beginning to its end."""
        return hypot(*_minus(self.corners[1], self.corners[0]))

    @property
    def tall(self) -> float:
        """The height of the line."""
        return hypot(*_minus(self.corners[3], self.corners[0]))

    @property
    def angle(self) -> float:
        """Of its direction, in radians."""
        across, down = _minus(self.corners[1], self.corners[0])
        return atan2(down, across)


def words_of(lines: Sequence[Detected], scale: float) -> list[Word]:
    """Words with their places; ``scale``: points per pixel."""
    if not lines:
        return []
    turned = _quarter(lines)
    flat = _Flat(turned)
    words = []
    for line, shown in zip(turned, lines, strict=True):
        box = _around(shown.corners, scale)
        words += in_words(line.text, box, flat.place(line, scale), line.sure)
    return words


_TURNS: tuple[Callable[[Point], Point], ...] = (
    lambda point: point,
    lambda point: (point[1], -point[0]),  # text that runs down
    lambda point: (-point[0], -point[1]),  # upside down
    lambda point: (-point[1], point[0]),  # text that runs up
)


def _quarter(lines: Sequence[Detected]) -> list[Detected]:
    """The lines with the page turned so that most letters stand upright; a single line the other way is a mistake."""
    letters = [0, 0, 0, 0]
    for line in lines:
        letters[round(line.angle / (pi / 2)) % 4] += len(line.text)
    turn = _TURNS[letters.index(max(letters))]
    turned = []
    for line in lines:
        corners = [turn(point) for point in line.corners]
        flipped = corners[1][0] < corners[0][0]
        ordered = corners[2:] + corners[:2] if flipped else corners
        turned.append(Detected((ordered[0], ordered[1], ordered[2], ordered[3]), line.text, line.sure))
    return turned


class _Flat:
    """Slopes differ from the top of a photograph to its foot: long lines tell how, and all are laid level by it."""

    def __init__(self, lines: Sequence[Detected]) -> None:
        long = [line for line in lines if line.length > 4 * line.tall and abs(line.angle) < pi / 5] or list(lines)
        self._slope = median(line.angle for line in long)
        middles = sorted((line.corners[0][1], line.angle) for line in long)
        half = len(middles) // 2
        if half >= 6:
            upper, lower = middles[:half], middles[half:]
            self._from, self._to = median(one[0] for one in upper), median(one[0] for one in lower)
            self._first, self._last = median(one[1] for one in upper), median(one[1] for one in lower)
        else:
            self._from, self._to, self._first, self._last = 0.0, 1.0, self._slope, self._slope

    def place(self, line: Detected, scale: float) -> Box:
        """The line as a level box."""
        (left, top), (right, right_top) = line.corners[0], line.corners[1]
        middle_x, middle_y = sum(p[0] for p in line.corners) / 4, sum(p[1] for p in line.corners) / 4
        slope = self._at(middle_y - middle_x * sin(self._slope))
        level = middle_y - middle_x * sin(slope)
        wide = max(hypot(right - left, right_top - top), 1.0)
        start = middle_x - wide / 2 * cos(slope)
        tall = line.tall
        return Box(start * scale, (level - tall / 2) * scale, (start + wide) * scale, (level + tall / 2) * scale)

    def _at(self, height: float) -> float:
        share = (height - self._from) / max(self._to - self._from, 1.0)
        return self._first + (self._last - self._first) * min(max(share, -0.5), 1.5)


def _minus(one: Point, two: Point) -> Point:
    return one[0] - two[0], one[1] - two[1]


def _around(corners: Sequence[Point], scale: float) -> Box:
    across, down = [point[0] for point in corners], [point[1] for point in corners]
    return Box(min(across) * scale, min(down) * scale, max(across) * scale, max(down) * scale)
