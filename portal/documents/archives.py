"""ZIP files at the door: only listed and looked into, never unpacked to disk."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import BinaryIO

from portal.i18n import N_

ZIP = "application/zip"
ENTRIES = 2000
UNPACKED = 1_000_000_000  # bytes that all entries together may claim
BEGINNING = 64 * 1024

NO_STATEMENT = N_(
    "A ZIP is taken when it holds nothing but bank statement files; “%(name)s” is none. Please unpack it."
)
DAMAGED = N_("The ZIP is damaged and cannot be opened.")
LOCKED = N_("The ZIP is protected by a password. Please send it without one.")
TOO_MUCH = N_("The ZIP holds too much: at most %(entries)s files and %(size)s MB unpacked.")
NOTHING = N_("The ZIP holds no files.")

_OOXML = {
    "word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."


class Unusable(Exception):
    """A ZIP that cannot be taken; ``text`` and ``facts`` say why."""

    def __init__(self, text: str, **facts: str | int) -> None:
        self.text, self.facts = text, facts
        super().__init__(text)


def listing(content: BinaryIO) -> zipfile.ZipFile:
    """The opened archive, within our limits; Unusable when it is damaged or out of proportion."""
    try:
        opened = zipfile.ZipFile(content)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise Unusable(DAMAGED) from error
    entries = opened.infolist()
    if len(entries) > ENTRIES or sum(entry.file_size for entry in entries) > UNPACKED:
        raise Unusable(TOO_MUCH, entries=ENTRIES, size=UNPACKED // 1_000_000)
    return opened


def office_type(opened: zipfile.ZipFile) -> str | None:
    """The media type of an office file (ECMA-376 or OpenDocument), which is a ZIP by build; None for a real ZIP."""
    names = set(opened.namelist())
    if "[Content_Types].xml" in names:
        return next((kind for folder, kind in _OOXML.items() if any(n.startswith(folder) for n in names)), None)
    if "mimetype" in names and not opened.getinfo("mimetype").flag_bits & 1:
        kind = _beginning(opened, opened.getinfo("mimetype"))[:100].decode("ascii", "ignore").strip()
        return kind if kind.startswith(_OPEN_DOCUMENT) else None
    return None


def beginnings(opened: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    """The name and first bytes of every file inside; Unusable when there is none or one cannot be read."""
    files = [entry for entry in opened.infolist() if not entry.is_dir() and not _is_trace(entry.filename)]
    if not files:
        raise Unusable(NOTHING)
    if any(entry.flag_bits & 1 for entry in files):
        raise Unusable(LOCKED)
    for entry in files:
        yield entry.filename, _beginning(opened, entry)


def _is_trace(name: str) -> bool:
    """What macOS and Windows leave in every ZIP they make."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2] in {".DS_Store", "Thumbs.db", "desktop.ini"}


def _beginning(opened: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    try:
        with opened.open(entry) as file:
            return file.read(BEGINNING)
    except Exception as error:  # zlib, lzma, bad headers: whatever a hostile ZIP provokes
        raise Unusable(DAMAGED) from error
