"""A document's history in words: who did what and when, and what each correction made different."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from portal.audit import AuditEntry
from portal.documents.fields import TITLES
from portal.i18n import N_, _, ngettext, say
from portal.overview.folders import Whole
from portal.web.fact_form import AMOUNTS
from portal.web.formats import amount, day
from portal.web.words import FOLDERS

ACTIONS: Mapping[str, str] = {
    "document.received": N_("Handed in"),
    "document.read": N_("Read"),
    "document.read_again": N_("Reading was asked for again"),
    "document.corrected": N_("Corrected"),
    "document.removed": N_("Removed"),
    "document.restored": N_("Brought back"),
    "document.twin_decided": N_("Duplicate decided"),
    "document.split": N_("Split by page"),
    "document.joined": N_("Splitting taken back"),
    "statement.reading": N_("Statement being read"),
    "statement.imported": N_("Statement imported"),
    "statement.account": N_("Statement waits for its account"),
    "statement.columns": N_("Statement waits for its columns"),
    "statement.failed": N_("Statement not read"),
}


@dataclass(frozen=True)
class Difference:
    """One field before and after."""

    title: str
    before: str
    after: str


@dataclass(frozen=True)
class Line:
    """One thing that was done."""

    text: str
    by: str
    at: datetime
    note: str
    differences: tuple[Difference, ...]


def lines(whole: Whole) -> list[Line]:
    """Everything that was done with a document, newest first."""
    return [_line(whole, entry) for entry in whole.history]


def _line(whole: Whole, entry: AuditEntry) -> Line:
    text = _(ACTIONS.get(entry.action, entry.action))
    return Line(text, entry.by, entry.at, _note(entry), tuple(_differences(whole, entry)))


def _note(entry: AuditEntry) -> str:
    if entry.action == "document.removed":
        return say(str(entry.facts.get("reason", "")))
    if entry.action == "document.read":
        return say(str(entry.facts["why"])) if entry.facts.get("why") else ""
    if entry.action == "document.received" and "part_of" in entry.facts:
        return say(N_("Pages %(first)s to %(last)s of “%(of)s”"), entry.facts)
    if entry.action == "document.twin_decided":
        kept = entry.facts.get("accepted")
        return say(N_("Kept as a document of its own.") if kept else N_("Removed as a duplicate."))
    return ""


def _differences(whole: Whole, entry: AuditEntry) -> list[Difference]:
    change = whole.changes.get(int(str(entry.facts.get("version", 0)))) if "version" in entry.facts else None
    if change is None:
        return []
    accounts = {str(account.id): account.name for account in whole.accounts}
    currency = str(change.version.fields.get("currency") or whole.document.currency or "EUR")
    return [
        Difference(
            _(TITLES[name]), _shown(name, before, currency, accounts), _shown(name, after, currency, accounts)
        )
        for name, (before, after) in change.differences.items()
    ]  # fmt: skip


def _shown(name: str, value: object, currency: str, accounts: Mapping[str, str]) -> str:
    if value is None or value in ("", []):
        return "–"
    if name in AMOUNTS:
        return amount(int(str(value)), currency)
    if name in {"issued_on", "due_on"}:
        return day(date.fromisoformat(str(value)))
    if name == "account_id":
        return accounts.get(str(value), str(value))
    if name == "kind":
        return next((_(words[2]) for kind, words in FOLDERS.items() if kind == value), str(value))
    if name == "lines" and isinstance(value, list):
        return str(ngettext("%(num)s line", "%(num)s lines", len(value)))
    return str(value)
