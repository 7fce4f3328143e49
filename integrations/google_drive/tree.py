"""Drive's folders as ``integrations.folders`` wants them: ids made beforehand, markers in ``appProperties``."""

from __future__ import annotations

from integrations.folders import Folder, Taken
from integrations.google_drive.client import FOLDER, Drive, DriveFile, marked
from integrations.google_drive.failures import InUse

MARK = "kontor_folder"
_POOL = 50


class Ids:
    """Generated ids in store: one call fetches many, each is given out once."""

    def __init__(self, drive: Drive) -> None:
        self._drive = drive
        self._ids: list[str] = []

    def take(self) -> str:
        """An id that no file has."""
        if not self._ids:
            self._ids = self._drive.generate_ids(_POOL)
        return self._ids.pop()


class DriveFolders:
    """A FolderStore. The app properties used as markers are private to the firm's app and survive rename and move."""

    def __init__(self, drive: Drive, ids: Ids) -> None:
        self._drive, self._ids = drive, ids

    def living(self, folder_id: str) -> Folder | None:
        """By id; a folder within a folder in the bin counts as gone."""
        found = self._drive.get(folder_id)
        return _folder(found) if found and not found.trashed else None

    def find(self, marker: str, parent: str | None, name: str) -> Folder | None:
        """By marker, wherever it was moved and whatever it is called."""
        query = f"mimeType = '{FOLDER}' and trashed = false and {marked(MARK, marker)}"
        return next(map(_folder, self._drive.find(query, order="createdTime")), None)

    def reserve(self) -> str:
        """A generated id."""
        return self._ids.take()

    def make(self, reserved: str, marker: str, parent: str | None, name: str) -> Folder:
        """Create it, or find that another worker just did."""
        metadata = {"id": reserved, "name": name, "parents": [parent or "root"], "appProperties": {MARK: marker}}
        try:
            return _folder(self._drive.create_folder(metadata))
        except InUse as error:
            living = self.living(reserved)
            if living is None:
                raise Taken from error
            return living

    def discard(self, folder_id: str) -> None:
        """Into the bin: never deleted for good, whatever may have happened to it meanwhile."""
        self._drive.update(folder_id, {"trashed": True}, {})


def _folder(file: DriveFile) -> Folder:
    return Folder(id=file.id, link=file.link)
