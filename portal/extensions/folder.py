"""What lies beside a connector's code: the set-up text for the person who installs it, and its conformance result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache

import structlog
from pydantic import ValidationError

from integrations.conformance import report

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Conformance:
    """How a kind did in the conformance kit."""

    passed: int
    failed: tuple[str, ...]  # the sentences of the checks
    not_declared: int
    tried_at: datetime
    current: bool  # whether the connector is still the one that was tried

    @property
    def conforms(self) -> bool:
        """Whether every check that applies was passed by what is installed."""
        return not self.failed and self.passed > 0 and self.current


@cache
def conformance(kind: str) -> Conformance | None:
    """The recorded result of a kind; None when the kit was never run or its record cannot be read."""
    try:
        result = report.read(kind)
    except ValidationError as error:
        log.warning("extension.conformance_unreadable", kind=kind, error=str(error))
        return None
    if result is None:
        return None
    failed = tuple(sentence for sentence, outcome in result.checks.items() if outcome == "failed")
    return Conformance(
        passed=result.count("passed"),
        failed=failed,
        not_declared=result.count("not declared"),
        tried_at=result.tried_at,
        current=result.is_current,
    )


def setup_text(kind: str) -> str:
    """The kind's SETUP.md, which may have a part for each language; empty when it has none."""
    found = report.folder_of(kind) / "SETUP.md"
    return found.read_text("utf-8") if found.is_file() else ""
