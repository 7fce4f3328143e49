from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from integrations.sandbox.server import Server
from tests.integrations.sandbox.serving import GERMAN, Running


class Receiver:
    def __init__(self) -> None:
        self.got: list[Request] = []

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        request.get_data()
        self.got.append(request)
        return Response(status=200)(environ, start_response)


@pytest.fixture
def receiver() -> Iterator[tuple[str, Receiver]]:
    made = Receiver()
    with Server(made) as server:
        yield server.url, made


@pytest.mark.parametrize("form", ["old", "cloudevents"])
def test_a_notification_is_signed_and_names_what_changed(
    sandbox: Running, receiver: tuple[str, Receiver], form: str
) -> None:
    url, made = receiver
    event = {"realm": GERMAN, "entity": "Payment", "id": "7", "operation": "Create"}
    answer = sandbox.control("quickbooks/webhook", url=f"{url}/hook", verifier="secret", form=form, **event)
    assert answer["status"] == 200
    (got,) = made.got
    wanted = base64.b64encode(hmac.new(b"secret", got.data, hashlib.sha256).digest()).decode()
    assert got.headers["intuit-signature"] == wanted
    body = json.loads(got.data)
    if form == "old":
        (notification,) = body["eventNotifications"]
        assert notification["realmId"] == GERMAN
        assert notification["dataChangeEvent"]["entities"][0]["name"] == "Payment"
    else:
        assert (body[0]["type"], body[0]["intuitaccountid"], body[0]["intuitentityid"]) == (
            "qbo.payment.created.v1",
            GERMAN,
            "7",
        )


def test_a_receiver_that_is_away_is_told(sandbox: Running) -> None:
    answer = sandbox.control(
        "quickbooks/webhook", url="http://127.0.0.1:9/", verifier="s", realm=GERMAN, entity="Bill", id="1"
    )
    assert answer["status"] is None


def test_a_person_can_act_in_the_company_and_companies_can_be_added(sandbox: Running) -> None:
    facts = sandbox.control("quickbooks/company", name="Neu GmbH", id="77")
    assert facts["currency"] == "EUR"
    order: dict[str, Any] = {"realm": "77", "entity": "vendor", "body": {"DisplayName": "By hand"}}
    assert sandbox.control("quickbooks/write", **order)["DisplayName"] == "By hand"
    again = sandbox.http.post(f"{sandbox.url}/_control/quickbooks/write", json=order)
    assert (again.status_code, "6240" in again.json()["error"]) == (400, True)
    assert sandbox.http.post(f"{sandbox.url}/_control/quickbooks/company", json={"id": "77"}).status_code == 400
