from __future__ import annotations

import html
import re
from collections.abc import Callable
from urllib.parse import urlencode

from flask.testing import FlaskClient
from sqlmodel import select

from portal.access import Viewer
from portal.accounts.models import Role
from portal.clients.models import ContactRole
from portal.connections.models import Connection, ConnectionState, Consent
from portal.instances.models import InstanceState
from tests import factories, servers
from tests.portal.connections import dance
from tests.portal.web.desk import Desk, SignedIn, desk, settings

__all__ = ["desk", "settings"]


def test_a_client_without_integrations_is_led_to_add_one(desk: Desk) -> None:
    page = desk.browser.get(desk.base).text
    assert "No integrations yet" in page
    assert f"{desk.base}/add" in page


def test_quickbooks_is_added_step_by_step(desk: Desk) -> None:
    consent_url = desk.consent(desk.begin("quickbooks"))
    account = re.search(r'name="account"[^>]*value="(\w+)"', _get(consent_url))
    assert account is not None
    page = desk.back(consent_url, account=account[1])
    settings = desk.browser.get(page, follow_redirects=True).text
    offered = [re.findall(r'<option value="(\d+)"', piece)[0] for piece in settings.split("<select")[1:3]]
    done = desk.steps(
        {"expense_account": offered[0], "income_account": offered[1], "payment_account": "", "tax_code": ""},
        {"takes": ["incoming_invoice"], "when": "click"},
        {"name": "Our books"},
    )
    instance = desk.instance
    assert (instance.state, instance.name, instance.on_click) == (InstanceState.ACTIVE, "Our books", True)
    assert instance.sync_from == instance.activated_at
    page = desk.browser.get(done).text
    label = re.search(rf'<option value="{offered[0]}"[^>]*>([^<]+)<', settings)
    assert label is not None
    assert html.unescape(label[1]) in html.unescape(page)


def _get(url: str) -> str:
    import httpx

    return httpx.get(url).text


def test_google_drive_is_added_with_an_earlier_day_that_is_shown(desk: Desk) -> None:
    desk.back(desk.consent(desk.begin()))
    done = desk.steps(
        {"root": "Kontor", "path": "{client}/{date} {number}", "language": "de"},
        {"takes": ["receipt", "statement"]},
        {"start": "earlier", "earlier_on": "2026-01-02"},
        {"name": "Drive"},
    )
    page = desk.browser.get(done).text
    assert "2 Jan 2026" in page
    assert "Anna Meyer" in page


def test_each_step_can_be_left_and_come_back_to(desk: Desk) -> None:
    first = desk.begin()
    desk.back(desk.consent(first))
    assert desk.next_step().endswith("/settings")
    desk.steps({"root": "Kontor", "path": "{client}/{date} {number}", "language": "de"})
    assert desk.next_step().endswith("/documents")
    assert desk.browser.get(first).status_code == 200
    assert "set-up not finished" in desk.browser.get(desk.base).text


def test_a_step_cannot_be_left_out_by_its_address(desk: Desk) -> None:
    first = desk.begin()
    answer = desk.browser.get(first.replace("sign-in", "summary"))
    assert answer.location.endswith("/sign-in")
    skipped = desk.browser.post(first.replace("sign-in", "summary"), data={"name": "x"})
    assert (skipped.status_code, skipped.location) == (303, first)
    assert desk.instance.state is InstanceState.DRAFT


def test_nobody_connects_without_agreeing(desk: Desk) -> None:
    page = desk.begin()
    seen = re.search(r'name="seen" value="(\w+)"', desk.browser.get(page).text)
    assert seen is not None
    answer = desk.browser.post(page, data={"connection": "new", "name": "x", "seen": seen[1]})
    assert answer.status_code == 422
    assert "Please agree" in answer.text


def test_a_consent_to_a_text_that_was_not_shown_is_refused(desk: Desk) -> None:
    page = desk.begin()
    answer = desk.browser.post(page, data={"connection": "new", "name": "x", "seen": "another", "agree": "yes"})
    assert answer.status_code == 422
    with desk.parts.db.read() as session:
        assert session.exec(select(Consent)).all() == []


