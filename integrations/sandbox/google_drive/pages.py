"""Pages for people: what lies in a Drive, to look at and download, and to trash, rename, move, delete or change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from integrations.sandbox.google_drive.disk import FOLDER, Disk, Row
from integrations.sandbox.google_drive.problems import Problem
from integrations.sandbox.google_drive.uploads import waiting
from integrations.sandbox.provider import Unknown
from integrations.sandbox.wire import german, page

if TYPE_CHECKING:
    from integrations.sandbox.google_drive.provider import GoogleDrive

_SHOWN = {"application/pdf", "image/png", "image/jpeg", "text/plain"}
_WORDS = {
    "en": {
        "top": "My Drive",
        "empty": "Nothing here yet.",
        "name": "Name",
        "app": "Belongs to document",
        "bin": "Bin",
        "download": "Download",
        "trash": "Move to bin",
        "restore": "Restore",
        "delete": "Delete for good",
        "rename": "Rename",
        "move": "Move here",
        "actions": "Change",
        "room": "used of",
        "gone": "This file does not exist (any more).",
        "note": "Simulated Google Drive of the Kontor sandbox. No real account is involved.",
    },
    "de": {
        "top": "Meine Ablage",
        "empty": "Noch nichts vorhanden.",
        "name": "Name",
        "app": "Gehört zu Dokument",
        "bin": "Papierkorb",
        "download": "Herunterladen",
        "trash": "In den Papierkorb",
        "restore": "Wiederherstellen",
        "delete": "Endgültig löschen",
        "rename": "Umbenennen",
        "move": "Hierhin verschieben",
        "actions": "Ändern",
        "room": "belegt von",
        "gone": "Diese Datei gibt es nicht (mehr).",
        "note": "Simuliertes Google Drive der Kontor-Sandbox. Kein echtes Konto ist beteiligt.",
    },
}


class Pages:
    """A tree per account; the changes a person can make are those a person can make at Google."""

    def __init__(self, provider: GoogleDrive) -> None:
        self.provider = provider

    def answer(self, request: Request) -> Response:
        """The page of an address, in the addresses of drive.google.com."""
        parts = request.path.strip("/").split("/")
        try:
            match [request.method, *parts]:
                case ["GET", "my-drive", account]:
                    return self._tree(request, account)
                case ["POST", "my-drive", account, file_id]:
                    return self._changed(request, account, file_id)
                case ["GET", "drive", "folders", file_id]:
                    return self._shown(request, file_id)
                case ["GET", "file", "d", file_id, "view"]:
                    return self._shown(request, file_id)
                case ["GET", "uc"]:
                    return self._content(request.args.get("id", ""), inline=request.args.get("export") == "view")
        except (LookupError, Problem):
            pass
        return page("wrong.html", 404, words=self._words(request) | {"wrong": self._words(request)["gone"]},
                    oauth=self.provider.oauth, why=request.path, number="404")  # fmt: skip

    @staticmethod
    def _words(request: Request) -> dict[str, str]:
        return _WORDS["de" if german(request) else "en"]

    def _tree(self, request: Request, account: str) -> Response:
        disk = self.provider.disk(account)
        used, _binned = disk.usage()
        return page(
            "google_drive.html",
            language="de" if german(request) else "en",
            words=self._words(request),
            account=disk.account,
            rows=[self._line(row, depth) for row, depth in _walk(disk, disk.root, 0)],
            folders=[(disk.root, self._words(request)["top"])] + [
                (row["id"], path_of(disk, row)) for row in disk.rows() if row["mimeType"] == FOLDER
            ],
            binned=[self._line(row, 0) for row in disk.rows() if row["explicitlyTrashed"]],
            marked=request.args.get("id", ""),
            used=_human(used),
            room=_human(disk.quota),
        )  # fmt: skip

    @staticmethod
    def _line(row: Row, depth: int) -> dict[str, Any]:
        marks = [value for mine in row["appProperties"].values() for key, value in mine.items() if "document" in key]
        return {
            "row": row,
            "depth": depth,
            "folder": row["mimeType"] == FOLDER,
            "size": _human(row["size"]) if row["revision"] else "",
            "changed": row["modifiedTime"][:16].replace("T", " "),
            "document": marks[0] if marks else "",
        }

    def _shown(self, request: Request, file_id: str) -> Response:
        """Links from outside: to the row in the tree."""
        disk, row = self._find(file_id)
        return redirect(f"{request.root_path}/my-drive/{disk.account.id}?id={quote(row['id'])}#{quote(row['id'])}")

    def _find(self, file_id: str) -> tuple[Disk, Row]:
        for account in self.provider.accounts():
            disk = self.provider.disk(account.id)
            row = disk.row(file_id)
            if row:
                return disk, row
        raise Unknown(file_id)

    def _content(self, file_id: str, *, inline: bool) -> Response:
        disk, row = self._find(file_id)
        shown = inline and row["mimeType"] in _SHOWN
        answer = Response(disk.content(row), content_type=row["mimeType"] if shown else "application/octet-stream")
        how = "inline" if shown else "attachment"
        answer.headers["Content-Disposition"] = f"{how}; filename*=UTF-8''{quote(row['name'])}"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Content-Security-Policy"] = "sandbox"
        return answer

    def _changed(self, request: Request, account: str, file_id: str) -> Response:
        origin = request.headers.get("Origin", "")
        if origin and urlsplit(origin).netloc != request.host:
            raise Unknown("another site's form")
        self.change(account, file_id, request.form)
        return redirect(f"{request.root_path}/my-drive/{quote(account)}#{quote(file_id)}", 303)

    def change(self, account: str, file_id: str, order: Mapping[str, Any]) -> dict[str, Any]:
        """What a person does: trash, restore, delete, rename (name), move (parent), write (text)."""
        disk = self.provider.disk(account)
        with self.provider.store.transaction():
            row = disk.row(file_id)
            if row is None:
                raise Unknown(f"{account} has no file {file_id!r}")
            match order.get("action"):
                case "trash" | "restore" as action:
                    disk.update(row, {"trashed": action == "trash"}, None, "", None)
                case "rename":
                    disk.update(row, {"name": str(order["name"])}, None, "", None)
                case "move":
                    disk.update(row, {}, disk.parent_for(str(order["parent"]), seen=True), "", None)
                case "write":
                    content = waiting(self.provider.store, str(order["text"]).encode(), row["mimeType"])
                    disk.update(row, {}, None, "", content)
                case "delete":
                    disk.delete(row)
                case other:
                    raise ValueError(f"no action {other!r}")
        return {}

    def listed(self, account: str) -> list[dict[str, Any]]:
        """All files of an account with their paths, for looking on from outside."""
        disk = self.provider.disk(account)
        return [
            {
                "id": row["id"],
                "name": row["name"],
                "path": path_of(disk, row),
                "folder": row["mimeType"] == FOLDER,
                "mimeType": row["mimeType"],
                "size": row["size"],
                "sha256": row.get("sha256"),
                "trashed": disk.trashed(row),
                "appProperties": {key: value for mine in row["appProperties"].values() for key, value in mine.items()},
            }
            for row in disk.rows()
        ]


def path_of(disk: Disk, row: Mapping[str, Any]) -> str:
    """Names from the top, ``"/"``-separated."""
    names, here = [row["name"]], disk.row(row["parent"])
    while here is not None:
        names.append(here["name"])
        here = disk.row(here["parent"])
    return "/".join(reversed(names))


def _walk(disk: Disk, folder: str, depth: int) -> list[tuple[Row, int]]:
    found: list[tuple[Row, int]] = []
    for row in sorted(disk.children(folder), key=lambda one: (one["mimeType"] != FOLDER, one["name"].lower())):
        if not row["explicitlyTrashed"]:
            found += [(row, depth), *_walk(disk, row["id"], depth + 1)]
    return found


def _human(size: int) -> str:
    amount = float(size)
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TB"
