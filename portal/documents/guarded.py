"""Programs of ours that open strangers' PDFs: each run is a process of its own, without the portal's environment.

The program gets the PDF on standard input and answers with a line of JSON and bytes behind it. What a hostile file does
to the native code that opens it ends with the process.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

from portal.errors import Invalid, Unavailable
from portal.i18n import N_

_SECONDS = 15.0
# Each run is a process that may take a processor for seconds: a page full of them must not stop the portal.
_turns = threading.BoundedSemaphore(2)

LOCKED = N_("This PDF is protected by a password. Download it to open it.")
DAMAGED = N_("This PDF cannot be shown. Download it to look at it with another program.")


def ask(program: Path, content: BinaryIO, *arguments: object) -> tuple[dict[str, Any], bytes]:
    """The facts and the bytes that ``program`` answers for a PDF; Invalid says why it cannot be opened.

    Unavailable when others keep all processes busy for too long.
    """
    if not _turns.acquire(timeout=_SECONDS):
        raise Unavailable(N_("Many previews are being made right now. Please try again."))
    try:
        answer = subprocess.run(  # noqa: S603 - our own program, with arguments of ours
            [sys.executable, "-I", str(program), *map(str, arguments)],
            stdin=content if _is_real(content) else None,
            input=None if _is_real(content) else content.read(),
            capture_output=True, timeout=_SECONDS, env={"LC_ALL": "C.UTF-8"}, cwd="/", check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Invalid(DAMAGED) from error
    finally:
        _turns.release()
    return _understood(answer.stdout)


def _understood(answer: bytes) -> tuple[dict[str, Any], bytes]:
    first, _newline, rest = answer.partition(b"\n")
    try:
        facts = json.loads(first)
    except ValueError as error:
        raise Invalid(DAMAGED) from error
    if "wrong" in facts:
        raise Invalid(LOCKED if facts["wrong"] == "password" else DAMAGED)
    return facts, rest


def _is_real(content: BinaryIO) -> bool:
    """Whether a child process can read the file itself."""
    try:
        return os.fstat(content.fileno()).st_size >= 0
    except (OSError, AttributeError, io.UnsupportedOperation):
        return False
