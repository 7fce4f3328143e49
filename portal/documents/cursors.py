"""Places in a list as text for URLs: the key of the last row shown and its id."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, literal, tuple_
from sqlalchemy.types import TypeEngine

from portal.errors import Invalid
from portal.i18n import N_


def encode(key: str | int, last: UUID) -> str:
    """The cursor behind a row."""
    return base64.urlsafe_b64encode(json.dumps([key, last.hex]).encode()).decode().rstrip("=")


def decode(text: str) -> tuple[str | int, UUID]:
    """Key and id of the row; Invalid when the text is no cursor of ours."""
    try:
        key, last = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        fits = abs(key) < 2**63 if isinstance(key, int) else isinstance(key, str) and "\x00" not in key
        if fits and not isinstance(key, bool):
            return key, UUID(last)
    except (ValueError, TypeError, AttributeError):
        pass
    raise unknown()


def unknown() -> Invalid:
    """The error for a cursor that names no place."""
    return Invalid(N_("This place in the list is not known. Please begin at the start."))


def instant(key: str | int) -> datetime:
    """The aware instant that a key holds; Invalid when it holds none."""
    try:
        found = datetime.fromisoformat(str(key))
    except ValueError as error:
        raise unknown() from error
    if found.tzinfo is None:
        raise unknown()
    return found


def behind(
    column: Any, ids: Any, key: object, last: UUID, *, kind: TypeEngine[Any], descending: bool
) -> ColumnElement[bool]:
    """The condition for rows that come after (key, last) in this direction; one range of an index."""
    here, there = tuple_(column, ids), tuple_(literal(key, kind), literal(last, Uuid()))
    return here < there if descending else here > there
