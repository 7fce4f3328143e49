"""Pages for people: what lies in a Dropbox, to look at and download, and to delete, restore, rename, move or change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from integrations.sandbox.dropbox.disk import TOP, Disk, Row
from integrations.sandbox.dropbox.problems import Problem
from integrations.sandbox.dropbox.view import View
from integrations.sandbox.dropbox.writing import commit
from integrations.sandbox.provider import Unknown
from integrations.sandbox.wire import german, page

if TYPE_CHECKING:
    from integrations.sandbox.dropbox.provider import Dropbox

_WORDS = {
    "en": {
        "top": "All files",
        "empty": "Nothing here yet.",
        "name": "Name",
        "bin": "Deleted files",
        "download": "Download",
        "delete": "Delete",
        "restore": "Restore",
        "rename": "Rename",
        "move": "Move here",
        "actions": "Change",
        "room": "used of",
        "gone": "This file does not exist (any more).",
        "note": "Simulated Dropbox of the Kontor sandbox. No real account is involved.",
    },
    "de": {
        "top": "Alle Dateien",
        "empty": "Noch nichts vorhanden.",
        "name": "Name",
        "bin": "Gelöschte Dateien",
        "download": "Herunterladen",
        "delete": "Löschen",
        "restore": "Wiederherstellen",
        "rename": "Umbenennen",
        "move": "Hierhin verschieben",
        "actions": "Ändern",
        "room": "belegt von",
        "gone": "Diese Datei gibt es nicht (mehr).",
        "note": "Simuliertes Dropbox der Kontor-Sandbox. Kein echtes Konto ist beteiligt.",
    },
}
_PLAIN_ADD = {"mode": ("overwrite", None), "autorename": False, "strict_conflict": False, "client_modified": None}


class Pages:
    """A tree per account; the changes a person can make are those a person can make at Dropbox."""

    def __init__(self, provider: Dropbox) -> None:
        self.provider = provider

    def answer(self, request: Request) -> Response:
        """The page of an address; ``/home/…`` is that of dropbox.com, where a cookie would say whose home it is."""
        parts = request.path.strip("/").split("/")
        try:
            match [request.method, *parts]:
                case ["GET", "of", account]:
                    return self._tree(request, account)
                case ["POST", "of", account, entry_id]:
                    return self._changed(request, account, entry_id)
                case ["GET", "file", account, entry_id]:
                    return self._content(account, entry_id)
                case ["GET", "home", *names]:
                    return self._shown(request, "/".join(["", *names]))
        except (LookupError, Problem):
            pass
        words = self._words(request)
        return page("wrong.html", 404, words=words | {"wrong": words["gone"]}, oauth=self.provider.oauth,
                    why=request.path, number="404")  # fmt: skip

    @staticmethod
    def _words(request: Request) -> dict[str, str]:
        return _WORDS["de" if german(request) else "en"]

    def _tree(self, request: Request, account: str) -> Response:
        disk = self.provider.disk(account)
        words = self._words(request)
        return page(
            "dropbox.html",
            language="de" if german(request) else "en",
            words=words,
            account=disk.account,
            rows=_walk(disk, TOP, 0),
            folders=[(TOP, words["top"]), *((row["id"], disk.path(row)) for row in disk.below(TOP) if row["folder"])],
            deleted=[row for row in disk.rows() if row["deleted"] and row.get("gone_with") == row["id"]],
            marked=request.args.get("id", ""),
            used=_human(disk.used()),
            room=_human(disk.quota),
        )

    def _shown(self, request: Request, path: str) -> Response:
        """Links from outside: to the entry in the tree of whoever has something at that path."""
        wanted = f"{path}/{request.args['preview']}" if "preview" in request.args else path
        for account in self.provider.accounts():
            disk = self.provider.disk(account.id)
            for root in self._tops(disk):
                try:
                    row = View(disk, root, "malformed_path", {}).find(wanted)
                except Problem:
                    continue
                key = quote(row["id"])
                return redirect(f"{request.root_path}/of/{account.id}?id={key}#{key}")
        raise Unknown(wanted)

    def _tops(self, disk: Disk) -> list[str]:
        """Where a link's path may begin: dropbox.com's own folders, and those of apps that do not know their name."""
        home = self.provider.home(disk)
        apps = disk.child(home, "Apps")
        return [home, TOP, *(row["id"] for row in disk.children(apps["id"] if apps else "none"))]

    def _row(self, account: str, entry_id: str) -> tuple[Disk, Row]:
        disk = self.provider.disk(account)
        row = disk.row(entry_id)
        if row is None:
            raise Unknown(f"{account} has no entry {entry_id!r}")
        return disk, row

    def _content(self, account: str, entry_id: str) -> Response:
        disk, row = self._row(account, entry_id)
        if row["folder"]:
            raise Unknown(entry_id)
        answer = Response(disk.content(row["rev"]), content_type="application/octet-stream")
        answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(row['name'])}"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Content-Security-Policy"] = "sandbox"
        return answer

    def _changed(self, request: Request, account: str, entry_id: str) -> Response:
        origin = request.headers.get("Origin", "")
        if origin and urlsplit(origin).netloc != request.host:
            raise Unknown("another site's form")
        self.change(account, entry_id, request.form)
        return redirect(f"{request.root_path}/of/{quote(account)}#{quote(entry_id)}", 303)

    def change(self, account: str, entry_id: str, order: Mapping[str, Any]) -> dict[str, Any]:
        """What a person does: trash, restore, rename (name), move (parent; «top»), write (text)."""
        disk, row = self._row(account, entry_id)
        with self.provider.store.transaction():
            match order.get("action"):
                case "trash":
                    disk.delete(row)
                case "restore":
                    disk.restore(row)
                case "rename":
                    disk.move(row, row["parent"], str(order["name"]))
                case "move":
                    disk.move(row, str(order["parent"]), row["name"])
                case "write":
                    disk.fill(row, str(order["text"]).encode(), None)
                case other:
                    raise ValueError(f"no action {other!r}")
        return {}

    def put(self, account: str, path: str, text: str) -> dict[str, Any]:
        """A person puts a file somewhere in the whole Dropbox; its id."""
        with self.provider.store.transaction():
            view = View(self.provider.disk(account), TOP, "malformed_path", {})
            return {"id": commit(view, {"path": path, **_PLAIN_ADD}, text.encode())["id"]}

    def listed(self, account: str) -> list[dict[str, Any]]:
        """All entries of an account with their paths in the whole Dropbox, for looking on from outside."""
        disk = self.provider.disk(account)
        return [
            {
                "id": row["id"],
                "name": row["name"],
                "path": disk.path(row).lstrip("/"),
                "folder": row["folder"],
                "size": row["size"],
                "rev": row.get("rev"),
                "hash": row.get("hash"),
                "deleted": row["deleted"],
            }
            for row in disk.rows()
        ]


def _walk(disk: Disk, folder: str, depth: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for row in sorted(disk.children(folder), key=lambda one: (not one["folder"], one["name"].lower())):
        line = {"row": row, "depth": depth, "size": "" if row["folder"] else _human(row["size"])}
        found += [line, *_walk(disk, row["id"], depth + 1)]
    return found


def _human(size: int) -> str:
    amount = float(size)
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TB"
