"""Addresses, senders, decisions and settings: who may, what is refused, what follows."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlmodel import select

from portal.access import Viewer
from portal.accounts.models import Firm, Role
from portal.errors import Conflict, Error, Invalid, NotFound
from portal.mailbox import addresses, senders, services
from portal.mailbox.models import MailAccount, MailAddress, MailState, Security
from portal.mailbox.services import Decision, Particulars
from portal.mailbox.unpack import unpack_waiting
from tests import factories
from tests.portal.mailbox.conftest import Post
from tests.portal.mailbox.messages import invoice, message
from tests.portal.mailbox.test_unpack import STRANGER, bring

MakeViewer = Callable[..., Viewer]


@pytest.mark.parametrize(
    ("name", "readable"),
    [
        ("Bäckerei Kornblum GmbH & Co. KG", "baeckerei-kornblum"),
        ("Agnès Müller e.K.", "agnes-mueller"),
        ("日本", "client"),
        ("x" * 200, "x" * 30),
    ],
)
def test_an_address_is_readable_and_its_end_is_not_guessed(name: str, readable: str) -> None:
    first, second = addresses.local_part(name), addresses.local_part(name)
    assert re.fullmatch(rf"{readable}-[{addresses.ALPHABET}]{{8}}", first)
    assert first != second


def test_a_new_address_takes_the_place_of_the_old_one_which_stays_known(post: Post, viewer: MakeViewer) -> None:
    with post.parts.db.transaction() as session:
        made = addresses.renew(session, viewer(), post.client.id)
    with post.parts.db.read() as session:
        assert session.get_one(MailAddress, post.row.id).retired_at is not None
        present = addresses.present(session, post.client.id)
    assert present is not None
    assert present.id == made.id


def test_every_client_can_be_given_an_address_at_once(post: Post, firm: Firm, viewer: MakeViewer) -> None:
    who = viewer()
    with post.parts.db.transaction() as session:
        others = [factories.client(session, firm), factories.client(session, firm)]
        foreign = factories.client(session, factories.firm(session, name="Fremd"))
        assert addresses.give_all(session, who) == 2
        assert addresses.give_all(session, who) == 0
        given = set(session.exec(select(MailAddress.client_id)))
    assert given == {post.client.id, *(other.id for other in others)}
    assert foreign.id not in given


def test_a_mailbox_name_stands_before_a_plus(post: Post, viewer: MakeViewer) -> None:
    with post.parts.db.transaction() as session:
        settings = services.change_settings(session, viewer(), domain="@Kanzlei.Example ", mailbox="Belege+")
        assert addresses.shown(settings, post.row) == f"belege+{post.row.local}@kanzlei.example"
        assert list(addresses.known(session, [f"belege+{post.row.local}@kanzlei.example"])) != []


@pytest.mark.parametrize("field", ["domain", "mailbox", "proof_host"])
@pytest.mark.parametrize("value", ["a b.example", "x\r\ny.example", "<script>.example", "ä.example", "a@b.example"])
def test_settings_that_are_no_names_are_refused(post: Post, viewer: MakeViewer, field: str, value: str) -> None:
    given = {"domain": "belege.example", field: value}
    with pytest.raises(Invalid) as caught, post.parts.db.transaction() as session:
        services.change_settings(session, viewer(), **given)
    assert caught.value.field == field


def test_allowing_a_sender_opens_what_was_held_of_theirs(post: Post, viewer: MakeViewer) -> None:
    bring(post, message(invoice(1), sender=STRANGER))
    bring(post, message(invoice(2), sender="andere@woanders.example"))
    bring(post, message(invoice(3), sender="dritte@sonst.example"))
    with post.parts.db.transaction() as session:
        senders.allow(session, viewer(), post.client.id, "Woanders.example")
    unpack_waiting(post.parts)
    assert post.names() == ["rechnung-1.pdf", "rechnung-2.pdf"]
    assert [mail.state for mail in post.mails()] == [MailState.TAKEN, MailState.TAKEN, MailState.HELD]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Anna@Firma.Example", "anna@firma.example"),
        ("@firma.example", "@firma.example"),
        (" firma.example ", "@firma.example"),
        ("*@firma.example", "@firma.example"),
        ("anna@gmail.com", "anna@gmail.com"),
        ("@müller.example", "@xn--mller-kva.example"),
    ],
)
def test_senders_are_addresses_or_domains(given: str, kept: str) -> None:
    assert senders.cleaned(given) == kept


@pytest.mark.parametrize("given", ["", "@", "firma", "@gmail.com", "gmx.de", "a b@c.example", "a@b@c.example"])
def test_what_stands_for_nobody_or_everybody_is_refused(given: str) -> None:
    with pytest.raises(Invalid):
        senders.cleaned(given)


def test_a_sender_is_listed_once_and_can_be_taken_off(post: Post, viewer: MakeViewer) -> None:
    who = viewer()
    with post.parts.db.transaction() as session:
        sender = senders.allow(session, who, post.client.id, STRANGER)
    with pytest.raises(Conflict), post.parts.db.transaction() as session:
        senders.allow(session, who, post.client.id, STRANGER.upper())
    with post.parts.db.transaction() as session:
        senders.disallow(session, who, post.client.id, sender.id)
    assert bring(post, message(sender=STRANGER)).state is MailState.HELD


def test_a_held_message_is_taken_once(post: Post, viewer: MakeViewer) -> None:
    _decide(post, viewer(), Decision.ACCEPT)
    assert post.names() == ["rechnung-1.pdf"]
    assert bring(post, message(sender=STRANGER)).state is MailState.HELD


def test_or_always(post: Post, viewer: MakeViewer) -> None:
    _decide(post, viewer(), Decision.ALWAYS)
    assert bring(post, message(invoice(2), sender=STRANGER)).state is MailState.TAKEN


def test_or_refused_and_stays_listed(post: Post, viewer: MakeViewer) -> None:
    who = viewer()
    mail_id = _decide(post, who, Decision.REFUSE)
    with post.parts.db.read() as session:
        (listed,) = services.page(session, who, post.client.id).mails
    assert (listed.id, listed.state, listed.decided_by) == (mail_id, MailState.REFUSED, who.person_id)
    with pytest.raises(Conflict), post.parts.db.transaction() as session:
        services.decide(session, who, post.client.id, mail_id, Decision.ACCEPT)


def _decide(post: Post, who: Viewer, decision: Decision) -> UUID:
    mail = bring(post, message(invoice(1), sender=STRANGER))
    with post.parts.db.transaction() as session:
        services.decide(session, who, post.client.id, mail.id, decision)
    unpack_waiting(post.parts)
    return mail.id


@pytest.mark.parametrize("role", [Role.ASSISTANT, Role.CLIENT_MANAGER])
def test_who_may_not_correct_decides_nothing(post: Post, viewer: MakeViewer, role: Role) -> None:
    mail = bring(post, message(sender=STRANGER))
    who = viewer(role, assigned=(post.client.id,))
    with post.parts.db.transaction() as session:
        for attempt in (
            lambda: services.decide(session, who, post.client.id, mail.id, Decision.ACCEPT),
            lambda: senders.allow(session, who, post.client.id, STRANGER),
            lambda: addresses.renew(session, who, post.client.id),
            lambda: addresses.give_all(session, who),
        ):
            with pytest.raises(NotFound):
                attempt()


def test_messages_are_paged_by_key(post: Post, viewer: MakeViewer) -> None:
    for number in range(5):
        bring(post, message(subject=str(number)))
    seen: list[str] = []
    after: str | None = None
    with post.parts.db.read() as session:
        while True:
            found = services.page(session, viewer(), post.client.id, after=after, limit=2)
            seen += [mail.subject for mail in found.mails]
            after = found.after
            if after is None:
                break
    assert seen == ["4", "3", "2", "1", "0"]


def test_a_mailbox_is_kept_with_its_password_encrypted(post: Post, viewer: MakeViewer) -> None:
    _keep(post, viewer(), host="IMAP.Kanzlei.example", username="belege", password="gehe1m")
    with post.parts.db.read() as session:
        account = session.get_one(MailAccount, post.firm.id)
        dump = repr(session.connection().exec_driver_sql("SELECT * FROM mail_account, audit_entry").all())
    assert (account.host, account.port, account.security) == ("imap.kanzlei.example", 993, Security.TLS)
    assert "gehe1m" not in dump
    assert post.parts.vault.unlock(account.secret) == {"password": "gehe1m"}


def test_an_empty_password_keeps_the_present_one_but_not_for_another_server(post: Post, viewer: MakeViewer) -> None:
    who = viewer()
    _keep(post, who, host="imap.a.example", username="belege", password="gehe1m")
    _keep(post, who, host="imap.a.example", username="belege", folder="Belege")
    with pytest.raises(Invalid) as caught:  # else a password could be sent to a server of somebody's choice
        _keep(post, who, host="imap.evil.example", username="belege")
    assert caught.value.field == "password"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("host", "imap example"), ("host", ""), ("port", "0"), ("port", "x"), ("port", "70000"), ("security", "none"),
        ("security", "rot13"), ("username", ""), ("username", "a\r\nb"), ("folder", "a\nb"), ("password", "a\x00"),
    ],
)  # fmt: skip
def test_a_mailbox_that_cannot_be_is_refused(post: Post, viewer: MakeViewer, field: str, value: str) -> None:
    given = {"host": "imap.a.example", "username": "belege", "password": "x", field: value}
    with pytest.raises(Error) as caught:
        _keep(post, viewer(), **given)
    assert caught.value.field == field


def _keep(post: Post, who: Viewer, **given: str) -> None:
    with post.parts.db.transaction() as session:
        services.change_account(session, post.parts.vault, who, Particulars(**given))
