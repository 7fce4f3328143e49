"""Ids of rows: UUIDv7 (RFC 9562), so that they sort by the time they were made and pages go by key."""

from __future__ import annotations

from uuid import UUID

import uuid_utils.compat

from portal.errors import NotFound


def new() -> UUID:
    """A fresh id, greater than every id this process made before."""
    return uuid_utils.compat.uuid7()


def parse(text: str) -> UUID:
    """The id that a URL or a job names; NotFound when it is none."""
    try:
        return UUID(text)
    except (ValueError, AttributeError, TypeError) as error:
        raise NotFound from error
