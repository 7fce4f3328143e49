"""Bank accounts of a client."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlmodel import col, select

from portal.access import Viewer
from portal.accounts.models import Firm, Role
from portal.audit import AuditEntry
from portal.banking import services
from portal.clients.models import Client
from portal.db import Database
from portal.errors import Conflict, Invalid, NotFound
from tests import factories

MakeViewer = Callable[..., Viewer]
IBAN = "DE89370400440532013000"


@pytest.fixture
def client(db: Database, firm: Firm) -> Client:
    with db.transaction() as session:
        return factories.client(session, firm)


def test_an_account_is_added_with_a_proven_iban_and_listed_by_name(
    db: Database, client: Client, viewer: MakeViewer
) -> None:
    who = viewer()
    with db.transaction() as session:
        services.add(session, who, client.id, name=" Sparkasse \n Nord ", iban="DE89 3704 0044 0532 0130 00")
        services.add(session, who, client.id, name="Kasse", currency="chf")

    with db.read() as session:
        listed = services.accounts(session, who, client.id)
    assert [(one.name, one.iban, one.currency) for one in listed] == [
        ("Kasse", None, "CHF"),
        ("Sparkasse Nord", IBAN, "EUR"),
    ]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "A", "iban": "DE89370400440532013001"}, "iban"),
        ({"name": "A", "iban": "hello"}, "iban"),
        ({"name": "A", "currency": "EURO"}, "currency"),
    ],
)
def test_what_is_wrong_with_an_account_is_named(
    db: Database, client: Client, viewer: MakeViewer, given: dict[str, str], field: str
) -> None:
    who = viewer()
    with pytest.raises(Invalid) as caught, db.transaction() as session:
        services.add(session, who, client.id, **given)
    assert caught.value.field == field


def test_names_and_ibans_are_used_once_per_client(db: Database, client: Client, viewer: MakeViewer, firm: Firm) -> None:
    who = viewer()
    with db.transaction() as session:
        services.add(session, who, client.id, name="Sparkasse", iban=IBAN)
        other = factories.client(session, firm)
        services.add(session, who, other.id, name="Sparkasse", iban=IBAN)
    with pytest.raises(Conflict), db.transaction() as session:
        services.add(session, who, client.id, name="SPARKASSE")
    with pytest.raises(Conflict), db.transaction() as session:
        services.add(session, who, client.id, name="Andere", iban=IBAN)


def test_an_account_is_renamed_closed_and_opened_again(db: Database, client: Client, viewer: MakeViewer) -> None:
    who = viewer()
    with db.transaction() as session:
        account = services.add(session, who, client.id, name="Alt")
        session.flush()
        services.change(session, who, client.id, account.id, name="Neu", iban=IBAN)
        services.close(session, who, client.id, account.id)
        services.close(session, who, client.id, account.id)
    with db.read() as session:
        assert services.accounts(session, who, client.id, closed=False) == []
    with db.transaction() as session:
        services.reopen(session, who, client.id, account.id)
    with db.read() as session:
        (found,) = services.accounts(session, who, client.id, closed=False)
        entries = session.exec(select(AuditEntry.action).order_by(col(AuditEntry.number))).all()
    assert (found.name, found.iban) == ("Neu", IBAN)
    assert list(entries) == [
        "bank_account.added", "bank_account.changed", "bank_account.closed", "bank_account.reopened",
    ]  # fmt: skip


def test_a_conflicting_change_leaves_everything_as_it_was(db: Database, client: Client, viewer: MakeViewer) -> None:
    who = viewer()
    with db.transaction() as session:
        services.add(session, who, client.id, name="A")
        second = services.add(session, who, client.id, name="B")
    with pytest.raises(Conflict), db.transaction() as session:
        services.change(session, who, client.id, second.id, name="a")
    with db.read() as session:
        assert [one.name for one in services.accounts(session, who, client.id)] == ["A", "B"]


def test_an_account_of_another_client_is_not_found(
    db: Database, client: Client, viewer: MakeViewer, firm: Firm
) -> None:
    who = viewer()
    with db.transaction() as session:
        foreign = factories.account(session, factories.client(session, firm))
    with pytest.raises(NotFound), db.transaction() as session:
        services.close(session, who, client.id, foreign.id)


def test_readers_see_accounts_and_change_none(db: Database, client: Client, viewer: MakeViewer) -> None:
    reader = viewer(Role.ASSISTANT, assigned=(client.id,))
    with db.read() as session:
        assert services.accounts(session, reader, client.id) == []
    with pytest.raises(NotFound), db.transaction() as session:
        services.add(session, reader, client.id, name="A")
