"""Finding the folder that an address means, and addresses, users and logins that cannot be right."""

from __future__ import annotations

import httpx
import pytest
from pydantic import ValidationError

from integrations.addresses import Reach
from integrations.conformance.parts import MemoryTokens, worker
from integrations.contract import Token
from integrations.errors import (
    Misconfigured,
    ReauthRequired,
    Transient,
)
from integrations.webdav.connector import WebDav
from integrations.webdav.login import DavLogin
from tests.integrations.webdav.bench import DavBench, at
from tests.integrations.webdav.test_connector import deliver, invoice
from tests.integrations.wire import provider


@pytest.mark.parametrize(
    "typed", ["", "/", "/index.php/apps/files/?dir=/", "/remote.php/dav", "/remote.php/dav/files/anna", "/login"]
)
def test_whatever_address_of_a_nextcloud_is_typed_its_files_are_found(sandbox: DavBench, typed: str) -> None:
    connector = sandbox.signed_in("anna", address=f"{sandbox.url}/webdav{typed}")
    account = connector.check()
    assert account.id.endswith("/webdav/remote.php/dav/files/anna")
    assert account.space_total == 5 * 1024**3


def test_one_may_sign_in_by_another_name_than_the_files_have(sandbox: DavBench) -> None:
    connector = sandbox.signed_in("anna", user="anna@sonnenschein.example")
    assert connector.check().email == "anna@sonnenschein.example"
    receipt = deliver(connector, invoice())
    assert sandbox.paths("anna") == [receipt.remote_id]


def test_a_web_page_is_no_folder(sandbox: DavBench) -> None:
    connector = sandbox.signed_in("anna", address=f"{sandbox.url}/nothing")
    with pytest.raises(Misconfigured, match="no WebDAV folder"):
        connector.check()


def test_a_server_that_forwards_is_not_followed() -> None:
    with provider() as elsewhere, provider() as wire, httpx.Client() as http:
        for _way in range(2):
            wire.answer(301, location=elsewhere.url)
        with pytest.raises(Misconfigured, match="forwards"):
            at(wire.url, http).check()
        assert elsewhere.asked == []


@pytest.mark.parametrize("body", ["", "<html>", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'])
def test_an_answer_that_is_no_multistatus_is_tried_again(body: str) -> None:
    with provider() as wire, httpx.Client() as http:
        wire.answer(207, body)
        with pytest.raises(Transient, match="unexpected"):
            at(wire.url, http).check()


def test_the_firms_inner_network_is_out_of_reach() -> None:
    with provider() as wire, httpx.Client() as http:
        with pytest.raises(Misconfigured, match="cannot be used") as caught:
            at(wire.url, http, Reach()).check()
        assert wire.asked == []
    assert "secret of anna" not in str(caught.value)


@pytest.mark.parametrize("user", ["a:b", "a\nb", ""])
def test_a_user_name_fits_the_header(user: str) -> None:
    with pytest.raises(ValidationError):
        DavLogin(address="https://cloud.example", user=user, password="x")


def test_a_login_of_an_earlier_release_is_asked_for_again(sandbox: DavBench, connector: WebDav) -> None:
    old = MemoryTokens(Token(access='{"url": "x", "password": "hunter2"}'), lambda token: token)
    with pytest.raises(ReauthRequired) as caught:
        worker(connector, tokens=old).check()
    assert "hunter2" not in repr(caught.value)
    assert caught.value.__suppress_context__
