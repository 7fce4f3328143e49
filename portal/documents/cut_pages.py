"""Ranges of a PDF's pages as PDFs of their own: a program that knows nothing of the portal, like ``rasterize.py``.

The PDF comes on standard input. Arguments: the first page of each range, counted from 1; a range ends where the next
begins, the last one at the end. Standard output gets one line of JSON, {"pages": 5, "sizes": [2000, 3100]} or
{"wrong": "password"}, and then the PDFs, one behind the other. The same pages give the same bytes, always: a document
is known by its SHA-256. Only pages are taken over: no script, no attachment, nothing that opens by itself.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from itertools import pairwise
from typing import Any, BinaryIO

MEMORY = 1 << 30  # bytes of address space
SECONDS = 10  # of the processor
LARGEST = 100_000_000  # bytes of input
_ACTIVE = ("/AA", "/Metadata", "/PieceInfo", "/B", "/StructParents")  # of a page: what acts, or points elsewhere
_ACTIONS = ("/A", "/AA", "/PA", "/Dest")  # of an annotation


def limit() -> None:
    """Give up everything that copying pages does not need."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def cut(content: bytes, starts: list[int], out: BinaryIO) -> None:
    """Write the answer for ``content`` to ``out``; without ``starts``, or with wrong ones, only the number of pages."""
    import pikepdf

    try:
        with pikepdf.open(io.BytesIO(content), suppress_warnings=True) as document:
            pages = len(document.pages)
            ends = [*(start - 1 for start in starts[1:]), pages]
            fitting = all(one < two for one, two in pairwise([0, *starts, pages + 1]))
            ranges = [*zip(starts, ends, strict=True)] if starts and fitting else []
            cuts = [_range(document, first, last) for first, last in ranges]
    except (pikepdf.PasswordError, pikepdf.PdfError, ValueError, RuntimeError, OSError) as error:
        wrong = "password" if isinstance(error, pikepdf.PasswordError) else "damaged"
        out.write(json.dumps({"wrong": wrong}).encode() + b"\n")
        return
    out.write(json.dumps({"pages": pages, "sizes": [len(one) for one in cuts]}).encode() + b"\n")
    out.writelines(cuts)


def _range(document: Any, first: int, last: int) -> bytes:
    import pikepdf

    made = pikepdf.new()
    for page in document.pages[first - 1 : last]:
        made.pages.append(page)
        _drop(made.pages[-1].obj, _ACTIVE)
        for annotation in made.pages[-1].obj.get("/Annots", ()):  # what they show stays: stamps, filled fields
            _drop(annotation, _ACTIONS)
    buffer = io.BytesIO()
    made.save(buffer, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return buffer.getvalue()


def _drop(thing: Any, names: tuple[str, ...]) -> None:
    for name in names:
        if name in thing:
            del thing[name]


if __name__ == "__main__":
    limit()
    cut(sys.stdin.buffer.read(LARGEST), [int(text) for text in sys.argv[1:]], sys.stdout.buffer)
