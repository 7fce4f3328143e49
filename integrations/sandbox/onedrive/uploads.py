"""Upload sessions (learn.microsoft.com/graph/api/driveitem-createuploadsession); they survive a restart."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from integrations.sandbox.clock import Clock, iso
from integrations.sandbox.onedrive.problems import Problem, invalid, missing
from integrations.sandbox.state import Store

UNIT = 320 * 1024
FRAGMENT_LESS_THAN = 60 * 1024 * 1024
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class Sessions:
    """Sessions under way; each ends ``life`` seconds of the sandbox's clock after its last fragment."""

    def __init__(self, store: Store, clock: Clock, life: Callable[[], float]) -> None:
        self._store, self._clock, self._life = store, clock, life
        self._sessions = store.bucket("onedrive:sessions")

    def start(self, facts: Mapping[str, Any], base: str) -> dict[str, Any]:
        """A new session; ``facts`` say what becomes of the bytes."""
        name = secrets.token_urlsafe(24)
        session = {**facts, "total": None, "dies": self._clock.after(self._life())}
        self._sessions.put(name, session)
        return {"uploadUrl": f"{base}/up/{name}", **self._told(name, session)}

    def session(self, name: str) -> dict[str, Any]:
        """A living session; itemNotFound when it ended."""
        found: dict[str, Any] | None = self._sessions.get(name)
        if found is None or found["dies"] <= self._clock.timestamp():
            raise missing()
        return found

    def status(self, name: str) -> dict[str, Any]:
        """Until when it lives, and what is still missing."""
        return self._told(name, self.session(name))

    def _told(self, name: str, session: Mapping[str, Any]) -> dict[str, Any]:
        have = self._store.files.size(self._key(name))
        whole = session["total"] is not None and have >= session["total"]
        return {
            "expirationDateTime": iso(datetime.fromtimestamp(session["dies"], UTC)),
            "nextExpectedRanges": [] if whole else [f"{have}-"],
        }

    def receive(self, name: str, told: str, blob: bytes) -> bytes | None:
        """Take one fragment; the whole content once nothing is missing."""
        session = self.session(name)
        found = _RANGE.fullmatch(told)
        if not found:
            raise invalid("The Content-Range header is missing or malformed.")
        start, end, total = (int(number) for number in found.groups())
        self._check(session, start, end, total, blob, self._store.files.size(self._key(name)))
        self._store.files.append(self._key(name), blob)
        session |= {"total": total, "dies": self._clock.after(self._life())}
        self._sessions.put(name, session)
        if end + 1 < total:
            return None
        return self._store.files.get(self._key(name)) or b""

    @staticmethod
    def _check(session: Mapping[str, Any], start: int, end: int, total: int, blob: bytes, have: int) -> None:
        if end - start + 1 != len(blob) or end >= total:
            raise invalid("The Content-Range does not fit the body.", "invalidParameterFormat")
        if session["total"] is not None and session["total"] != total:
            raise invalid("Declared total size differs from the session's.", "fragmentLengthMismatch")
        if len(blob) >= FRAGMENT_LESS_THAN:
            raise Problem("invalidRequest", "The fragment is too large.", status=413)
        if end + 1 < total and len(blob) % UNIT:
            raise invalid("A fragment that is not the last is a multiple of 320 KiB.")
        if start < have:
            raise Problem("invalidRange", "Uploaded fragment overlaps with existing data.", inner="fragmentOverlap")
        if start > have:
            raise Problem("invalidRange", "Uploaded fragment is out of order.", inner="fragmentOutOfOrder")

    def end(self, name: str) -> None:
        """It is finished or cancelled: from now on there is no such session."""
        self._sessions.delete(name)
        self._store.files.delete(self._key(name))

    @staticmethod
    def _key(name: str) -> str:
        return f"onedrive:session:{name}"
