"""What Microsoft publishes of the API (names and types), and the checks of requests against it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from integrations.sandbox.onedrive.problems import invalid

# Everything else of an item is told by OneDrive, never by the caller (learn.microsoft.com/graph/api/driveitem-update).
WRITABLE = {
    "folder": {"name", "folder", "fileSystemInfo", "description"},
    "update": {"name", "parentReference", "fileSystemInfo", "description"},
}
_PLAIN: Mapping[str, Any] = {
    "String": str, "Boolean": bool, "Int16": int, "Int32": int, "Int64": int, "Double": (int, float),
    "DateTimeOffset": str, "Stream": str, "Guid": str,
}  # fmt: skip
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)")


@cache
def types() -> dict[str, dict[str, str]]:
    """Type -> property -> type, from the extract of the metadata beside this file."""
    table = json.loads((Path(__file__).parent / "published.json").read_text("utf-8"))
    found: dict[str, dict[str, str]] = table["types"]
    return found


def complaints(value: Any, wanted: str, at: str = "") -> Iterator[str]:
    """All that is not as published. Annotations (``@…``) may stand anywhere, ``null`` means "not there"."""
    if value is None:
        return
    if wanted.startswith("Collection("):
        if not isinstance(value, list):
            yield f"{at} is no collection"
            return
        for one in value:
            yield from complaints(one, wanted[len("Collection(") : -1], f"{at}[]")
    elif wanted.startswith("Edm."):
        yield from _plain(value, wanted.removeprefix("Edm."), at)
    else:
        yield from _object(value, wanted.removeprefix("graph."), at)


def _plain(value: Any, wanted: str, at: str) -> Iterator[str]:
    is_bool_for_number = isinstance(value, bool) and wanted != "Boolean"
    if not isinstance(value, _PLAIN[wanted]) or is_bool_for_number:
        yield f"{at} is {value!r}, not {wanted}"
    elif wanted == "DateTimeOffset" and not _TIME.fullmatch(value):
        yield f"{at} is {value!r}, no time"


def _object(value: Any, wanted: str, at: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{at} is no {wanted}"
        return
    for name, part in value.items():
        if "@" in name:
            continue
        inner = types()[wanted].get(name) or _open(wanted, name)
        if inner is None:
            yield f"The property '{name}' does not exist on type 'microsoft.graph.{wanted}'"
        else:
            yield from complaints(part, inner, f"{at}.{name}".lstrip("."))


def _open(wanted: str, name: str) -> str | None:
    """An identity is an open type; Graph tells a person's address there."""
    return "Edm.String" if wanted == "identity" and name == "email" else None


def check_body(body: Any, wanted: str, writable: set[str] | None = None) -> dict[str, Any]:
    """A request's JSON against its type, and that it writes only what may be written."""
    if not isinstance(body, dict):
        raise invalid("The body is not a JSON object.")
    for complaint in complaints(body, wanted):
        raise invalid(complaint)
    for name in body:
        if writable is not None and "@" not in name and name not in writable:
            raise invalid(f"The property '{name}' cannot be written.")
    return body


def selected(told: Mapping[str, Any], wanted: str, asked: str | None) -> dict[str, Any]:
    """``$select``: the named properties, and annotations; a name that is not published is refused."""
    if asked is None:
        return dict(told)
    names = [name.strip() for name in asked.split(",")]
    for name in names:
        if name not in types()[wanted] and not name.startswith("@"):
            raise invalid(f"Could not find a property named '{name}' on type 'microsoft.graph.{wanted}'.")
    return {name: value for name, value in told.items() if name in names or name.startswith("@odata.")}
