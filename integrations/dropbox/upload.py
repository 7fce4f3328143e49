"""Content to Dropbox: one call up to 8 MiB, above that an upload session in pieces.

Where a session stands is kept in the instance's memory, so that whoever tries again goes on where the last one broke
off, in another process too. Sessions live for seven days (files.stone, UploadSessionLookupError).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from integrations.contract import N_, Memory, OutgoingDocument
from integrations.dropbox.client import Dropbox, Entry
from integrations.dropbox.failures import NAME, SessionLost, WrongOffset
from integrations.dropbox.hashing import hash_of
from integrations.errors import Rejected, Transient

CHUNK = 8 * 1024 * 1024  # bytes; multiples of 4 MiB are what Dropbox stores
_SESSIONS = 2  # a remembered one and, when that has ended, a new one


@dataclass(frozen=True, kw_only=True)
class Upload:
    """What to store where: ``path`` names a new file or, with ``revision``, the ``id:…`` of the one to replace."""

    document: OutgoingDocument
    digest: str  # its content_hash
    path: str
    key: str  # names the transfer in the memory: the reservation
    revision: str = ""

    def commit(self) -> dict[str, Any]:
        """Mode «add» without autorename: equal bytes at the same path are a success and no second file."""
        mode: Any = {".tag": "update", "update": self.revision} if self.revision else "add"
        # mute: whoever synchronises a folder of documents wants no pop-up for each of them
        return {"path": self.path, "mode": mode, "autorename": False, "strict_conflict": False, "mute": True}


def send(dropbox: Dropbox, memory: Memory, upload: Upload) -> Entry:
    """Store it; the file as Dropbox then tells it. Conflict when something else lies there."""
    if upload.document.size <= CHUNK:
        with upload.document.open() as stream:
            content = _piece(stream, 0, upload.document.size)
        file = dropbox.upload(upload.commit(), content, upload.digest)
    else:
        file = _by_session(dropbox, memory, upload)
    if file.hash != upload.digest:
        raise Transient(N_("What arrived at %(provider)s differs from what was sent. It is sent again."), provider=NAME)
    return file


def _by_session(dropbox: Dropbox, memory: Memory, upload: Upload) -> Entry:
    for _session in range(_SESSIONS):
        progress = _Progress(memory, upload)
        try:
            with upload.document.open() as stream:
                return _in_pieces(dropbox, upload, progress, stream)
        except SessionLost:
            # used up by a try whose answer never came, or older than seven days
            progress.forget()
            file = dropbox.metadata(upload.path)
            if file and file.hash == upload.digest:
                return file
    raise Transient(N_("The upload to %(provider)s broke off. It is tried again."), provider=NAME)


def _in_pieces(dropbox: Dropbox, upload: Upload, progress: _Progress, stream: BinaryIO) -> Entry:
    total, corrections = upload.document.size, 0
    while True:
        size = min(CHUNK, total - progress.offset)
        piece = _piece(stream, progress.offset, size)
        try:
            if progress.offset + size == total:
                file = dropbox.finish(progress.session, progress.offset, upload.commit(), piece, hash_of(piece))
                progress.forget()
                return file
            progress.keep(_sent(dropbox, progress, piece), progress.offset + size)
        except WrongOffset as wrong:
            corrections += 1
            if corrections > 2 + total // CHUNK or wrong.correct > total:
                progress.forget()
                raise
            progress.keep(progress.session, wrong.correct)


def _sent(dropbox: Dropbox, progress: _Progress, piece: bytes) -> str:
    """A piece that is not the last; the session it went to."""
    if not progress.session:
        return dropbox.start(piece, hash_of(piece))
    dropbox.append(progress.session, progress.offset, piece, hash_of(piece))
    return progress.session


class _Progress:
    """How far the transfer of one document's bytes has come; nothing when they are other bytes than last time."""

    def __init__(self, memory: Memory, upload: Upload) -> None:
        self._memory, self._key, self._digest = memory, f"upload:{upload.key}", upload.digest
        kept: Mapping[str, Any] = json.loads(memory.get(self._key) or "{}")
        known = kept.get("digest") == self._digest
        self.session: str = kept["session"] if known else ""
        self.offset: int = kept["offset"] if known else 0

    def keep(self, session: str, offset: int) -> None:
        """So many bytes are there."""
        self.session, self.offset = session, offset
        self._memory.put(
            self._key, json.dumps({"session": session, "offset": offset, "digest": self._digest}, sort_keys=True)
        )

    def forget(self) -> None:
        """The session is of no use any more."""
        self._memory.forget(self._key)


def _piece(stream: BinaryIO, offset: int, size: int) -> bytes:
    """Exactly so many bytes; for the last piece, also none may follow."""
    stream.seek(offset)
    piece = stream.read(size)
    if len(piece) != size:
        raise Rejected(N_("The stored file is not as long as it was when it arrived."))
    return piece
