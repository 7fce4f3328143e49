"""Several invoices in one file: a proposal of page ranges, never done without a person; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from portal.i18n import N_
from portal.reading.fields import iban, numbers
from portal.reading.words import Page, squeeze

_OF = re.compile(
    r"(?:seite|page|blatt|pagina|p\.)\s*:?\s*(\d{1,3})\s*(?:von|of|/|van|de)\s*(\d{1,3})|^\s*(\d{1,2})\s*/\s*(\d{1,2})\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_PAGE = re.compile(r"(?:seite|page|blatt)\s*:?\s*(\d{1,3})\b", re.IGNORECASE)
_TITLE = re.compile(
    r"^(\w{0,12}rechnung|invoice|taxinvoice|gutschrift|creditnote|rechnungskorrektur)(nr\w*|no\w*|#\w*|\d+\w*)?$"
)
_CLEAR = 2.2  # of the evidence for a number
_SEPARATOR = 3  # words at most on a sheet that parts documents

FIRST_PAGE = N_("Page %(page)s says that it is the first of %(pages)s.")
NEW_NUMBER = N_("Page %(page)s bears the number %(number)s instead of %(before)s.")
NEW_LETTERHEAD = N_("Page %(page)s has another letterhead and a title.")
SEPARATOR = N_("Page %(page)s is empty and parts two documents.")


@dataclass(frozen=True)
class Part:
    """Pages ``first`` to ``last`` (from 1) that seem to be a document of their own, and what says so."""

    first: int
    last: int
    text: str = ""
    facts: tuple[tuple[str, str | int], ...] = ()


@dataclass(frozen=True)
class _Sheet:
    """What one page tells of its document."""

    page: int
    empty: bool
    number: str | None
    place: tuple[int, int] | None  # 2 of 3; 0 pages when the number of pages is not told
    head: frozenset[str]
    titled: bool
    vat_ids: frozenset[str]


def propose(pages: Sequence[Page]) -> tuple[Part, ...]:
    """Page ranges, each a document; nothing when the file seems to be one."""
    sheets = [_sheet(page) for page in pages]
    starts: list[tuple[int, str, tuple[tuple[str, str | int], ...]]] = []
    current: _Sheet | None = None
    parted = False
    for sheet in sheets:
        if sheet.empty:
            parted = current is not None
            continue
        reason = _begins(sheet, current, parted=parted) if current else ("", ())
        if reason is not None:
            starts.append((sheet.page, *reason))
            current = sheet
        parted = False
    return tuple(_parts(starts, sheets)) if len(starts) > 1 else ()


def _parts(
    starts: Sequence[tuple[int, str, tuple[tuple[str, str | int], ...]]], sheets: Sequence[_Sheet]
) -> list[Part]:
    ends = [start[0] - 1 for start in starts[1:]] + [sheets[-1].page]
    empty = {sheet.page for sheet in sheets if sheet.empty}
    parts = []
    for (first, text, facts), end in zip(starts, ends, strict=True):
        last = end
        while last > first and last in empty:
            last -= 1
        parts.append(Part(first, last, text, facts))
    return parts


_Reason = tuple[str, tuple[tuple[str, str | int], ...]]


def _begins(sheet: _Sheet, current: _Sheet, *, parted: bool) -> _Reason | None:
    """Why a page begins a new document; None when it goes on."""
    if sheet.place and sheet.place[0] > 1:
        return None
    if sheet.number and current.number and sheet.number != current.number:
        return NEW_NUMBER, (("page", sheet.page), ("number", sheet.number), ("before", current.number))
    if sheet.number and sheet.number == current.number:
        return None
    if sheet.place and sheet.place[0] == 1 and sheet.place[1]:
        return FIRST_PAGE, (("page", sheet.page), ("pages", sheet.place[1]))
    other_seller = bool(sheet.vat_ids and current.vat_ids and not sheet.vat_ids & current.vat_ids)
    if sheet.titled and (other_seller or not _shared(sheet.head, current.head)):
        return NEW_LETTERHEAD, (("page", sheet.page),)
    if parted and (sheet.titled or sheet.number):
        return SEPARATOR, (("page", sheet.page - 1),)
    return None


def _shared(one: frozenset[str], two: frozenset[str]) -> bool:
    return len(one & two) * 2 >= min(len(one), len(two), 4)


def _sheet(page: Page) -> _Sheet:
    ids = iban.vat_ids([page])
    number = numbers.choose([page], [one.seen.value.number for one in ids]) if page.rows else None
    lines = [squeeze(cell.text) for row in page.rows[:10] for cell in row]
    return _Sheet(
        page.number,
        len(page.text.split()) <= _SEPARATOR,
        number.value if number and number.score >= _CLEAR else None,
        _place(page.text),
        frozenset(line for line in lines[:6] if len(line) > 4),
        any(_TITLE.match(line) for line in (squeeze(cell.text) for cell in page.cells[:60])),
        frozenset(one.seen.value.number for one in ids),
    )


def _place(text: str) -> tuple[int, int] | None:
    """Which page of how many it says it is."""
    if match := _OF.search(text):
        number, whole = (int(group) for group in match.groups() if group is not None)
        return (number, whole) if 1 <= number <= whole else None
    match = _PAGE.search(text)
    return (int(match[1]), 0) if match else None
