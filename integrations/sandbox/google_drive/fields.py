"""Partial responses: the ``fields`` parameter, read and applied (guides/fields-parameter)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from integrations.sandbox.google_drive.problems import Problem
from integrations.sandbox.google_drive.published import published

Mask = dict[str, Any]  # name -> Mask of what is below; empty: everything below
_TOKEN = re.compile(r"\s*([A-Za-z0-9_.$-]+|[*(),/])")
DEFAULT = {
    "File": "kind,id,name,mimeType",
    "FileList": "kind,incompleteSearch,nextPageToken,files(kind,id,name,mimeType)",
    "ChangeList": (
        "kind,nextPageToken,newStartPageToken,"
        "changes(kind,removed,fileId,time,type,changeType,file(kind,id,name,mimeType))"
    ),
    "Permission": "kind,id,type,role",
    "PermissionList": "kind,nextPageToken,permissions(kind,id,type,role)",
}


def selected(body: Mapping[str, Any], schema: str, text: str | None) -> dict[str, Any]:
    """The part of a reply that was asked for; a selection of what there is not is refused."""
    wanted = text if text is not None else DEFAULT.get(schema, "*")
    mask = _read(wanted)
    _check(mask, {"$ref": schema}, wanted)
    return dict(_kept(body, mask))


def _problem(text: str) -> Problem:
    return Problem("invalidParameter", f"Invalid field selection {text}", where=("fields", "parameter"))


def _read(text: str) -> Mask:
    tokens = list(_tokens(text))
    mask, rest = _list(tokens, text)
    if rest or not mask:
        raise _problem(text)
    return mask


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if not found:
            raise _problem(text)
        at = found.end()
        yield found[1]


def _list(tokens: list[str], text: str) -> tuple[Mask, list[str]]:
    mask: Mask = {}
    while tokens:
        tokens = _one(mask, tokens, text)
        if not tokens or tokens[0] != ",":
            break
        tokens = tokens[1:]
    return mask, tokens


def _one(mask: Mask, tokens: list[str], text: str) -> list[str]:
    """Read one selection such as ``a``, ``a/b`` or ``a(b,c)`` into ``mask``; what follows it comes back."""
    if not tokens or tokens[0] in "(),/":
        raise _problem(text)
    new = tokens[0] not in mask
    inner: Mask = mask.setdefault(tokens[0], {})
    rest = tokens[1:]
    if rest[:1] == ["/"]:
        return _one(inner, rest[1:], text) if inner or new else _one({}, rest[1:], text)
    if rest[:1] != ["("]:
        inner.clear()
        return rest
    below, rest = _list(rest[1:], text)
    if rest[:1] != [")"]:
        raise _problem(text)
    inner.update(below)
    return rest[1:]


def _check(mask: Mask, schema: Mapping[str, Any], text: str) -> None:
    while "$ref" in schema or schema.get("type") == "array":
        schema = published()["schemas"][schema["$ref"]] if "$ref" in schema else schema["items"]
    known, others = schema.get("properties", {}), schema.get("additionalProperties")
    for name, below in mask.items():
        if name == "*":
            continue
        inner = known.get(name, others)
        if inner is None:
            raise _problem(name)
        _check(below, inner, text)


def _kept(body: Mapping[str, Any], mask: Mask) -> Iterator[tuple[str, Any]]:
    for name, value in body.items():
        below = mask.get(name, mask.get("*"))
        if below is not None:
            yield name, _below(value, below)


def _below(value: Any, mask: Mask) -> Any:
    if not mask:
        return value
    if isinstance(value, list):
        return [_below(one, mask) for one in value]
    return dict(_kept(value, mask)) if isinstance(value, Mapping) else value
