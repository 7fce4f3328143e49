"""The terms of a text, as the search knows them. Pure, and the same on SQLite and PostgreSQL, which only store them.

A text has words in their order, without capitals and accents, and beside them: stems (``~rechn`` for every form of
*Rechnung*), numbers as if they were written without dashes and blanks (``re202617``), and amounts (``=123456``).
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import Stemmer

LONGEST = 64  # characters of a term
STEM, AMOUNT = "~", "="  # neither is part of a word
_WORD = re.compile(r"[^\W_]+")
_LINKED = re.compile(r"[^\W_]+(?:[-/.:_\\\u2010-\u2015\u2212][^\W_]+)+")
_GAP = re.compile(r"[ \u00a0]?[-/.:]?[ \u00a0]?")
_BEGINS = re.compile(r"[^\W\d_]{1,4}\d{0,4}")  # what numbers begin with: RE, Nr, DE89
_GROUPS = 9  # of an IBAN, and more than any invoice number has
_SUMS = (
    re.compile(r"(?<![\d.,'’])(?:\d{1,3}(?:[.,'’]\d{3})+|\d+)[.,]\d{2}(?![.,]?\d)"),
    re.compile(r"(?<![\d.,'’])\d{1,3}(?:[ \u00a0\u202f]\d{3})+[.,]\d{2}(?![.,]?\d)"),
)
_stemmers = threading.local()  # a stemmer belongs to one thread


class Word(NamedTuple):
    """A word and where it stands in the text."""

    start: int
    end: int
    plain: str
    stem: str  # with its mark; of a number the number itself


class Joined(NamedTuple):
    """A term that a piece of text yields as a whole, whatever stands between its words."""

    start: int
    end: int
    term: str


def words(text: str) -> list[Word]:
    """Every word in order."""
    found = []
    for match in _WORD.finditer(text):
        plain, stem = forms(match[0])
        if plain:
            found.append(Word(match.start(), match.end(), plain, stem))
    return found


@lru_cache(maxsize=1 << 16)
def forms(word: str) -> tuple[str, str]:
    """A word as it is compared, and the term of its stem. Both may be empty."""
    lower = word.casefold()
    plain = _bare(lower)
    if not plain or any(char.isdigit() for char in plain):
        return plain, plain
    return plain, STEM + (_bare(_stemmer().stemWord(lower)) or plain)


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text)))[:LONGEST]


def _stemmer() -> Stemmer.Stemmer:
    found: Stemmer.Stemmer | None = getattr(_stemmers, "german", None)
    if found is None:
        found = _stemmers.german = Stemmer.Stemmer("german", 0)
    return found


def joined(text: str, found: Sequence[Word]) -> Iterator[Joined]:
    """What the text's numbers, linked words and amounts are when written together."""
    for match in _LINKED.finditer(text):
        yield from _together(match)
    for first in range(len(found)):
        yield from _run(text, found, first)
    for pattern in _SUMS:
        for match in pattern.finditer(text):
            yield Joined(match.start(), match.end(), amount(match[0]))


def _together(match: re.Match[str]) -> Iterator[Joined]:
    whole = "".join(_WORD.findall(match[0]))
    if len(whole) <= LONGEST:
        for term in dict.fromkeys(forms(whole)):
            yield Joined(match.start(), match.end(), term)


def _run(text: str, found: Sequence[Word], first: int) -> Iterator[Joined]:
    """``RE 2026 17`` and ``DE89 3704 0044``: each length of it, as nobody knows where the number ends."""
    so_far = found[first].plain
    if not _BEGINS.fullmatch(so_far):
        return
    for before, word in zip(found[first:], found[first + 1 : first + _GROUPS], strict=False):
        gap = text[before.end : word.start]
        if len(gap) > 3 or not _GAP.fullmatch(gap) or not continues(so_far, word.plain):
            return
        so_far += word.plain
        if len(so_far) > LONGEST:
            return
        yield Joined(found[first].start, word.end, so_far)


def begins(word: str) -> bool:
    """Whether a number in several groups may begin with this word."""
    return _BEGINS.fullmatch(word) is not None


def continues(so_far: str, word: str) -> bool:
    """Whether a word is the next group of a number: it has digits, or is the bank's letters in an IBAN."""
    return any(map(str.isdigit, word)) or (len(word) == 4 and len(so_far) == 4 and so_far[2:].isdigit())


def amount(text: str) -> str:
    """The term of an amount with two decimals, however its thousands are parted."""
    return AMOUNT + ("".join(filter(str.isdigit, text)).lstrip("0") or "0")


def is_amount(text: str) -> bool:
    """Whether a text is an amount with two decimals and nothing else."""
    return any(pattern.fullmatch(text) for pattern in _SUMS)


def readable(text: str, most: int) -> str:
    """A file's text as it is kept: compatibility forms resolved, words parted at a line's end put together again."""
    whole = unicodedata.normalize("NFKC", text[: most * 2].encode("utf-8", "ignore").decode())
    whole = re.sub(r"[\x02\ufffe\u00ad](?:[ \t]*\r?\n)?", "", whole)
    whole = re.sub(r"(?<=[^\W\d_])-\r?\n(?=[a-zäöüß])", "", whole)
    whole = "".join(char if char.isprintable() or char == "\n" else " " for char in whole)
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"[^\S\n]+", " ", whole)).strip()[:most]
