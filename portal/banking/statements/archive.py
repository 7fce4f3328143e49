"""ZIP files of statements: opened in memory only, within limits; names inside are labels and never paths."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from portal.banking.statements.values import Unreadable
from portal.i18n import N_

MOST_FILES = 2000
MOST_BYTES = 100_000_000  # unpacked, all together
MOST_RATIO = 200  # text of real statements packs to a tenth or twentieth
SMALL = 1_000_000  # below this a ratio says nothing

DAMAGED = N_("The ZIP is damaged and cannot be opened.")
LOCKED = N_("The ZIP is protected by a password. Please send it without one.")
TOO_MANY = N_("The ZIP holds more than %(limit)s files.")
TOO_MUCH = N_("The ZIP holds too much: unpacked at most %(limit)s MB are read.")
NESTED = N_("There is a ZIP inside the ZIP. Please unpack it.")


def is_zip(content: bytes) -> bool:
    """Whether the bytes begin like a ZIP."""
    return content.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def files(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every file inside; Unreadable when it is damaged, locked, nested or out of proportion."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            entries = [one for one in opened.infolist() if not one.is_dir() and not _is_trace(one.filename)]
            if len(entries) > MOST_FILES:
                raise Unreadable(TOO_MANY, limit=MOST_FILES)
            room = MOST_BYTES
            for entry in entries:
                found = _unpacked(opened, entry, room)
                room -= len(found)
                yield entry.filename.replace("\\", "/").rpartition("/")[2], found
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError) as error:
        raise Unreadable(DAMAGED) from error


def _unpacked(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, room: int) -> bytes:
    if entry.flag_bits & 1:
        raise Unreadable(LOCKED)
    # What the ZIP claims of sizes may be a lie, so the limit is on what really comes out.
    limit = min(room, max(SMALL, entry.compress_size * MOST_RATIO))
    try:
        with opened.open(entry) as file:
            found = file.read(limit + 1)
    except Unreadable:
        raise
    except Exception as error:  # zlib, lzma, RuntimeError: whatever a hostile ZIP provokes
        raise Unreadable(DAMAGED) from error
    if len(found) > limit:
        raise Unreadable(TOO_MUCH, limit=MOST_BYTES // 1_000_000)
    if is_zip(found):
        raise Unreadable(NESTED)
    return found


def _is_trace(name: str) -> bool:
    """What macOS and Windows leave in every ZIP they make."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2] in {".DS_Store", "Thumbs.db", "desktop.ini"}
