"""Bank statements: are all of the data set read right, does importing them twice add anything, and how long it takes.

Anchors: reading the bytes, and lxml parsing the XML files. Without the data set it says so and measures nothing.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from lxml import etree
from sqlmodel import Session, func, select

from benchmarks.figures import Figure, percentile
from portal import models
from portal.banking import imports
from portal.banking.models import BankStatement, Transaction
from portal.banking.statements import cli, files
from portal.banking.statements.values import Statement, Unreadable
from portal.db import Database, metadata
from tests import factories

assert models  # imported for its tables
DATA = Path(__file__).parents[2] / "shared" / "data"
_BALANCES = ("iban", "account", "currency", "opening", "opening_date", "closing", "closing_date", "balance_consistent")
_ROUNDS = 5


@dataclass(frozen=True)
class Sample:
    """One file and what its labels say."""

    path: str
    content: bytes
    expect: dict[str, Any]

    @property
    def is_fragment(self) -> bool:
        """Whether it must only be refused or read in part."""
        return bool(self.expect.get("fragment"))


def samples() -> list[Sample]:
    """The statements of the data set; none where there is no data set."""
    manifest = DATA / "manifest.jsonl"
    if not manifest.exists():
        return []
    rows = [json.loads(line) for line in manifest.read_text().splitlines()]
    return [
        Sample(row["path"], (DATA / row["path"]).read_bytes(), row["expect"])
        for row in rows
        if row["kind"] == "statement"
    ]


def wrong(sample: Sample) -> list[str]:
    """What is read otherwise than labelled: number of statements and entries, sums, accounts and balances."""
    try:
        found = files.read(sample.content, trust_guesses=True).statements
    except Unreadable as error:
        return [] if sample.is_fragment else [f"refused: {error}"]
    return [] if sample.is_fragment else _differences(found, sample.expect)


def _differences(found: Sequence[Statement], expect: dict[str, Any]) -> list[str]:
    read = [cli.as_json(one) for one in found]
    amounts = [entry.amount.decimal for one in found for entry in one.entries]
    sums = (sum((a for a in amounts if a > 0), Decimal(0)), sum((a for a in amounts if a < 0), Decimal(0)))
    right = (Decimal(expect["sum_credits"]), Decimal(expect["sum_debits"]))
    told: list[tuple[str, object, object]] = [
        ("statements", len(read), expect["n_statements"]),
        ("entries", len(amounts), expect["n_entries"]),
    ]
    told.append(("sums", sums, right))
    for one, labels in zip(read, expect["statements"], strict=False):
        told += [(name, one[name], labels[name]) for name in _BALANCES if labels.get(name) is not None]
    return [f"{name}: {is_} instead of {should}" for name, is_, should in told if is_ != should]


def measure(database_url: str | None = None) -> list[Figure]:
    """All figures of this script; none, loudly, without the data set."""
    found = samples()
    if not found:
        print(f"bank statements: SKIPPED, there is no data set at {DATA}", file=sys.stderr)
        return []
    scored = [one for one in found if not one.is_fragment]
    faults = {one.path: said for one in found if (said := wrong(one))}
    for path, said in faults.items():
        print(f"  {path}: {'; '.join(said)}")
    right = len(scored) - sum(one.path in faults for one in scored)
    first, second = _twice(found, database_url)
    goal = f"all {len(scored)}"
    return [
        Figure(
            "statement files read as labelled", right, "files", "scored files", len(scored), goal, right == len(scored)
        ),
        Figure(
            "transactions and statements that a second import adds",
            second,
            "rows",
            "added first",
            first,
            "0",
            second == 0,
        ),
        *_times(scored),
    ]


def _twice(found: Sequence[Sample], database_url: str | None) -> tuple[int, int]:
    """Import everything for one client, twice; how many transactions and statements each round added."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(database_url or f"sqlite:///{Path(folder) / 'kontor.db'}")
        with database.engine.execution_options(writes=True).begin() as connection:
            metadata.create_all(connection)
        with database.transaction() as session:
            client = factories.client(session, factories.firm(session))
            account = factories.account(session, client)
            counts = [0]
            for _round in range(2):
                for sample in found:
                    document = factories.document(session, client, content=sample.content, account_id=account.id)
                    imports.enter(session, document, _looked(sample))
                counts.append(_rows(session))
        database.dispose()
    return counts[1] - counts[0], counts[2] - counts[1]


def _looked(sample: Sample) -> imports.Looked:
    """As a person would have it who confirms every proposal for a table."""
    try:
        return files.read(sample.content, trust_guesses=True)
    except Unreadable as error:
        return error


def _rows(session: Session) -> int:
    counts = [session.exec(select(func.count()).select_from(table)).one() for table in (Transaction, BankStatement)]
    return sum(counts)


def _times(scored: Sequence[Sample]) -> list[Figure]:
    xml = [one for one in scored if one.path.endswith(".xml")]
    other = [one for one in scored if not one.path.endswith(".xml")]
    return [
        Figure("CAMT file, median", _each(xml, _read), "ms", "lxml parsing it", _each(xml, _parsed)),
        Figure("MT940 or CSV file, median", _each(other, _read), "ms", "reading its bytes", _each(other, _bytes)),
    ]


def _each(found: Sequence[Sample], work: Callable[[Sample], object]) -> float:
    """Median over the files of the quickest of some rounds, in milliseconds."""
    return percentile([min(_timed(work, one) for _round in range(_ROUNDS)) for one in found], 0.5) * 1000


def _timed(work: Callable[[Sample], object], sample: Sample) -> float:
    began = time.perf_counter()
    work(sample)
    return time.perf_counter() - began


def _read(sample: Sample) -> object:
    return files.read(sample.content, trust_guesses=True)


def _parsed(sample: Sample) -> object:
    return etree.fromstring(sample.content)


def _bytes(sample: Sample) -> object:
    return (DATA / sample.path).read_bytes()


if __name__ == "__main__":
    for figure in measure():
        print(figure)
