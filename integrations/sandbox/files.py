"""The page on which a person sees what lies in a storage that knows things by path, and changes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from werkzeug.wrappers import Request, Response

from integrations.sandbox.provider import Provider, Unknown
from integrations.sandbox.wire import german, page

_WORDS = {
    "en": {
        "login": "Enter this to sign in",
        "address": "Address",
        "user": "User name",
        "password": "App password",
        "bucket": "Bucket",
        "access_key": "Access key",
        "secret_key": "Secret key",
        "files": "Files",
        "empty": "Nothing here yet.",
        "delete": "Delete",
        "change": "Change content",
        "note": "Part of the Kontor sandbox. No real account is involved.",
    },
    "de": {
        "login": "Damit melden Sie sich an",
        "address": "Adresse",
        "user": "Benutzername",
        "password": "App-Passwort",
        "bucket": "Bucket",
        "access_key": "Zugriffsschlüssel",
        "secret_key": "Geheimer Schlüssel",
        "files": "Dateien",
        "empty": "Noch nichts vorhanden.",
        "delete": "Löschen",
        "change": "Inhalt ändern",
        "note": "Teil der Kontor-Sandbox. Kein echtes Konto ist beteiligt.",
    },
}


@dataclass(frozen=True)
class Login:
    """What a person enters at Kontor, as pairs of a word and its value."""

    facts: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Listing:
    """One line. ``name`` is the last part of the path below ``depth`` folders, or all of it where there are none."""

    path: str
    name: str
    depth: int
    folder: bool
    size: int
    changed: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Listing:
        """From a row of a simulator: path, size, modified, and folder where there are such."""
        path, changed = str(row["path"]), str(row["modified"])[:16].replace("T", " ")
        tree = "folder" in row
        name, depth = (path.rpartition("/")[2], path.count("/")) if tree else (path, 0)
        return cls(path, name, depth, bool(row.get("folder")), int(row["size"]), changed)


def files_page(
    request: Request, provider: Provider, account: str, login: Login, rows: Sequence[Listing], heading: str = ""
) -> Response:
    """The page of one account (or bucket)."""
    language = "de" if german(request) else "en"
    return page(
        "files.html",
        language=language,
        words=_WORDS[language],
        provider=provider,
        heading=heading or account,
        login=login,
        rows=rows,
        here=f"{request.root_path}{request.path}",
    )


def change_of(request: Request) -> dict[str, str]:
    """What a form of the page asks for; Unknown when it is another site's form."""
    origin = request.headers.get("Origin", "")
    if origin and urlsplit(origin).netloc != request.host:
        raise Unknown("another site's form")
    return request.form.to_dict()
