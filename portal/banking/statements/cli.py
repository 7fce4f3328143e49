"""``kontor statement FILE…``: one JSON line per statement. Needs no installation, changes nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from portal.banking.statements import files
from portal.banking.statements.values import Balance, Detail, Entry, Note, Statement, Unreadable


def main(paths: Sequence[str]) -> int:
    """Print what the files say; 1 when one of them could not be read (why: on the error stream), else 0."""
    wrong = 0
    for path in paths:
        try:
            found = files.read(Path(path).read_bytes(), trust_guesses=True)
        except (Unreadable, OSError) as error:
            print(f"{path}: {error}", file=sys.stderr)  # noqa: T201 - a command's output
            wrong = 1
            continue
        for statement in found.statements:
            print(json.dumps({"path": path, **as_json(statement, found.notes)}, ensure_ascii=False))  # noqa: T201
    return wrong


def as_json(statement: Statement, notes: Sequence[Note] = ()) -> dict[str, object]:
    """The statement as plain values: amounts as text in major units, debits negative; dates in ISO 8601."""
    return {
        "iban": statement.iban or None,
        "account": statement.account or None,
        "format": statement.format.value,
        "number": statement.number or None,
        "currency": statement.currency,
        **_balance("opening", statement.opening),
        **_balance("closing", statement.closing),
        "balance_consistent": statement.adds_up,
        "entries": [_entry(one) for one in statement.entries],
        "notes": [note.text % note.facts for note in (*statement.notes, *notes)],
    }


def _balance(name: str, balance: Balance | None) -> dict[str, str | None]:
    return {
        name: str(balance.amount.decimal) if balance else None,
        f"{name}_date": _day(balance.on if balance else None),
    }


def _entry(entry: Entry) -> dict[str, object]:
    return {
        "amount": str(entry.amount.decimal),
        "currency": entry.amount.currency,
        "booking_date": _day(entry.booked_on),
        "value_date": _day(entry.valued_on),
        **_said(entry),
        "creditor_reference": entry.reference or None,
        "bank_reference": entry.bank_reference or None,
        "type": entry.type or None,
        "posting_text": entry.posting or None,
        "pending": entry.pending,
        "details": [{"amount": str(one.amount.decimal) if one.amount else None, **_said(one)} for one in entry.details],
    }


def _said(one: Entry | Detail) -> dict[str, str | None]:
    return {
        "name": one.name or None,
        "iban": one.iban or None,
        "purpose": one.text or None,
        "end_to_end_id": one.end_to_end_id or None,
        "mandate": one.mandate or None,
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
