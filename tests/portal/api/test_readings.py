"""What was read of a file, by API."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from portal.clients.models import Client
from portal.parts import Parts
from portal.processing.services import settle
from tests.portal.api.conftest import Caller
from tests.portal.api.test_documents import upload
from tests.portal.processing.test_readings import pdf, xml

Callers = Callable[..., Caller]


def test_what_was_read_stands_beside_the_document(caller: Callers, client: Client, parts: Parts) -> None:
    who = caller()
    made = upload(who, client, xml()).json
    assert made
    place = f"/clients/{client.id}/documents/{made['id']}/reading"
    assert who.get(place).json == {"waiting": True, "einvoice": False, "fields": {}, "flags": []}
    settle(parts, UUID(made["id"]))
    read = who.get(place).json
    assert read
    assert read["einvoice"]
    assert read["fields"]["number"]["value"] == "RE-2026-17"
    assert read["fields"]["issued_on"] == {"value": "2026-03-02", "confidence": 1.0, "source": "xml", "page": None}
    assert read["fields"]["gross"]["value"] == "357.00 EUR"


def test_a_file_is_read_again(caller: Callers, client: Client, parts: Parts) -> None:
    who = caller()
    made = upload(who, client, pdf()).json
    assert made
    settle(parts, UUID(made["id"]))
    answer = who.post(f"/clients/{client.id}/documents/{made['id']}/reading")
    assert answer.status_code == 202
    assert (answer.json or {})["reading"] == "waiting"
