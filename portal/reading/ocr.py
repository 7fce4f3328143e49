"""Words from pictures: scans and photographs are cleaned, read by RapidOCR, and laid flat.

The models (PP-OCRv6 small) come with the package ``rapidocr``; any other model or language would be fetched from the
network when first used, so none is chosen.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from portal.reading.findings import Source
from portal.reading.flatten import Detected, Point, words_of
from portal.reading.limits import Limits, Unread, Why
from portal.reading.words import Page, lay_out

_SMALL = 1000  # pixels of the longer side: letters of a receipt that small are too coarse for the engine
_DOUBT = 0.4  # below this a line is noise
_UPSIDE_DOWN = 0.9


def loaded(content: bytes, limits: Limits) -> Any:
    """A JPEG or PNG as BGR pixels, turned as its EXIF says. Unread: damaged, or more pixels than allowed."""
    import cv2
    import numpy as np
    from PIL import Image, ImageOps, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # the size is looked at before anything is unpacked, on the next lines
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as picture:
            if picture.width * picture.height > limits.pixels:
                raise Unread(Why.TOO_LARGE)
            picture.draft("RGB", (limits.side, limits.side))
            upright = ImageOps.exif_transpose(picture)
            flat = _on_white(upright)
            flat.thumbnail((limits.side, limits.side), Image.Resampling.LANCZOS)
            return cv2.cvtColor(np.asarray(flat), cv2.COLOR_RGB2BGR)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, IndexError, EOFError) as error:
        raise Unread(Why.DAMAGED) from error


def size(content: bytes) -> tuple[int, int]:
    """Width and height of a picture as it is shown."""
    from PIL import Image

    with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as picture:
        turned = picture.getexif().get(0x0112, 1) in {5, 6, 7, 8}
        return (picture.height, picture.width) if turned else picture.size


def _on_white(picture: Any) -> Any:
    """RGB; what is transparent becomes paper."""
    from PIL import Image

    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        page = Image.new("RGBA", picture.size, "white")
        page.alpha_composite(picture.convert("RGBA"))
        return page.convert("RGB")
    return picture.convert("RGB")


def read(picture: Any, number: int, width: float, height: float) -> Page:
    """The words on a picture (BGR pixels) that shows a page of ``width`` and ``height`` points."""
    cleaned = clean(picture)
    return laid(detect(cleaned), cleaned.shape[1], number, width, height)


def laid(lines: Sequence[Detected], across: int, number: int, width: float, height: float) -> Page:
    """A page of ``width`` and ``height`` points from lines on a picture that is ``across`` pixels wide."""
    return lay_out(words_of(lines, width / across), number, width, height, Source.OCR)


def clean(picture: Any) -> Any:
    """Shadows taken out, coarse pictures made larger."""
    import cv2

    larger = max(picture.shape[:2])
    if larger < _SMALL:
        factor = min(2.0, 1.6 * _SMALL / larger)
        picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    return _evenly_lit(picture)


def _evenly_lit(picture: Any) -> Any:
    """The picture divided by its paper: light that falls off over the page is taken out, black stays black."""
    import cv2
    import numpy as np

    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    paper = cv2.medianBlur(cv2.dilate(small, np.ones((7, 7), np.uint8)), 21)
    if float(np.percentile(paper, 90)) - float(np.percentile(paper, 10)) < 40:
        return picture  # evenly lit already
    paper = cv2.resize(paper, (grey.shape[1], grey.shape[0]), interpolation=cv2.INTER_LINEAR)
    even = cv2.divide(grey, np.maximum(paper, 60), scale=245)
    return cv2.cvtColor(even, cv2.COLOR_GRAY2BGR)


def detect(picture: Any) -> list[Detected]:
    """Lines of text with their corners in reading direction."""
    engine = _engine()
    prepared, record = engine.preprocess_img(picture)
    found, turned, read_, _pictures = engine.run_ocr_steps(prepared, record)
    if found.boxes is None or read_.txts is None or turned.cls_res is None:
        return []
    down, across = picture.shape[0] / prepared.shape[0], picture.shape[1] / prepared.shape[1]
    padding = record.get("padding_1", {})
    lines = []
    for box, text, sure, (label, certain) in zip(found.boxes, read_.txts, read_.scores, turned.cls_res, strict=True):
        if text.strip() and sure >= _DOUBT:
            corners = [
                ((float(x) - padding.get("left", 0)) * across, (float(y) - padding.get("top", 0)) * down)
                for x, y in box
            ]
            lines.append(
                Detected(_reading(corners, flipped="180" in label and certain > _UPSIDE_DOWN), text, float(sure))
            )
    return lines


def _reading(corners: list[Point], *, flipped: bool) -> tuple[Point, Point, Point, Point]:
    """The corners from the upper left of the letters on.

    The engine turns what is much higher than wide to the left before it reads it, and then half round what it takes to
    be upside down.
    """
    wide = _distance(corners[0], corners[1])
    high = _distance(corners[0], corners[3])
    start = (1 if high >= 1.5 * wide else 0) + (2 if flipped else 0)
    ordered = [corners[(start + place) % 4] for place in range(4)]
    return ordered[0], ordered[1], ordered[2], ordered[3]


def _distance(one: Point, two: Point) -> float:
    return float(((one[0] - two[0]) ** 2 + (one[1] - two[1]) ** 2) ** 0.5)


@lru_cache(maxsize=1)
def _engine() -> Any:
    """The engine, on one thread: one worker has one core."""
    import cv2
    from rapidocr import RapidOCR

    cv2.setNumThreads(1)
    return RapidOCR(
        params={
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "Global.log_level": "critical",
            "Global.text_score": _DOUBT,
        }
    )
