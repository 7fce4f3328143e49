"""One page of a PDF as PNG: a program of its own that knows nothing of the portal.

PDFs come from strangers and their renderer is native code. So it runs in a child process with hard limits on memory,
time and files, without the portal's environment; whatever a hostile PDF does to it ends with it. The PDF comes on
standard input. Standard output gets one line of JSON, {"pages": 3, "width": 1000, "height": 1414} or
{"wrong": "password"}, and then the PNG. Arguments: number of the page, counted from 1 (0: only the line), and the width
in pixels.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import BinaryIO

MEMORY = 1 << 30  # bytes of address space
SECONDS = 10  # of the processor
TALLEST = 4000  # pixels
LARGEST = 100_000_000  # bytes of input


def limit() -> None:
    """Give up everything that drawing a page does not need."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def draw(content: bytes, number: int, width: int, out: BinaryIO) -> None:
    """Write the answer for a page of ``content`` to ``out``."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
        pages = len(document)
    except pypdfium2.PdfiumError as error:
        wrong = "password" if "password" in str(error).lower() else "damaged"
        out.write(json.dumps({"wrong": wrong}).encode() + b"\n")
        return
    if not 1 <= number <= pages:
        out.write(json.dumps({"pages": pages}).encode() + b"\n")
        return
    page = document[number - 1]
    scale = min(width / max(page.get_width(), 1), TALLEST / max(page.get_height(), 1))
    picture = page.render(scale=scale).to_pil()
    said = {"pages": pages, "width": picture.width, "height": picture.height}
    out.write(json.dumps(said).encode() + b"\n")
    picture.save(out, "PNG", optimize=False, compress_level=6)


if __name__ == "__main__":
    limit()
    draw(sys.stdin.buffer.read(LARGEST), int(sys.argv[1]), int(sys.argv[2]), sys.stdout.buffer)
