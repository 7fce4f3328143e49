"""The text layer of a PDF as words with places, and its pages as pictures where there is no text to use."""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Any

from portal.reading.findings import Box, Source
from portal.reading.limits import Limits, Unread, Why
from portal.reading.words import Page, Word, around, lay_out

_FEW = 12  # letters and digits; a page with fewer has no text worth the name
_DAMAGED = re.compile(r"[\ufffd\ue000-\uf8ff]")  # letters without a meaning: fonts without a map to Unicode


def opened(content: bytes) -> Any:
    """A PDF, to be closed by the caller. Unread says why it cannot be: protected by a password, or damaged."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
        if len(document) == 0:
            raise Unread(Why.DAMAGED)
    except pypdfium2.PdfiumError as error:
        raise Unread(Why.LOCKED if "password" in str(error).lower() else Why.DAMAGED) from error
    return document


def page_of(document: Any, index: int, limits: Limits) -> Page:
    """The words of the page at ``index`` (from 0)."""
    with closing(document[index]) as page:
        width, height = page.get_size()
        words = list(_words(page, limits.letters))
        return lay_out(words, index + 1, width, height, Source.TEXT)


def is_usable(page: Page) -> bool:
    """Whether a text layer says what the page shows: enough letters, nearly all of them with a meaning."""
    letters = re.sub(r"\s", "", page.text)
    known = sum(char.isalnum() for char in letters)
    return known >= _FEW and len(_DAMAGED.findall(letters)) <= 0.05 * len(letters) and known >= 0.4 * len(letters)


def pictured(document: Any, index: int, limits: Limits) -> Any:
    """The page at ``index`` (from 0) drawn as an array of BGR pixels, as sharp as OCR can use."""
    with closing(document[index]) as page:
        width, height = page.get_size()
        # 200 dpi suits the engine; huge pages are drawn smaller, never larger than the limit.
        scale = min(200 / 72, limits.side / max(width, height, 1))
        with closing(page.render(scale=scale, rev_byteorder=False)) as bitmap:
            return bitmap.to_numpy()[:, :, :3].copy()


def is_drawn(document: Any, index: int) -> bool:
    """Whether the page shows what a text layer does not tell: a picture of some size, or letters drawn as lines."""
    import pypdfium2.raw as pdfium

    with closing(document[index]) as page:
        width, height = page.get_size()
        kinds = [pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_PATH]
        drawn = list(islice(page.get_objects(filter=kinds, max_depth=3), 400))
        large = 0.1 * max(width * height, 1)
        return len(drawn) >= 60 or any(one.type == kinds[0] and _area(one) > large for one in drawn)


def _area(picture: Any) -> float:
    left, bottom, right, top = picture.get_bounds()
    return float(max(right - left, 0) * max(top - bottom, 0))


def _words(page: Any, most: int) -> Iterator[Word]:
    """Words of the text layer: characters up to a blank, a line's end, or a jump."""
    with closing(page.get_textpage()) as text_page:
        count = min(text_page.count_chars(), most)
        text = _text(text_page, count)
        turn = _Turn(page)
        boxes = _boxes(text_page, count)
        gathered: list[tuple[str, Box]] = []
        for char, box in zip(text, boxes, strict=False):
            placed = turn(box) if box is not None else None
            if char.isspace() or placed is None or (gathered and _jumps(gathered[-1][1], placed)):
                yield from _word(gathered)
                gathered = []
            if placed is not None and not char.isspace() and char.isprintable():
                gathered.append((char, placed))
        yield from _word(gathered)


def _text(text_page: Any, count: int) -> str:
    """One character for each that pdfium counts; those outside Unicode's first plane become one sign."""
    import pypdfium2.raw as pdfium

    codes = (pdfium.FPDFText_GetUnicode(text_page, index) for index in range(count))
    return "".join(chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd" for code in codes)


_Raw = tuple[float, float, float, float]  # left, right, bottom, top in the page's own coordinates


def _boxes(text_page: Any, count: int) -> Iterator[_Raw | None]:
    """Where each character lies, as high as its font; None for what is written upwards or has no place."""
    import pypdfium2.raw as pdfium

    rectangle = pdfium.FS_RECTF()
    place = ctypes.byref(rectangle)
    for index in range(count):
        upright = abs(math.sin(max(pdfium.FPDFText_GetCharAngle(text_page, index), 0.0))) < 0.1
        known = upright and pdfium.FPDFText_GetLooseCharBox(text_page, index, place)
        yield (rectangle.left, rectangle.right, rectangle.bottom, rectangle.top) if known else None


class _Turn:
    """From a page's own coordinates to those of the page as it is shown, from the upper left corner."""

    def __init__(self, page: Any) -> None:
        self._left, self._bottom, self._right, self._top = page.get_cropbox()
        self._rotation = page.get_rotation() % 360

    def __call__(self, raw: _Raw) -> Box:
        left, right, bottom, top = raw
        if self._rotation == 90:
            return Box(bottom - self._bottom, left - self._left, top - self._bottom, right - self._left)
        if self._rotation == 180:
            return Box(self._right - right, bottom - self._bottom, self._right - left, top - self._bottom)
        if self._rotation == 270:
            return Box(self._top - top, self._right - right, self._top - bottom, self._right - left)
        return Box(left - self._left, self._top - top, right - self._left, self._top - bottom)


def _jumps(last: Box, box: Box) -> bool:
    """Whether a letter does not follow the one before: another line, or a gap without a written blank."""
    tall = max(last.bottom - last.top, box.bottom - box.top, 1.0)
    return (
        box.left - last.right > 0.9 * tall or last.left - box.left > 0.5 * tall or abs(box.bottom - last.bottom) > tall
    )


def _word(gathered: list[tuple[str, Box]]) -> Iterator[Word]:
    if gathered:
        box = around(one for _, one in gathered)
        yield Word("".join(char for char, _ in gathered), box, box)
