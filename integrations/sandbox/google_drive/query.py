"""The ``q`` parameter: its grammar (guides/ref-search-terms) read into a question one can put to a file.

``and`` and ``or`` bind equally and from the left, as documented; brackets say otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from integrations.sandbox.google_drive.problems import invalid

File = Mapping[str, Any]
Question = Callable[[File], bool]

_TOKEN = re.compile(r"""\s*(?:(?P<string>'(?:[^'\\]|\\.)*')|(?P<word>[A-Za-z][\w.]*)|(?P<sign><=|>=|!=|[<>=(){}]))""")
_TEXTS = {"name": "name", "fullText": "name", "mimeType": "mimeType"}
_TIMES = {"modifiedTime", "createdTime", "viewedByMeTime", "sharedWithMeTime"}
_FLAGS = {"trashed", "starred", "sharedWithMe"}
_LISTS = {"parents", "owners", "writers", "readers"}
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
}


def question(text: str) -> Question:
    """The question of a query; an empty query asks nothing. Problem 400 when it cannot be read."""
    if not text.strip():
        return lambda _: True
    reader = _Reader(text)
    found = reader.expression()
    if reader.tokens:
        raise invalid("q")
    return found


class _Reader:
    """Recursive descent over the tokens, first one first."""

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        at = 0
        while text[at:].strip():
            token = _TOKEN.match(text, at)
            if not token:
                raise invalid("q")
            self.tokens.append(token[0].strip())
            at = token.end()

    def take(self, *wanted: str) -> str:
        """The next token; it must be one of ``wanted`` if any are named."""
        if not self.tokens or (wanted and self.tokens[0] not in wanted):
            raise invalid("q")
        return self.tokens.pop(0)

    def string(self) -> str:
        token = self.take()
        if not token.startswith("'"):
            raise invalid("q")
        return re.sub(r"\\(.)", r"\1", token[1:-1])

    def expression(self) -> Question:
        left = self.term()
        while self.tokens and self.tokens[0] in {"and", "or"}:
            left = _joined(self.take(), left, self.term())
        return left

    def term(self) -> Question:
        if self.tokens[:1] == ["not"]:
            self.take()
            inner = self.term()
            return lambda file: not inner(file)
        if self.tokens[:1] == ["("]:
            self.take()
            inner = self.expression()
            self.take(")")
            return inner
        if self.tokens and self.tokens[0].startswith("'"):
            return self.membership()
        return self.comparison(self.take())

    def membership(self) -> Question:
        value = self.string()
        self.take("in")
        name = self.take(*_LISTS)
        return lambda file: value in file.get(name, ())

    def comparison(self, name: str) -> Question:
        if name in {"appProperties", "properties"}:
            return self.property(name)
        if name in _FLAGS:
            return self.flag(name)
        if name in _TIMES:
            compare, moment = _COMPARE[self.take(*_COMPARE)], _moment(self.string())
            return lambda file: name in file and compare(_moment(file[name]), moment)
        if name not in _TEXTS:
            raise invalid("q")
        sign = self.take("=", "!=", "contains")
        return _text(_TEXTS[name], sign, self.string())

    def flag(self, name: str) -> Question:
        if name == "sharedWithMe" and self.tokens[:1] != ["="]:
            return lambda file: bool(file.get(name, False))
        compare, wanted = _COMPARE[self.take("=", "!=")], self.take("true", "false") == "true"
        return lambda file: compare(bool(file.get(name, False)), wanted)

    def property(self, name: str) -> Question:
        """``has { key='…' and value='…' }``."""
        for token in ("has", "{", "key", "="):
            self.take(token)
        key = self.string()
        for token in ("and", "value", "="):
            self.take(token)
        value = self.string()
        self.take("}")
        return lambda file: file.get(name, {}).get(key) == value


def _joined(word: str, left: Question, right: Question) -> Question:
    if word == "and":
        return lambda file: left(file) and right(file)
    return lambda file: left(file) or right(file)


def _text(field: str, sign: str, wanted: str) -> Question:
    if sign != "contains":
        compare = _COMPARE[sign]
        return lambda file: compare(file.get(field, ""), wanted)
    if field == "mimeType":
        return lambda file: file.get(field, "").startswith(wanted)
    # "contains" matches beginnings only: of the name and of its words.
    start = re.compile(rf"(?:^|\W){re.escape(wanted.lower())}")
    return lambda file: bool(start.search(file.get(field, "").lower()))


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise invalid("q") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
