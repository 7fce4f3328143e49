"""A minimal provider on loopback for tests of the shared HTTP parts: answers are told one by one, requests are kept."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Request, Response

from integrations.sandbox.server import ConnectionDropped, Server


@dataclass
class Provider:
    """Its next answers, and what was asked."""

    answers: deque[Response | Exception] = field(default_factory=deque)
    asked: list[Request] = field(default_factory=list)
    url: str = ""

    def answer(self, status: int = 200, body: Any = None, **headers: str) -> None:
        text = body if isinstance(body, str) else json.dumps({} if body is None else body)
        self.answers.append(Response(text, status, {name.replace("_", "-"): one for name, one in headers.items()}))

    def drop(self, *, reset: bool = False) -> None:
        self.answers.append(ConnectionDropped(reset=reset))

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        request.get_data()
        self.asked.append(request)
        answer = self.answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer(environ, start_response)


@contextmanager
def provider() -> Iterator[Provider]:
    """A running one."""
    made = Provider()
    with Server(made) as server:
        made.url = server.url
        yield made
