"""Where a document goes in a storage and what it is called there. Pure: no provider, no network, no clock.

Names are made safe for the strictest storage we know (OneDrive and Windows), so that a folder tree may be copied from
one provider to another and synchronised to a computer. Layout and fallbacks are rule E2.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from integrations.contract import N_, DocumentKind, OutgoingDocument
from integrations.errors import Fact

DEFAULT_PATH = "{client}/{account}/{month}/{date} {party} {number}"
PARTS = ("client", "account", "month", "kind", "date", "party", "number")

# OneDrive allows 400 characters for a whole path, most file systems 255 bytes for one name.
FOLDER_BYTES, FILE_BYTES = 100, 180
MAX_FOLDERS, MAX_TEMPLATE = 8, 200

# Windows: learn.microsoft.com/windows/win32/fileio/naming-a-file; OneDrive: "Restrictions and limitations in OneDrive".
_FORBIDDEN = str.maketrans(dict.fromkeys("*:<>?/\\|#%", "-") | {'"': "'"})
_RESERVED = re.compile(r"(con|prn|aux|nul|clock\$|(com|lpt)[0-9¹²³]|desktop\.ini)(\..*)?", re.IGNORECASE)
# Joiners hold emoji and Arabic or Indic letters together, the two marks only say how neutral characters run; every
# other format character is invisible and some make "…fdp.exe" look like "…exe.pdf".
_KEPT_FORMATS = frozenset("\u200c\u200d\u200e\u200f")
_HEAD = re.compile("^[\\s~.\u200c-\u200f]+")
_TAIL = re.compile("[\\s.\u200c-\u200f]+$")
_VTI = re.compile("_vti_", re.IGNORECASE)
_EMPTY_BRACKETS = re.compile(r"\(\s*\0\s*\)|\[\s*\0\s*\]")
_BEFORE_MISSING = re.compile(r"[\s\-–—_,;+&#.·]*\0")
_EDGES = " \t-–—_,;+&#·"
_PLACE = re.compile(r"\{([^{}]*)\}")

_EXTENSIONS: Mapping[str, tuple[str, ...]] = {
    "application/pdf": ("pdf",),
    "image/jpeg": ("jpg", "jpeg"),
    "image/png": ("png",),
    "application/xml": ("xml",),
    "text/xml": ("xml",),
    "application/zip": ("zip",),
    "text/csv": ("csv",),
}


class Language(StrEnum):
    """Of the folder names that Kontor itself makes up."""

    GERMAN = "de"
    ENGLISH = "en"


LANGUAGE_NAMES = (N_("German"), N_("English"))  # as a form shows the members


KIND_NAMES: Mapping[Language, Mapping[DocumentKind, str]] = {
    Language.GERMAN: {
        DocumentKind.INCOMING_INVOICE: "Eingangsrechnungen",
        DocumentKind.OUTGOING_INVOICE: "Ausgangsrechnungen",
        DocumentKind.RECEIPT: "Belege",
        DocumentKind.STATEMENT: "Kontoauszüge",
        DocumentKind.OTHER: "Sonstige Dokumente",
    },
    Language.ENGLISH: {
        DocumentKind.INCOMING_INVOICE: "Incoming invoices",
        DocumentKind.OUTGOING_INVOICE: "Outgoing invoices",
        DocumentKind.RECEIPT: "Receipts",
        DocumentKind.STATEMENT: "Bank statements",
        DocumentKind.OTHER: "Other documents",
    },
}
WITHOUT_ACCOUNT: Mapping[Language, str] = {
    Language.GERMAN: "Ohne Bankkonto",
    Language.ENGLISH: "Without bank account",
}


class TemplateError(ValueError):
    """A template that cannot be used; ``text`` is the message id, ``facts`` its values."""

    def __init__(self, text: str, **facts: Fact) -> None:
        super().__init__(text % facts if facts else text)
        self.text, self.facts = text, facts


@dataclass(frozen=True)
class Placement:
    """Where one document goes below the root: safe folder names from the outside in, and a safe file name."""

    folders: tuple[str, ...]
    name: str

    @property
    def path(self) -> str:
        """As people read it, ``"/"``-separated."""
        return "/".join((*self.folders, self.name))


@dataclass(frozen=True)
class Template:
    """Folders and a file name with places such as ``{client}`` in them; the extension is added by itself."""

    folders: tuple[str, ...]
    name: str
    folder_bytes: int = FOLDER_BYTES  # most of each folder's name
    file_bytes: int = FILE_BYTES

    def within(self, most: int) -> Template:
        """The same for a storage that allows ``most`` characters for a whole path below the root.

        Every folder gets the same share, whatever the document: one account's documents stay in one folder.
        """
        file_bytes = min(self.file_bytes, most // 3)
        share = (most - file_bytes) // max(1, len(self.folders)) - 1
        return replace(self, folder_bytes=min(self.folder_bytes, share), file_bytes=file_bytes)

    @classmethod
    def parse(cls, text: str) -> Template:
        """Read what a person wrote; TemplateError says what is wrong with it."""
        if len(text) > MAX_TEMPLATE:
            raise TemplateError(N_("The path is longer than %(most)s characters."), most=MAX_TEMPLATE)
        segments = [segment.strip() for segment in text.strip().removesuffix(".{ext}").strip("/").split("/")]
        for segment in segments:
            _check_segment(segment)
        *folders, name = segments
        if len(folders) > MAX_FOLDERS:
            raise TemplateError(N_("The path has more than %(most)s folders."), most=MAX_FOLDERS)
        if not _PLACE.search(name):
            raise TemplateError(N_("The file name needs at least one place such as {date}, {party} or {number}."))
        return cls(tuple(folders), name)

    @property
    def folder_parts(self) -> frozenset[str]:
        """What folders are named after: documents that are equal in these lie in the same folder."""
        return frozenset(part for folder in self.folders for part in _PLACE.findall(folder))

    def place(self, document: OutgoingDocument, language: Language = Language.GERMAN) -> Placement:
        """Where this document goes. What is not known of it is left out; something is always left."""
        values = _values(document, language)
        folders = (safe_name(_filled(folder, values), limit=self.folder_bytes, fallback="") for folder in self.folders)
        stem = _filled(self.name, values) or _stem(document.filename)
        name = safe_file_name(stem, extension(document), self.file_bytes)
        return Placement(tuple(folder for folder in folders if folder), name)

    def account_folder(self, client: str, account: str | None, language: Language = Language.GERMAN) -> str:
        """The folder that a bank account has even without a document; empty when no folder is named after it."""
        values = {"client": client, "account": account or WITHOUT_ACCOUNT[language]}
        kept: list[str] = []
        for folder in self.folders:
            if not set(_PLACE.findall(folder)) <= set(values):
                break
            kept.append(safe_name(_filled(folder, values), limit=self.folder_bytes))
        return "/".join(kept) if any("{account}" in folder for folder in self.folders[: len(kept)]) else ""


def _check_segment(segment: str) -> None:
    if not segment or segment in {".", ".."}:
        raise TemplateError(N_("A folder in the path has no name."))
    if "\\" in segment:
        raise TemplateError(N_("Please separate folders by a slash (/)."))
    for part in _PLACE.findall(segment):
        if part not in PARTS:
            raise TemplateError(N_("{%(part)s} is not known. Known are: %(known)s."), part=part, known=_listed(PARTS))
    if "{" in _PLACE.sub("", segment) or "}" in _PLACE.sub("", segment):
        raise TemplateError(N_("A curly bracket is not closed or not opened."))


def _listed(parts: Collection[str]) -> str:
    return ", ".join(f"{{{part}}}" for part in parts)


def _values(document: OutgoingDocument, language: Language) -> dict[str, str | None]:
    dated = document.issued_on or document.arrived_on
    return {
        "client": document.client,
        "account": document.account or WITHOUT_ACCOUNT[language],
        "month": f"{dated:%Y-%m}",
        "kind": KIND_NAMES[language][document.kind],
        "date": document.issued_on.isoformat() if document.issued_on else None,
        "party": document.party.name if document.party else None,
        "number": document.number,
    }


def _filled(segment: str, values: Mapping[str, str | None]) -> str:
    """The segment with its places filled; a missing value goes with the brackets or the separator before it."""
    marked = _PLACE.sub(lambda place: (values.get(place[1]) or "").replace("\0", "").strip() or "\0", segment)
    if "\0" not in marked:
        return " ".join(marked.split())
    joined = _BEFORE_MISSING.sub("", _EMPTY_BRACKETS.sub("\0", marked))
    return " ".join(joined.split()).strip(_EDGES)


def extension(document: OutgoingDocument) -> str:
    """Without a dot, lower case: by the detected type, else as the file came; may be empty."""
    claimed = re.sub(r"[^0-9a-z]", "", document.filename.rpartition(".")[2].lower()) if "." in document.filename else ""
    allowed = _EXTENSIONS.get(document.media_type, ())
    if allowed:
        return claimed if claimed in allowed else allowed[0]
    return claimed if len(claimed) <= 10 else ""


def _stem(filename: str) -> str:
    stem, dot, _ending = filename.rpartition(".")
    return stem if dot and stem else filename


def safe_file_name(stem: str, ending: str, limit: int = FILE_BYTES) -> str:
    """``stem.ending`` as every storage takes it; what is too long is cut before the extension."""
    tail = f".{ending}" if ending else ""
    name = f"{safe_name(stem, limit=limit - len(tail.encode()) - 1)}{tail}"
    return f"_{name}" if _RESERVED.fullmatch(name) else name


def safe_name(text: str, *, limit: int = FOLDER_BYTES, fallback: str = "_") -> str:
    """One file or folder name that every storage takes, at most ``limit`` bytes of UTF-8, NFC; never a path."""
    cleaned = unicodedata.normalize("NFC", "".join(map(_kept, text))).translate(_FORBIDDEN)
    name = _VTI.sub("-vti-", _trimmed(" ".join(cleaned.split())))
    if _RESERVED.fullmatch(name):
        name = f"_{name}"
    return _trimmed(cut(name, limit)) or fallback


def _kept(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    # Tag characters (above U+E0000) spell the flags of Scotland and the like.
    invisible = category == "Cf" and character not in _KEPT_FORMATS and character < "\U000e0020"
    return "" if invisible or category == "Cs" else character


def _trimmed(name: str) -> str:
    # A leading "~" means "temporary" to Office, a leading dot "hidden"; trailing dots and blanks vanish on Windows.
    return _TAIL.sub("", _HEAD.sub("", name))


def cut(text: str, limit: int) -> str:
    """At most ``limit`` bytes of UTF-8, never through a character, an accent or an emoji sequence."""
    if len(text.encode()) <= limit:
        return text
    kept = text.encode()[:limit].decode(errors="ignore")
    end = len(kept)
    while end and _joined(text, end):
        end -= 1
    return text[:end]


def _joined(text: str, at: int) -> bool:
    """Whether the characters before and after ``at`` belong together."""
    if at >= len(text):
        return False
    before, after = text[at - 1], text[at]
    if unicodedata.category(after).startswith("M") or after in "\u200d\ufe0e\ufe0f" or before == "\u200d":
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":  # skin tones, flag tags
        return True
    flags = 0
    while flags < at and "\U0001f1e6" <= text[at - 1 - flags] <= "\U0001f1ff":
        flags += 1
    return flags % 2 == 1 and "\U0001f1e6" <= after <= "\U0001f1ff"


def clash_key(name: str) -> str:
    """Equal for two names that some storage takes for the same: upper and lower case, ways to write an accent."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def numbered(name: str, number: int) -> str:
    """``Rechnung.pdf`` and 2 → ``Rechnung (2).pdf``, within the same limit."""
    stem, dot, ending = name.rpartition(".")
    stem, tail = (stem, dot + ending) if stem else (name, "")
    mark = f" ({number})"
    return f"{cut(stem, FILE_BYTES - len((mark + tail).encode())).rstrip()}{mark}{tail}"


def free_name(name: str, taken: Collection[str]) -> str:
    """``name``, or the first numbered form of it that none of ``taken`` clashes with."""
    keys = {clash_key(other) for other in taken}
    candidate, number = name, 1
    while clash_key(candidate) in keys:
        number += 1
        candidate = numbered(name, number)
    return candidate
