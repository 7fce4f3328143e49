"""A statement file of any format, ZIP included."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from portal.banking.statements import archive, camt, columns, mt940, table
from portal.banking.statements.columns import Columns
from portal.banking.statements.values import Note, Statement, Unreadable
from portal.i18n import N_

EMPTY = N_("The file is empty (0 bytes).")
UNKNOWN = N_("The file is no bank statement that can be read: neither CAMT nor MT940 nor a table.")
CONFIRM = N_(
    "Which column means what is not known yet. Please confirm it once; then files like this are read by themselves."
)
IN_PART = N_("“%(name)s” in the ZIP was not read: %(reason)s")

_MT940 = re.compile(rb"^:(20|25P?|28C?|60[FM]|61|62[FM]|64|65|86):", re.MULTILINE)

# signature -> confirmed columns; None: not confirmed
Confirmed = Callable[[str], Columns | None]


class Unconfirmed(Unreadable):
    """A table whose columns a person must confirm first; ``proposal`` is what is guessed."""

    def __init__(self, proposal: Columns) -> None:
        super().__init__(CONFIRM)
        self.proposal = proposal


@dataclass(frozen=True)
class Found:
    """What a file holds, and what was left out of it."""

    statements: tuple[Statement, ...]
    notes: tuple[Note, ...] = ()


def never(_signature: str) -> Columns | None:
    """No columns are confirmed."""
    return None


def read(content: bytes, confirmed: Confirmed = never, *, trust_guesses: bool = False) -> Found:
    """Every statement in the file; Unreadable says why there is none.

    A table is read by the columns confirmed for its kind, Qonto's by itself; else Unconfirmed is raised, unless guesses
    are to be trusted (nothing is stored then). Of a ZIP what can be read is read and the rest is noted; a ZIP in which
    nothing can be read is unreadable.
    """
    if not archive.is_zip(content):
        return Found(tuple(_one(content, confirmed, trust_guesses=trust_guesses)))
    statements: list[Statement] = []
    notes: list[Note] = []
    wrong: Unreadable | None = None
    for part, (name, inside) in enumerate(archive.files(content)):
        try:
            found = _one(inside, confirmed, trust_guesses=trust_guesses)
            statements += [replace(one, part=part) for one in found]
        except Unreadable as error:
            wrong = wrong or error
            notes.append(Note(IN_PART, {"name": name[:100], "reason": str(error)}))
    if not statements:
        raise wrong or Unreadable(EMPTY)
    return Found(tuple(statements), tuple(notes))


def _one(content: bytes, confirmed: Confirmed, *, trust_guesses: bool) -> list[Statement]:
    if not content.strip(b"\x00 \t\r\n"):
        raise Unreadable(EMPTY)
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") or content.startswith((b"\xff\xfe<", b"\xfe\xff\x00<")):
        return camt.read(content)
    if _is_mt940(content):
        return mt940.read(content)
    return _table(content, confirmed, trust_guesses=trust_guesses)


def _is_mt940(content: bytes) -> bool:
    beginning = content[:65536].replace(b"\x00", b"").replace(b"\r", b"\n")
    return _MT940.search(beginning) is not None


def _table(content: bytes, confirmed: Confirmed, *, trust_guesses: bool) -> list[Statement]:
    if b"\x00" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable(UNKNOWN)
    guess = columns.propose(content)
    cells = columns.rows(content, guess.encoding, guess.delimiter)
    if max((len(row) for row in cells), default=0) < 2:
        raise Unreadable(UNKNOWN)
    signature = columns.signature(cells, guess)
    known = confirmed(signature)
    if known is None and not (trust_guesses or columns.is_qonto(cells, guess)):
        raise Unconfirmed(guess)
    return [replace(one, signature=signature) for one in table.read(content, known or guess)]
