"""What Google publishes of the API (names, types, limits), and the checks of requests and replies against it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from integrations.sandbox.google_drive.problems import Problem, invalid

# Everything else in a File is told by Drive, never by the caller (reference: REST resource files).
_ALWAYS = {
    "kind", "name", "mimeType", "description", "starred", "appProperties", "properties", "modifiedTime",
    "viewedByMeTime", "originalFilename", "folderColorRgb", "copyRequiresWriterPermission", "viewersCanCopyContent",
    "writersCanShare", "contentHints", "contentRestrictions", "downloadRestrictions", "inheritedPermissionsDisabled",
}  # fmt: skip
WRITABLE = {
    "files.create": _ALWAYS | {"id", "parents", "createdTime", "shortcutDetails"},
    "files.copy": _ALWAYS | {"id", "parents", "createdTime"},
    "files.update": _ALWAYS | {"trashed"},
}
_TYPES: Mapping[str, Any] = {
    "string": str, "boolean": bool, "integer": int, "number": (int, float), "object": dict, "array": list,
}  # fmt: skip


@cache
def published() -> dict[str, Any]:
    """The extract of the discovery document beside this file."""
    found: dict[str, Any] = json.loads((Path(__file__).parent / "published.json").read_text("utf-8"))
    return found


@dataclass(frozen=True)
class Method:
    """One published method and the parts of a path that led to it."""

    name: str
    facts: Mapping[str, Any]
    places: Mapping[str, str]


def method_of(verb: str, path: str) -> Method | None:
    """The method behind ``verb`` and a path below /drive/v3/; Problem 501 for a published one not simulated."""
    for name, facts in sorted(published()["methods"].items(), key=lambda one: "{" in one[1]["path"]):
        places = _matched(facts["path"], path) if facts["method"] == verb else None
        if places is not None:
            return Method(name, facts, places)
    if any(known == verb and _matched(pattern, path) is not None for known, pattern in published()["others"]):
        raise Problem("notImplemented", "This method is not simulated.", status=501)
    return None


def _matched(pattern: str, path: str) -> dict[str, str] | None:
    expression = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/:]+)", re.escape(pattern))
    found = re.fullmatch(expression, path)
    return found.groupdict() if found else None


def check_parameters(method: Method, given: Mapping[str, list[str]]) -> dict[str, Any]:
    """The parameters with their types and defaults; Problem for what is unknown, repeated, wrong or missing."""
    known = {**published()["parameters"], **method.facts["parameters"]}
    if method.facts.get("media"):
        known["upload_id"] = {"type": "string"}
    values: dict[str, Any] = {}
    for name, texts in given.items():
        if name not in known:
            raise invalid(name, f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter.')
        values[name] = _typed(name, texts[-1], known[name])
    for name, facts in method.facts["parameters"].items():
        if "default" in facts:
            values.setdefault(name, _typed(name, facts["default"], facts))
    return values


def _typed(name: str, text: str, facts: Mapping[str, Any]) -> Any:
    if "enum" in facts and text not in facts["enum"]:
        raise invalid(name)
    if facts["type"] == "boolean":
        if text.lower() not in {"true", "false"}:
            raise invalid(name, f"Invalid boolean value: '{text}'.")
        return text.lower() == "true"
    if facts["type"] != "integer":
        return text
    if not re.fullmatch(r"-?\d{1,10}", text):
        raise invalid(name, f"Invalid integer value: '{text}'.")
    if not int(facts.get("minimum", "-9999999999")) <= int(text) <= int(facts.get("maximum", "9999999999")):
        raise invalid(name, f"Invalid value '{text}'. Values must be within the range.")
    return int(text)


def check_body(method: Method, body: Any) -> dict[str, Any]:
    """A request's JSON against its schema, and that it writes only what may be written."""
    if not isinstance(body, dict):
        raise Problem("parseError", "This API does not support parsing this input.")
    complaint = mismatch(body, {"$ref": method.facts["request"]}, "")
    if complaint:
        raise Problem("badRequest", f"Invalid JSON payload received. {complaint}")
    for name in body:
        if name not in WRITABLE.get(method.name, {name}):
            raise Problem("fieldNotWritable", _not_writable(method, name))
    return body


def _not_writable(method: Method, name: str) -> str:
    if name == "parents" and method.name == "files.update":
        return (
            "The parents field is not directly writable in update requests. "
            "Use the addParents and removeParents parameters instead."
        )
    return ""


def mismatch(value: Any, schema: Mapping[str, Any], at: str) -> str:
    """What is wrong with ``value`` by a published schema, or an empty text. ``null`` means "not there"."""
    if "$ref" in schema:
        return mismatch(value, published()["schemas"][schema["$ref"]], at)
    kind = schema.get("type", "any")
    if value is None or kind == "any":
        return ""
    wanted = _TYPES[kind]
    if not isinstance(value, wanted) or (kind in {"integer", "number"} and isinstance(value, bool)):
        return f"Invalid value at '{at or 'body'}' ({kind})."
    if "enum" in schema and value not in schema["enum"]:
        return f"Invalid value at '{at}'."
    if kind == "string" and schema.get("format") == "int64" and not re.fullmatch(r"-?\d+", value):
        return f"Invalid value at '{at}' (int64)."
    if kind == "array":
        return next(filter(None, (mismatch(one, schema["items"], at) for one in value)), "")
    return _object_mismatch(value, schema, at) if kind == "object" else ""


def _object_mismatch(value: Mapping[str, Any], schema: Mapping[str, Any], at: str) -> str:
    known, others = schema.get("properties", {}), schema.get("additionalProperties")
    for name, part in value.items():
        inner = known.get(name, others)
        if inner is None:
            return f"Unknown name \"{name}\" at '{at or 'body'}': Cannot find field."
        complaint = mismatch(part, inner, f"{at}.{name}".lstrip("."))
        if complaint:
            return complaint
    return ""
