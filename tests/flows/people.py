"""A person who works in their own storage, whichever it is. Paths are from the top, as the firm's app sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from tests.flows.world import World
from tests.integrations.s3.bench import ANNA, KEYS

ELSEWHERE = "Elsewhere"


def below(folder: str, paths: Iterable[str]) -> list[str]:
    """Those that lie in a folder or below it."""
    return [path for path in paths if not folder or path.startswith(f"{folder}/")]


class Person(Protocol):
    """Anna, and what she does by hand."""

    def paths(self) -> list[str]:
        """Of all files."""

    def contents(self, folder: str = "") -> list[bytes]:
        """Of all files, or of those below a folder, as the provider hands them out."""

    def delete(self, path: str) -> None:
        """A file, or a folder with all that is in it."""

    def rename(self, path: str, name: str) -> None:
        """A folder."""

    def put_away(self, path: str) -> None:
        """Move a folder into another one, at the top."""

    def edit(self, path: str) -> None:
        """Write something else into a file."""

    def limit(self, more: int | None) -> None:
        """Have room for so many bytes more; None: for all there may be."""

    def login_again(self) -> dict[str, str]:
        """What is entered on our form to sign in again; nothing where one signs in at the provider."""


class _ById:
    """Where things have ids: Google Drive, OneDrive, Dropbox."""

    def __init__(self, at: World) -> None:
        self.at, self.bench = at, at.bench  # type: Any, Any

    def _id(self, path: str) -> str:
        return str(self.bench.living("anna")[path])

    def paths(self) -> list[str]:
        return list(self.bench.files("anna"))

    def contents(self, folder: str = "") -> list[bytes]:
        known = self.bench.living("anna")
        return [self.bench.content(known[path]) for path in below(folder, self.paths())]

    def delete(self, path: str) -> None:
        self.bench.do("anna", "trash", self._id(path))

    def rename(self, path: str, name: str) -> None:
        self.bench.do("anna", "rename", self._id(path), name=name)

    def put_away(self, path: str) -> None:
        self.bench.do("anna", "move", self._id(path), parent=self._elsewhere())

    def edit(self, path: str) -> None:
        self.bench.do("anna", "write", self._id(path), text="edited by a person")

    def limit(self, more: int | None) -> None:
        used = sum(one["size"] or 0 for one in self.bench.all("anna"))
        self.bench.control(f"{self.at.kind}/limit", account="anna", bytes=1 << 40 if more is None else used + more)

    def login_again(self) -> dict[str, str]:
        return {}

    def _elsewhere(self) -> str:
        raise NotImplementedError


class _Drive(_ById):
    def _elsewhere(self) -> str:
        remote: Any = self.at.remote
        reserved = remote.ids.take()
        return str(remote.drive.create_folder({"id": reserved, "name": ELSEWHERE, "parents": ["root"]}).id)


class _OneDrive(_ById):
    def _elsewhere(self) -> str:
        remote: Any = self.at.remote
        return str(remote.graph.create_folder(None, ELSEWHERE).id)


class _Dropbox(_ById):
    def _elsewhere(self) -> str:
        remote: Any = self.at.remote
        return str(remote.dropbox.create_folder(f"/{ELSEWHERE}").id)


class _Dav:
    """Where a thing is its path, and folders are things."""

    def __init__(self, at: World) -> None:
        self.at, self.bench = at, at.bench  # type: Any, Any

    def paths(self) -> list[str]:
        return list(self.bench.paths("anna"))

    def contents(self, folder: str = "") -> list[bytes]:
        return [self.bench.content("anna", path) for path in below(folder, self.paths())]

    def delete(self, path: str) -> None:
        self.bench.do("anna", "delete", path)

    def rename(self, path: str, name: str) -> None:
        self.bench.do("anna", "move", path, to=f"{path.rpartition('/')[0]}/{name}")

    def put_away(self, path: str) -> None:
        self.bench.do("anna", "move", path, to=f"{ELSEWHERE} {path}")

    def edit(self, path: str) -> None:
        self.bench.do("anna", "write", path, text="edited by a person")

    def limit(self, more: int | None) -> None:
        used = sum(one["size"] for one in self.bench.all("anna"))
        self.bench.control("webdav/limit", account="anna", bytes=1 << 40 if more is None else used + more)

    def login_again(self) -> dict[str, str]:
        login = {"address": f"{self.bench.url}/webdav", "user": "anna", "password": "another"}
        return {f"login-{name}": value for name, value in login.items()}


class _Bucket:
    """Where there are no folders at all."""

    def __init__(self, at: World) -> None:
        self.at, self.bench = at, at.bench  # type: Any, Any

    def paths(self) -> list[str]:
        return list(self.bench.held())

    def contents(self, folder: str = "") -> list[bytes]:
        return [self.bench.content(key) for key in below(folder, self.paths())]

    def _below(self, path: str) -> list[str]:
        return [key for key in self.bench.held() if key == path or key.startswith(f"{path}/")]

    def delete(self, path: str) -> None:
        for key in self._below(path):
            self.bench.do("delete", key)

    def rename(self, path: str, name: str) -> None:
        self._move(path, f"{path.rpartition('/')[0]}/{name}")

    def put_away(self, path: str) -> None:
        self._move(path, f"{ELSEWHERE}/{path}")

    def _move(self, path: str, to: str) -> None:
        """As tools do it that show folders: each copied, then deleted."""
        for key in self._below(path):
            self.bench.do("write", to + key.removeprefix(path), text=self.bench.content(key).decode())
            self.bench.do("delete", key)

    def edit(self, path: str) -> None:
        self.bench.do("write", path, text="edited by a person")

    def limit(self, more: int | None) -> None:
        used = sum(one["size"] for one in self.bench.control("s3/files", bucket=ANNA))
        self.bench.control("s3/limit", bucket=ANNA, bytes=1 << 40 if more is None else used + more)

    def login_again(self) -> dict[str, str]:
        self.bench.control("s3/secret", bucket=ANNA, secret="another")
        login = {
            "endpoint": f"{self.bench.url}/s3", "bucket": ANNA, "access_key": KEYS[ANNA], "secret_key": "another",
            "path_style": "on",
        }  # fmt: skip
        return {f"login-{name}": value for name, value in login.items()}


PEOPLE: Mapping[str, Callable[[World], Person]] = {
    "google_drive": _Drive, "onedrive": _OneDrive, "dropbox": _Dropbox, "webdav": _Dav, "s3": _Bucket,
}  # fmt: skip
