"""Pieces of pages that follow from their values alone, made once: lists show the same rows again and again.

Making fifty rows takes longer than all the rest of a page. A row made for one reader may be shown to every other who
reads in the same language and zone on the same day, for nothing else goes into it: who may see it was decided by who
read its values.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import date
from functools import lru_cache

from flask import Flask
from markupsafe import Markup

from portal import clock
from portal.web import spoken, zone

# Some thousand rows of about a kilobyte.
_KEPT = 8_000

Macro = Callable[..., Markup]


def remembered(macro: Macro, *values: Hashable) -> Markup:
    """What ``macro`` makes of these values, in the reader's language and zone, today.

    The macro must be imported without context and use nothing of the request (no token, no viewer, no link that
    depends on the page); equal values must look the same.
    """
    there = zone()
    return _made(macro, values, spoken(), there, clock.local_date(clock.now(), there))


@lru_cache(_KEPT)
def _made(macro: Macro, values: tuple[Hashable, ...], _spoken: str, _zone: str, _today: date) -> Markup:
    return macro(*values)


def register(app: Flask) -> None:
    """Make it known to templates."""
    app.jinja_env.globals["remembered"] = remembered
