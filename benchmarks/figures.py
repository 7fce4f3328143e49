"""What a figure is and how it is printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured thing and its anchor, both in ``unit``. ``goal`` is None where there is nothing to reach."""

    name: str
    value: float
    unit: str
    anchor: str
    anchor_value: float
    goal: str = ""
    met: bool | None = None

    @property
    def ratio(self) -> float:
        """The figure as a multiple of its anchor."""
        return self.value / self.anchor_value if self.anchor_value else float("nan")

    def __str__(self) -> str:
        verdict = {None: "", True: f"  goal {self.goal}: met", False: f"  goal {self.goal}: MISSED"}[self.met]
        anchor = f"{self.anchor} {self.anchor_value:,.2f}"
        return f"{self.name:<58} {self.value:>10,.2f} {self.unit:<5} {self.ratio:>7.2f} × {anchor}{verdict}"


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
