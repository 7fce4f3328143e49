"""A bucket as a shelf of documents.

Conditional writes are younger than most S3-compatible servers: some do not know them, some ignore them. So the first
small document of an instance is stored twice, the second time on the condition that nothing is there: only a server
that then refuses is trusted. At the others we look before each document, and the memory keeps the instance's own
workers apart; with other instances that write to the same place a moment is left, but no gap that lasts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from urllib.parse import quote

from integrations.contract import Memory, OutgoingDocument
from integrations.paths import Stored, changed_meanwhile
from integrations.s3.client import S3, Object
from integrations.s3.failures import Missing, NotOffered
from integrations.s3.login import S3Login
from integrations.s3.multipart import PART, Multipart

_ABSENT = {"if-none-match": "*"}
_TRUSTED = "conditions"


class S3Shelf:
    """A Shelf (``integrations.paths``). There are no folders, only keys with slashes in them."""

    def __init__(self, s3: S3, memory: Memory, login: S3Login) -> None:
        self.s3, self._memory, self._login = s3, memory, login

    def look(self, path: str) -> Stored | None:
        """One HEAD."""
        found = self.s3.head(path)
        return self._stored(found) if found else None

    def listed(self, folder: str) -> Mapping[str, Stored] | None:
        """One listing; a folder that was deleted looks like one in which nothing lies."""
        found = map(self._stored, self.s3.listed(f"{folder}/"))
        return {one.path.rpartition("/")[2]: one for one in found}

    def stamp(self, folder: str) -> str:
        """There are no folders to tell apart."""
        return ""

    def digest(self, stored: Stored) -> str:
        """One HEAD; the bytes where neither S3 nor what was noted with the object tells."""
        found = self.s3.head(stored.path)
        return found.sha256 if found and found.sha256 else self.s3.sha256(stored.path)

    def create(self, path: str, document: OutgoingDocument) -> Stored | None:
        """One PUT at a server that keeps conditions; else a HEAD before it."""
        trusted = self._memory.get(_TRUSTED)
        made = self._put(path, document, _ABSENT) if trusted == "yes" else self._put_alone(path, document)
        if made and trusted is None and document.size <= PART:
            self._find_out(path, document)
        return self._stored(made) if made else None

    def _put_alone(self, path: str, document: OutgoingDocument) -> Object | None:
        """Between look and PUT no other document of this instance goes there; one whose fate is unclear keeps it."""
        turn = f"turn:{hashlib.sha256(path.encode()).hexdigest()[:32]}"
        if self._memory.claim(turn, document.id) != document.id:
            return None
        made = None if self.s3.head(path) else self._put(path, document, _ABSENT)
        self._memory.forget(turn)
        return made

    def replace(self, stored: Stored, document: OutgoingDocument) -> Stored | None:
        """One PUT on the condition that the object is as it was looked at."""
        try:
            made = self._put(stored.path, document, {"if-match": stored.version})
        except Missing:  # S3 says so when there is nothing to match
            return None
        return self._stored(made) if made else None

    def move(self, stored: Stored, path: str, document: OutgoingDocument) -> Stored | None:
        """S3 cannot move: stored anew, then deleted where it was."""
        made = self.create(path, document)
        if made:
            self.remove(stored)
        return made

    def remove(self, stored: Stored) -> None:
        """One DELETE; in a bucket with versions the object can be brought back there."""
        self.s3.delete(stored.path)

    def _put(self, key: str, document: OutgoingDocument, condition: Mapping[str, str]) -> Object | None:
        if self._memory.get(_TRUSTED) == "no":
            condition = {}
        try:
            return self._sent(key, document, condition)
        except NotOffered:
            if not condition:
                raise
            self._memory.put(_TRUSTED, "no")
            return self._sent(key, document, {})

    def _sent(self, key: str, document: OutgoingDocument, condition: Mapping[str, str]) -> Object | None:
        if document.size > 2 * PART:
            made = Multipart(self.s3, self._memory).put(key, document, condition)
        else:
            made = self.s3.put(key, document, condition)
        if made and not made.etag:
            made = self.s3.head(key)
            if made is None:
                raise changed_meanwhile()
        return made

    def _find_out(self, path: str, document: OutgoingDocument) -> None:
        """Whether conditions are kept, by what harms nothing: the same content at the same place."""
        if self._memory.get(_TRUSTED) is None:
            again = self._put(path, document, _ABSENT)
            if self._memory.get(_TRUSTED) is None:
                self._memory.put(_TRUSTED, "yes" if again is None else "no")

    def _stored(self, found: Object) -> Stored:
        return Stored(
            path=found.key, size=found.size, version=found.etag, sha256=found.sha256, link=self._link(found.key)
        )

    def _link(self, key: str) -> str | None:
        """Amazon's own page for the object; others have none that we know."""
        if not self._login.is_amazon:
            return None
        region, bucket = self._login.region, self._login.bucket
        return f"https://{region}.console.aws.amazon.com/s3/object/{bucket}?region={region}&prefix={quote(key)}"
