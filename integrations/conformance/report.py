"""The result of a connector's checks, kept beside the connector, so that the store can show it (P3).

A result names the day, every check, and a hash of the connector's source: a result of other source is told as such.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel

from integrations import get

if TYPE_CHECKING:
    import pytest

FILE = "conformance.json"
Outcome = Literal["passed", "failed", "not declared"]


class Result(BaseModel):
    """One run of the checks. ``tried_at`` is UTC; ``checks`` are sentences with their outcome."""

    kind: str
    tried_at: datetime
    source: str
    checks: dict[str, Outcome]

    def count(self, outcome: Outcome) -> int:
        """How many checks ended so."""
        return sum(1 for one in self.checks.values() if one == outcome)

    @property
    def conforms(self) -> bool:
        """At least one passed and none failed."""
        return self.count("passed") > 0 and self.count("failed") == 0

    @property
    def is_current(self) -> bool:
        """Whether the connector is still the one that was tried."""
        return self.source == source_of(self.kind)


def folder_of(kind: str) -> Path:
    """Where a connector lives."""
    return Path(inspect.getfile(get(kind))).parent


def source_of(kind: str) -> str:
    """A hash of the connector's Python files."""
    digest = hashlib.sha256()
    for file in sorted(folder_of(kind).glob("**/*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def read(kind: str) -> Result | None:
    """The kept result of a kind, None when it was never tried."""
    file = folder_of(kind) / FILE
    return Result.model_validate_json(file.read_bytes()) if file.is_file() else None


def write(result: Result) -> Path:
    """Keep a result beside its connector."""
    file = folder_of(result.kind) / FILE
    file.write_text(result.model_dump_json(indent=1) + "\n", "utf-8")
    return file


def run(kind: str, tests: Path) -> Result:
    """Run the tests of one file with pytest and collect what its conformance checks say."""
    import pytest  # the only place outside the checks; production never comes here

    collected = _Collected()
    pytest.main(["-q", "-p", "no:cacheprovider", "--no-header", str(tests)], plugins=[collected])
    return Result(kind=kind, tried_at=datetime.now(UTC), source=source_of(kind), checks=dict(sorted(collected)))


class _Collected:
    """A pytest plugin that keeps the worst outcome of each check."""

    def __init__(self) -> None:
        self.outcomes: dict[str, Outcome] = {}

    def __iter__(self) -> Iterator[tuple[str, Outcome]]:
        return iter(self.outcomes.items())

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of one check is over."""
        name = report.location[2].rpartition(".")[2].removeprefix("test_").replace("_", " ")
        if report.failed:
            self.outcomes[name] = "failed"
        elif report.skipped:
            self.outcomes.setdefault(name, "not declared")
        elif report.when == "call" and self.outcomes.get(name) != "failed":
            self.outcomes[name] = "passed"
