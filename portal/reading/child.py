"""The program in which files are read: ``python -m portal.reading.child PARENT LIMITS``, started by ``apart.Reader``.

Files come from strangers and are opened by native code. So they are read in a process of its own, with hard limits,
without the portal's environment; whatever a file does to it ends with it. For each line of JSON on standard input with
the bytes behind it, one line of JSON, a ``Reading``, goes to standard output.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import BinaryIO

from pydantic import TypeAdapter

from portal import children
from portal.reading.direction import ClientFacts
from portal.reading.limits import Limits, Why, restrict
from portal.reading.reading import Reading, read_here, unread

READINGS = TypeAdapter(Reading)
CLIENTS = TypeAdapter(ClientFacts | None)
LIMITS = TypeAdapter(Limits)
_NO_MEMORY = re.compile(r"bad_alloc|allocat|insufficient memory|out of memory|not enough memory", re.IGNORECASE)


def answer(content: bytes, media_type: str, client: ClientFacts | None, limits: Limits) -> Reading:
    """Read one file; what was not foreseen is a reason, too."""
    try:
        return read_here(content, media_type, client, limits)
    except MemoryError:
        return unread(Why.TOO_MUCH)
    except Exception as error:  # noqa: BLE001 - a file must not end the worker, whatever a library raises for it
        return unread(Why.TOO_MUCH if _NO_MEMORY.search(str(error)) else Why.BROKE)


def serve(asked: BinaryIO, told: BinaryIO, limits: Limits) -> None:
    """Answer until the other side closes."""
    while line := asked.readline():
        request = json.loads(line)
        content = asked.read(request["bytes"])
        reading = answer(content, request["media_type"], CLIENTS.validate_python(request["client"]), limits)
        told.write(READINGS.dump_json(reading) + b"\n")
        told.flush()


def main(arguments: list[str]) -> None:
    """Become harmless, then serve."""
    children.die_with(int(arguments[0]))
    limits = LIMITS.validate_json(arguments[1])
    restrict(limits)
    # Libraries that print must not be mistaken for answers.
    told = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, told, limits)


if __name__ == "__main__":
    main(sys.argv[1:])
