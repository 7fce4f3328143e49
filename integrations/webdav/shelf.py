"""A WebDAV folder as a shelf of documents.

On Nextcloud and its kin a file is put in place by one conditional request; they take an upload apart and show it only
when it is whole. Of other servers neither can be taken for granted (some ignore ``If-None-Match``, some keep the half
of an upload that broke off), so there a file is uploaded under a name of its own and then moved, which RFC 4918 lets
no server do over another file against ``Overwrite: F``. Nextcloud's kin has to prove itself too: the first small
document goes the long way, and then once more over itself on the condition that nothing is there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import httpx

from integrations.contract import N_, Memory, OutgoingDocument
from integrations.errors import Transient
from integrations.paths import Stored, changed_meanwhile
from integrations.webdav.client import Dav, Entry, etag_of
from integrations.webdav.failures import NAME, Missing
from integrations.webdav.folders import Folders

_ABSENT = {"if-none-match": "*"}
_TRUSTED = "conditions"
_SMALL = 1024 * 1024  # bytes


class DavShelf:
    """A Shelf (``integrations.paths``)."""

    def __init__(self, dav: Dav, folders: Folders, memory: Memory) -> None:
        self.dav, self.folders, self._memory = dav, folders, memory
        self._whole_at_once = "/remote.php/" in dav.home

    def look(self, path: str) -> Stored | None:
        """One PROPFIND."""
        entry = self.dav.find(path)
        return self._stored(path, entry) if entry else None

    def listed(self, folder: str) -> Mapping[str, Stored] | None:
        """One PROPFIND, however many files there are."""
        try:
            entries = self.dav.entries(self.dav.url(folder, folder=True), 1)
        except Missing:
            return None
        return {one.name: self._stored(f"{folder}/{one.name}", one) for one in entries if not one.folder}

    def stamp(self, folder: str) -> str:
        """As it is remembered."""
        return self.folders.stamp(folder)

    def digest(self, stored: Stored) -> str:
        """From the bytes; servers that keep a checksum told it with the properties."""
        return self.dav.sha256(stored.path)

    def create(self, path: str, document: OutgoingDocument) -> Stored | None:
        """One PUT where the server can be relied on, else PUT, MOVE and a look."""
        self.folders.ensure(_parent(path))
        try:
            return self._create(path, document)
        except Missing:
            self.folders.renew(_parent(path))
            return self._create(path, document)

    def replace(self, stored: Stored, document: OutgoingDocument) -> Stored | None:
        """As ``create``, over what was just looked at."""
        if self._is_trusted():
            response = self.dav.put(stored.path, document, {"if-match": stored.version})
            self._clear(document)
        else:
            response = self.dav.move(self._uploaded_aside(stored.path, document), stored.path, overwrite=True)
            self._memory.forget(_aside_key(document))
        return self._told(stored.path, response, document) if response else None

    def move(self, stored: Stored, path: str, document: OutgoingDocument) -> Stored | None:
        """One MOVE; the folder above is made when it is missing."""
        self.folders.ensure(_parent(path))
        try:
            return self._move(stored, path, document)
        except Missing:
            if self.dav.find(stored.path) is None:
                raise changed_meanwhile() from None
            self.folders.renew(_parent(path))
            return self._move(stored, path, document)

    def remove(self, stored: Stored) -> None:
        """One DELETE."""
        self.dav.delete(stored.path)

    def _create(self, path: str, document: OutgoingDocument) -> Stored | None:
        if self._is_trusted():
            response = self.dav.put(path, document, _ABSENT)
            self._clear(document)
        else:
            response = self.dav.move(self._uploaded_aside(path, document), path, overwrite=False)
            self._memory.forget(_aside_key(document))
        if response is None:
            # By its name, too: another worker may have forgotten it while this one uploaded it once more.
            self.dav.delete(_aside(path, document))
            return None
        stored = self._told(path, response, document)
        if self._whole_at_once and self._memory.get(_TRUSTED) is None and document.size <= _SMALL:
            return self._found_out(stored, document)
        return stored

    def _uploaded_aside(self, path: str, document: OutgoingDocument) -> str:
        """Where it waits to be moved; remembered, for the next try may want it elsewhere or go the short way."""
        aside = _aside(path, document)
        if self._memory.claim(_aside_key(document), aside) != aside:
            self._clear(document)
            self._memory.put(_aside_key(document), aside)
        self.dav.put(aside, document, {})
        return aside

    def _clear(self, document: OutgoingDocument) -> None:
        """Remove what an earlier try uploaded aside and did not move."""
        if left := self._memory.get(_aside_key(document)):
            self.dav.delete(left)
            self._memory.forget(_aside_key(document))

    def _is_trusted(self) -> bool:
        return self._whole_at_once and self._memory.get(_TRUSTED) == "yes"

    def _found_out(self, stored: Stored, document: OutgoingDocument) -> Stored:
        """Whether conditions are kept, by what harms nothing: the same content at the same place."""
        again = self.dav.put(stored.path, document, _ABSENT)
        self._memory.put(_TRUSTED, "no" if again else "yes")
        return self._told(stored.path, again, document) if again else stored

    def _move(self, stored: Stored, path: str, document: OutgoingDocument) -> Stored | None:
        response = self.dav.move(stored.path, path, overwrite=False)
        return self._told(path, response, document) if response else None

    def _told(self, path: str, response: httpx.Response, document: OutgoingDocument) -> Stored:
        """What an answer tells of the file; looked at where the answer tells nothing."""
        etag = etag_of(response.headers.get("oc-etag") or response.headers.get("etag"))
        if etag is None:
            return self._arrived(path, document)
        # Nextcloud's header is the padded file id and the name of the installation.
        file_id = response.headers.get("oc-fileid", "")[:8].lstrip("0")
        link = self._link(path, file_id if file_id.isdigit() else None)
        return Stored(path=path, size=document.size, version=etag, sha256=document.sha256, link=link)

    def _arrived(self, path: str, document: OutgoingDocument) -> Stored:
        stored = self.look(path)
        if stored is None:
            raise changed_meanwhile()
        if stored.size != document.size:
            raise Transient(
                N_("What arrived at %(provider)s differs from what was sent. It is sent again."), provider=NAME
            )
        return stored

    def _stored(self, path: str, entry: Entry) -> Stored:
        # A server without ETags is compared by size alone until something differs.
        version = entry.etag or f'"{entry.size}"'
        link = self._link(path, entry.file_id)
        return Stored(path=path, size=entry.size or 0, version=version, sha256=entry.sha256, link=link)

    def _link(self, path: str, file_id: str | None) -> str:
        """Nextcloud's own page for the file, else the file."""
        server = self.dav.home.partition("/remote.php/")[0]
        return f"{server}/index.php/f/{file_id}" if file_id and self._whole_at_once else self.dav.url(path)


def _aside_key(document: OutgoingDocument) -> str:
    return f"aside:{document.id}"


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _aside(path: str, document: OutgoingDocument) -> str:
    """Where an upload waits to be moved: the same for every try, so that none is left behind."""
    mark = hashlib.sha256(f"{path} {document.sha256}".encode()).hexdigest()[:20]
    return f"{_parent(path)}/.kontor-{mark}.part"
