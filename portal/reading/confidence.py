"""From the evidence for a value to the probability that it is right, by a table that was measured, not guessed.

``calibration.json`` is made by ``python -m benchmarks.calibrate``: for each field and source the share of right values
by score, made monotone. Between its points the probability is interpolated; beyond its ends it does not grow.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import TypeVar

from portal.reading.fields.ranking import Choice
from portal.reading.findings import Finding, Source

T = TypeVar("T")
_UNSURE = 0.5  # of the letters that the OCR engine itself doubts, and of fields never measured


def finding(name: str, choice: Choice[T], source: Source) -> Finding[T]:
    """The choice with its probability."""
    sure = probability(name, choice.score, source)
    sure = min(sure, choice.most)
    if source is Source.OCR and choice.sure < 0.8:
        sure = min(sure, 0.9)
    return Finding(value=choice.value, confidence=round(sure, 4), source=source, page=choice.page, box=choice.box)


def probability(name: str, score: float, source: Source) -> float:
    """How likely a value of a field is right at this score."""
    points = table().get(source.value, {}).get(name)
    return interpolated(points, score) if points else _UNSURE


def interpolated(points: Sequence[Sequence[float]], score: float) -> float:
    """The value of a polyline of (score, probability) at ``score``."""
    place = bisect_right([point[0] for point in points], score)
    if place == 0:
        return points[0][1]
    if place == len(points):
        return points[-1][1]
    (left, low), (right, high) = points[place - 1], points[place]
    return low + (high - low) * (score - left) / (right - left)


@lru_cache(maxsize=1)
def table() -> dict[str, dict[str, list[list[float]]]]:
    """The measured points (score, probability) by source and field."""
    text = files("portal.reading").joinpath("calibration.json").read_text("utf-8")
    points: dict[str, dict[str, list[list[float]]]] = json.loads(text)
    return points
