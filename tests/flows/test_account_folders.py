"""A bank account gets its folder by itself, once (E2); a folder that somebody deletes stays deleted (E4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest
import sqlalchemy as sa

from portal import clock
from portal.config import Settings
from portal.delivery import outbox
from portal.delivery.deliver import drain
from portal.delivery.models import Delivery, State
from portal.documents import versions
from portal.documents.models import Document
from portal.instances.models import Instance
from portal.instances.places import open_account_folders
from tests import factories
from tests.flows.world import World, world
from tests.integrations.google_drive.bench import DriveBench


@pytest.fixture(params=["google_drive", "onedrive"])
def at(settings: Settings, environ: dict[str, str], request: pytest.FixtureRequest) -> Iterator[World]:
    with world(settings, environ, request.param) as made:
        yield made


def opened(at: World, name: str) -> int:
    with at.parts.db.transaction() as session:
        factories.account(session, at.client, name=name)
    return open_account_folders(at.parts, at.instance.id)


def folders(at: World) -> set[str]:
    return {path.rsplit("/", 1)[-1] for path in cast("DriveBench", at.bench).folders(at.remote)}


def test_an_account_opened_later_gets_its_folder_once(at: World) -> None:
    assert opened(at, "Girokonto") == 1
    assert opened(at, "Spar/Tagesgeld") == 1
    assert open_account_folders(at.parts, at.instance.id) == 0
    assert len(folders(at)) == 4
    assert "Girokonto" in folders(at)


def test_a_deleted_account_folder_stays_deleted(at: World) -> None:
    opened(at, "Girokonto")
    drive = cast("DriveBench", at.bench)
    account = drive.account_of(at.remote)
    gone = next(key for path, key in drive.living(account).items() if path.endswith("Girokonto"))
    drive.do(account, "trash", gone)
    assert open_account_folders(at.parts, at.instance.id) == 0
    assert "Girokonto" not in folders(at)


def test_what_lay_in_a_deleted_folder_comes_back_when_the_set_up_runs_again(at: World) -> None:
    (document,) = at.add()
    drain(at.parts, at.instance.id)
    drive = cast("DriveBench", at.bench)
    account = drive.account_of(at.remote)
    drive.do(account, "trash", next(key for path, key in drive.living(account).items() if path.count("/") == 1))
    with at.parts.db.transaction() as session:
        present = session.get_one(Document, document.id)
        versions.change(session, present, {"number": "RE-corrected"}, None)
        outbox.plan_document(session, present)
        session.execute(sa.update(Delivery).values(due_at=clock.now()))
    drain(at.parts, at.instance.id)
    assert at.states() == {State.REMOVED: 1}
    assert drive.files(account) == []
    with at.parts.db.transaction() as session:
        outbox.bring_back(session, session.get_one(Instance, at.instance.id))
    drain(at.parts, at.instance.id)
    at.holds([document])


def test_a_ledger_has_no_folders(settings: Settings, environ: dict[str, str]) -> None:
    with world(settings, environ, "quickbooks") as at:
        assert opened(at, "Girokonto") == 0
