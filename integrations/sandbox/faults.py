"""Faults as a script: which call goes wrong how, in order, so that a failing test fails again.

A step is a name, with an argument after a colon: ``ok:3`` (three calls go well), ``throttle:7`` (refused, wait 7
seconds), ``commit-then-drop`` (full effect, then the connection closes without an answer), ``reset`` (the connection
is reset before any effect), ``expired`` and ``revoked`` (what the call's token has become), ``down`` or ``down:500``,
``slow:2`` (seconds of real time before anything happens), ``commit-then-slow:2`` (after everything has),
``full`` (no room left), ``fault:CODE`` (the provider's own error of that code).
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# name -> whether an argument is needed (True), optional (None) or not taken (False)
STEPS: dict[str, bool | None] = {
    "ok": None,
    "throttle": None,
    "commit-then-drop": False,
    "commit-then-slow": True,
    "reset": False,
    "expired": False,
    "revoked": False,
    "down": None,
    "slow": True,
    "full": False,
    "fault": True,
}
_NUMBERS = {"ok", "throttle", "down", "slow", "commit-then-slow"}


class BadScript(ValueError):
    """The script names what does not exist; the text says what."""


@dataclass(frozen=True)
class Step:
    """One thing that happens to one call."""

    name: str
    argument: str = ""

    @classmethod
    def parse(cls, text: str) -> Step:
        """A step of its text; BadScript when there is no such step."""
        name, _, argument = text.strip().partition(":")
        if name not in STEPS:
            raise BadScript(f"no step {name!r}; there are {', '.join(STEPS)}")
        needed = STEPS[name]
        if (needed is True and not argument) or (needed is False and argument):
            raise BadScript(f"{name!r} {'needs' if needed else 'takes no'} argument")
        if argument and name in _NUMBERS and not re.fullmatch(r"\d+(\.\d+)?", argument):
            raise BadScript(f"{text!r}: not a number")
        return cls(name, argument)

    def number(self, default: float) -> float:
        """The argument as a number."""
        return float(self.argument) if self.argument else default

    def __str__(self) -> str:
        return f"{self.name}:{self.argument}" if self.argument else self.name


@dataclass
class Script:
    """Steps for the calls of one provider that match; each such call takes one."""

    provider: str
    steps: list[Step]
    match: str = ""
    method: str = ""
    pattern: re.Pattern[str] | None = None

    @classmethod
    def of(cls, provider: str, steps: Sequence[str], match: str) -> Script:
        """A script of its texts; ``match`` is «METHOD regex», either of them alone, or empty for every API call."""
        method, pattern = _matcher(match)
        return cls(provider, _expanded(steps), match, method, pattern)

    def takes(self, provider: str, method: str, path: str, *, api: bool) -> bool:
        """Whether this call is meant. Without a match only API calls are: no consent page, no token call."""
        if provider != self.provider or not self.steps or (self.method and method != self.method):
            return False
        return bool(self.pattern.search(path)) if self.pattern else api


@dataclass
class Dice:
    """Random faults of one provider, from a seed that is told."""

    seed: int
    odds: dict[str, float]
    rolled: random.Random = field(init=False)

    def __post_init__(self) -> None:
        # Reproducible on purpose: this is no secret, it is a test's seed.
        self.rolled = random.Random(self.seed)  # noqa: S311

    def roll(self) -> Step | None:
        """The next fault, or None for most calls."""
        throw = self.rolled.random()
        for text, odds in self.odds.items():
            if throw < odds:
                return Step.parse(text)
            throw -= odds
        return None


class Faults:
    """What is still to go wrong, for all providers. Kept in memory: a restart ends the trouble."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scripts: list[Script] = []
        self._dice: dict[str, Dice] = {}
        self._latency: dict[str, float] = {}

    def add(self, order: Mapping[str, Any], providers: Sequence[str]) -> dict[str, Any]:
        """Take an order as the control call brings it; BadScript when it makes no sense. Answers what is pending."""
        provider = str(order.get("provider", ""))
        if provider not in providers:
            raise BadScript(f"no provider {provider!r}; there are {', '.join(providers)}")
        unknown = set(order) - {"provider", "script", "match", "random", "seed", "latency"}
        if unknown:
            raise BadScript(f"unknown: {', '.join(sorted(unknown))}")
        with self._lock:
            if "script" in order:
                self._scripts.append(Script.of(provider, order["script"], order.get("match", "")))
            if "random" in order:
                self._dice[provider] = _dice(order)
            if "latency" in order:
                self._latency[provider] = float(order["latency"])
        return self.pending()

    def take(self, provider: str, method: str, path: str, *, api: bool) -> Step | None:
        """What happens to this call; takes the step off its script."""
        with self._lock:
            for script in self._scripts:
                if script.takes(provider, method, path, api=api):
                    step = script.steps.pop(0)
                    self._scripts = [other for other in self._scripts if other.steps]
                    return None if step.name == "ok" else step
            dice = self._dice.get(provider)
            return dice.roll() if dice and api else None

    def latency(self, provider: str) -> float:
        """Seconds of real time that every call of this provider takes at least."""
        return self._latency.get(provider, 0.0)

    def pending(self) -> dict[str, Any]:
        """What is left, as the control call shows it."""
        with self._lock:
            return {
                "scripts": [
                    {"provider": script.provider, "match": script.match, "script": [str(step) for step in script.steps]}
                    for script in self._scripts
                ],
                "random": {kind: {"seed": dice.seed, "odds": dice.odds} for kind, dice in self._dice.items()},
                "latency": dict(self._latency),
            }

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._scripts, self._dice, self._latency = [], {}, {}


def _expanded(steps: Sequence[str]) -> list[Step]:
    if isinstance(steps, str) or not steps:
        raise BadScript("a script is a list of steps")
    found: list[Step] = []
    for text in steps:
        step = Step.parse(text)
        found += [Step("ok")] * int(step.number(1)) if step.name == "ok" else [step]
    return found


def _matcher(match: str) -> tuple[str, re.Pattern[str] | None]:
    """Method and pattern. A pattern ends at the end of a path segment: «/bill» does not mean «/billpayment»."""
    first, _, rest = match.strip().partition(" ")
    method, pattern = (first, rest.strip()) if first.isupper() and first.isalpha() else ("", match.strip())
    try:
        return method, re.compile(rf"(?:{pattern})(?![A-Za-z0-9_-])", re.IGNORECASE) if pattern else None
    except re.error as error:
        raise BadScript(f"{match!r} is no pattern: {error}") from error


def _dice(order: Mapping[str, Any]) -> Dice:
    odds = {str(Step.parse(text)): float(value) for text, value in order["random"].items()}
    if sum(odds.values()) > 1:
        raise BadScript("the odds add up to more than one")
    return Dice(int(order.get("seed", 1)), odds)
