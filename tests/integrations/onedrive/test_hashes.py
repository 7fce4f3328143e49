from __future__ import annotations

import base64
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.onedrive.hashes import quick_xor_hash
from integrations.sandbox.onedrive.disk import quick_xor


def by_bits(content: bytes) -> str:
    """Word for word what Microsoft describes: a ring of 160 bits, byte by byte."""
    ring = [0] * 160
    for index, byte in enumerate(content):
        for bit in range(8):
            ring[(index * 11 + bit) % 160] ^= byte >> bit & 1
    digest = bytearray(sum(ring[start + bit] << bit for bit in range(8)) for start in range(0, 160, 8))
    for index, byte in enumerate(len(content).to_bytes(8, "little")):
        digest[12 + index] ^= byte
    return base64.b64encode(digest).decode()


# Base64 of a content and of its hash, as the tests of other programs that speak to OneDrive know them.
KNOWN = (
    ("", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    ("Sg==", "SgAAAAAAAAAAAAAAAQAAAAAAAAA="),
    ("tbQ=", "taAFAAAAAAAAAAAAAgAAAAAAAAA="),
    ("0pZP", "0rDEEwAAAAAAAAAAAwAAAAAAAAA="),
    ("jRRDVA==", "jaDAEKgAAAAAAAAABAAAAAAAAAA="),
    ("2fuxhBJXtpWFe8dOfdGeHw==", "O9tHLAghgSvYohKFyMMxnNCHaHg="),  # from here on the ring is full
    ("lScPwPsyUsH2T1Qsr31wXtP55Wqbe47Uyg==", "VDMSy8eI26nBHCB0e8gVWPCKPsA="),
)


@pytest.mark.parametrize(("content", "expected"), KNOWN)
def test_the_hash_is_that_of_other_programs(content: str, expected: str) -> None:
    assert quick_xor_hash(io.BytesIO(base64.b64decode(content))) == expected


@given(st.binary(max_size=900))
@settings(max_examples=150, deadline=None)
def test_three_ways_to_compute_it_agree(content: bytes) -> None:
    assert quick_xor_hash(io.BytesIO(content)) == quick_xor(content) == by_bits(content)


@pytest.mark.parametrize("size", [159, 160, 161, 160 * 8192 - 1, 160 * 8192, 160 * 8192 + 1, 3 * 160 * 8192 + 77])
def test_pieces_that_are_read_one_after_the_other_make_one_hash(size: int) -> None:
    content = (bytes(range(251)) * (size // 251 + 1))[:size]
    assert quick_xor_hash(io.BytesIO(content)) == quick_xor(content)
