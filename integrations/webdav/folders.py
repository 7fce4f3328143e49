"""Folders by their paths: made once, then taken for granted until a file cannot be put into one."""

from __future__ import annotations

from integrations.contract import N_, Memory
from integrations.errors import TargetGone
from integrations.webdav.client import Dav
from integrations.webdav.failures import Missing


class Folders:
    """The folders of one instance below its main folder ``top``."""

    def __init__(self, dav: Dav, memory: Memory, top: str) -> None:
        self._dav, self._memory, self._top = dav, memory, top

    def ensure(self, path: str) -> None:
        """Have the folder, by no call when it was made before; TargetGone when somebody deleted the main folder."""
        if self._memory.get(_key(path)):
            return
        try:
            for level in _levels(path):
                if not self._memory.get(_key(level)):
                    self._make(level)
        except Missing:  # one that was made before is gone
            self.renew(path)

    def renew(self, path: str) -> None:
        """Make again what is missing on the way; but a main folder that was deleted stays so until set-up."""
        if self._dav.find(self._top, folder=True) is None:
            raise TargetGone(N_("The folder “%(folder)s” was deleted at the provider."), folder=self._top)
        for level in _levels(path)[1:]:
            self._make(level)

    def prepare(self, path: str) -> None:
        """Have the folder, whatever was deleted: set-up wants it."""
        for level in _levels(path):
            self._make(level)

    def _make(self, path: str) -> None:
        self._dav.make_folder(path)
        self._memory.put(_key(path), "made")


def _levels(path: str) -> list[str]:
    """``a/b/c`` → ``a``, ``a/b``, ``a/b/c``."""
    names = path.split("/")
    return ["/".join(names[: depth + 1]) for depth in range(len(names))]


def _key(path: str) -> str:
    return f"folder:{path}"
