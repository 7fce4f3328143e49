"""What to do in a test when a program that is not ours is missing: say so loudly, and skip."""

from __future__ import annotations

import warnings
from typing import NoReturn

import pytest


def absent(what: str, why: str) -> NoReturn:
    """Skip with a warning that stays one: a machine without the program cannot give this proof."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"{what} not tried: {why}", stacklevel=2)
    pytest.skip(f"{what} not tried: {why}")
