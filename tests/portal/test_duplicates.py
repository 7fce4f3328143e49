"""What becomes of duplicates is the firm's to say: held, accepted, or refused; shown whatever it says (D4)."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from sqlmodel import select

from integrations.contract import DocumentKind
from portal import audit
from portal.access import Viewer
from portal.accounts import services as accounts
from portal.accounts.models import Duplicates, Firm, Role
from portal.audit import AuditEntry, By
from portal.clients.models import Client
from portal.delivery.models import State
from portal.documents import duplicates
from portal.documents.models import Document, Refusal, Source
from portal.errors import Invalid, NotFound
from portal.intake import HERE_ALREADY, receive
from portal.parts import Parts
from portal.processing import corrections
from tests import factories
from tests.portal.api.conftest import Caller, caller, token_of
from tests.portal.processing.test_corrections import FIELDS, bring, client, state

__all__ = ["caller", "client", "token_of"]
MakeViewer = Callable[..., Viewer]


def says(parts: Parts, viewer: Viewer, policy: Duplicates) -> None:
    with parts.db.transaction() as session:
        accounts.change_firm(session, viewer, name="F", zone="UTC", language="de", duplicates=policy.value)


def come(parts: Parts, client: Client, content: bytes, fields: object = FIELDS) -> Document | Refusal:
    given = {"source": Source.MAIL, "kind": DocumentKind.INCOMING_INVOICE, "fields": fields}
    return receive(parts, By(), client.id, "b.pdf", io.BytesIO(factories.PDF + content), **given)  # type: ignore[arg-type]


def test_held_as_long_as_nobody_said_otherwise(parts: Parts, client: Client) -> None:
    first, twin = bring(parts, client, b"1"), come(parts, client, b"1")
    assert isinstance(twin, Document)
    assert (twin.twin_id, twin.twin_accepted) == (first.id, False)
    assert state(parts, twin) is State.ACTION_NEEDED


@pytest.mark.parametrize("content", [b"1", b"the same invoice in other bytes"])
def test_accepted_it_goes_and_still_shows_its_twin(
    parts: Parts, client: Client, viewer: MakeViewer, content: bytes
) -> None:  # fmt: skip
    says(parts, viewer(), Duplicates.ACCEPT)
    first, twin = bring(parts, client, b"1"), come(parts, client, content)
    assert isinstance(twin, Document)
    assert (twin.twin_id, twin.twin_accepted) == (first.id, True)
    assert state(parts, twin) is State.QUEUED


def test_refused_it_is_listed_with_its_twin_and_told(
    parts: Parts, firm: Firm, client: Client, viewer: MakeViewer
) -> None:  # fmt: skip
    says(parts, viewer(), Duplicates.REFUSE)
    first, refused = bring(parts, client, b"1"), come(parts, client, b"1")
    assert isinstance(refused, Refusal)
    assert (refused.text, refused.facts["document"], refused.facts["name"]) == (HERE_ALREADY, str(first.id), "a.pdf")
    with parts.db.read() as session:
        told = session.exec(select(AuditEntry).where(AuditEntry.subject_id == refused.id)).one()
        assert told.action == "document.refused"
        assert audit.broken(session, firm.id) is None
        assert len(session.exec(select(Document)).all()) == 1


def test_refusing_still_holds_the_same_invoice_in_other_bytes(
    parts: Parts, client: Client, viewer: MakeViewer
) -> None:  # fmt: skip
    says(parts, viewer(), Duplicates.REFUSE)
    bring(parts, client, b"1")
    twin = come(parts, client, b"2")
    assert isinstance(twin, Document)
    assert state(parts, twin) is State.ACTION_NEEDED


def test_what_was_removed_may_come_again(parts: Parts, client: Client, viewer: MakeViewer) -> None:
    who = viewer()
    says(parts, who, Duplicates.REFUSE)
    first = bring(parts, client, b"1")
    with parts.db.transaction() as session:
        corrections.remove(session, who, client.id, [first.id], "wrong client")
    assert isinstance(come(parts, client, b"1"), Document)
    with parts.db.read() as session:
        assert duplicates.policy(session, client.id) is Duplicates.REFUSE


def test_only_who_runs_the_firm_says_so_and_only_what_there_is(parts: Parts, viewer: MakeViewer) -> None:
    with pytest.raises(NotFound):
        says(parts, viewer(Role.ACCOUNTANT), Duplicates.ACCEPT)
    with pytest.raises(Invalid), parts.db.transaction() as session:
        accounts.change_firm(session, viewer(), name="F", zone="UTC", language="de", duplicates="drop")


def test_by_api(caller: Callable[..., Caller], client: Client) -> None:
    who = caller()
    assert (who.get("/firm").json or {})["duplicates"] == "hold"
    changed = who.call("PATCH", "/firm", json={"duplicates": "refuse"}).json or {}
    assert (changed["duplicates"], changed["zone"]) == ("refuse", "Europe/Berlin")
    assert who.call("PATCH", "/firm", json={"duplicates": "drop"}).status_code == 422
    for status in (201, 422):
        data = {"file": (io.BytesIO(factories.PDF), "a.pdf")}
        answer = who.post(f"/clients/{client.id}/documents", data=data)
        assert answer.status_code == status
    assert "here already" in answer.text
    assert caller(role=Role.ACCOUNTANT).get("/firm").status_code == 404
