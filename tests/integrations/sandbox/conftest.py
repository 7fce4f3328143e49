"""Fixtures of the sandbox's own tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integrations.sandbox.serving import AMERICAN, Books, Running, running


@pytest.fixture
def sandbox() -> Iterator[Running]:
    """A fresh sandbox."""
    with running() as started:
        yield started


@pytest.fixture
def books(sandbox: Running) -> Books:
    """The German demo company."""
    return Books(sandbox)


@pytest.fixture
def american(sandbox: Running) -> Books:
    """The American demo company."""
    return Books(sandbox, AMERICAN)
