"""Bytes in, typed findings out: no database, no Flask, no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portal.reading.direction import ClientFacts
    from portal.reading.limits import Limits
    from portal.reading.reading import Reading


def read(
    content: bytes, media_type: str, *, client: ClientFacts | None = None, limits: Limits | None = None
) -> Reading:
    """Read one file in a child process; never raises for what is in it, ``unread`` says why there is nothing.

    ``media_type`` is ours, from the bytes. Starting the child takes a second: keep an ``apart.Reader`` for many files.
    """
    from portal.reading.apart import Reader

    with Reader(limits) as reader:
        return reader.read(content, media_type, client)
