"""The search by API: what fits, where the words stand, page by page, and only what one may see."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integrations.contract import DocumentKind
from portal.accounts.models import Role
from portal.clients.models import Client
from portal.parts import Parts
from tests import factories
from tests.portal.api.conftest import Caller
from tests.portal.web.test_search import said

Callers = Callable[..., Caller]


def test_hits_tell_the_document_and_the_words_found(caller: Callers, client: Client, parts: Parts) -> None:
    document = said(parts, client, "Wir liefern Hafermehl in Säcken", kind=DocumentKind.RECEIPT)
    (hit,) = (caller().get("/search?q=hafermehl").json or {})["items"]
    assert hit["document"]["id"] == str(document.id)
    assert [one["text"] for one in hit["excerpt"] if one["hit"]] == ["Hafermehl"]


@pytest.mark.parametrize(
    ("query", "found"), [("folder=receipt", 1), ("folder=incoming_invoice", 2), ("since=2099-01-01", 0), ("folder=", 3)]
)
def test_it_is_narrowed(caller: Callers, client: Client, parts: Parts, query: str, found: int) -> None:
    for kind in (DocumentKind.RECEIPT, DocumentKind.INCOMING_INVOICE, DocumentKind.INCOMING_INVOICE):
        said(parts, client, "Hafermehl", kind=kind)
    who = caller()
    assert len((who.get(f"/search?q=hafermehl&{query}").json or {})["items"]) == found


def test_it_goes_on_page_by_page(caller: Callers, client: Client, parts: Parts) -> None:
    made = {str(said(parts, client, "Hafermehl").id) for _number in range(3)}
    who, seen, after = caller(), [], ""
    for _page in range(3):
        told = who.get(f"/search?q=hafermehl&limit=1{after}").json or {}
        seen += [one["document"]["id"] for one in told["items"]]
        after = f"&after={told['after']}"
    assert set(seen) == made
    assert after == "&after=None"


def test_nothing_is_found_of_clients_that_are_not_ones_own(caller: Callers, client: Client, parts: Parts) -> None:
    said(parts, client, "Hafermehl")
    with parts.db.transaction() as session:
        mine = factories.client(session, factories.firm(session))
    assert (caller(Role.ACCOUNTANT).get("/search?q=hafermehl").json or {})["items"] == []
    assert caller().get(f"/search?q=hafermehl&client_id={mine.id}").status_code == 404
    assert caller(Role.CLIENT_MANAGER).get("/search?q=hafermehl").status_code == 404


@pytest.mark.parametrize("query", ["q=x&limit=0", "q=x&since=yesterday", "q=x&after=nonsense", "q=x&y=1"])
def test_a_question_that_is_none_is_refused(caller: Callers, client: Client, query: str) -> None:
    assert caller().get(f"/search?{query}").status_code == 422
