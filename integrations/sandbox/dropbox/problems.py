"""Refusals in Dropbox's words: a tagged union with its summary, or plain text for requests that make no sense."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Response


def union(*words: str, **fields: Any) -> dict[str, Any]:
    """A tagged union of tags from the outside in; ``fields`` belong to the innermost."""
    first, *rest = words
    return {".tag": first, first: union(*rest, **fields)} if rest else {".tag": first, **fields}


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON with the content type that Dropbox's clients insist on, to the letter."""
    told = {"X-Dropbox-Request-Id": secrets.token_hex(16), "X-Server-Response-Time": "20", **(headers or {})}
    return Response(json.dumps(body), status, told, content_type="application/json")


def plain(text: str, status: int = 400, headers: Mapping[str, str] | None = None) -> Response:
    """Plain text, as for requests that are not understood."""
    told = {"X-Dropbox-Request-Id": secrets.token_hex(16), **(headers or {})}
    return Response(text, status, told, content_type="text/plain; charset=utf-8")


class Problem(Exception):
    """One refusal with the status of its kind: 409 an endpoint's own, 401 the login, 422 the path root."""

    def __init__(self, *words: str, status: int = 409, error: Any = None, **fields: Any) -> None:
        super().__init__("/".join(words))
        self.words, self.status, self.fields = words, status, fields
        self.error = error if error is not None else union(*words, **fields)

    def within(self, *outer: str) -> Problem:
        """The same within further tags: a path's trouble as the endpoint tells it."""
        return Problem(*outer, *self.words, status=self.status, **self.fields)

    def of_upload(self, session: str) -> Problem:
        """UploadError has a struct under ``path``: the reason, and the session that took the bytes."""
        error = {".tag": "path", "reason": union(*self.words, **self.fields), "upload_session_id": session}
        return Problem("path", *self.words, error=error)

    def response(self) -> Response:
        """As Dropbox answers; the summary ends in dots that nobody is to rely on."""
        body = {"error_summary": f"{'/'.join(self.words)}/{'.' * (1 + secrets.randbelow(3))}", "error": self.error}
        return answer(body, self.status)


class Senseless(Exception):
    """A request that is not as documented: 400 and plain text."""

    def __init__(self, route: str, text: str) -> None:
        super().__init__(text)
        self.route, self.text = route, text

    def response(self) -> Response:
        """As Dropbox answers."""
        return plain(f'Error in call to API function "{self.route}": {self.text}')


def throttled(reason: str, wait: int | None, *, as_text: bool) -> Response:
    """429: RateLimitError as JSON, or plain text; the wait in the header and in the body."""
    headers = {} if wait is None else {"Retry-After": str(wait)}
    if as_text:
        return plain("Your app is making too many requests for the given user.", 429, headers)
    error = {"reason": {".tag": reason}, "retry_after": 1 if wait is None else wait}
    return answer({"error_summary": f"{reason}/.", "error": error}, 429, headers)
