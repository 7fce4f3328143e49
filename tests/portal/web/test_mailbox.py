"""Pages of documents by e-mail."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import select

from portal.access import Viewer
from portal.accounts.models import Firm, Role
from portal.mailbox import store
from portal.mailbox.models import MailAccount, MailAddress, MailSender, MailSettings, MailState
from portal.mailbox.unpack import unpack_waiting
from portal.parts import Parts
from tests.portal.mailbox.conftest import Post
from tests.portal.mailbox.messages import invoice, message, sent

MakeViewer = Callable[..., Viewer]
STRANGER = "fremd@woanders.example"


@pytest.fixture
def post(app: Flask, firm: Firm) -> Post:
    return Post(app.extensions["kontor"], firm)


@pytest.fixture
def owner(viewer: MakeViewer, signed_in: Callable[[Viewer], FlaskClient]) -> FlaskClient:
    return signed_in(viewer())


def came(post: Post, **more: object) -> str:
    """A message came; the path of its page."""
    (mail_id,) = store.keep(post.parts, [post.row], sent(message(invoice(), **more)), way="smtp")
    unpack_waiting(post.parts)
    return f"/clients/{post.client.id}/mail/{mail_id}"


def test_the_page_shows_the_address_what_came_and_whose_mail_is_taken(post: Post, owner: FlaskClient) -> None:
    came(post, subject="Rechnung März")
    page = owner.get(f"/clients/{post.client.id}/mail").get_data(as_text=True)
    assert all(text in page for text in (post.address, "Rechnung März", "rechnung@muehle.example"))


def test_it_says_that_senders_are_not_proven_unless_a_host_vouches(post: Post, owner: FlaskClient) -> None:
    page = f"/clients/{post.client.id}/mail"
    assert "not proven here" in owner.get(page, headers={"Accept-Language": "en"}).get_data(as_text=True)
    with post.parts.db.transaction() as session:
        session.get_one(MailSettings, post.firm.id).proof_host = "mx.kanzlei.example"
    assert "not proven here" not in owner.get(page, headers={"Accept-Language": "en"}).get_data(as_text=True)


@pytest.mark.parametrize("decision", ["accept", "always", "refuse"])
def test_a_held_message_is_decided_by_one_click(post: Post, owner: FlaskClient, decision: str) -> None:
    page = came(post, sender=STRANGER)
    assert f"{page}/{decision}" in owner.get(f"/clients/{post.client.id}/mail").get_data(as_text=True)
    assert owner.post(f"{page}/{decision}").status_code == 303

    expected = MailState.REFUSED if decision == "refuse" else MailState.TAKEN
    assert (post.mail().state, len(post.documents())) == (expected, 0 if decision == "refuse" else 1)
    came(post, sender=STRANGER)
    assert post.mails()[-1].state is (MailState.TAKEN if decision == "always" else MailState.HELD)
    assert owner.post(f"{page}/accept").status_code == 409


def test_one_message_shows_what_came_of_its_parts_and_can_be_downloaded(post: Post, owner: FlaskClient) -> None:
    page = came(post, text="Bitte <b>sofort</b> zahlen")
    shown = owner.get(page).get_data(as_text=True)
    assert str(post.documents()[0].id) in shown
    assert "Bitte &lt;b&gt;sofort&lt;/b&gt; zahlen" in shown

    with owner.get(f"{page}/message.eml") as answer:
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.mimetype == "message/rfc822"
        assert b"Bitte <b>sofort" in answer.data


def test_a_hostile_message_changes_no_page(post: Post, owner: FlaskClient) -> None:
    page = came(post, subject="<script>alert(1)</script>", sender='"<img src=x>" <a@muehle.example>')
    for path in (page, f"/clients/{post.client.id}/mail"):
        shown = owner.get(path).get_data(as_text=True)
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown


def test_a_new_address_replaces_the_old_one(post: Post, owner: FlaskClient) -> None:
    assert owner.post(f"/clients/{post.client.id}/mail/address").status_code == 303
    page = owner.get(f"/clients/{post.client.id}/mail").get_data(as_text=True)
    assert post.address not in page
    with post.parts.db.read() as session:
        assert session.get_one(MailAddress, post.row.id).retired_at is not None


def test_senders_are_added_and_removed(post: Post, owner: FlaskClient) -> None:
    base = f"/clients/{post.client.id}/mail/senders"
    came(post, sender=STRANGER)
    assert owner.post(base, data={"pattern": "nobody"}).status_code == 422
    assert owner.post(base, data={"pattern": "@woanders.example"}).status_code == 303
    assert len(post.documents()) == 1

    with post.parts.db.read() as session:
        added = session.exec(select(MailSender).where(MailSender.pattern == "@woanders.example")).one()
    assert owner.post(f"{base}/{added.id}/end").status_code == 303
    assert owner.post(f"{base}/{added.id}/end").status_code == 404
    came(post, sender=STRANGER)
    assert post.mails()[-1].state is MailState.HELD


def test_the_firm_sets_its_domain_and_gives_addresses(firm: Firm, app: Flask, owner: FlaskClient, post: Post) -> None:
    assert owner.post("/firm/mail", data={"domain": "nichts"}).status_code == 422
    assert owner.post("/firm/mail", data={"domain": "post.kanzlei.example"}).status_code == 303
    assert owner.post("/firm/mail/addresses").status_code == 303
    assert f"{post.row.local}@post.kanzlei.example" in owner.get(f"/clients/{post.client.id}/mail").get_data(
        as_text=True
    )


def test_a_mailbox_that_does_not_answer_is_said_at_once_and_its_password_never_shown(
    post: Post, owner: FlaskClient
) -> None:
    form = {"host": "127.0.0.1", "port": "9", "security": "none", "username": "belege", "password": "gehe1m"}
    assert owner.post("/firm/mail/account", data=form).status_code == 303
    page = owner.get("/firm/mail").get_data(as_text=True)
    assert "127.0.0.1" in page
    assert "gehe1m" not in page
    with post.parts.db.read() as session:
        assert session.get_one(MailAccount, post.firm.id).text
    assert owner.post("/firm/mail/account", data={**form, "username": "x\ny"}).status_code == 422
    assert owner.post("/firm/mail/account/end").status_code == 303
    with post.parts.db.read() as session:
        assert session.get(MailAccount, post.firm.id) is None


def test_accountants_have_no_firm_page(
    post: Post, viewer: MakeViewer, signed_in: Callable[[Viewer], FlaskClient]
) -> None:
    accountant = signed_in(viewer(Role.ACCOUNTANT, assigned=(post.client.id,)))
    assert accountant.get("/firm/mail").status_code == 404
    assert accountant.get(f"/clients/{post.client.id}/mail").status_code == 200


def test_a_client_without_an_address_is_offered_one(parts: Parts, post: Post, owner: FlaskClient) -> None:
    with post.parts.db.transaction() as session:
        session.delete(session.get_one(MailAddress, post.row.id))
    assert f"/clients/{post.client.id}/mail/address" in owner.get(f"/clients/{post.client.id}/mail").get_data(
        as_text=True
    )
    with post.parts.db.transaction() as session:
        session.delete(session.get_one(MailSettings, post.firm.id))
    assert "/firm/mail" in owner.get(f"/clients/{post.client.id}/mail").get_data(as_text=True)
