"""Dropbox's folders as ``integrations.folders`` wants them: known by id, looked up by path where no id is known.

Dropbox makes missing folders above a path by itself, so a path of yesterday would bring back what somebody deleted.
That is why nothing here writes to a remembered path: content goes below a folder's id, and a new folder's path is asked
for at that moment.
"""

from __future__ import annotations

import secrets

from integrations.contract import N_
from integrations.dropbox.client import Dropbox, Entry
from integrations.dropbox.failures import NAME, Conflict
from integrations.dropbox.links import Links
from integrations.errors import Misconfigured
from integrations.folders import Folder, ParentGone


class DropboxFolders:
    """A FolderStore without markers: a folder that nobody remembers is found by its path only."""

    def __init__(self, dropbox: Dropbox, links: Links) -> None:
        self._dropbox, self._links = dropbox, links

    def living(self, folder_id: str) -> Folder | None:
        """By id, wherever it is by now; ids of deleted things are unknown to Dropbox."""
        found = self._dropbox.metadata(folder_id)
        return self._folder(found) if found and found.folder else None

    def find(self, marker: str, parent: str | None, name: str) -> Folder | None:
        """By name in its parent, upper and lower case alike as Dropbox has it."""
        found = self._dropbox.metadata(f"{parent or ''}/{name}")
        return self._folder(found) if found and found.folder else None

    def reserve(self) -> str:
        """Dropbox gives its own ids; anything unique will do."""
        return secrets.token_hex(8)

    def make(self, reserved: str, marker: str, parent: str | None, name: str) -> Folder:
        """Create it, or find that another worker just did: one path is one folder."""
        try:
            return self._folder(self._dropbox.create_folder(f"{self._path(parent, name)}/{name}"))
        except Conflict as conflict:
            found = self.find(marker, parent, name)
            if found is None:
                raise Misconfigured(
                    N_("A file at %(provider)s has the name of the folder “%(folder)s”. Please rename it there."),
                    provider=NAME,
                    folder=name,
                ) from conflict
            return found

    def discard(self, folder_id: str) -> None:
        """Nothing to do: two workers cannot make two folders of one path."""

    def _path(self, parent: str | None, name: str) -> str:
        if parent is None:
            return ""
        found = self._dropbox.metadata(parent)
        if found is None:
            raise ParentGone(name)
        return found.path

    def _folder(self, entry: Entry) -> Folder:
        return Folder(id=entry.id, link=self._links.of(entry))
