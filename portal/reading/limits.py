"""How much of anything one file may cost, and the reasons why a file stays unread."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from enum import StrEnum

from portal.i18n import N_


class Why(StrEnum):
    """Why a file was not read; each is a sentence (message id) for the person who looks at the document."""

    EMPTY = N_("The file is empty.")
    LOCKED = N_("This PDF is protected by a password, so it could not be read.")
    DAMAGED = N_("The file is damaged, so it could not be read.")
    NOT_READ = N_("Files of this type are not read.")
    TOO_LARGE = N_("A page or picture is too large to be read.")
    TOO_LONG = N_("Reading took too long and was stopped.")
    TOO_MUCH = N_("Reading took too much memory and was stopped.")
    BROKE = N_("Reading this file failed. It can be read again, or its fields be typed in.")
    NO_TEXT = N_("There is no text to be found on these pages.")


class Unread(Exception):
    """A file that cannot be read, and why."""

    def __init__(self, why: Why) -> None:
        self.why = why
        super().__init__(str(why))


@dataclass(frozen=True)
class Limits:
    """Per file. Times in seconds, memory in bytes, pictures in pixels."""

    seconds: float = 120.0  # by the clock, told by the parent
    processor: int = 110
    memory: int = 4 << 30  # of address space; OCR of an A4 page takes 1 GB of it for real
    bytes: int = 100_000_000
    pages: int = 60  # with text
    pictures: int = 8  # pages that need OCR, from the first
    letters: int = 60_000  # per page
    pixels: int = 120_000_000  # of a picture as it is stored; a decompression bomb has more
    side: int = 2400  # the longest side that the OCR gets to see


def restrict(limits: Limits) -> None:
    """Give up, for this process and for ever, what reading a file does not need: memory, time, writing files."""
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
