"""What can be shown of a file beside its facts, safely: pages of a PDF as pictures, text and XML as text."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lxml import etree

from portal.documents import archives, detect, guarded, names
from portal.errors import Invalid

WIDTH = 1100  # pixels
SMALL = 240
MOST_PAGES = 60
MOST_TEXT = 200_000  # bytes
MOST_NAMES = 200
_RASTERIZE = Path(__file__).with_name("rasterize.py")


@dataclass(frozen=True)
class Drawn:
    """One page of a PDF as a PNG, and how many pages there are."""

    png: bytes
    pages: int


@dataclass(frozen=True)
class Shown:
    """What a preview shows: numbers of pages, a picture, text, or names inside a ZIP; ``cut`` when there is more."""

    pages: int = 0
    picture: bool = False
    text: str = ""
    names: Sequence[str] = ()
    cut: bool = False


def page(content: BinaryIO, number: int, width: int = WIDTH) -> Drawn:
    """Draw one page of a PDF (the first is 1); Invalid when it has no such page or cannot be drawn."""
    facts, png = guarded.ask(_RASTERIZE, content, number, max(200, min(width, 2000)))
    if not png:
        raise Invalid(guarded.DAMAGED)
    return Drawn(png, facts["pages"])


def show(content: BinaryIO, media_type: str) -> Shown:
    """What there is to show of a file; nothing for office files. Invalid says why a PDF cannot be shown."""
    if media_type == "application/pdf":
        facts, _png = guarded.ask(_RASTERIZE, content, 0, WIDTH)
        return Shown(pages=min(facts["pages"], MOST_PAGES), cut=facts["pages"] > MOST_PAGES)
    if media_type in {"image/jpeg", "image/png"}:
        return Shown(picture=True)
    if media_type == archives.ZIP:
        return _listed(content)
    if media_type.startswith("text/") or media_type in {"application/xml", "message/rfc822"}:
        return _text(content, media_type)
    return Shown()


def _text(content: BinaryIO, media_type: str) -> Shown:
    beginning = content.read(MOST_TEXT + 1)
    cut = len(beginning) > MOST_TEXT
    if media_type == "application/xml" and not cut:
        return Shown(text=_readable(beginning))
    return Shown(text=detect.decoded(beginning[:MOST_TEXT]) or "", cut=cut)


def _readable(content: bytes) -> str:
    """XML with one element a line; as it is when it cannot be parsed."""
    reader = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_blank_text=True
    )  # fmt: skip
    try:
        root = etree.fromstring(content.strip(), reader)
    except etree.XMLSyntaxError:
        return detect.decoded(content) or ""
    etree.indent(root)
    return str(etree.tostring(root, encoding="unicode"))


def _listed(content: BinaryIO) -> Shown:
    try:
        with zipfile.ZipFile(content) as opened:
            found = [names.safe(entry.filename) for entry in opened.infolist() if not entry.is_dir()]
    except zipfile.BadZipFile as error:
        raise Invalid(archives.DAMAGED) from error
    return Shown(names=found[:MOST_NAMES], cut=len(found) > MOST_NAMES)
