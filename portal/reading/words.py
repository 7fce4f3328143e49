"""Words on pages, and the rows and cells they form: what fields are found in, wherever the words came from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from statistics import median

from portal.reading.findings import Box, Source

# A gap of this many letter heights parts two cells of a row; blanks in running text are about a quarter.
_CELL_GAP = 1.1


@dataclass(frozen=True)
class Word:
    """Letters without a blank. ``box`` is where it is shown; ``place`` where it lies on the page laid flat and upright.

    Both are in PDF points from the upper left corner; they differ on photographs. ``sure`` is what the engine says.
    """

    text: str
    box: Box
    place: Box
    sure: float = 1.0


@dataclass(frozen=True)
class Cell:
    """Words of one row that belong together: a label, a value, a piece of running text."""

    words: tuple[Word, ...]
    page: int
    row: int

    @cached_property
    def text(self) -> str:
        """The words with single blanks between them."""
        return " ".join(word.text for word in self.words)

    @cached_property
    def place(self) -> Box:
        """Where it lies on the page laid flat."""
        return around(word.place for word in self.words)

    @property
    def height(self) -> float:
        """The height of its letters in points."""
        return self.place.bottom - self.place.top

    @property
    def sure(self) -> float:
        """What the engine says of its worst word."""
        return min(word.sure for word in self.words)

    def shown(self, start: int, end: int) -> Box:
        """Where the characters from ``start`` to ``end`` of its text are shown."""
        return around(word.box for word, at in self._starts() if at < end and at + len(word.text) > start)

    def placed(self, start: int, end: int) -> Box:
        """Where the characters from ``start`` to ``end`` of its text lie on the page laid flat."""
        return around(word.place for word, at in self._starts() if at < end and at + len(word.text) > start)

    def _starts(self) -> Iterator[tuple[Word, int]]:
        at = 0
        for word in self.words:
            yield word, at
            at += len(word.text) + 1


@dataclass(frozen=True)
class Page:
    """One page: its size in points as it is shown; rows from top to bottom, each of cells from left to right."""

    number: int
    width: float
    height: float
    rows: tuple[tuple[Cell, ...], ...]
    source: Source = Source.TEXT

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """All cells in reading order."""
        return tuple(cell for row in self.rows for cell in row)

    @cached_property
    def text(self) -> str:
        """The page as lines of text; wide gaps become two blanks."""
        return "\n".join("  ".join(cell.text for cell in row) for row in self.rows)

    @cached_property
    def extent(self) -> Box:
        """The part of the page laid flat that holds words."""
        return around(cell.place for cell in self.cells) if self.cells else Box(0, 0, self.width, self.height)


_SIGNS = re.compile(r"[^a-z0-9#]+")


@lru_cache(maxsize=8192)
def squeeze(text: str) -> str:
    """Letters and digits of a text, plain and small; ``#`` stays, as it means «number»."""
    if text.isascii():
        return _SIGNS.sub("", text.lower())
    return "".join(letter for char in text for letter in _plain(char))


def _plain(char: str) -> str:
    if char.isascii():
        return char.lower() if char.isalnum() or char == "#" else ""
    folded = unicodedata.normalize("NFKD", char.casefold())
    return "".join(part for part in folded if part.isalnum() and part.isascii())


def around(boxes: Iterable[Box]) -> Box:
    """The smallest box that holds all of them; there is at least one."""
    many = list(boxes)
    return Box(
        min(one.left for one in many), min(one.top for one in many),
        max(one.right for one in many), max(one.bottom for one in many),
    )  # fmt: skip


def lay_out(words: Sequence[Word], number: int, width: float, height: float, source: Source) -> Page:
    """Order words into rows and cells."""
    rows = [_cells(row, number, place) for place, row in enumerate(_rows(words))]
    return Page(number, width, height, tuple(rows), source)


def _rows(words: Sequence[Word]) -> list[list[Word]]:
    """Words whose middles are about level, from the page's top; big letters do not pull small ones into their row."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda one: (_middle(one.place), one.place.left)):
        row = next((one for one in reversed(rows[-4:]) if _level(one, word)), None)
        if row is None:
            rows.append([word])
        else:
            row.append(word)
    rows.sort(key=lambda row: median(_middle(word.place) for word in row))
    return [sorted(row, key=lambda word: word.place.left) for row in rows]


def _level(row: Sequence[Word], word: Word) -> bool:
    near = row[-5:]
    middle = median(_middle(one.place) for one in near)
    tall = min(_height(word.place), median(_height(one.place) for one in near))
    # Half a letter, as superscripts and photographs are never quite level; words over one another are two rows.
    return abs(_middle(word.place) - middle) <= 0.5 * tall and not any(_covers(one.place, word.place) for one in row)


def _covers(one: Box, two: Box) -> bool:
    overlap = min(one.right, two.right) - max(one.left, two.left)
    return overlap > 0.5 * min(one.right - one.left, two.right - two.left)


def _cells(row: Sequence[Word], page: int, number: int) -> tuple[Cell, ...]:
    groups: list[list[Word]] = []
    for word in row:
        last = groups[-1][-1].place if groups else None
        tall = max(_height(word.place), 4.0)
        if last is not None and word.place.left - last.right <= _CELL_GAP * tall:
            groups[-1].append(word)
        else:
            groups.append([word])
    return tuple(Cell(tuple(group), page, number) for group in groups)


def _middle(box: Box) -> float:
    return (box.top + box.bottom) / 2


def _height(box: Box) -> float:
    return box.bottom - box.top


def in_words(text: str, box: Box, place: Box, sure: float) -> list[Word]:
    """Cut a piece of text whose letters were not placed one by one into words, each as wide as its share of letters."""
    return [
        Word(match.group(), _share(box, match, len(text)), _share(place, match, len(text)), sure)
        for match in re.finditer(r"\S+", text)
    ]


def _share(box: Box, match: re.Match[str], letters: int) -> Box:
    wide = (box.right - box.left) / max(letters, 1)
    return Box(box.left + match.start() * wide, box.top, box.left + match.end() * wide, box.bottom)
