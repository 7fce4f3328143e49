"""Pages that are asked for again while nothing has changed: answered as they were, without being made anew.

A list that polls, a tab that is opened again, a page gone back to: the same browser asks for the same address, and
most of the time nobody has written anything meanwhile. ``Database.moment`` tells that for certain, for this process
and all others, so a page kept under it is the page that would be made; sign-in, rights and rows are all part of what
has not changed. What depends on the time alone ("3 minutes ago") is at most a minute old.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from flask import request

from portal import clock
from portal.db import Database

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

View = TypeVar("View", bound=Callable[..., Any])

_FLAG = "kontor.kept"
# What else an answer depends on: whose browser, which address, which part of the page, in which language.
_ASKED = ("HTTP_COOKIE", "HTTP_HOST", "PATH_INFO", "QUERY_STRING", "wsgi.url_scheme", "REMOTE_ADDR",
          "HTTP_ACCEPT_LANGUAGE", "HTTP_HX_REQUEST", "HTTP_HX_HISTORY_RESTORE_REQUEST", "HTTP_X_FORWARDED_PROTO",
          "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST")  # fmt: skip
_MOST, _LARGEST = 200, 150_000  # pages of a process, bytes of one
_APART = {"/healthz", "/readyz"}
Moment = tuple[str, int]  # of the database, and the minute
Key = tuple[str, ...]


def kept(view: View) -> View:
    """Mark a view whose page follows from the database, the browser's cookie and the minute alone.

    It must be made in one go and ask nobody else (no provider, no Redis). Put it directly above the function.
    """

    @wraps(view)
    def flagged(*args: Any, **kwargs: Any) -> Any:
        request.environ[_FLAG] = True
        return view(*args, **kwargs)

    return flagged  # type: ignore[return-value]


@dataclass(frozen=True)
class _Page:
    moment: Moment
    status: str
    headers: list[tuple[str, str]]
    body: bytes


class KeptPages:
    """The application, with the pages of marked views kept for as long as nothing changes."""

    def __init__(self, app: WSGIApplication, database: Callable[[], Database]) -> None:
        self.app, self.database = app, database
        self._pages: OrderedDict[Key, _Page] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer from what is kept, or pass the request on and keep the answer of a marked view."""
        if environ["REQUEST_METHOD"] != "GET" or "HTTP_COOKIE" not in environ or environ["PATH_INFO"] in _APART:
            return self.app(environ, start_response)
        key = tuple(str(environ.get(name, "")) for name in _ASKED)
        moment = self._moment()
        page = self._found(key, moment)
        if page is None:
            return self._made(environ, start_response, key, moment)
        start_response(page.status, page.headers)
        return [page.body]

    def _moment(self) -> Moment | None:
        """What a page made from now on is valid for; None when nobody can tell."""
        now = self.database().moment()
        return None if now is None else (now, int(clock.now().timestamp() // 60))

    def _found(self, key: Key, moment: Moment | None) -> _Page | None:
        with self._lock:
            page = self._pages.get(key)
            if page is None or page.moment != moment:
                return None
            self._pages.move_to_end(key)
            return page

    def _made(
        self, environ: WSGIEnvironment, start_response: StartResponse, key: Key, moment: Moment | None
    ) -> Iterable[bytes]:
        said: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            said.append((status, headers))
            return start_response(status, headers, exc_info)

        answer = self.app(environ, start)
        if moment is None or _FLAG not in environ or not said or not _may_be_kept(*said[-1]):
            return answer
        try:
            body = b"".join(answer)
        finally:
            getattr(answer, "close", lambda: None)()
        if len(body) <= _LARGEST:
            self._keep(key, _Page(moment, *said[-1], body))
        return [body]

    def _keep(self, key: Key, page: _Page) -> None:
        with self._lock:
            self._pages[key] = page
            self._pages.move_to_end(key)
            while len(self._pages) > _MOST:
                self._pages.popitem(last=False)


def _may_be_kept(status: str, headers: list[tuple[str, str]]) -> bool:
    """A page, and one that changes nothing in the browser: a cookie is meant once."""
    return status.startswith("200 ") and not any(name.lower() == "set-cookie" for name, _value in headers)
