"""File names as they may be shown, stored and offered for download: never a path, never a trap."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

from integrations.naming import cut

LIMIT = 255  # bytes of UTF-8, which is what file systems count
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # controls, direction marks, lone surrogates


def safe(filename: str, fallback: str = "document") -> str:
    """The last part of what a sender called a file: NFC, no control or direction characters, at most 255 bytes.

    The ending is kept when the name must be cut, as people and programs go by it.
    """
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", filename))[-1]
    seen = "".join(" " if char in "\t\n\r" else char for char in last if _visible(char))
    name = " ".join(seen.split()).strip(". ")
    stem, dot, ending = name.rpartition(".")
    if stem and len(ending) <= 16:
        return cut(stem, LIMIT - len((dot + ending).encode())) + dot + ending
    return cut(name, LIMIT) or fallback


def _visible(char: str) -> bool:
    return char in "\t\n\r" or unicodedata.category(char) not in _UNSEEN


def ending(filename: str) -> str:
    """What follows the last dot, in lower case; empty when there is none."""
    return filename.rpartition(".")[2].lower() if "." in filename else ""


def disposition(filename: str, *, inline: bool = False) -> str:
    """A Content-Disposition header: a plain name for old programs, the whole one as RFC 6266 and 8187 write it."""
    plain = unicodedata.normalize("NFKD", filename).encode("ascii", "ignore").decode()
    plain = re.sub(r'["\\%]', "_", plain).strip(". ") or "document"
    return f"{'inline' if inline else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
