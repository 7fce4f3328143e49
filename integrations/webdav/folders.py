"""Folders by their paths: made once, then taken for granted until a file cannot be put into one.

One that somebody deleted and that a later document had us make again is another folder at the same path: what is
remembered of a path is a stamp, which changes then, so that receipts can say which of them they mean.
"""

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

    def stamp(self, path: str) -> str:
        """Which of the folders it is that lay at this path one after the other; empty when we never made one."""
        return self._memory.get(_key(path)) or ""

    def _make(self, path: str) -> None:
        made, known = self._dav.make_folder(path), self.stamp(path)
        if made or not known:
            self._memory.put(_key(path), _next(known))


def _levels(path: str) -> list[str]:
    """``a/b/c`` → ``a``, ``a/b``, ``a/b/c``."""
    names = path.split("/")
    return ["/".join(names[: depth + 1]) for depth in range(len(names))]


def _next(stamp: str) -> str:
    """The stamp of the folder that follows it: ``made``, ``made 2``, ``made 3``."""
    return f"made {int(stamp.partition(' ')[2] or 1) + 1}" if stamp else "made"


def _key(path: str) -> str:
    return f"folder:{path}"
