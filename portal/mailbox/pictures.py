"""Telling a logo within a mail's text from a photographed receipt, by nothing but size and shape."""

from __future__ import annotations

import struct

SMALL = 8_000  # bytes; no photograph of a receipt is smaller
UNKNOWN_SMALL = 40_000  # bytes, when the picture does not tell its shape
SHORT_SIDE = 200  # pixels
AREA = 120_000  # pixels: 400 × 300
BANNER = 3.0  # times as wide as high


def is_decoration(content: bytes) -> bool:
    """Whether a picture shown within the text is too small, or too much of a banner, to be a document."""
    if len(content) < SMALL:
        return True
    shape = pixels(content)
    if shape is None:
        return len(content) < UNKNOWN_SMALL
    width, height = shape
    return min(width, height) < SHORT_SIDE or width * height < AREA or (width > BANNER * height and height < 600)


def pixels(content: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG, GIF or JPEG from its head; None when it does not tell."""
    if content.startswith(b"\x89PNG\r\n\x1a\n") and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        return width, height
    if content.startswith(b"GIF8") and len(content) >= 10:
        width, height = struct.unpack("<HH", content[6:10])
        return width, height
    return _of_jpeg(content) if content.startswith(b"\xff\xd8") else None


def _of_jpeg(content: bytes) -> tuple[int, int] | None:
    """The frame header (ITU T.81, B.2.2): the first of the SOF markers."""
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + max(length, 2)
    return None