def test_the_recorded_consent_is_the_text_as_shown(desk: Desk) -> None:
    page = desk.begin()
    shown = html.unescape(desk.browser.get(page).text)
    desk.back(desk.consent(page))
    with desk.parts.db.read() as session:
        assert session.exec(select(Consent)).one().text in shown


def test_saying_no_at_the_provider_leads_back_with_a_sentence(desk: Desk) -> None:
    page = desk.back(desk.consent(desk.begin()), decision="deny")
    shown = desk.browser.get(page, follow_redirects=True).text
    assert "Access was not allowed at Google Drive" in shown
    assert desk.next_step().endswith("/sign-in")


def test_a_callback_counts_once(desk: Desk) -> None:
    query = urlencode(dance.answer(desk.consent(desk.begin())))
    desk.browser.get(f"/connect/callback/google_drive?{query}")
    again = desk.browser.get(f"/connect/callback/google_drive?{query}", follow_redirects=True)
    assert "Please start again" in again.text


def test_a_callback_without_a_sign_in_of_ours_is_a_conflict(desk: Desk) -> None:
    assert desk.browser.get("/connect/callback/google_drive?state=made-up&code=x").status_code == 409


def test_a_callback_in_another_browser_is_refused(
    desk: Desk, signed_in: SignedIn, viewer: Callable[..., Viewer]
) -> None:
    query = urlencode(dance.answer(desk.consent(desk.begin())))
    stranger = signed_in(viewer())
    assert stranger.get(f"/connect/callback/google_drive?{query}").status_code == 409
    with desk.parts.db.read() as session:
        assert session.exec(select(Connection)).all() == []


def test_a_callback_of_somebody_signed_out_asks_to_sign_in(desk: Desk, browser: FlaskClient) -> None:
    query = urlencode(dance.answer(desk.consent(desk.begin())))
    answer = browser.get(f"/connect/callback/google_drive?{query}")
    assert (answer.status_code, "/sign-in" in answer.location) == (302, True)


def test_a_wrong_template_is_said_beside_its_field(desk: Desk) -> None:
    desk.back(desk.consent(desk.begin()))
    answer = desk.browser.post(desk.next_step(), data={"root": "Kontor", "path": "{supplier}", "language": "de"})
    assert answer.status_code == 422
    assert "supplier" in answer.text


def test_an_existing_connection_of_the_client_can_be_used_again(desk: Desk) -> None:
    desk.finished()
    page = desk.begin()
    assert "Our drive" in desk.browser.get(page).text
    answer = desk.browser.post(page, data={"connection": str(desk.connection.id)})
    assert answer.location.endswith("/settings")


def test_pause_resume_export_and_remove_work_from_the_page(desk: Desk) -> None:
    page = desk.finished()
    for verb, state in (("pause", InstanceState.PAUSED), ("resume", InstanceState.ACTIVE)):
        assert desk.browser.post(f"{page}/{verb}").status_code == 303
        assert desk.instance.state is state
    assert desk.browser.post(f"{page}/export").status_code == 303
    assert "run is under way" in desk.browser.get(f"{page}/progress").text
    assert desk.browser.post(f"{page}/stop").status_code == 303
    assert "hx-trigger" not in desk.browser.get(f"{page}/progress").text
    assert "stays where it is" in desk.browser.get(f"{page}/remove").text
    assert desk.browser.post(f"{page}/remove", data={"sure": "yes"}).status_code == 303
    assert desk.instance.state is InstanceState.REMOVED
    assert desk.browser.get(page).status_code == 200


def test_a_draft_can_be_thrown_away(desk: Desk) -> None:
    desk.begin()
    desk.browser.post(f"{desk.base}/{desk.instance.id}/remove")
    assert "No integrations yet" in desk.browser.get(desk.base).text


def test_disconnecting_holds_and_reconnecting_releases(desk: Desk) -> None:
    page = desk.finished()
    login = f"{desk.base}/connections/{desk.connection.id}"
    assert "Drive" in desk.browser.get(f"{login}/disconnect").text
    answer = desk.browser.post(f"{login}/disconnect", data={"sure": "yes", "revoke": "yes"}, follow_redirects=True)
    assert "revoked at Google Drive" in answer.text
    assert desk.connection.state is ConnectionState.ENDED
    assert desk.state == "held"
    assert "Reconnect" in desk.browser.get(page).text
    seen = re.search(r'name="seen" value="(\w+)"', desk.browser.get(login).text)
    assert seen is not None
    consent_url = desk.browser.post(
        f"{login}/reconnect", data={"seen": seen[1], "agree": "yes", "name": "Again"}
    ).location
    assert desk.back(consent_url).endswith(login)
    assert (desk.connection.state, desk.connection.name) == (ConnectionState.LIVE, "Again")
    assert desk.state == "active"


