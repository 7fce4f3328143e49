"""From the evidence for a value to the probability that it is right, by a table that was measured, not guessed.

``calibration.json`` is made by ``python -m benchmarks.calibrate``: for each field and source the share of right values
by score, made monotone. Between its points the probability is interpolated; beyond its ends it does not grow.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from portal.reading.fields.ranking import Choice
from portal.reading.findings import Finding, Source

Table = Mapping[str, Mapping[str, Sequence[Sequence[float]]]]
_UNSURE = 0.5  # of fields never measured
_ENGINE_SURE, _DOUBTED = 0.8, 0.9  # letters that the OCR engine itself doubts are never surer
_SUM = ("net", "tax", "gross")


def findings(choices: Mapping[str, Choice[Any]], source: Source) -> dict[str, Finding[Any]]:
    """The choices with their probabilities."""
    sure = probabilities(choices, source, table())
    return {
        name: Finding(
            value=choice.value, confidence=round(sure[name], 4), source=source, page=choice.page, box=choice.box
        )
        for name, choice in choices.items()
    }


def probabilities(choices: Mapping[str, Choice[Any]], source: Source, points: Table) -> dict[str, float]:
    """How likely each chosen value is right: by its own evidence, and by what the others prove of it."""
    return _added_up(choices, {name: _alone(name, choice, source, points) for name, choice in choices.items()})


def _alone(name: str, choice: Choice[Any], source: Source, points: Table) -> float:
    measured = points.get(source.value, {}).get(name)
    sure = min(interpolated(measured, choice.score) if measured else _UNSURE, choice.most)
    return min(sure, _DOUBTED) if source is Source.OCR and choice.sure < _ENGINE_SURE else sure


def _added_up(choices: Mapping[str, Choice[Any]], sure: Mapping[str, float]) -> dict[str, float]:
    """Where net and tax come to the total, any two that are right make the third right.

    Two are right together at least with p + q - 1 (Bonferroni), whatever they have to do with each other.
    """
    told = dict(sure)
    if all(name in choices for name in _SUM) and _come_to(*(choices[name].value for name in _SUM)):
        for name in _SUM:
            one, two = (sure[other] for other in _SUM if other != name)
            told[name] = max(sure[name], one + two - 1)
    return told


def _come_to(net: Any, tax: Any, gross: Any) -> bool:
    return bool(net.currency == tax.currency == gross.currency and net.minor + tax.minor == gross.minor)


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
