"""The list of calls that arrived, for counting them; no secrets in it."""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from integrations.sandbox.clock import iso

_SECRET = {"access_token", "refresh_token", "code", "state", "token", "client_secret", "code_challenge"}
_KEPT = 20_000


class Calls:
    """The newest calls of all providers, in order of their answers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._number = 0
        self._wait_until: dict[tuple[str, str], float] = {}

    def add(
        self,
        *,
        provider: str,
        method: str,
        path: str,
        query: str,
        status: int | None,
        fault: str,
        at: datetime,
        early: bool,
        took: float,
    ) -> None:
        """Note one call; ``status`` None: it got no answer. ``early``: it came before a told wait was over."""
        with self._lock:
            self._number += 1
            self._calls.append(
                {
                    "number": self._number,
                    "at": iso(at),
                    "provider": provider,
                    "method": method,
                    "path": path,
                    "query": query,
                    "status": status,
                    "fault": fault,
                    "early": early,
                    "milliseconds": round(took * 1000, 1),
                }
            )

    def wait(self, provider: str, who: str, until: float) -> None:
        """This caller was told to come back at ``until`` (a timestamp of the sandbox's clock)."""
        with self._lock:
            self._wait_until[provider, who] = until

    def is_early(self, provider: str, who: str, now: float) -> bool:
        """Whether this caller did not wait as told."""
        with self._lock:
            return now < self._wait_until.get((provider, who), 0.0)

    def listed(self, provider: str = "") -> list[dict[str, Any]]:
        """The calls, oldest first."""
        with self._lock:
            wanted = [call for call in self._calls if not provider or call["provider"] == provider]
        return [{**call, "query": redacted(call["query"])} for call in wanted]

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._calls.clear()
            self._wait_until.clear()


def redacted(query: str) -> str:
    """A query string with secrets taken out."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return urlencode([(name, "…" if name in _SECRET else value) for name, value in pairs], safe="…/:,*' ")
