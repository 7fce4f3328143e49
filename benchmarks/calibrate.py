"""Make the table that turns evidence into confidence: ``python -m benchmarks.calibrate``, ``--help`` for more.

For each source and field the share of right values is made monotone in the evidence (pool adjacent violators). A few
right values are no proof: each step begins with some values of the average field (empirical Bayes), its weakest
evidence is believed less than its strongest, and names, which no check digit and no sum confirms, only as far as the
lower end of Wilson's interval. What this comes to on papers that a table was not made from is reported by halves drawn
again and again; the table that is kept is made from all.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from pathlib import Path
from random import Random

from benchmarks import papers
from benchmarks.papers import Judged
from portal.reading import confidence

TABLE = Path(confidence.__file__).with_name("calibration.json")
_FEWEST = 12  # values a step stands on
_FEW = 40  # values from OCR that are too few for a curve of their own
_PRIOR = 4.0  # values of the average field that each step begins with
_ERROR = 0.5  # of a value, taken off where the evidence of a step is weakest
_NAMES, _DOUBT = frozenset({"seller", "buyer"}), 1.0  # standard errors that are taken off for these
DRAWS = 10  # halves of the papers that are held out
Table = Mapping[str, Mapping[str, Sequence[Sequence[float]]]]


@dataclass
class _Step:
    low: float
    high: float
    right: float
    all: float

    @property
    def share(self) -> float:
        return self.right / self.all


def table(judged: Iterable[Judged]) -> Table:
    """The points (score, probability) for each source and field."""
    sorts: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    for one in judged:
        if one.score is not None and one.most == 1.0:
            sorts[one.source.value, one.name].append(one)
    all_of = [one for some in sorts.values() for one in some]
    average = sum(one.right for one in all_of) / max(len(all_of), 1)
    own = dict(sorts)
    for name in sorted({name for _, name in own}):
        for source, other in (("ocr", "text"), ("text", "ocr")):
            if len(own.get((source, name), ())) < _FEW:  # the evidence is of the same sort, and all there is
                sorts[source, name] = own.get((source, name), []) + own.get((other, name), [])
    made: dict[str, dict[str, list[list[float]]]] = {"text": {}, "ocr": {}}
    for (source, name), some in sorted(sorts.items()):
        if some:
            made[source][name] = _points(sorted(some, key=lambda one: one.score or 0.0), name, average)
    return made


def _points(ordered: Sequence[Judged], name: str, average: float) -> list[list[float]]:
    points: list[list[float]] = []
    for step in _monotone(ordered):
        for score, off in ((step.low, _ERROR), (step.high, 0.0)):
            sure = max(_believed(step, off, name, average), points[-1][1] if points else 0.0)
            # Steps that meet at one score stay steps: the value itself belongs to the surer side only beyond it.
            place = round(score, 3) if not points or round(score, 3) > points[-1][0] else points[-1][0] + 0.001
            points.append([round(place, 3), round(sure, 4)])
    return points


def _monotone(ordered: Sequence[Judged]) -> list[_Step]:
    steps: list[_Step] = []
    for one in ordered:
        weight, score = one.paper.weight, one.score or 0.0
        steps.append(_Step(score, score, weight * one.right, weight))
        while len(steps) > 1 and (steps[-2].share >= steps[-1].share or steps[-2].all < _FEWEST):
            last = steps.pop()
            steps[-1] = _Step(steps[-1].low, last.high, steps[-1].right + last.right, steps[-1].all + last.all)
    if len(steps) > 1 and steps[-1].all < _FEWEST:
        last = steps.pop()
        steps[-1] = _Step(steps[-1].low, last.high, steps[-1].right + last.right, steps[-1].all + last.all)
    return steps


def _believed(step: _Step, off: float, name: str, average: float) -> float:
    """The share of right values of a step, as far as so few of them prove it."""
    mean = (step.right - off + _PRIOR * average) / (step.all + _PRIOR)
    return min(mean, _lower(step.right, step.all)) if name in _NAMES else mean


def _lower(right: float, count: float) -> float:
    """The lower end of Wilson's interval."""
    share, square = right / count, _DOUBT**2
    middle = share + square / (2 * count)
    spread = _DOUBT * sqrt(share * (1 - share) / count + square / (4 * count * count))
    return (middle - spread) / (1 + square / count)


def sure(one: Judged, made: Table) -> float:
    """The confidence that a table gives a value, as a reader does; 0 where nothing was read."""
    return confidence.probabilities(one.choices, one.source, made).get(one.name, 0.0)


def held_out(judged: Sequence[Judged]) -> list[tuple[Judged, float]]:
    """Each value with the confidence of a table that its paper had no part in, once for each draw of two halves."""
    names = sorted({one.paper.path.name for one in judged})
    told: list[tuple[Judged, float]] = []
    for draw in range(DRAWS):
        first = set(Random(draw).sample(names, len(names) // 2))
        for half in (True, False):
            made = table(one for one in judged if (one.paper.path.name in first) is not half)
            told += [(one, sure(one, made)) for one in judged if (one.paper.path.name in first) is half]
    return told


def curve(judged: Sequence[Judged], made: Table) -> str:
    """Values by confidence, and what was promised for the sure ones."""
    edges = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 1.01)
    lines = ["   confidence   values   right"]
    for low, high in pairwise(edges):
        some = [one for one in judged if one.score is not None and low <= sure(one, made) < high]
        if some:
            share = sum(one.right for one in some) / len(some)
            lines.append(f"  {low:4.2f} to {min(high, 1.0):4.2f}   {len(some):6}   {share:6.1%}")
    good = [one for one in judged if one.right]
    certain = [one for one in judged if one.score is not None and sure(one, made) >= 0.95]
    kept = sum(one.right for one in certain)
    lines.append(f"  at 0.95 and above: {kept} of {len(certain)} right ({kept / max(len(certain), 1):.2%}; goal 99 %)")
    lines.append(f"  of all right values there: {kept / max(len(good), 1):.1%} (goal 70 %)")
    return "\n".join(lines)


def main() -> None:
    """Measure, report, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--more", type=Path, help="a list of more papers")
    parser.add_argument("--cache", type=Path, help="a folder that keeps what OCR detected")
    options = parser.parse_args()
    measured = papers.papers() + (list(papers.more(options.more)) if options.more else [])
    judged = [one for paper in measured for one in papers.judge(paper, papers.pages(paper, options.cache))]
    told = held_out(judged)
    certain = [one for one, believed in told if believed >= 0.95]
    kept = sum(one.right for one in certain)
    print(f"held out, {DRAWS} draws of halves: {kept / len(certain):.2%} of the sure ones right (goal 99 %)")
    print(f"  of all right values sure: {kept / sum(one.right for one, _ in told):.1%} (goal 70 %)")
    TABLE.write_text(json.dumps(table(judged), indent=1, sort_keys=True) + "\n", "utf-8")
    print(f"{TABLE.name}: {len(judged)} values of {len(measured)} papers")


if __name__ == "__main__":
    main()
