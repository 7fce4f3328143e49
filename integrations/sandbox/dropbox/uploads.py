"""Upload sessions: pieces in order, at most 150 MiB a call, good for seven days of the sandbox's clock."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from integrations.sandbox.clock import Clock
from integrations.sandbox.dropbox.disk import BLOCK, content_hash
from integrations.sandbox.dropbox.problems import Problem
from integrations.sandbox.state import Bucket, Store

MOST = 150 * 1024 * 1024


def check_piece(content: bytes, digest: str | None) -> None:
    """What every call with content is held to."""
    if len(content) > MOST:
        raise Problem("payload_too_large")
    if digest is not None and digest != content_hash(content):
        raise Problem("content_hash_mismatch")


class Sessions:
    """Uploads under way; they survive a restart."""

    def __init__(self, store: Store, clock: Clock, life: Callable[[], float]) -> None:
        self._store, self._clock, self._life = store, clock, life
        self._sessions: Bucket = store.bucket("dropbox:sessions")

    def start(self, account: str, arg: Mapping[str, Any], content: bytes) -> str:
        """A new session with its first piece."""
        check_piece(content, arg["content_hash"])
        concurrent = (arg["session_type"] or ("sequential", None))[0] == "concurrent"
        if concurrent and content:
            raise Problem("concurrent_session_data_not_allowed")
        if concurrent and arg["close"]:
            raise Problem("concurrent_session_close_not_allowed")
        name = f"pid_upload_session:{secrets.token_urlsafe(40)}"
        born = self._clock.timestamp()
        kept = {"account": account, "born": born, "closed": arg["close"], "concurrent": concurrent, "pieces": []}
        self._sessions.put(name, kept)
        if not concurrent:
            self._store.files.put(self._key(name), content)
        return name

    def append(self, account: str, arg: Mapping[str, Any], content: bytes) -> None:
        """One more piece."""
        cursor = arg["cursor"]
        session = self._session(account, cursor["session_id"])
        if session["closed"] and not session["concurrent"]:
            raise Problem("closed")
        check_piece(content, arg["content_hash"])
        if session["concurrent"]:
            self._piece(cursor, session, content, last=arg["close"])
        else:
            self._check_offset(cursor)
            self._store.files.append(self._key(cursor["session_id"]), content)
        if arg["close"]:
            self._sessions.put(cursor["session_id"], {**session, "closed": True})

    def finish(self, account: str, arg: Mapping[str, Any], content: bytes) -> bytes:
        """All that was sent. When it cannot be stored, the session keeps it: another try needs no bytes."""
        cursor = arg["cursor"]
        try:
            session = self._session(account, cursor["session_id"])
            if session["concurrent"]:
                return self._joined(cursor["session_id"], session, content)
            self._check_offset(cursor)
        except Problem as problem:
            raise problem.within("lookup_failed") if "concurrent" not in problem.words[0] else problem from None
        check_piece(content, arg["content_hash"])
        if content:
            self._store.files.append(self._key(cursor["session_id"]), content)
        return self._store.files.get(self._key(cursor["session_id"])) or b""

    def check_closed(self, account: str, arg: Mapping[str, Any]) -> None:
        """A batch takes closed sessions only."""
        try:
            session = self._session(account, arg["cursor"]["session_id"])
        except Problem as problem:
            raise problem.within("lookup_failed") from None
        if not session["closed"]:
            raise Problem("lookup_failed", "not_closed")

    def end(self, name: str) -> None:
        """It has become a file and is known no more."""
        self._store.files.delete(self._key(name))
        self._sessions.delete(name)

    def _session(self, account: str, name: str) -> dict[str, Any]:
        found = self._sessions.get(name)
        if found is None or found["account"] != account or found["born"] + self._life() < self._clock.timestamp():
            raise Problem("not_found")
        return dict(found)

    def _check_offset(self, cursor: Mapping[str, Any]) -> None:
        have = self._store.files.size(self._key(cursor["session_id"]))
        if cursor["offset"] != have:
            raise Problem("incorrect_offset", correct_offset=have)

    def _piece(self, cursor: Mapping[str, Any], session: dict[str, Any], content: bytes, *, last: bool) -> None:
        """Concurrent sessions take pieces in any order, in whole blocks."""
        if cursor["offset"] % BLOCK:
            raise Problem("concurrent_session_invalid_offset")
        if len(content) % BLOCK and not last:
            raise Problem("concurrent_session_invalid_data_size")
        self._store.files.put(f"{self._key(cursor['session_id'])}:{cursor['offset']}", content)
        session["pieces"] = sorted({*session["pieces"], cursor["offset"]})
        self._sessions.put(cursor["session_id"], session)

    def _joined(self, name: str, session: Mapping[str, Any], content: bytes) -> bytes:
        if content:
            raise Problem("concurrent_session_data_not_allowed")
        if not session["closed"]:
            raise Problem("concurrent_session_not_closed")
        whole = b""
        for offset in session["pieces"]:
            if offset != len(whole):
                raise Problem("concurrent_session_missing_data")
            whole += self._store.files.get(f"{self._key(name)}:{offset}") or b""
        return whole

    @staticmethod
    def _key(name: str) -> str:
        return f"dropbox:session:{name}"
