"""Pages for people: what lies in a drive, to look at and download, and to delete, restore, rename, move or change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from integrations.sandbox.onedrive.disk import Disk, Row
from integrations.sandbox.onedrive.problems import Problem
from integrations.sandbox.provider import Unknown
from integrations.sandbox.wire import german, page

if TYPE_CHECKING:
    from integrations.sandbox.onedrive.provider import OneDrive

_WORDS = {
    "en": {
        "top": "My files",
        "empty": "Nothing here yet.",
        "name": "Name",
        "bin": "Recycle bin",
        "trash": "Delete",
        "restore": "Restore",
        "delete": "Delete for good",
        "rename": "Rename",
        "move": "Move here",
        "actions": "Change",
        "room": "used of",
        "gone": "This file does not exist (any more).",
        "note": "Simulated OneDrive of the Kontor sandbox. No real account is involved.",
    },
    "de": {
        "top": "Meine Dateien",
        "empty": "Noch nichts vorhanden.",
        "name": "Name",
        "bin": "Papierkorb",
        "trash": "Löschen",
        "restore": "Wiederherstellen",
        "delete": "Endgültig löschen",
        "rename": "Umbenennen",
        "move": "Hierhin verschieben",
        "actions": "Ändern",
        "room": "belegt von",
        "gone": "Diese Datei gibt es nicht (mehr).",
        "note": "Simuliertes OneDrive der Kontor-Sandbox. Kein echtes Konto ist beteiligt.",
    },
}


class Pages:
    """A tree per account; the changes a person can make are those a person can make at Microsoft."""

    def __init__(self, provider: OneDrive) -> None:
        self.provider = provider

    def answer(self, request: Request) -> Response:
        """The page of an address."""
        parts = request.path.strip("/").split("/")
        words = _WORDS["de" if german(request) else "en"]
        try:
            match [request.method, *parts]:
                case ["GET", "my-files", account]:
                    return self._tree(request, account, words)
                case ["POST", "my-files", account, item_id]:
                    return self._changed(request, account, item_id)
                case ["GET", "download", account, item_id]:
                    return self._content(account, item_id)
        except (LookupError, Problem):
            pass
        return page("wrong.html", 404, words=words | {"wrong": words["gone"]}, oauth=self.provider.oauth,
                    why=request.path, number="404")  # fmt: skip

    def _tree(self, request: Request, account: str, words: Mapping[str, str]) -> Response:
        disk = self.provider.disk(account)
        folders = [row for row in disk.below(disk.root_id) if row["folder"]]
        return page(
            "onedrive.html",
            language="de" if german(request) else "en",
            words=words,
            account=disk.person,
            rows=[(row, disk.path(row).count("/")) for row in disk.below(disk.root_id)],
            folders=[(disk.root_id, words["top"]), *((row["id"], disk.path(row)) for row in folders)],
            binned=[row for row in disk.rows() if row["deleted"]],
            marked=request.args.get("id", ""),
            used=_human(disk.usage()[0]),
            room=_human(disk.rules.quota),
            human=_human,
        )

    def _content(self, account: str, item_id: str) -> Response:
        disk = self.provider.disk(account)
        row = disk.row(item_id)
        answer = Response(disk.content(row), content_type="application/octet-stream")
        answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(row['name'])}"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer

    def _changed(self, request: Request, account: str, item_id: str) -> Response:
        origin = request.headers.get("Origin", "")
        if origin and urlsplit(origin).netloc != request.host:
            raise Unknown("another site's form")
        self.change(account, item_id, request.form)
        return redirect(f"{request.root_path}/my-files/{quote(account)}#{quote(item_id)}", 303)

    def change(self, account: str, item_id: str, order: Mapping[str, Any]) -> dict[str, Any]:
        """What a person does: trash, restore, delete, rename (name), move (parent), write (text)."""
        disk = self.provider.disk(account)
        with self.provider.store.transaction():
            row = disk.any_row(item_id)
            if row is None:
                raise Unknown(f"{account} has no item {item_id!r}")
            try:
                _do(disk, row, order)
            except Problem as problem:
                raise ValueError(problem.message) from problem
        return {}

    def listed(self, account: str) -> list[dict[str, Any]]:
        """All items of an account with their paths, for looking on from outside."""
        disk = self.provider.disk(account)
        return [
            {
                "id": row["id"],
                "name": row["name"],
                "path": disk.path(row),
                "folder": row["folder"],
                "size": row["size"],
                "trashed": not disk.lives(row),
            }
            for row in disk.rows()
        ]


def _do(disk: Disk, row: Row, order: Mapping[str, Any]) -> None:
    match order.get("action"):
        case "trash":
            disk.delete(row)
        case "restore":
            disk.restore(row)
        case "delete":
            disk.forget(row)
        case "rename":
            disk.move(row, disk.row(row["parent"]), str(order["name"]), "fail")
        case "move":
            disk.move(row, disk.row(str(order["parent"])), row["name"], "rename")
        case "write":
            disk.fill(row, str(order["text"]).encode())
        case other:
            raise ValueError(f"no action {other!r}")


def _human(size: int) -> str:
    amount = float(size)
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TB"
