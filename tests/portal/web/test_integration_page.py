"""An integration's page: disconnecting, taking over, links, what ends soon, previews and the plan."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from sqlmodel import select

from portal.connections.models import Connection, ConnectionState
from portal.instances.models import Instance, InstanceState
from tests import factories
from tests.portal.web.desk import Desk, desk, settings

__all__ = ["desk", "settings"]


def test_disconnecting_is_asked_twice(desk: Desk) -> None:
    page = desk.finished()
    login = f"{desk.base}/connections/{desk.connection.id}"
    assert f"{login}/disconnect" in desk.browser.get(page).text
    assert desk.browser.post(f"{login}/disconnect", data={"revoke": "yes"}).location.endswith("/disconnect")
    assert desk.connection.state is ConnectionState.LIVE


def test_another_account_takes_over_and_the_first_export_stops(desk: Desk) -> None:
    page = desk.finished()
    assert f"{page}/take-over" in desk.browser.get(page).text
    assert "What was exported stays there" in desk.browser.get(f"{page}/take-over").text
    assert desk.browser.post(f"{page}/take-over").location.endswith("/take-over")
    first = desk.instance
    draft = desk.browser.post(f"{page}/take-over", data={"sure": "yes"}).location
    assert desk.connection.state is ConnectionState.ENDED
    sign_in = desk.browser.get(draft).location
    settings = desk.back(desk.consent(sign_in), account="jonas")
    assert settings.endswith("/set-up/settings")
    assert 'value="{client}/{date} {number}"' in desk.browser.get(settings).text
    with desk.parts.db.read() as session:
        known = {one.id: one for one in session.exec(select(Instance))}
        logins = {one.account_name: one.state for one in session.exec(select(Connection))}
    assert known.pop(first.id).state is InstanceState.REMOVED
    (second,) = known.values()
    assert (second.name, second.takes, second.sync_from) == ("Drive", ["receipt"], None)
    assert logins == {"Anna Meyer": ConnectionState.ENDED, "Jonas Berg": ConnectionState.LIVE}


def test_the_folders_of_bank_accounts_are_linked(desk: Desk) -> None:
    from portal.instances.places import open_account_folders

    desk.back(desk.consent(desk.begin()))
    page = desk.steps({"root": "Kontor", "path": "{client}/{account}/{date} {number}", "language": "de"},
                      {"takes": ["receipt"]}, {"start": "now"}, {"name": "Drive"})  # fmt: skip
    with desk.parts.db.transaction() as session:
        factories.account(session, desk.client, name="Girokonto")
        factories.account(session, desk.client, name="Tagesgeld")
    open_account_folders(desk.parts, desk.instance.id)
    shown = desk.browser.get(page).text
    links = re.findall(r'href="([^"]+)"[^>]*><svg.*?</svg> Folder of (\w+)', shown)
    assert [name for _link, name in links] == ["Girokonto", "Tagesgeld"]
    assert len({link for link, _name in links}) == 2


def test_a_login_about_to_end_is_said_ahead_on_page_and_board(desk: Desk) -> None:
    from datetime import timedelta

    from portal import clock

    page = desk.finished()
    assert "The login ends on" not in desk.browser.get(page).text
    with desk.parts.db.transaction() as session:
        session.exec(select(Connection)).one().expires_at = clock.now() + timedelta(days=10)
    assert "The login ends on" in desk.browser.get(page).text
    assert "The login ends on" in desk.browser.get(desk.base).text
    assert "1 connection" in desk.browser.get("/").text


def test_the_template_is_previewed_while_it_is_written(desk: Desk) -> None:
    desk.back(desk.consent(desk.begin()))
    page = desk.next_step()
    shown = desk.browser.get(page).text
    assert "So it will look" in shown
    assert 'hx-get="' + page.replace("/settings", "/preview") in shown
    typed = {"root": "Ablage", "path": "{client}/{party} {number}", "language": "de"}
    piece = desk.browser.get(f"{page.replace('/settings', '/preview')}?{urlencode(typed)}").text
    assert "<strong>Mühlenwerke Nord AG RE-1024.pdf</strong>" in piece
    assert "Ablage" in piece
    wrong = desk.browser.get(f"{page.replace('/settings', '/preview')}?{urlencode({'path': '{nonsense}'})}").text
    assert "{nonsense} is not known" in wrong


def test_the_summary_says_what_goes_at_once_and_what_room_is_missing(desk: Desk) -> None:
    with desk.parts.db.transaction() as session:
        for _ in range(2):
            factories.document(session, desk.client, kind="receipt").size = 5_000_000
    desk.back(desk.consent(desk.begin()))
    page = desk.steps({"root": "Kontor", "path": "{client}/{month}/{date} {number}", "language": "de"},
                      {"takes": ["receipt"]}, {"start": "earlier", "earlier_on": "2026-01-02"})  # fmt: skip
    assert "2 documents · 10.0" in desk.browser.get(page).text
    assert "not enough room" not in desk.browser.get(page).text
    with desk.parts.db.transaction() as session:
        session.exec(select(Connection)).one().space_left = 4_000_000
    shown = desk.browser.get(page).text
    assert re.search(r"6\.00\sMB are missing|6\.0\sMB are missing", shown)
    assert "Kontor / Bäckerei Brandt GmbH / 20" in shown
