"""What lies beside a connector's code: the set-up text for the person who installs it, and its conformance result."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Conformance:
    """How a kind did in the conformance kit."""

    passed: int
    failed: int
    not_applicable: int
    ran_at: datetime | None

    @property
    def conforms(self) -> bool:
        """Whether every check that applies was passed."""
        return self.failed == 0 and self.passed > 0


def conformance(where: str) -> Conformance | None:
    """The recorded result for a class named ``module:Class``; None when the kit was never run or the record is bad."""
    found = _beside(where, "conformance.json")
    if found is None:
        return None
    try:
        record = json.loads(found.read_text())
        return Conformance(
            passed=int(record["passed"]),
            failed=int(record["failed"]),
            not_applicable=int(record.get("not_applicable", 0)),
            ran_at=datetime.fromisoformat(record["ran_at"]) if record.get("ran_at") else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def setup_text(where: str, language: str) -> str:
    """The kind's SETUP.md (SETUP.<language>.md where there is one); empty when it has none."""
    found = _beside(where, f"SETUP.{language}.md") or _beside(where, "SETUP.md")
    return found.read_text() if found else ""


@cache
def _beside(where: str, name: str) -> Path | None:
    spec = find_spec(where.partition(":")[0])
    if spec is None or not spec.origin:
        return None
    path = Path(spec.origin).parent / name
    return path if path.is_file() else None
