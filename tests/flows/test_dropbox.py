"""Dropbox from the store to the file: installed, set up and connected on the pages, then exported and looked at."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

import httpx
import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from portal.access import Viewer
from portal.accounts.models import Firm
from portal.config import Settings
from portal.delivery import check, outbox
from portal.delivery.deliver import drain
from portal.delivery.models import Delivery, State
from portal.delivery.receipts import from_stored
from portal.instances.models import Instance
from portal.parts import Parts
from tests import factories, servers
from tests.flows.world import World, world
from tests.integrations.dropbox.bench import DropboxBench
from tests.integrations.dropbox.documents import large
from tests.portal.connections import dance

APP = {"client_id": "kontor-demo", "client_secret": "kontor-demo-secret", "app_folder": "Kontor"}


@pytest.fixture
def settings(settings: Settings, sandbox: servers.Sandbox) -> Settings:
    return replace(settings, endpoints=sandbox.endpoints)


@pytest.fixture
def account(sandbox: servers.Sandbox) -> str:
    """An account of this test's own: the sandbox is shared."""
    name = "flow-dropbox"
    order = {"id": name, "name": "Flora Fluss", "email": "flora@fluss.example"}
    httpx.post(f"{sandbox.url}/_control/dropbox/accounts", json=order).raise_for_status()
    return name


def set_up(browser: FlaskClient, base: str, account: str) -> str:
    """Through the pages as a person goes; the page of the finished integration."""
    page = browser.post(f"{base}/add", data={"kind": "dropbox"}).location
    seen = re.search(r'name="seen" value="(\w+)"', browser.get(page).text)
    assert seen is not None
    form = {"connection": "new", "name": "Our Dropbox", "agree": "yes", "seen": seen[1]}
    consent = browser.post(page, data=form).location
    asked = dict(parse_qsl(urlsplit(consent).query))
    assert (asked["token_access_type"], asked["code_challenge_method"]) == ("offline", "S256")
    back = browser.get(f"/connect/callback/dropbox?{urlencode(dance.answer(consent, account=account))}")
    assert back.status_code == 303, back.text
    page = back.location
    steps = (
        {"root": "Kontor", "path": "{client}/{date} {number}", "language": "de"},
        {"takes": ["incoming_invoice"]},
        {"start": "now"},
        {"name": "Dropbox"},
    )
    for step in steps:
        answer = browser.post(page, data=step)
        assert answer.status_code == 303, answer.text
        page = answer.location
    return page


def test_it_is_installed_set_up_and_exports(
    signed_in: Callable[[Viewer], FlaskClient],
    viewer: Callable[..., Viewer],
    parts: Parts,
    firm: Firm,
    sandbox: servers.Sandbox,
    account: str,
) -> None:
    with parts.db.transaction() as session:
        client = factories.client(session, firm)
    browser = signed_in(viewer())
    assert "Scoped access" in browser.get("/store/dropbox").text  # what to prepare at Dropbox
    assert browser.post("/store/dropbox/install", data=APP).status_code == 303
    page = set_up(browser, f"/clients/{client.id}/integrations", account)
    with parts.db.transaction() as session:
        instance = session.exec(select(Instance)).one()
        document = factories.document(session, client, parts=parts)
        factories.recorded(session, document)
        outbox.plan_document(session, document)
    assert "Flora Fluss" in browser.get(page).text
    assert browser.post(f"{page}/export").status_code == 303
    drain(parts, instance.id)
    assert states(parts, instance.id) == [State.DELIVERED]
    found = httpx.post(f"{sandbox.url}/_control/dropbox/files", json={"account": account}).json()
    (file,) = [one["path"] for one in found if not one["folder"]]
    assert file.startswith(f"Apps/Kontor/Kontor/{client.name}/")


def states(parts: Parts, instance_id: UUID) -> list[State]:
    with parts.db.read() as session:
        return [row.state for row in session.exec(select(Delivery).where(Delivery.instance_id == instance_id))]


@pytest.fixture
def at(settings: Settings, environ: dict[str, str]) -> Iterator[World]:
    with world(settings, environ, "dropbox") as made:
        yield made


def test_a_large_file_broken_off_by_a_crash_is_finished_and_all_arrive_once(at: World) -> None:
    documents = [*at.add(3), *at.add(content=large())]
    at.bench.script(["ok:9", "reset", "ok:2", "commit-then-drop"])
    drain(at.parts, at.instance.id)
    at.recover()
    at.holds(documents)


def test_verify_tells_what_somebody_changed_or_deleted(at: World) -> None:
    at.add(3)
    drain(at.parts, at.instance.id)
    assert list(check.verify_remote(at.parts, at.client.firm_id)) == []
    assert isinstance(at.bench, DropboxBench)
    with at.parts.db.read() as session:
        gone, changed, _ = check._page(session, at.instance.id, None)
    at.bench.remove(at.remote, from_stored(gone))
    at.bench.alter(at.remote, from_stored(changed))
    problems = {problem.document_id for problem in check.verify_remote(at.parts, at.client.firm_id)}
    assert problems == {gone.document_id, changed.document_id}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("fault", ["slow:4", "commit-then-slow:4"], ids=["before its effect", "after its effect"])
def test_a_worker_killed_at_any_piece_of_a_large_upload_leaves_one_file(at: World, fault: str) -> None:
    documents = at.add()
    drain(at.parts, at.instance.id)  # the folders are there: what follows are the pieces
    for piece in range(3):
        at.bench.script([*([f"ok:{piece}"] if piece else []), fault])
        worker = at.start_worker()
        documents += at.add(content=large() + bytes([piece]))
        assert at.wait_for_fault()
        at.kill(worker)
        at.bench.clear()
        at.recover()
        at.holds(documents)
