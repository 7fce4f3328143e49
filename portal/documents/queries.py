"""What people type into the search, understood once and written for each engine. No input is wrong; some finds nothing.

``strom rechnung`` both · ``"offene posten"`` in this order · ``rech*`` beginning · ``-storno`` without ·
``RE-2026/17`` whatever stands between its parts · ``1.234,56`` however it is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from portal.documents import terms

MOST = 16  # clauses; what follows is not looked at
LONGEST = 300  # characters
_QUOTES = str.maketrans(dict.fromkeys("„“”«»‟", '"'))
_PIECE = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')


@dataclass(frozen=True)
class Sought:
    """Terms that must be there: all, or in this order when it is a phrase. The last one may only begin like this."""

    terms: tuple[str, ...]
    phrase: bool = False
    prefix: bool = False


@dataclass(frozen=True)
class Clause:
    """Something to be found in one of several ways, or that must not be there."""

    ways: tuple[Sought, ...]
    negated: bool = False


@dataclass(frozen=True)
class Query:
    """Every clause must hold."""

    clauses: tuple[Clause, ...]

    def __bool__(self) -> bool:
        return bool(self.clauses)


@dataclass(frozen=True)
class _Piece:
    text: str
    negated: bool
    quoted: bool
    prefix: bool

    @property
    def word(self) -> terms.Word | None:
        """The only word of a plain piece."""
        found = terms.words(self.text)
        plain = not (self.negated or self.quoted or self.prefix)
        return found[0] if plain and len(found) == 1 else None


def parse(text: str, *, typing: bool = False) -> Query:
    """Understand a search. While somebody is ``typing``, the last word may go on."""
    pieces = list(_pieces(text))
    clauses: list[Clause] = []
    at = 0
    while at < len(pieces) and len(clauses) < MOST:
        run = _run(pieces[at:])
        last = at + max(len(run), 1) == len(pieces)
        goes_on = typing and last and not text[:LONGEST].endswith((" ", '"'))
        clause = _number(run, goes_on) if run else _clause(pieces[at], goes_on)
        clauses += [clause] if clause is not None else []
        at += max(len(run), 1)
    return Query(tuple(clauses))


def _pieces(text: str) -> Iterator[_Piece]:
    for minus, quoted, bare in _PIECE.findall(text[:LONGEST].translate(_QUOTES)):
        piece = bare or quoted
        yield _Piece(piece, bool(minus), not bare, bool(bare) and bare.endswith("*"))


def _run(pieces: Sequence[_Piece]) -> list[terms.Word]:
    """The words at the beginning that could be one number with blanks in it; none when it is a word alone."""
    found: list[terms.Word] = []
    so_far = ""
    for piece in pieces:
        word = piece.word
        fits = word is not None and (terms.continues(so_far, word.plain) if found else terms.begins(word.plain))
        if word is None or not fits or len(so_far) + len(word.plain) > terms.LONGEST:
            break
        found.append(word)
        so_far += word.plain
    return found if len(found) > 1 else []


def _number(run: Sequence[terms.Word], goes_on: bool) -> Clause:
    apart = [word.stem for word in run]
    if goes_on:
        apart[-1] = run[-1].plain
    whole = "".join(word.plain for word in run)
    return Clause((Sought(tuple(apart), prefix=goes_on), Sought((whole,), prefix=goes_on)))


def _clause(piece: _Piece, goes_on: bool) -> Clause | None:
    found = terms.words(piece.text)
    if not found:
        return None
    prefix = piece.prefix or (goes_on and not piece.quoted)
    ways = _one(found[0], piece, prefix) if len(found) == 1 else _several(found, piece, prefix)
    return Clause(tuple(dict.fromkeys(ways)), piece.negated)


def _one(word: terms.Word, piece: _Piece, prefix: bool) -> Iterator[Sought]:
    # Every word that begins so is looked up: of very short beginnings there are too many.
    begins = prefix and len(word.plain) > (1 if piece.prefix else 2)
    if begins:
        yield Sought((word.plain,), prefix=True)
    if not begins or not piece.prefix:
        yield Sought((word.plain,))
        if not piece.quoted:
            yield Sought((word.stem,))


def _several(found: Sequence[terms.Word], piece: _Piece, prefix: bool) -> Iterator[Sought]:
    yield Sought(tuple(word.plain for word in found), phrase=True, prefix=prefix)
    if terms.is_amount(piece.text):
        yield Sought((terms.amount(piece.text),))
        return
    whole = "".join(word.plain for word in found)
    if " " not in piece.text.strip() and len(whole) <= terms.LONGEST:
        yield Sought((whole,), prefix=prefix)
        if not prefix and not piece.quoted:
            yield Sought((terms.forms(whole)[1],))


def fts5(query: Query, scope: Sequence[Sequence[str]]) -> str:
    """For SQLite's MATCH: within ``scope`` (of each group one term), every clause. All terms are quoted letters."""

    def one(way: Sought) -> str:
        star = " *" if way.prefix else ""
        if way.phrase:
            return f'words : "{" ".join(way.terms)}"{star}'
        every = [f'{{words more}} : "{term}"' for term in way.terms]
        return f"({' AND '.join(every)}{star})"

    def clauses(negated: bool) -> list[str]:
        return [f"({' OR '.join(map(one, each.ways))})" for each in query.clauses if each.negated is negated]

    groups = [" OR ".join(f'scope : "{term}"' for term in group) for group in scope]
    wanted = " AND ".join([*(f"({group})" for group in groups), *clauses(False)])
    unwanted = clauses(True)
    return f"({wanted}) NOT ({' OR '.join(unwanted)})" if unwanted else wanted


def tsquery(query: Query, scope: Sequence[Sequence[str]]) -> str:
    """The same for PostgreSQL, to be cast to tsquery: no dictionary touches the terms."""

    def one(way: Sought) -> str:
        quoted = [f"'{term}'" for term in way.terms]
        if way.prefix:
            quoted[-1] += ":*"
        return f"({(' <-> ' if way.phrase else ' & ').join(quoted)})"

    groups = [f"({' | '.join(map(scoped, group))})" for group in scope]
    clauses = [f"{'!' * each.negated}({' | '.join(map(one, each.ways))})" for each in query.clauses]
    return " & ".join([*groups, *clauses])


def scoped(term: str) -> str:
    """A term of the scope as PostgreSQL keeps it, beside the words but unlike any of them."""
    return f"':{term}'"
