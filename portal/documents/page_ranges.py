"""Page ranges of a PDF as PDFs of their own; the file itself stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from portal.documents import guarded
from portal.documents.names import safe
from portal.errors import Invalid
from portal.i18n import N_

MOST_PAGES = 300
_PROGRAM = Path(__file__).with_name("cut_pages.py")

NO_SUCH_CUT = N_("The file has %(pages)s pages; a document begins on page 1 and each other one on a later page.")
TOO_MANY = N_("A file of more than %(limit)s pages cannot be split here.")


@dataclass(frozen=True)
class Range:
    """Pages ``first`` to ``last``, counted from 1, and the PDF that holds just them."""

    first: int
    last: int
    content: bytes

    def filename(self, of: str) -> str:
        """What it is called after its file's name."""
        stem = of.rpartition(".")[0] or of
        pages = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return safe(f"{stem} ({pages}).pdf")


def count(content: BinaryIO) -> int:
    """How many pages a PDF has; Invalid when it cannot be opened."""
    return int(guarded.ask(_PROGRAM, content)[0]["pages"])


def cut(content: BinaryIO, starts: Sequence[int]) -> list[Range]:
    """The PDF in documents that begin on the pages ``starts``; the first of them is 1, so that no page is left out.

    Invalid for other starts, and for a PDF that cannot be opened. The same cuts give the same bytes.
    """
    if not starts or starts[0] != 1 or len(starts) > MOST_PAGES:
        raise Invalid(NO_SUCH_CUT, field="starts", pages=count(content))
    facts, rest = guarded.ask(_PROGRAM, content, *starts)
    pages, sizes = int(facts["pages"]), [int(size) for size in facts["sizes"]]
    if not sizes:
        raise Invalid(NO_SUCH_CUT, field="starts", pages=pages)
    if pages > MOST_PAGES:
        raise Invalid(TOO_MANY, limit=MOST_PAGES)
    ends = [*(start - 1 for start in starts[1:]), pages]
    ranges, at = [], 0
    for first, last, size in zip(starts, ends, sizes, strict=True):
        ranges.append(Range(first, last, rest[at : at + size]))
        at += size
    return ranges
