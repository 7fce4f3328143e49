"""The Dropbox simulator refuses what Dropbox refuses, forgets nothing over a restart, and shows what it holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from integrations.dropbox.connector import DropboxExport
from integrations.oauth import Flow, challenge, verifier
from integrations.sandbox.app import Sandbox
from integrations.sandbox.server import Server
from tests.integrations.bench import APP
from tests.integrations.dropbox.bench import DropboxBench

SIMULATORS = {"dropbox": "integrations.sandbox.dropbox:Dropbox"}


class Wire:
    """An app at one account, by bare HTTP."""

    def __init__(self, bench: DropboxBench, account: str = "anna") -> None:
        self.bench, self.base = bench, f"{bench.url}/dropbox"
        answer = bench.control("grant", provider="dropbox", account=account)
        self.headers = {"authorization": f"Bearer {answer['access_token']}"}

    def rpc(self, route: str, arg: Any, **headers: str) -> httpx.Response:
        told = {**self.headers, "content-type": "application/json", **headers}
        content = arg if isinstance(arg, bytes) else json.dumps(arg).encode()
        return self.bench.http.post(f"{self.base}/api/2/{route}", headers=told, content=content)

    def upload(
        self, route: str, arg: Any, content: bytes = b"x", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        told = {**self.headers, "content-type": "application/octet-stream", "dropbox-api-arg": json.dumps(arg)}
        return self.bench.http.post(f"{self.base}/content/2/{route}", headers=told | (headers or {}), content=content)

    def put(self, path: str, content: bytes = b"x") -> dict[str, Any]:
        response = self.upload("files/upload", {"path": path}, content)
        assert response.status_code == 200, response.text
        told: dict[str, Any] = response.json()
        return told


@pytest.fixture
def bench() -> Iterator[DropboxBench]:
    app = Sandbox(None, SIMULATORS)
    with Server(app) as server, httpx.Client(timeout=20) as http:
        yield DropboxBench(server.url, "dropbox", http)
    app.close()


@pytest.fixture
def wire(bench: DropboxBench) -> Wire:
    return Wire(bench)


# --- requests


@pytest.mark.parametrize(
    ("route", "arg", "says"),
    [
        ("files/get_metadata", {}, "missing required field 'path'"),
        ("files/get_metadata", {"path": 3}, "path: expected string, got int"),
        ("files/get_metadata", {"path": ""}, "did not match pattern"),
        ("files/get_metadata", {"path": "no-slash"}, "did not match pattern"),
        ("files/get_metadata", {"path": "/a", "colour": "red"}, "unknown field 'colour'"),
        ("files/get_metadata", None, "expected object, got null"),
        ("files/list_folder", {"path": "", "limit": 2001}, "limit: 2001 is not within range"),
        ("files/list_folder", {"path": "", "recursive": 1}, "recursive: expected boolean"),
        ("files/list_folder", {"path": "", "limit": "5"}, "limit: expected integer"),
        ("files/create_folder_v2", {"path": "id:abc/new"}, "did not match pattern"),
        ("files/move_v2", {"from_path": "/a"}, "missing required field 'to_path'"),
        ("users/get_current_account", {}, "expected null"),
    ],
)
def test_an_argument_that_is_not_as_published_is_refused_in_plain_text(
    wire: Wire, route: str, arg: Any, says: str
) -> None:
    response = wire.rpc(route, arg)
    assert response.status_code == 400
    assert response.headers["content-type"].startswith("text/plain")
    assert response.text.startswith(f'Error in call to API function "{route}": ')
    assert says in response.text


@pytest.mark.parametrize(
    ("arg", "says"),
    [
        ({"path": "/a", "mode": "update"}, "mode: unknown tag"),
        ({"path": "/a", "mode": {".tag": "update", "update": "xyz"}}, "unknown tag|did not match"),
        ({"path": "/a", "client_modified": "yesterday"}, "client_modified"),
        ({"path": "/a", "content_hash": "short"}, "content_hash"),
    ],
)
def test_an_upload_with_a_wrong_argument_is_refused(wire: Wire, arg: Any, says: str) -> None:
    response = wire.upload("files/upload", arg)
    assert response.status_code == 400
    assert any(one in response.text for one in says.split("|"))


def test_each_route_has_its_host_its_method_and_its_content_type(wire: Wire) -> None:
    arg = {"path": "/a"}
    assert wire.rpc("files/upload", arg).status_code == 400
    assert wire.upload("files/get_metadata", arg).status_code == 400
    assert wire.rpc("files/unknown", arg).status_code == 404
    assert wire.rpc("files/get_metadata", arg, **{"content-type": "text/plain"}).status_code == 400
    assert wire.upload("files/upload", arg, headers={"content-type": "application/json"}).status_code == 400
    assert wire.rpc("files/get_metadata", b"{not json").status_code == 400
    assert wire.upload("files/upload", arg, headers={"dropbox-api-arg": "{"}).status_code == 400
    raw = '{"path": "/Mühle"}'.encode()
    headers = [*wire.headers.items(), ("content-type", "application/octet-stream")]
    unescaped = [(name.encode(), value.encode()) for name, value in headers] + [(b"dropbox-api-arg", raw)]
    url = f"{wire.base}/content/2/files/upload"
    assert wire.bench.http.post(url, headers=unescaped, content=b"x").status_code == 400
    assert wire.bench.http.post(url, headers=dict(headers), content=b"x").status_code == 400
    assert wire.bench.http.get(f"{wire.base}/api/2/users/get_current_account", headers=wire.headers).status_code == 400
    assert wire.bench.http.post(f"{wire.base}/api/2/users/get_current_account").status_code == 400


@pytest.mark.parametrize("told", ["nonsense", '{".tag": "root"}', "[]"])
def test_a_path_root_that_is_none_is_refused(wire: Wire, told: str) -> None:
    assert wire.rpc("files/list_folder", {"path": ""}, **{"dropbox-api-path-root": told}).status_code == 400


def test_a_void_argument_may_be_left_out(wire: Wire) -> None:
    url = f"{wire.base}/api/2/users/get_current_account"
    assert wire.bench.http.post(url, headers=wire.headers).status_code == 200


@pytest.mark.parametrize(
    ("path", "tag"),
    [
        ("/a//b.pdf", "malformed_path"),
        ("/a/", "malformed_path"),
        ("/a/../b.pdf", "malformed_path"),
        ("/a\\b.pdf", "malformed_path"),
        ("/ends with a blank ", "malformed_path"),
        ("/" + "x" * 256, "malformed_path"),
        ("/a/desktop.ini", "disallowed_name"),
        ("/a/.DS_Store", "disallowed_name"),
    ],
)
def test_names_that_dropbox_does_not_take_are_refused(wire: Wire, path: str, tag: str) -> None:
    response = wire.upload("files/upload", {"path": path})
    assert response.status_code == 409
    assert response.json()["error"]["reason"] == {".tag": tag}
    assert response.json()["error_summary"].startswith(f"path/{tag}/")


def test_unusual_names_that_dropbox_takes_are_taken(wire: Wire) -> None:
    for name in ("CON", 'quote"s', "trailing dots...", "x" * 255, "فاتورة", "🧾", " blank at the beginning"):
        assert wire.put(f"/{name}")["name"] == name


def test_a_login_is_looked_at_first(bench: DropboxBench, wire: Wire) -> None:
    bench.control("expire", provider="dropbox", access_token=wire.headers["authorization"][7:])
    expired = wire.rpc("files/get_metadata", {"path": 3})
    assert (expired.status_code, expired.json()["error"][".tag"]) == (401, "expired_access_token")
    wire.headers = {"authorization": "Bearer made-up"}
    unknown = wire.rpc("files/get_metadata", {"path": 3})
    assert unknown.json()["error"][".tag"] == "invalid_access_token"


def test_more_than_150_mib_at_once_is_refused(wire: Wire) -> None:
    response = wire.upload("files/upload", {"path": "/a"}, bytes(150 * 1024 * 1024 + 1))
    assert response.json()["error"][".tag"] == "payload_too_large"


def test_nothing_of_a_refused_call_is_left(bench: DropboxBench, wire: Wire) -> None:
    bench.control("dropbox/limit", account="anna", bytes=1)
    wire.upload("files/upload", {"path": "/new/folder/a.pdf"}, b"too large")
    assert bench.living("anna") == {}


# --- sign-in


def signed_in_by_page(bench: DropboxBench, **more: str) -> tuple[Flow, dict[str, list[str]], str]:
    """Through the consent page as a browser goes."""
    flow = Flow(DropboxExport.manifest, APP, bench.http, bench.endpoints())
    secret = verifier()
    url = flow.consent_url(redirect_uri="http://127.0.0.1/back", state="s", code_challenge=challenge(secret))
    page = bench.http.get(url, headers={"accept-language": "de"})
    assert "Inhalte von Dateien und Ordnern bearbeiten" in page.text
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()} | more
    answer = bench.http.post(url.partition("?")[0], data={**asked, "account": "anna", "decision": "allow"})
    return flow, parse_qs(urlsplit(answer.headers["location"]).query), secret


def test_the_consent_page_leads_to_a_token_that_can_be_refreshed(bench: DropboxBench) -> None:
    flow, back, secret = signed_in_by_page(bench)
    token = flow.exchange(
        code=back["code"][0],
        redirect_uri="http://127.0.0.1/back",
        code_verifier=secret,
        now=bench.now(),
        extras={},
    )
    assert token.refresh
    assert set(token.scopes) == set(DropboxExport.manifest.oauth.scopes if DropboxExport.manifest.oauth else ())
    assert token.expires_at is not None
    assert 14_000 < (token.expires_at - bench.now()).total_seconds() <= 14_400
    again = flow.refresh(token, bench.now())
    assert (again.refresh, again.access != token.access) == (token.refresh, True)


def test_without_asking_for_offline_there_is_no_refresh_token(bench: DropboxBench) -> None:
    _flow, back, secret = signed_in_by_page(bench, token_access_type="online")
    form = {
        "grant_type": "authorization_code", "code": back["code"][0], "redirect_uri": "http://127.0.0.1/back",
        "code_verifier": secret, **APP.model_dump(),
    }  # fmt: skip
    answer = bench.http.post(f"{bench.url}/dropbox/oauth2/token", data=form).json()
    assert "refresh_token" not in answer
    assert answer["account_id"].startswith("dbid:")
    assert (answer["token_type"], answer["uid"].isdigit()) == ("bearer", True)


def test_revoking_a_token_ends_all_of_its_login(bench: DropboxBench) -> None:
    first, second = Wire(bench), Wire(bench)
    assert first.rpc("auth/token/revoke", None).text == "null"
    assert first.rpc("users/get_current_account", None).status_code == 401
    assert second.rpc("users/get_current_account", None).status_code == 200


# --- what lasts, and what people see


def test_files_and_sessions_survive_a_restart(tmp_path: Path) -> None:
    for turn in range(2):
        app = Sandbox(tmp_path, SIMULATORS)
        with Server(app) as server, httpx.Client(timeout=20) as http:
            bench = DropboxBench(server.url, "dropbox", http)
            wire = Wire(bench)
            if turn == 0:
                kept = wire.put("/a.pdf", b"kept")
                session = wire.upload("files/upload_session/start", {}, b"half").json()["session_id"]
            else:
                assert bench.content(kept["id"]) == b"kept"
                arg = {"cursor": {"session_id": session, "offset": 4}, "commit": {"path": "/b.pdf"}}
                assert wire.upload("files/upload_session/finish", arg, b" done").json()["size"] == 9
        app.close()


def test_a_person_sees_and_changes_what_lies_there(bench: DropboxBench, wire: Wire) -> None:
    told = wire.put("/Kontor/<b>a.pdf", b"<script>")
    page = bench.http.get(f"{bench.url}/dropbox/of/anna", headers={"accept-language": "de"})
    assert "Alle Dateien" in page.text
    assert "<b>a" not in page.text
    address = f"{bench.url}/dropbox/of/anna/{told['id']}"
    assert bench.http.post(address, data={"action": "rename", "name": "b.pdf"}).status_code == 303
    assert bench.files("anna") == ["Kontor/b.pdf"]
    assert bench.http.post(address, data={"action": "trash"}).status_code == 303
    assert "Deleted files" in bench.http.get(f"{bench.url}/dropbox/of/anna").text
    assert bench.http.post(address, data={"action": "restore"}).status_code == 303
    download = bench.http.get(f"{bench.url}/dropbox/file/anna/{told['id']}")
    assert download.headers["content-disposition"].startswith("attachment")
    foreign = bench.http.post(address, data={"action": "trash"}, headers={"origin": "http://evil.example"})
    assert foreign.status_code == 404
    assert bench.files("anna") == ["Kontor/b.pdf"]
    assert bench.http.get(f"{bench.url}/dropbox/of/nobody").status_code == 404
    assert bench.http.get(f"{bench.url}/dropbox/home/Nowhere").status_code == 404
    assert bench.http.get(f"{bench.url}/dropbox/file/anna/id:none").status_code == 404


def test_accounts_are_apart_and_can_be_added(bench: DropboxBench, wire: Wire) -> None:
    told = wire.put("/mine.pdf")
    bench.control("dropbox/accounts", id="eva", name="Eva Klein", email="eva@klein.example")
    other = Wire(bench, "eva")
    assert other.rpc("files/get_metadata", {"path": told["id"]}).status_code == 409
    assert other.rpc("users/get_current_account", None).json()["name"]["display_name"] == "Eva Klein"
    cursor = wire.rpc("files/list_folder", {"path": ""}).json()["cursor"]
    assert other.rpc("files/list_folder/continue", {"cursor": cursor}).status_code == 400
