"""Content on its way in: simple, multipart and resumable uploads (guides/manage-uploads)."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Request, Response

from integrations.sandbox.clock import Clock
from integrations.sandbox.google_drive.disk import Content
from integrations.sandbox.google_drive.problems import Problem
from integrations.sandbox.state import Bucket, Store

UNIT = 256 * 1024
_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


@dataclass(frozen=True)
class Arrived:
    """A whole upload: its metadata (as JSON says) and where the bytes wait."""

    body: Any
    content: Content


def waiting(store: Store, content: bytes, media_type: str) -> Content:
    """Put bytes where a file takes them from."""
    key = f"google_drive:upload:{secrets.token_hex(12)}"
    store.files.put(key, content)
    return Content(key, media_type)


def simple(store: Store, request: Request) -> Arrived:
    """``uploadType=media``: the body is the content, there is no metadata."""
    return Arrived({}, waiting(store, request.get_data(), request.content_type or "application/octet-stream"))


def multipart(store: Store, request: Request) -> Arrived:
    """``uploadType=multipart``: exactly two parts, metadata first (RFC 2387)."""
    if request.mimetype != "multipart/related" or not request.mimetype_params.get("boundary"):
        raise Problem("badRequest", "Multipart uploads are of type multipart/related with a boundary.")
    parts = split(request.get_data(), request.mimetype_params["boundary"])
    if len(parts) != 2 or not parts[0][0].get("content-type", "").startswith("application/json"):
        raise Problem("badRequest", "A multipart upload has two parts: metadata as JSON, then the content.")
    media_type = parts[1][0].get("content-type", "application/octet-stream").partition(";")[0].strip()
    content = parts[1][1]
    if parts[1][0].get("content-transfer-encoding", "binary").lower() == "base64":
        raise Problem("badRequest", "Only binary content is simulated.")
    return Arrived(as_json(parts[0][1]), waiting(store, content, media_type))


def split(body: bytes, boundary: str) -> list[tuple[dict[str, str], bytes]]:
    """The parts of a multipart body: headers in lower case, and the bytes as they are."""
    found: list[tuple[dict[str, str], bytes]] = []
    line_break = b"\r\n" if b"\r\n" in body.partition(b"--" + boundary.encode())[2][:2] else b"\n"
    delimiter = line_break + b"--" + boundary.encode()
    for part in (line_break + body).split(delimiter)[1:]:
        if part.startswith(b"--"):
            return found
        head, _, content = part.removeprefix(line_break).partition(line_break * 2)
        lines = [line.partition(":") for line in head.decode("utf-8", "replace").splitlines() if ":" in line]
        found.append(({name.strip().lower(): value.strip() for name, _, value in lines}, content))
    raise Problem("badRequest", "Multipart body without its end.")


def as_json(body: bytes) -> Any:
    """Metadata; an empty body is an empty object."""
    try:
        return json.loads(body.decode("utf-8")) if body.strip() else {}
    except ValueError:
        raise Problem("parseError") from None


class Sessions:
    """Resumable uploads under way; they survive a restart and end after ``life`` seconds of the sandbox's clock."""

    def __init__(self, store: Store, clock: Clock, life: Callable[[], float]) -> None:
        self._store, self._clock, self._life = store, clock, life
        self._sessions: Bucket = store.bucket("google_drive:sessions")

    def start(self, request: Request, facts: Mapping[str, Any]) -> Response:
        """A new session; ``facts`` is what the finishing call needs."""
        total = request.headers.get("X-Upload-Content-Length", "")
        if total and not total.isdigit():
            raise Problem("badRequest", "X-Upload-Content-Length is not a number.")
        name = f"AAwnt{secrets.token_urlsafe(48)}"
        media_type = request.headers.get("X-Upload-Content-Type", "application/octet-stream")
        session = {**facts, "total": total, "type": media_type, "born": self._clock.timestamp(), "reply": None}
        self._sessions.put(name, session)
        self._store.files.put(self._key(name), b"")
        separator = "&" if request.query_string else "?"
        location = (
            f"{request.url_root.rstrip('/')}{request.path}?{request.query_string.decode()}{separator}upload_id={name}"
        )
        return Response(status=200, headers={"Location": location, "X-GUploader-UploadID": name})

    def session(self, name: str) -> dict[str, Any]:
        """A session that still lives."""
        found = self._sessions.get(name)
        if found is None or found["born"] + self._life() < self._clock.timestamp():
            raise Problem("notFound", "Upload session not found.")
        return dict(found)

    def cancel(self, name: str) -> Response:
        """Forget it; 499 is what Google answers."""
        self.session(name)
        self._sessions.delete(name)
        self._store.files.delete(self._key(name))
        return Response(status=499)

    def receive(self, name: str, request: Request) -> Content | None:
        """Take a piece; the whole content when it was the last, None while more is to come."""
        session, blob = self.session(name), request.get_data()
        start, total = self._place(request.headers.get("Content-Range"), blob, session)
        have = self._store.files.size(self._key(name))
        if start is not None and start > have:
            message = f"the upload offset is {start} byte(s), which exceeds already uploaded size of {have} byte(s)."
            raise Problem("badRequest", f"Invalid request. According to the Content-Range header, {message}")
        if start is not None:
            self._append(name, blob[have - start :], have, total)
            have = self._store.files.size(self._key(name))
        return Content(self._key(name), session["type"]) if have == total else None

    def _append(self, name: str, blob: bytes, have: int, total: int | None) -> None:
        if total is not None and have + len(blob) > total:
            raise Problem("badRequest", "More bytes than Content-Range announced.")
        if (total is None or have + len(blob) < total) and len(blob) % UNIT:
            raise Problem("badRequest", "A piece that is not the last is a multiple of 256 KiB.")
        self._store.files.append(self._key(name), blob)

    def _place(self, told: str | None, blob: bytes, session: Mapping[str, Any]) -> tuple[int | None, int | None]:
        """Where the piece starts (None: only the status is asked for) and how long the whole is, if known."""
        announced = int(session["total"]) if session["total"] else None
        if told is None:
            return 0, len(blob) if announced is None else announced
        found = _RANGE.fullmatch(told)
        if not found:
            raise Problem("badRequest", "Failed to parse Content-Range header.")
        total = announced if found[3] == "*" else int(found[3])
        if announced is not None and total != announced:
            raise Problem("badRequest", "Content-Range and X-Upload-Content-Length differ.")
        if found[1] is None:
            if blob:
                raise Problem("badRequest", "A status request has no body.")
            return None, total
        if int(found[2]) - int(found[1]) + 1 != len(blob):
            raise Problem("badRequest", "Content-Range does not fit the body.")
        return int(found[1]), total

    def progress(self, name: str) -> Response:
        """308 with what has arrived so far."""
        have = self._store.files.size(self._key(name))
        headers = {"X-GUploader-UploadID": name, **({"Range": f"bytes=0-{have - 1}"} if have else {})}
        return Response(status=308, headers=headers)

    def finished(self, name: str, reply: Mapping[str, Any]) -> None:
        """Keep the reply: who asks again gets it again."""
        self._sessions.put(name, {**self.session(name), "reply": dict(reply)})

    @staticmethod
    def _key(name: str) -> str:
        return f"google_drive:session:{name}"
