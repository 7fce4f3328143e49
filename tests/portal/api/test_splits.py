"""Splitting by API: proposed, done, and taken back."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from portal.clients.models import Client
from portal.parts import Parts
from portal.processing.services import settle
from tests.portal.api.conftest import Caller
from tests.portal.api.test_documents import upload
from tests.portal.processing.test_splitting import stack

Callers = Callable[..., Caller]


def test_a_file_is_split_and_made_whole_again(caller: Callers, client: Client, parts: Parts) -> None:
    who = caller()
    made = upload(who, client, stack("RE-2026-17", "RE-2026-18"), kind="incoming_invoice").json
    assert made
    settle(parts, UUID(made["id"]))
    place = f"/clients/{client.id}/documents/{made['id']}"
    proposed = who.get(f"{place}/split").json
    assert proposed
    assert (proposed["pages"], proposed["starts"]) == (2, [1, 2])
    assert "RE-2026-18" in proposed["parts"][1]["text"]

    split = who.post(f"{place}/split", {"starts": [1, 2]})
    assert split.status_code == 201
    assert split.json
    assert [(one["part_of"], one["first_page"], one["last_page"]) for one in split.json["items"]] == [
        (made["id"], 1, 1),
        (made["id"], 2, 2),
    ]
    file = who.get(f"/clients/{client.id}/documents/{split.json['items'][1]['id']}/file")
    assert file.data.startswith(b"%PDF")
    assert who.get(f"{place}/file").data == stack("RE-2026-17", "RE-2026-18")
    assert who.post(f"{place}/split", {"starts": [1, 2]}).status_code == 409

    whole = who.call("DELETE", f"{place}/split").json
    assert whole
    assert (whole["kind"], whole["split_version"]) == ("incoming_invoice", None)


def test_what_cannot_be_cut_is_said(caller: Callers, client: Client) -> None:
    who = caller()
    made = upload(who, client, stack("RE-2026-17", "RE-2026-18")).json
    assert made
    place = f"/clients/{client.id}/documents/{made['id']}/split"
    answer = who.post(place, {"starts": [1, 7]})
    assert answer.status_code == 422
    assert "2 pages" in answer.text
    assert who.post(place, {"starts": [1, 2], "version": 9}).status_code == 409
    assert who.post(place, {"starts": [1]}).status_code == 422
