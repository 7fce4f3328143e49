"""The OpenAPI document as it is told: every answer an operation may give, one name per shape, ids as UUIDs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from apiflask import APIFlask
from pydantic import TypeAdapter

from portal.api.problems import SENTENCES, Problem

Spec = dict[str, Any]
READS = (401, 404, 422, 429, 500, 503)
CHANGES = (400, 401, 404, 409, 422, 429, 500, 503)
MORE = {"documents_change": (412, 428)}
_UUID = {"type": "string", "format": "uuid"}
_WAIT = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}
_CHALLENGE = {"WWW-Authenticate": {"description": "How to sign in.", "schema": {"type": "string"}}}
_TAG = {"ETag": {"description": "The version, for If-Match.", "schema": {"type": "string"}}}
_HEADERS = {
    "Idempotency-Key": "A repeat with the same key, file and fields gives the same document.",
    "If-Match": "The ETag that was seen.",
}


def register(api: APIFlask) -> None:
    """Let the document be finished by ``finished``."""
    api.spec_processor(lambda spec: finished(cast("Spec", spec)))


def finished(spec: Spec) -> Spec:
    """What APIFlask made, completed."""
    components = spec.setdefault("components", {})
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "description": "An API token."}}
    spec["security"] = [{"token": []}]
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPError", "ValidationError"):
        schemas.pop(name, None)
    schemas |= _problem()
    components["responses"] = {str(status): _response(status) for status in {*READS, *CHANGES, 412, 413, 428}}
    for item in spec["paths"].values():
        for method, operation in item.items():
            if method != "parameters":
                _complete(method, operation)
    _short_names(spec)
    return spec


def _problem() -> Spec:
    schema = TypeAdapter(Problem).json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    return {**schema.pop("$defs", {}), "Problem": schema}


def _response(status: int) -> Spec:
    told: Spec = {
        "description": SENTENCES.get(status, "Something went wrong on our side."),
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status == 429:
        told["headers"] = _WAIT
    if status == 401:
        told["headers"] = _CHALLENGE
    return told


def _complete(method: str, operation: Spec) -> None:
    endpoint = operation["operationId"].partition("_")[2]
    answers = {code: one for code, one in operation["responses"].items() if code.startswith("2")}
    statuses = [*(READS if method == "get" else CHANGES), *MORE.get(endpoint, ())]
    statuses += [413] if "requestBody" in operation else []
    if endpoint in {"documents_show", "documents_change", "documents_upload"}:
        for one in answers.values():
            one["headers"] = _TAG
    if endpoint == "documents_upload":
        answers["200"] = {**answers["201"], "description": "The same upload came before; this is its document."}
        _with_header(operation, "Idempotency-Key")
    if endpoint == "documents_change":
        _with_header(operation, "If-Match")
    refs = {str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(statuses)}
    operation["responses"] = {**answers, **refs}
    operation["operationId"] = endpoint


def _with_header(operation: Spec, name: str) -> None:
    schema = {"type": "string", "maxLength": 200}
    one = {"name": name, "in": "header", "required": False, "description": _HEADERS[name], "schema": schema}
    operation.setdefault("parameters", []).append(one)


def _short_names(spec: Spec) -> None:
    """APIFlask names a nested shape after the one around it; here each has its own name once."""
    schemas: Spec = spec["components"]["schemas"]
    for long in [name for name in schemas if "." in name]:
        short = long.rpartition(".")[2]
        schemas.setdefault(short, schemas[long])
        del schemas[long]
    for node in _nodes(spec):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/components/schemas/"):
            node["$ref"] = "#/components/schemas/" + reference.rpartition("/")[2].rpartition(".")[2]


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in list(value.values()):
            yield from _nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _nodes(inner)
