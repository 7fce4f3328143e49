"""Walks every route of the portal and its API as somebody, with ids that are not theirs.

Addresses are built from the routes themselves, so a route that somebody adds is walked too: an id's name tells the
table (``document_id``: document), and a name that tells no table is filled with one row of each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import BaseConverter, Rule, UUIDConverter
from werkzeug.test import TestResponse

from portal.api import PREFIX
from portal.db import Database, metadata

# What a text in an address is, where it is no free text.
TEXTS = {
    "folder": "incoming-invoices",
    "kind": "google_drive",
    "filename": "css/base.css",
    "secret": "unknown-secret",
    "step": "documents",
}
# Names of ids that do not name their table.
TABLES = {
    "account_id": "bank_account",
    "row_id": "sign_in",
    "view_id": "saved_view",
    "token_id": "api_token",
    "transaction_id": "bank_transaction",
}
Rows = Mapping[str, list[UUID]]
Dump = dict[tuple[str, str], str]


@dataclass(frozen=True)
class Call:
    """One request that can be made."""

    method: str
    path: str
    endpoint: str
    names_ids: bool

    def __str__(self) -> str:
        return f"{self.method} {self.path} ({self.endpoint})"


def calls(app: Flask, rows: Rows) -> Iterator[Call]:
    """Every method of every route of the pages and the API, with ids out of ``rows``."""
    for mounted, prefix in ((app, ""), (app.extensions["kontor-api"], PREFIX)):
        for rule in mounted.url_map.iter_rules():
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                for path in _paths(rule, rows):
                    name = rule.endpoint if not prefix else f"api:{rule.endpoint}"
                    yield Call(method, prefix + path, name, _ids(rule) != [])


def unknown_ids(app: Flask, rows: Rows) -> set[str]:
    """Names of ids in addresses that name no table with rows."""
    maps = (app.url_map, app.extensions["kontor-api"].url_map)
    return {name for each in maps for rule in each.iter_rules() for name in _ids(rule) if _table(name) not in rows}


def _ids(rule: Rule) -> list[str]:
    return [name for name, kind in rule._converters.items() if isinstance(kind, UUIDConverter) or name.endswith("_id")]


def _paths(rule: Rule, rows: Rows) -> Iterator[str]:
    strange = [name for name in _ids(rule) if _table(name) not in rows]
    pools = [rows[table][:1] for table in rows] if strange else [[None]]
    for pool in pools:
        values: dict[str, Any] = {}
        for name, converter in rule._converters.items():
            if name in strange:
                values[name] = pool[0]
            elif name in _ids(rule):
                values[name] = rows[_table(name)][0]
            else:
                values[name] = _text(name, converter)
        built = rule.build(values, append_unknown=False)
        assert built is not None, rule
        yield built[1]


def _table(name: str) -> str:
    return TABLES.get(name, name.removesuffix("_id"))


def _text(name: str, converter: BaseConverter) -> Any:
    if name in TEXTS:
        return TEXTS[name]
    choices = re.fullmatch(r"\(\?:(\w+)[|)].*", converter.regex)
    if choices:
        return choices[1]
    return 1 if converter.regex == r"\d+" else "something"


def rows_of(db: Database, mine: Callable[[str, Any], bool]) -> dict[str, list[UUID]]:
    """The ids in every table that has ids, of the rows that ``mine`` picks."""
    found: dict[str, list[UUID]] = {}
    with db.read() as session:
        for table in metadata.sorted_tables:
            if "id" in table.c:
                rows = session.connection().execute(table.select()).mappings()
                ids = [row["id"] for row in rows if mine(table.name, row)]
                if ids:
                    found[table.name] = ids
    return found


def dump(db: Database, *leave: str) -> Dump:
    """Every row of every table as text, but for tables that may change."""
    content: Dump = {}
    with db.read() as session:
        for table in metadata.sorted_tables:
            if table.name in leave:
                continue
            for row in session.connection().execute(table.select()).mappings():
                key = ",".join(str(row[column.name]) for column in table.primary_key)
                content[table.name, key] = repr(dict(row))
    return content


@dataclass(frozen=True)
class Somebody:
    """A browser and a bearer token of one person, either of which may be missing."""

    browser: FlaskClient
    bodies: Mapping[str, Any]  # of the API's endpoints
    bearer: str | None = None

    def make(self, call: Call) -> TestResponse:
        """Send a request that is well formed, so that nothing but the missing right can be its fault."""
        if not call.path.startswith(PREFIX):
            return self.browser.open(call.path, method=call.method, data={} if call.method != "GET" else None)
        headers = {"If-Match": '"1"'} | ({"Authorization": f"Bearer {self.bearer}"} if self.bearer else {})
        body = self.bodies.get(f"{call.endpoint} {call.method}", {})
        return self.browser.open(call.path, method=call.method, headers=headers, **body)


def bodies(app: Flask) -> dict[str, Any]:
    """What the smallest valid request to each endpoint of the API carries, from its own OpenAPI document."""
    api = app.extensions["kontor-api"]
    document = api.test_client().get("/openapi.json").get_json()
    known: dict[str, Any] = {}
    for rule in api.url_map.iter_rules():
        path = document["paths"].get(re.sub(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", r"{\1}", rule.rule), {})
        for method in rule.methods or ():
            content = path.get(method.lower(), {}).get("requestBody", {}).get("content", {})
            for media_type, described in content.items():
                value = _smallest(described["schema"], document)
                known[f"api:{rule.endpoint} {method}"] = {"json" if media_type == "application/json" else "data": value}
    return known


def _smallest(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        return _smallest(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document)
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return _smallest(schema[several][0], document)
    if schema.get("format") == "binary":
        return (BytesIO(b"%PDF-1.4"), "document.pdf")
    if schema.get("type") == "object":
        wanted, parts = schema.get("required", ()), schema.get("properties", {})
        return {name: _smallest(part, document) for name, part in parts.items() if name in wanted}
    if schema.get("type") == "array":
        return [_smallest(schema["items"], document)] * schema.get("minItems", 0)
    texts = {"uuid": str(UUID(int=7)), "date": "2026-03-01", "date-time": "2026-03-01T00:00:00Z"}
    plain = {"integer": 1, "number": 1, "boolean": True, "string": texts.get(schema.get("format", ""), "something")}
    return schema.get("enum", [plain.get(schema.get("type", ""))])[0]
