"""Replies of a Google API checked against Google's own discovery document, as google-api-python-client ships it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

_TYPES: Mapping[str, Any] = {"string": str, "boolean": bool, "integer": int, "number": (int, float), "array": list}
_FORMATS = {
    "int64": re.compile(r"-?\d+"),
    "date-time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z"),
}


def document() -> dict[str, Any]:
    """The discovery document of Drive v3, whole."""
    folder = files("googleapiclient.discovery_cache.documents")
    found: dict[str, Any] = json.loads((folder / "drive.v3.json").read_text("utf-8"))
    return found


class Discovery:
    """The document, and which schema answers a call."""

    def __init__(self) -> None:
        self.document = document()
        self.methods = {
            method["id"]: method
            for resource in self.document["resources"].values()
            for method in resource["methods"].values()
        }

    def response_of(self, verb: str, path: str) -> str | None:
        """The schema of the reply to ``verb`` at a path below /drive/v3/; KeyError when nothing is published there."""
        for method in sorted(self.methods.values(), key=lambda one: "{" in one["path"]):
            pattern = re.sub(r"\{\w+\}", "[^/]+", method["path"])
            if method["httpMethod"] == verb and re.fullmatch(pattern, path):
                schema: str | None = method.get("response", {}).get("$ref")
                return schema
        raise KeyError(f"{verb} {path}")

    def complaints(self, value: Any, schema: str) -> list[str]:
        """All that is not as published."""
        return list(self._check(value, {"$ref": schema}, schema))

    def _check(self, value: Any, schema: Mapping[str, Any], at: str) -> Iterator[str]:
        if "$ref" in schema:
            yield from self._check(value, self.document["schemas"][schema["$ref"]], at)
        elif schema.get("type") == "object":
            yield from self._object(value, schema, at)
        else:
            yield from self._plain(value, schema, at)

    def _object(self, value: Any, schema: Mapping[str, Any], at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{at} is no object"
            return
        for name, part in value.items():
            inner = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            if inner is None:
                yield f"{at}.{name} is not published"
            else:
                yield from self._check(part, inner, f"{at}.{name}")

    def _plain(self, value: Any, schema: Mapping[str, Any], at: str) -> Iterator[str]:
        kind = schema.get("type", "any")
        if kind == "any":
            return
        if not isinstance(value, _TYPES[kind]) or (kind == "integer" and isinstance(value, bool)):
            yield f"{at} is {value!r}, not {kind}"
        elif kind == "array":
            for one in value:
                yield from self._check(one, schema["items"], f"{at}[]")
        elif schema.get("format") in _FORMATS and not _FORMATS[schema["format"]].fullmatch(value):
            yield f"{at} is {value!r}, not {schema['format']}"
        elif "enum" in schema and value not in schema["enum"]:
            yield f"{at} is {value!r}"
