from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from portal.access import Viewer
from portal.accounts.models import Firm, Role
from portal.clients.models import Client, ContactRole
from portal.config import Settings
from portal.connections.models import Connection, ConnectionState, Consent
from portal.instances.models import Instance, InstanceState
from portal.parts import Parts
from tests import factories, servers
from tests.portal.connections import dance

APP = {"client_id": "kontor-demo", "client_secret": "kontor-demo-secret"}
SignedIn = Callable[[Viewer], FlaskClient]


@pytest.fixture
def settings(settings: Settings, sandbox: servers.Sandbox) -> Settings:
    return replace(settings, endpoints=sandbox.endpoints)


@dataclass
class Desk:
    """Somebody in a browser, at one client."""

    browser: FlaskClient
    parts: Parts
    client: Client

    @property
    def base(self) -> str:
        return f"/clients/{self.client.id}/integrations"

    def begin(self, kind: str = "google_drive") -> str:
        """Choose a kind; the address of the first step."""
        answer = self.browser.post(f"{self.base}/add", data={"kind": kind})
        assert answer.status_code == 303, answer.text
        return answer.location

    def consent(self, page: str, **more: str) -> str:
        """Agree to the text on the page; the provider's address."""
        seen = re.search(r'name="seen" value="(\w+)"', self.browser.get(page).text)
        assert seen is not None
        form = {"connection": "new", "name": "Our drive", "agree": "yes", "seen": seen[1], **more}
        answer = self.browser.post(page, data=form)
        assert answer.status_code == 303, answer.text
        return answer.location

    def back(self, consent_url: str, **choice: str) -> str:
        """Choose at the provider and come back; where that leads."""
        query = dance.answer(consent_url, **choice)
        kind = "quickbooks" if "/quickbooks/" in consent_url else "google_drive"
        answer = self.browser.get(f"/connect/callback/{kind}?{urlencode(query)}")
        assert answer.status_code == 303, answer.text
        return answer.location

    def steps(self, *forms: dict[str, object]) -> str:
        """Post one form after the other, from where the draft stands."""
        page = self.next_step()
        for form in forms:
            answer = self.browser.post(page, data=form)
            assert answer.status_code == 303, answer.text
            page = answer.location
        return page

    def next_step(self) -> str:
        answer = self.browser.get(f"{self.base}/{self.instance.id}")
        return answer.location if answer.status_code == 303 else answer.request.path

    @property
    def instance(self) -> Instance:
        with self.parts.db.read() as session:
            return session.exec(select(Instance)).one()

    @property
    def state(self) -> str:
        return self.instance.state.value

    @property
    def connection(self) -> Connection:
        with self.parts.db.read() as session:
            return session.exec(select(Connection)).one()

    def finished(self) -> str:
        """Google Drive, set up whole; its page."""
        self.back(self.consent(self.begin()))
        return self.steps({"root": "Kontor", "path": "{client}/{date} {number}", "language": "de"},
                          {"takes": ["receipt"]}, {"start": "now"}, {"name": "Drive"})  # fmt: skip


@pytest.fixture
def desk(signed_in: SignedIn, viewer: Callable[..., Viewer], parts: Parts, firm: Firm) -> Desk:
    with parts.db.transaction() as session:
        client = factories.client(session, firm)
        for kind in ("google_drive", "quickbooks"):
            factories.installation(session, firm, kind=kind, parts=parts, **APP)
    return Desk(signed_in(viewer()), parts, client)


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
