"""Intuit's query language: SELECT … FROM … WHERE … ORDERBY … STARTPOSITION … MAXRESULTS («Data queries»)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from integrations.sandbox.quickbooks.company import ELSEWHERE, Company
from integrations.sandbox.quickbooks.fault import Fault
from integrations.sandbox.quickbooks.names import canonical, fields

Entity = dict[str, Any]
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*')|(?P<mark><=|>=|!=|<>|=|<|>|,|\(|\)|\*)|(?P<word>[A-Za-z_][\w.]*)"
    r"|(?P<number>-?\d+(?:\.\d+)?))"
)
_LARGEST = 1000
# Properties that the entity reference does not mark as filterable.
_CLOSED = frozenset({"Line", "PrivateNote", "TxnTaxDetail"})
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda one, other: one == other,
    "<": lambda one, other: one < other,
    ">": lambda one, other: one > other,
    "<=": lambda one, other: one <= other,
    ">=": lambda one, other: one >= other,
}


@dataclass
class Condition:
    """One comparison; ``values`` has one value but for IN. ``steps`` and ``kind`` are known once it was checked."""

    path: str
    operator: str
    values: list[str]
    steps: tuple[str, ...] = ()
    kind: str = "string"


@dataclass
class Query:
    """A parsed query."""

    entity: str
    count: bool = False
    columns: list[str] = field(default_factory=list)  # empty: all
    conditions: list[Condition] = field(default_factory=list)
    order: list[tuple[str, bool]] = field(default_factory=list)  # path, descending
    start: int = 1
    most: int = 100


class _Reader:
    """Tokens of a query, one after the other."""

    def __init__(self, text: str) -> None:
        self.tokens = list(_tokens(text))
        self.position = 0

    def peek(self) -> str:
        """The next token in lower case, or an empty text at the end."""
        return self.tokens[self.position].lower() if self.position < len(self.tokens) else ""

    def next(self) -> str:
        """The next token; Fault 4000 at the end."""
        if self.position >= len(self.tokens):
            raise _unparsable("<EOF>")
        self.position += 1
        return self.tokens[self.position - 1]

    def expect(self, word: str) -> None:
        """The next token must be this one."""
        token = self.next()
        if token.lower() != word:
            raise _unparsable(token)

    def taken(self, *words: str) -> bool:
        """Take these words if they are next."""
        ahead = [token.lower() for token in self.tokens[self.position : self.position + len(words)]]
        if ahead != list(words):
            return False
        self.position += len(words)
        return True


def _tokens(text: str) -> Iterator[str]:
    position = 0
    text = text.strip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise _unparsable(text[position : position + 20])
        position = found.end()
        yield found.group().strip()


def _unparsable(token: str) -> Fault:
    return Fault(4000, f'QueryParserError: Encountered " <{token}> ". Was expecting a valid query.')


def _wrong(detail: str) -> Fault:
    return Fault(4001, f"QueryValidationError: {detail}")


def parse(text: str) -> Query:
    """A query of its text; Fault 4000 when it cannot be parsed, 4001 when it makes no sense."""
    reader = _Reader(text)
    reader.expect("select")
    count, columns = _columns(reader)
    reader.expect("from")
    named = reader.next()
    entity = canonical(named) or next((known for known in ELSEWHERE if known.lower() == named.lower()), None)
    if entity is None:
        raise _wrong(f"Entity {named} is not supported" if named else "Entity missing")
    query = Query(entity, count=count, columns=columns)
    if reader.taken("where"):
        query.conditions = _conditions(reader)
    if reader.taken("orderby") or reader.taken("order", "by"):
        query.order = _order(reader)
    if reader.taken("startposition"):
        query.start = _whole(reader, 1, None)
    if reader.taken("maxresults"):
        query.most = _whole(reader, 1, _LARGEST)
    if reader.peek():
        raise _unparsable(reader.next())
    _check_names(query)
    return query


def _columns(reader: _Reader) -> tuple[bool, list[str]]:
    if reader.taken("count", "(", "*", ")"):
        return True, []
    columns = [reader.next()]
    while reader.taken(","):
        columns.append(reader.next())
    return False, [] if "*" in columns else columns


def _conditions(reader: _Reader) -> list[Condition]:
    found = []
    while True:
        bracket = reader.taken("(")
        path, operator = reader.next(), reader.next().upper()
        if operator not in {*_COMPARE, "IN", "LIKE"}:
            raise _unparsable(operator)
        found.append(Condition(path, operator, _list(reader) if operator == "IN" else [_value(reader)]))
        if bracket:
            reader.expect(")")
        if not reader.taken("and"):
            return found


def _list(reader: _Reader) -> list[str]:
    reader.expect("(")
    values = [_value(reader)]
    while reader.taken(","):
        values.append(_value(reader))
    reader.expect(")")
    return values


def _value(reader: _Reader) -> str:
    token = reader.next()
    if token.startswith("'"):
        return re.sub(r"\\(.)", r"\1", token[1:-1])
    if token.lower() in {"true", "false"} or re.fullmatch(r"-?\d+(\.\d+)?", token):
        return token.lower()
    raise _unparsable(token)


def _order(reader: _Reader) -> list[tuple[str, bool]]:
    found = []
    while True:
        path = reader.next()
        descending = reader.taken("desc")
        if not descending:
            reader.taken("asc")
        found.append((path, descending))
        if not reader.taken(","):
            return found


def _whole(reader: _Reader, least: int, most: int | None) -> int:
    token = reader.next()
    if not re.fullmatch(r"-?\d+", token):
        raise _unparsable(token)
    value = int(token)
    if value < least:
        raise _wrong(f"value {value} is too small. Min allowed value is {least}")
    if most is not None and value > most:
        raise _wrong(f"value {value} is too large. Max allowed value is {most}")
    return value


def _check_names(query: Query) -> None:
    """Only properties that the entity has, and that say something by themselves, may be asked for."""
    if query.entity in ELSEWHERE:
        return
    for condition in query.conditions:
        condition.steps, condition.kind = _resolved(query.entity, condition.path)
    query.order = [(".".join(_resolved(query.entity, path)[0]), down) for path, down in query.order]
    known = {name.lower() for name in fields(query.entity)}
    for column in query.columns:
        if column.split(".")[0].lower() not in known:
            raise _wrong(f"Property {column} not found for Entity {query.entity}")


def _resolved(entity: str, path: str) -> tuple[tuple[str, ...], str]:
    """A path in its own spelling, down to a value, and the kind of that value."""
    kind: Any = f"#{entity}"
    steps: list[str] = []
    for part in path.split("."):
        inner = (
            {"value": ["string"], "name": ["string"], "type": ["string"]}
            if kind == "Ref"
            else (fields(kind[1:]) if isinstance(kind, str) and kind.startswith("#") else {})
        )
        name = next((known for known in inner if known.lower() == part.lower()), None)
        if name is None:
            raise _wrong(f"Property {path} not found for Entity {entity}")
        steps.append(name)
        kind = inner[name][0]
    if kind == "Ref":
        steps.append("value")
    elif steps[0] in _CLOSED or (isinstance(kind, str) and kind.startswith("#")):
        raise _wrong(f"property '{path}' is not queryable")
    if steps == ["Id"]:
        return ("Id",), "id"
    return tuple(steps), kind if isinstance(kind, str) and kind in _READERS else "string"


def run(company: Company, query: Query, *, exact_case: bool = False) -> Entity:
    """The value of «QueryResponse»."""
    tests = _tests(query.conditions, exact_case)
    found = [
        thing
        for thing in _candidates(company, query)
        if all(any(map(holds, _reached(thing, steps))) for steps, holds in tests)
    ]
    if query.count:
        return {"totalCount": len(found)}
    for path, descending in reversed(query.order):
        found.sort(key=lambda thing, path=path: _sortable(thing, path), reverse=descending)  # type: ignore[misc]
    shown = found[query.start - 1 : query.start - 1 + query.most]
    if not shown:
        return {}
    objects = [_chosen(thing, query.columns) for thing in shown]
    return {query.entity: objects, "startPosition": query.start, "maxResults": len(objects), "totalCount": len(found)}


def _candidates(company: Company, query: Query) -> list[Entity]:
    """All objects; of list objects only the active ones, unless the query speaks of Active or asks by Id."""
    things = company.all(query.entity)
    if any(condition.path.lower() in {"active", "id"} for condition in query.conditions):
        return things
    return [thing for thing in things if thing.get("Active") is not False]


def _tests(conditions: list[Condition], exact_case: bool) -> list[tuple[tuple[str, ...], Callable[[Any], bool]]]:
    return [(condition.steps, _test(condition, exact_case)) for condition in conditions]


def _test(condition: Condition, exact_case: bool) -> Callable[[Any], bool]:
    """Whether one stored value fulfils a condition; what is asked for is read once."""
    if condition.operator == "LIKE":
        pattern = ".*".join(re.escape(piece) for piece in condition.values[0].split("%"))
        wanted = re.compile(pattern, re.DOTALL if exact_case else re.DOTALL | re.IGNORECASE)
        return lambda value: wanted.fullmatch(str(value)) is not None
    read = _READERS.get(condition.kind) or (str if exact_case else _folded)
    asked = [read(value) for value in condition.values]
    if condition.operator == "IN":
        return lambda value: read(value) in asked
    compare = _COMPARE[condition.operator]
    return lambda value: compare(read(value), asked[0])


def _folded(value: Any) -> str:
    return str(value).casefold()


def _number(value: Any) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise _wrong(f"{value} is not a number") from error


def _truth(value: Any) -> bool:
    if str(value).lower() not in {"true", "false"}:
        raise _wrong(f"{value} is neither true nor false")
    return str(value).lower() == "true"


def _instant(value: Any) -> float:
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except ValueError as error:
        raise _wrong(f"{value} is not a date and time") from error


def _id(value: Any) -> tuple[int, str]:
    text = str(value)
    return (int(text), "") if text.isdigit() else (-1, text)


_READERS: dict[str, Callable[[Any], Any]] = {"number": _number, "boolean": _truth, "dateTime": _instant, "id": _id}


def _reached(thing: Any, steps: Sequence[str]) -> list[Any]:
    """The values at a path, through lists."""
    for position, step in enumerate(steps):
        if isinstance(thing, list):
            return [value for item in thing for value in _reached(item, steps[position:])]
        thing = thing.get(step) if isinstance(thing, dict) else None
        if thing is None:
            return []
    return [thing]


def _sortable(thing: Mapping[str, Any], path: str) -> tuple[bool, float, str]:
    values = _reached(thing, path.split("."))
    if not values:
        return (False, 0.0, "")
    value = values[0]
    if isinstance(value, (int, float)):
        return (True, float(value), "")
    text = str(value)
    return (True, float(text), "") if path == "Id" and text.isdigit() else (True, 0.0, text.casefold())


def _chosen(thing: Entity, columns: list[str]) -> Entity:
    if not columns:
        return thing
    wanted = {column.split(".")[0].lower() for column in columns} | {"id", "domain", "sparse"}
    return {**{name: value for name, value in thing.items() if name.lower() in wanted}, "sparse": True}
