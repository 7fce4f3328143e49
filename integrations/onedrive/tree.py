"""OneDrive's folders as ``integrations.folders`` wants them. Names are unique in a folder, so they serve as markers."""

from __future__ import annotations

from integrations.contract import N_
from integrations.errors import Transient
from integrations.folders import Folder
from integrations.naming import numbered
from integrations.onedrive.client import Graph, Item, child, item
from integrations.onedrive.failures import Clash

_FORMS = 9  # numbered names tried where a file has the folder's name


class GraphFolders:
    """A FolderStore. Graph keeps no mark of an app's own with a company's files: a folder whose id is forgotten is
    found by its name, and not when somebody renamed it.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._made: dict[tuple[str | None, str], Folder] = {}

    def living(self, folder_id: str) -> Folder | None:
        """By id, wherever it was moved within the drive."""
        found = self._graph.get(item(folder_id))
        return _folder(found) if found and found.is_folder else None

    def find(self, marker: str, parent: str | None, name: str) -> Folder | None:
        """By name in its parent; the look right after making one costs no call, for names are unique."""
        return self._made.pop((parent, name), None) or self._named(parent, name)

    def _named(self, parent: str | None, name: str) -> Folder | None:
        for form in _forms(name):
            found = self._graph.get(child(parent, form))
            if found is None:
                return None
            if found.is_folder:
                return _folder(found)
        return None

    def reserve(self) -> str:
        """Nothing: OneDrive gives its own ids."""
        return "-"

    def make(self, reserved: str, marker: str, parent: str | None, name: str) -> Folder:
        """Create it, or take the one that another worker just made; a file of that name keeps it."""
        for form in _forms(name):
            folder = self._one(parent, form)
            if folder:
                self._made[parent, name] = folder
                return folder
        raise Transient(N_("The folder “%(folder)s” could not be made. It is tried again."), folder=name)

    def _one(self, parent: str | None, name: str) -> Folder | None:
        try:
            return _folder(self._graph.create_folder(parent, name))
        except Clash:
            found = self._graph.get(child(parent, name))
            return _folder(found) if found and found.is_folder else None

    def discard(self, folder_id: str) -> None:
        """Into the recycle bin."""
        self._graph.delete(folder_id)


def _forms(name: str) -> list[str]:
    return [name, *(numbered(name, number) for number in range(2, _FORMS + 1))]


def _folder(found: Item) -> Folder:
    return Folder(id=found.id, link=found.link)
