"""What goes wrong on our side of the connectors, each with one sentence for the person and the HTTP status it means.

Error
├── NotFound        404  it does not exist, or you may not know that it does
├── Invalid         422  what was given cannot be taken; the sentence says what and why
├── Conflict        409  it changed meanwhile, or does not fit its present state
├── Throttled       429  too many tries
└── Unavailable     503  a part we depend on does not answer
"""

from __future__ import annotations

from typing import ClassVar

Fact = str | int


class Error(Exception):
    """``text`` is a message id with ``%(name)s`` places, ``facts`` fill them; ``field`` names the field of the form."""

    status: ClassVar[int] = 500
    default: ClassVar[str] = "Something went wrong."

    def __init__(self, text: str | None = None, /, *, field: str | None = None, **facts: Fact) -> None:
        self.text = text or self.default
        self.field = field
        self.facts: dict[str, Fact] = facts
        super().__init__(self.text % facts if facts else self.text)


class NotFound(Error):
    """It does not exist, or the person may not know that it does: the same answer for both."""

    status = 404
    default = "There is nothing here, or it is not yours to see."


class Invalid(Error):
    """What was given cannot be taken."""

    status = 422
    default = "Please check what you entered."


class Conflict(Error):
    """It changed meanwhile, or does not fit its present state."""

    status = 409
    default = "This has changed in the meantime. Please look again."


class Throttled(Error):
    """Too many tries."""

    status = 429
    default = "Too many tries. Please wait a moment."


class Unavailable(Error):
    """A part we depend on does not answer."""

    status = 503
    default = "This does not answer right now. Please try again."
