"""Documents by e-mail, by API: the address, senders, messages and what is decided of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from portal.accounts.models import Firm
from portal.mailbox import store
from portal.mailbox.unpack import unpack_waiting
from tests.portal.api.conftest import Caller
from tests.portal.mailbox.conftest import Post
from tests.portal.mailbox.messages import SUPPLIER, invoice, message, sent

Callers = Callable[..., Caller]
STRANGER = "fremd@woanders.example"


@pytest.fixture
def post(app: Flask, firm: Firm) -> Post:
    return Post(app.extensions["kontor"], firm)


def came(post: Post, **more: object) -> str:
    """A message came; its place below /api/v1."""
    (mail_id,) = store.keep(post.parts, [post.row], sent(message(invoice(), **more)), way="smtp")
    unpack_waiting(post.parts)
    return f"/clients/{post.client.id}/mail/messages/{mail_id}"


def test_the_address_is_told_and_replaced(caller: Callers, post: Post) -> None:
    who, mail = caller(), f"/clients/{post.client.id}/mail"
    told = who.get(mail).json
    assert told
    assert (told["address"], [one["pattern"] for one in told["senders"]]) == (post.address, [SUPPLIER])
    renewed = who.post(f"{mail}/address").json
    assert renewed
    assert renewed["address"] not in {None, post.address}
    assert who.get(mail).json == renewed


def test_senders_are_allowed_and_no_longer(caller: Callers, post: Post) -> None:
    place, who, mail = came(post, sender=STRANGER), caller(), f"/clients/{post.client.id}/mail"
    assert [one["sender"] for one in (who.get(mail).json or {})["held"]] == [STRANGER]
    made = who.post(f"{mail}/senders", {"pattern": f" {STRANGER.upper()} "})
    assert made.status_code == 201
    assert (made.json or {})["pattern"] == STRANGER
    assert (who.get(place).json or {})["state"] == "taken"
    assert who.post(f"{mail}/senders", {"pattern": STRANGER}).status_code == 409
    assert who.post(f"{mail}/senders", {"pattern": "@gmx.de"}).status_code == 422
    left = who.call("DELETE", f"{mail}/senders/{(made.json or {})['id']}").json
    assert left
    assert [one["pattern"] for one in left["senders"]] == [SUPPLIER]


def test_a_message_tells_what_came_of_its_parts_and_is_downloaded(caller: Callers, post: Post) -> None:
    place, who = came(post, subject="Rechnung März"), caller()
    told = who.get(place).json
    assert told
    assert (told["subject"], told["state"]) == ("Rechnung März", "taken")
    assert [one["document_id"] for one in told["parts"] if one["outcome"] == "document"] == [
        str(one.id) for one in post.documents()
    ]
    (listed,) = (who.get(f"/clients/{post.client.id}/mail/messages").json or {})["items"]
    assert listed["id"] == told["id"]
    with who.get(f"{place}/message.eml") as answer:
        assert answer.mimetype == "message/rfc822"
        assert answer.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(("decision", "state"), [("accept", "taken"), ("always", "taken"), ("refuse", "refused")])
def test_a_held_message_is_decided(caller: Callers, post: Post, decision: str, state: str) -> None:
    place, who = came(post, sender=STRANGER), caller()
    told = who.post(f"{place}/decision", {"decision": decision}).json
    assert told
    assert told["state"] == state
    assert len(post.documents()) == len(told["parts"]) == (0 if decision == "refuse" else 1)
    assert who.post(f"{place}/decision", {"decision": "accept"}).status_code == 409
    came(post, sender=STRANGER)
    assert post.mails()[-1].state.value == ("taken" if decision == "always" else "held")
