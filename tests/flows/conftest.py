"""A world at one storage, and the firm's owner; files whose worlds are others make their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from portal.access import Viewer, viewer_of
from portal.accounts.models import Firm
from portal.config import Settings
from tests import factories
from tests.flows.world import World, world


@pytest.fixture
def kind() -> str:
    """Whose storage it is, unless a test goes over all of them."""
    return "google_drive"


@pytest.fixture
def at(settings: Settings, environ: dict[str, str], kind: str) -> Iterator[World]:
    """An instance of ``kind``, finished, with real parts."""
    with world(settings, environ, kind) as made:
        yield made


@pytest.fixture
def owner(at: World) -> Viewer:
    """The owner of its firm."""
    with at.parts.db.transaction() as session:
        found = viewer_of(session, factories.member(session, session.get_one(Firm, at.client.firm_id)).person_id)
    assert found is not None
    return found
