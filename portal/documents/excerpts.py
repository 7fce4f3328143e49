"""Where a text speaks of what was sought: the best few lines of it, and the hits in them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from portal.documents import terms
from portal.documents.queries import Query, Sought

WIDTH = 240  # characters
LEAD = 60  # characters before the first hit
LOOKED_AT = 40_000  # characters of a long text, from where the first word stands


class Piece(NamedTuple):
    """Some text, and whether it is a hit."""

    text: str
    hit: bool


class Hit(NamedTuple):
    """A place in a text, and which clause it satisfies."""

    start: int
    end: int
    clause: int


@dataclass
class _Wanted:
    """The terms of the clauses, looked up by word."""

    terms: dict[str, int] = field(default_factory=dict)
    beginnings: list[tuple[str, int]] = field(default_factory=list)
    phrases: list[tuple[Sought, int]] = field(default_factory=list)

    @classmethod
    def of(cls, query: Query) -> _Wanted:
        made = cls()
        for number, clause in enumerate(query.clauses):
            for way in () if clause.negated else clause.ways:
                made.add(way, number)
        return made

    def add(self, way: Sought, number: int) -> None:
        if way.phrase:
            self.phrases.append((way, number))
            return
        whole = way.terms[:-1] if way.prefix else way.terms
        self.terms.update(dict.fromkeys(whole, number))
        if way.prefix:
            self.beginnings.append((way.terms[-1], number))

    def clause(self, *candidates: str) -> int | None:
        for term in candidates:
            if term in self.terms:
                return self.terms[term]
        for beginning, number in self.beginnings:
            if candidates[0].startswith(beginning):
                return number
        return None


def hits(text: str, query: Query) -> list[Hit]:
    """Every place that was sought, in order and apart from each other."""
    wanted, words = _Wanted.of(query), terms.words(text)
    found = [*_single(words, wanted), *_phrases(words, wanted)]
    for whole in terms.joined(text, words):
        number = wanted.clause(whole.term)
        if number is not None:
            found.append(Hit(whole.start, whole.end, number))
    return list(_apart(sorted(found, key=lambda hit: (hit.start, -hit.end))))


def _single(words: Sequence[terms.Word], wanted: _Wanted) -> Iterator[Hit]:
    for word in words:
        number = wanted.clause(word.plain, word.stem)
        if number is not None:
            yield Hit(word.start, word.end, number)


def _phrases(words: Sequence[terms.Word], wanted: _Wanted) -> Iterator[Hit]:
    for way, number in wanted.phrases:
        length = len(way.terms)
        for at in range(len(words) - length + 1):
            if words[at].plain == way.terms[0] and _is_phrase(words[at : at + length], way):
                yield Hit(words[at].start, words[at + length - 1].end, number)


def _is_phrase(words: Sequence[terms.Word], way: Sought) -> bool:
    *before, last = (word.plain for word in words)
    ends = last.startswith(way.terms[-1]) if way.prefix else last == way.terms[-1]
    return ends and tuple(before) == way.terms[:-1]


def _apart(found: Sequence[Hit]) -> Iterator[Hit]:
    end = -1
    for hit in found:
        if hit.start >= end:
            yield hit
            end = hit.end


def marked(text: str, query: Query) -> list[Piece]:
    """The whole of a short text with its hits."""
    return list(_cut(text, 0, len(text), hits(text, query)))


def excerpt(text: str, query: Query) -> list[Piece]:
    """The lines of a text with the most of what was sought; nothing when none of it stands there."""
    part = _part(text, query)
    found = hits(part, query)
    if not found:
        return []
    first = max(found, key=lambda hit: (_worth(found, hit.start), -hit.start))
    start = _word_start(part, max(first.start - LEAD, 0))
    end = _word_end(part, start + WIDTH)
    pieces = list(_cut(part, start, end, found))
    opening = [Piece("… ", False)] if start > 0 else []
    return [*opening, *pieces, *([Piece(" …", False)] if end < len(part) else [])]


def _part(text: str, query: Query) -> str:
    """A long text from a little before the first of the words on: reading it all would take too long for a list."""
    if len(text) <= LOOKED_AT:
        return text
    sought = {term.lstrip(terms.STEM)[:12] for clause in query.clauses for way in clause.ways for term in way.terms}
    first = re.search("|".join(map(re.escape, sorted(sought))), text, re.IGNORECASE) if sought else None
    start = max(first.start() - WIDTH, 0) if first else 0
    return text[start : start + LOOKED_AT]


def _worth(found: Sequence[Hit], start: int) -> int:
    return len({hit.clause for hit in found if start <= hit.start < start + WIDTH - LEAD})


def _word_start(text: str, at: int) -> int:
    for back in range(at, max(at - LEAD, 0), -1):
        if text[back - 1].isspace():
            return back
    return at if at > LEAD else 0


def _word_end(text: str, at: int) -> int:
    end = min(at, len(text))
    blank = text.rfind(" ", end - LEAD, end)
    return end if end == len(text) or blank < 0 else blank


def _cut(text: str, start: int, end: int, found: Sequence[Hit]) -> Iterator[Piece]:
    at = start
    for hit in found:
        if start <= hit.start and hit.end <= end:
            if at < hit.start:
                yield Piece(text[at : hit.start], False)
            yield Piece(text[hit.start : hit.end], True)
            at = hit.end
    if at < end:
        yield Piece(text[at:end], False)
