"""Answers in JSON and pages in HTML, as all simulators write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from werkzeug.wrappers import Request, Response


def json_response(
    body: Any,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    content_type: str = "application/json;charset=UTF-8",
) -> Response:
    """An answer with ``body`` as JSON."""
    return Response(json.dumps(body, ensure_ascii=False), status, dict(headers or {}), content_type=content_type)


@cache
def _pages() -> Environment:
    folder = Path(__file__).parent / "templates"
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(name: str, status: int = 200, **values: Any) -> Response:
    """The page of a template of this package."""
    return Response(_pages().get_template(name).render(**values), status, content_type="text/html; charset=utf-8")


def wants_html(request: Request) -> bool:
    """Whether a browser asks (it names text/html; programs do not)."""
    return "text/html" in request.headers.get("Accept", "")


def german(request: Request) -> bool:
    """Whether the reader prefers German."""
    return request.accept_languages.best_match(["en", "de"], "en") == "de"
