"""From a dead login to the letter by the real scheduler and worker, whatever kills the worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.accounts.models import Firm, Role
from portal.clock import now
from portal.notices.models import Notice, NoticeState
from portal.parts import Parts
from tests.forks import Fork
from tests.portal import post_office
from tests.portal.notices.conftest import World, one_login
from tests.portal.post_office import Office
from tests.servers import until


@pytest.fixture
def office() -> Iterator[Office]:
    with post_office.running(Office()) as running:
        yield running


@pytest.fixture
def start(environ: dict[str, str], office: Office) -> Iterator[Callable[..., Fork]]:
    """``start("worker", …)``: a part of Kontor that sends by the office; what still runs is killed at the end."""
    mail = {
        "KONTOR_MAIL_URL": f"smtp://127.0.0.1:{office.server.port}",
        "KONTOR_MAIL_FROM": "Kontor <kontor@kanzlei.example>",
    }
    started: list[Fork] = []

    def begin(*arguments: str) -> Fork:
        started.append(Fork("portal.cli:main", list(arguments), environ={**environ, **mail}))
        return started[-1]

    yield begin
    for one in started:
        one.kill()


def test_a_letter_survives_its_worker(start: Callable[..., Fork], parts: Parts, office: Office, firm: Firm) -> None:
    world = one_login(parts, office, firm)
    world.connected_by(world.member("Anna", Role.OWNER))
    start("scheduler")
    worker = start("worker", "--queue", "texts")
    office.pause = 600.0  # the server has the letter, and never says so
    world.dies()
    until(lambda: office.messages, 60, "the first letter")
    worker.kill()
    assert world.notices()[0].state is NoticeState.WAITING

    office.pause = 0.0
    _let_lease_end(world)
    start("worker", "--queue", "texts")
    until(lambda: world.notices()[0].state is NoticeState.TOLD, 60, "the second letter")
    first, second = office.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert world.told() == ["anna", "anna"]


def _let_lease_end(world: World) -> None:
    with world.parts.db.transaction() as session:
        session.execute(sa.update(Notice).values(lease_until=now() - timedelta(seconds=1)))
