"""QuickXorHash, the one checksum that every OneDrive tells of every file.

Algorithm: learn.microsoft.com/onedrive/developer/code-snippets/quickxorhash. Byte ``i`` is xored into a ring of 160
bits, beginning at bit ``11 * i``; the length is xored into the last eight bytes.
"""

from __future__ import annotations

import base64
from typing import BinaryIO

_WIDTH = 160  # bits of the ring, and the number of bytes after which a position repeats
_STEP = 11
_PIECE = _WIDTH * 8192  # bytes read at once
_RING = (1 << _WIDTH) - 1


def quick_xor_hash(stream: BinaryIO) -> str:
    """Of all that is left in ``stream``, in base64 as Microsoft writes it."""
    column, length = 0, 0
    while piece := stream.read(_PIECE):
        length += len(piece)
        column ^= _folded(piece)
    ring = 0
    for position, byte in enumerate(column.to_bytes(_WIDTH, "little")):
        spread = byte << (position * _STEP % _WIDTH)
        ring ^= (spread & _RING) ^ (spread >> _WIDTH)
    ring ^= length << (_WIDTH - 64)
    return base64.b64encode(ring.to_bytes(_WIDTH // 8, "little")).decode("ascii")


def _folded(piece: bytes) -> int:
    """All blocks of 160 bytes xored into one, by halves: long numbers are xored far faster than single bytes."""
    blocks = -(-len(piece) // _WIDTH)
    number = int.from_bytes(piece, "little")
    while blocks > 1:
        half = (blocks + 1) // 2
        bits = half * _WIDTH * 8
        number = (number >> bits) ^ (number & ((1 << bits) - 1))
        blocks = half
    return number
