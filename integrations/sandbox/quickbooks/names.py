"""What a request may contain: Intuit's own names and types (``names.json``), lengths, enumerations, references."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from integrations.sandbox.quickbooks.fault import Fault

Entity = dict[str, Any]

# Longest texts by property, wherever it stands (entity reference; IntuitBaseTypes.xsd).
_LENGTHS = {
    "DisplayName": 500, "GivenName": 100, "MiddleName": 100, "FamilyName": 100, "CompanyName": 100, "Title": 16,
    "Suffix": 16, "PrintOnCheckName": 110, "FreeFormNumber": 30, "Notes": 2000, "URI": 1000, "Address": 100,
    "Line1": 500, "Line2": 500, "Line3": 500, "Line4": 500, "Line5": 500, "City": 255, "PostalCode": 30,
    "CountrySubDivisionCode": 255, "Country": 255, "Description": 4000, "PrivateNote": 4000, "DocNumber": 21,
    "FileName": 1000, "Note": 2000, "Name": 100, "PaymentRefNum": 21, "AcctNum": 100,
}  # fmt: skip
_CONTROL_FREE = frozenset({"DisplayName", "Name"})
_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@cache
def table() -> dict[str, Any]:
    """The derived table: «entities» and «types»."""
    text = Path(__file__).with_name("names.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def fields(name: str) -> dict[str, list[Any]]:
    """Property -> [type, is it a list] of a type."""
    found: dict[str, list[Any]] = table()["types"][name]
    return found


def canonical(name: str) -> str | None:
    """An entity's name in its own spelling, whatever the case; None when there is none."""
    return next((known for known in table()["entities"] if known.lower() == name.lower()), None)


def checked(entity: str, body: Any) -> Entity:
    """A clean copy of a request's object. What is empty is None at the top level (a wish to clear), else left out."""
    if not isinstance(body, dict):
        raise _invalid(f"Can not deserialize instance of {entity}")
    known = fields(entity)
    return {name: _value(name, value, known) for name, value in body.items()}


def _value(name: str, value: Any, known: Mapping[str, list[Any]]) -> Any:
    if name not in known:
        raise _invalid(name)
    kind, many = known[name]
    if value is None or value == "":
        return None
    if many:
        if not isinstance(value, list):
            value = [value]  # the provider takes a single object for a list
        items = [_one(name, item, kind) for item in value]
        return [item for item in items if item not in (None, {})]
    if isinstance(value, list) and kind != "any":
        if value:
            raise _invalid(name)
        return None  # an empty list of what is no list: clients send it as a default
    return _one(name, value, kind)


def _one(name: str, value: Any, kind: Any) -> Any:
    if isinstance(kind, list):
        return _enumerated(name, value, kind)
    if kind == "Ref":
        return _reference(name, value)
    if isinstance(kind, str) and kind.startswith("#"):
        return _nested(name, value, kind[1:])
    simple: Callable[[str, Any], Any] = _SIMPLE.get(kind, _text)
    return simple(name, value)


def _nested(name: str, value: Any, kind: str) -> Entity | None:
    if not isinstance(value, dict):
        raise _invalid(name)
    inner = {key: _value(key, item, fields(kind)) for key, item in value.items()}
    kept = {key: item for key, item in inner.items() if item is not None}
    # a detail that says nothing is still a detail; an address or phone without content is none
    return kept if kept or kind.endswith("Detail") else None


def _reference(name: str, value: Any) -> Entity | None:
    if not isinstance(value, dict) or set(value) - {"value", "name", "type"}:
        raise _invalid(name)
    target = value.get("value")
    if target in (None, ""):
        return None
    if isinstance(target, bool) or not isinstance(target, (str, int)):
        raise _invalid(name)
    return {"value": str(target), **({"type": str(value["type"])} if value.get("type") else {})}


def _enumerated(name: str, value: Any, values: list[str]) -> str:
    if value not in values:
        raise Fault(2170, f"{name}: {value!r} is none of {', '.join(values)}", name)
    return str(value)


def _text(name: str, value: Any) -> str:
    if isinstance(value, (dict, list)):
        raise _invalid(name)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    limit = _LENGTHS.get(name)
    if limit is not None and len(text) > limit:
        detail = f"String length specified does not match the supported length. Min:0 Max:{limit} supported. "
        raise Fault(2050, f"{detail}Supplied length:{len(text)}", name)
    if name in _CONTROL_FREE and re.search(r"[:\t\n\r]", text):
        raise Fault(6000, f"Business Validation Error: {name} has a colon, tab or line break", name)
    return text


def _number(name: str, value: Any) -> float | int:
    if isinstance(value, (bool, dict, list)):
        raise _invalid(name)
    if isinstance(value, (int, float)):
        return value
    if not _NUMBER.fullmatch(value.strip()):
        raise Fault(2080, f"{name}: {value}", name)
    return float(value)


def _boolean(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise _invalid(name)


def _anything(name: str, value: Any) -> Any:  # noqa: ARG001 - as its siblings
    return value


def _date(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _DATE.match(value):
        raise _invalid(name)
    return value[:10]


_SIMPLE: dict[str, Callable[[str, Any], Any]] = {
    "number": _number,
    "integer": _number,
    "boolean": _boolean,
    "date": _date,
    "any": _anything,
}


def _invalid(name: str) -> Fault:
    return Fault(2010, f"Property Name:{name} specified is unsupported or invalid", name)