def test_checking_a_login_that_was_revoked_at_the_provider_holds_what_uses_it(
    desk: Desk, sandbox: servers.Sandbox
) -> None:
    import httpx

    page = desk.finished()
    login = f"{desk.base}/connections/{desk.connection.id}"
    assert "The login works." in desk.browser.post(f"{login}/look", follow_redirects=True).text
    httpx.post(
        f"{sandbox.url}/_control/revoke", json={"provider": "google_drive", "account": "anna"}
    ).raise_for_status()
    desk.browser.post(f"{login}/look")
    assert desk.connection.state is ConnectionState.DEAD
    assert "Reconnect" in desk.browser.get(page).text


def test_settings_of_a_finished_integration_can_be_changed(desk: Desk) -> None:
    page = desk.finished()
    before = desk.instance.sync_from
    form = {"root": "Books", "path": "{client}/{number}", "language": "en"}
    answer = desk.browser.post(f"{page}/set-up/settings", data=form)
    assert answer.location.endswith(page)
    assert "Books" in desk.browser.get(page).text
    assert desk.instance.sync_from == before


def test_finish_pressed_twice_or_gone_back_to_leads_to_the_integration(desk: Desk) -> None:
    page = desk.finished()
    summary = f"{page}/set-up/summary"
    for answer in (desk.browser.get(summary), desk.browser.post(summary, data={"name": "Again"})):
        assert (answer.status_code, answer.location) == (303, page)
    assert desk.instance.name == "Drive"


def test_a_client_manager_sees_states_and_no_accounts(
    desk: Desk, signed_in: SignedIn, viewer: Callable[..., Viewer]
) -> None:
    page = desk.finished()
    watcher = signed_in(viewer(Role.CLIENT_MANAGER))
    shown = watcher.get(desk.base)
    assert shown.status_code == 200
    assert "Anna Meyer" not in shown.text
    assert "Add integration" not in shown.text
    tabs = watcher.get(f"/clients/{desk.client.id}").text
    assert f'href="{desk.base}"' in tabs
    assert f'href="/clients/{desk.client.id}/completeness"' in tabs
    assert f'href="/clients/{desk.client.id}/deliveries"' not in tabs
    for path in (page, f"{page}/remove", f"{page}/set-up/settings", f"{desk.base}/add"):
        assert watcher.get(path).status_code == 404


def test_a_member_of_the_company_reads_and_cannot_steer(desk: Desk, signed_in: SignedIn) -> None:
    page = desk.finished()
    with desk.parts.db.transaction() as session:
        contact = factories.contact(session, desk.client, role=ContactRole.MEMBER)
        from portal.access import viewer_of

        reader = viewer_of(session, contact.person_id)
    assert reader is not None
    browser = signed_in(reader)
    shown = browser.get(page)
    assert shown.status_code == 200
    assert "Export now" not in shown.text
    for verb in ("pause", "export", "stop", "remove", "rename"):
        assert browser.post(f"{page}/{verb}", data={"name": "x"}).status_code == 404


def test_a_stranger_finds_nothing(desk: Desk, signed_in: SignedIn) -> None:
    page = desk.finished()
    login = f"{desk.base}/connections/{desk.connection.id}"
    with desk.parts.db.transaction() as session:
        from portal.access import viewer_of

        other = factories.firm(session, name="Other")
        stranger = viewer_of(session, factories.member(session, other).person_id)
    assert stranger is not None
    browser = signed_in(stranger)
    for path in (desk.base, f"{desk.base}/add", page, f"{page}/progress", f"{page}/set-up/start", login):
        assert browser.get(path).status_code == 404
    for path in (f"{page}/pause", f"{page}/remove", f"{login}/disconnect", f"{login}/look", f"{login}/reconnect"):
        assert browser.post(path, data={"agree": "yes"}).status_code == 404
