"""The e-invoice inside a PDF, as it is: a program of its own, run like ``rasterize.py``.

The PDF comes on standard input. Standard output gets one line of JSON, {"name": "factur-x.xml"}, and then the XML;
{"name": ""} where there is none.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import BinaryIO

MEMORY = 1 << 30  # bytes of address space
SECONDS = 10  # of the processor
LARGEST = 100_000_000  # bytes of input


def limit() -> None:
    """Give up everything that opening a PDF does not need."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def tell(content: bytes, out: BinaryIO) -> None:
    """Write the answer for ``content`` to ``out``."""
    from portal.reading.einvoice.reader import read_einvoice

    found = read_einvoice(content, "application/pdf")
    out.write(json.dumps({"name": found.name if found else ""}).encode() + b"\n")
    if found:
        out.write(found.xml)


if __name__ == "__main__":
    limit()
    tell(sys.stdin.buffer.read(LARGEST), sys.stdout.buffer)
