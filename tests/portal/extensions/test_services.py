from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlmodel import select

import integrations
from portal.access import Right, Viewer
from portal.accounts.models import Firm, Role
from portal.audit import AuditEntry
from portal.errors import Conflict, NotFound
from portal.extensions import services
from portal.extensions.models import Installation
from portal.extensions.settings import InvalidSettings
from portal.parts import Parts
from tests import factories

APP = {"client_id": "our-app", "client_secret": "very secret"}
MakeViewer = Callable[..., Viewer]


def install(parts: Parts, viewer: Viewer, kind: str = "quickbooks", **more: str) -> Installation:
    with parts.db.transaction() as session:
        return services.install(session, viewer, parts.vault, kind, {**APP, **more})


def test_the_catalogue_shows_every_kind_and_what_is_installed(parts: Parts, viewer: MakeViewer) -> None:
    owner = viewer()
    install(parts, owner)
    with parts.db.read() as session:
        offers = services.catalogue(session, owner)
    assert {offer.kind for offer in offers} == set(integrations.kinds())
    assert {offer.kind for offer in offers if offer.installation} == {"quickbooks"}


def test_an_accounting_package_a_storage_and_their_rights() -> None:
    assert services.right_of("quickbooks") is Right.LEDGER
    assert services.right_of("google_drive") is Right.EXPORTS


@pytest.mark.parametrize("role", [Role.ACCOUNTANT, Role.ASSISTANT, Role.CLIENT_MANAGER])
def test_only_owners_and_administrators_reach_the_store(parts: Parts, viewer: MakeViewer, role: Role) -> None:
    member = viewer(role)
    with parts.db.read() as session, pytest.raises(NotFound):
        services.catalogue(session, member)
    with pytest.raises(NotFound):
        install(parts, member)


def test_an_installation_is_encrypted_and_shows_no_secret(parts: Parts, viewer: MakeViewer) -> None:
    made = install(parts, viewer())
    assert "very secret" not in made.settings
    assert services.shown_settings(parts.vault, made) == {"client_id": "our-app"}
    assert services.app_of(parts.vault, made).model_dump() == APP
    with parts.db.read() as session:
        facts = [str(entry.facts) for entry in session.exec(select(AuditEntry))]
    assert not any("very secret" in text for text in facts)


def test_a_kind_is_installed_once(parts: Parts, viewer: MakeViewer) -> None:
    owner = viewer()
    install(parts, owner)
    with pytest.raises(Conflict):
        install(parts, owner)


def test_settings_that_the_connector_refuses_are_not_stored(parts: Parts, viewer: MakeViewer) -> None:
    with pytest.raises(InvalidSettings):
        install(parts, viewer(), client_id="")
    with parts.db.read() as session:
        assert session.exec(select(Installation)).all() == []


def test_changing_keeps_a_secret_that_is_left_empty(parts: Parts, viewer: MakeViewer) -> None:
    owner = viewer()
    install(parts, owner)
    with parts.db.transaction() as session:
        changed = services.change(session, owner, parts.vault, "quickbooks", {"client_id": "new", "client_secret": ""})
    assert services.app_of(parts.vault, changed).model_dump() == {"client_id": "new", "client_secret": "very secret"}


def test_two_firms_install_apart(parts: Parts, viewer: MakeViewer) -> None:
    install(parts, viewer())
    from portal.access import viewer_of

    with parts.db.transaction() as session:
        other = factories.firm(session, name="Other")
        member = factories.member(session, other)
        stranger = viewer_of(session, member.person_id)
    assert stranger is not None
    with parts.db.transaction() as session, pytest.raises(NotFound):
        services.change(session, stranger, parts.vault, "quickbooks", APP)
    install(parts, stranger)


def test_an_unknown_kind_is_not_found(parts: Parts, viewer: MakeViewer) -> None:
    with pytest.raises(NotFound):
        install(parts, viewer(), kind="teapot")


def test_at_a_client_only_what_the_person_may_set_up_is_offered(parts: Parts, firm: Firm, viewer: MakeViewer) -> None:
    install(parts, viewer())
    with parts.db.transaction() as session:
        client = factories.client(session, firm)
    for role, kinds in ((Role.ACCOUNTANT, ["quickbooks"]), (Role.ASSISTANT, [])):
        member = viewer(role, assigned=(client.id,))
        with parts.db.read() as session:
            assert [offer.kind for offer in services.installed_for(session, member, client)] == kinds
