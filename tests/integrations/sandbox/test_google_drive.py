"""The Drive simulator refuses what Drive refuses, forgets nothing over a restart, and shows people what it holds."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from integrations.google_drive.connector import GoogleDrive
from integrations.oauth import Flow, challenge, verifier
from integrations.sandbox.app import Sandbox
from integrations.sandbox.google_drive.problems import KNOWN
from integrations.sandbox.server import Server
from tests.integrations.bench import APP
from tests.integrations.google_drive.bench import DriveBench

SIMULATORS = {"google_drive": "integrations.sandbox.google_drive:GoogleDrive"}
FOLDER = "application/vnd.google-apps.folder"
MIB = 1024 * 1024


class App:
    """An app at one account, by bare HTTP."""

    def __init__(self, bench: DriveBench, account: str = "anna", scope: str = "drive.file") -> None:
        self.bench, self.base = bench, f"{bench.url}/google_drive"
        scopes = [f"https://www.googleapis.com/auth/{scope}"]
        answer = bench.control("grant", provider="google_drive", account=account, scopes=scopes)
        self.headers = {"authorization": f"Bearer {answer['access_token']}"}

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = self.headers | more.pop("headers", {})
        url = path if path.startswith("http") else f"{self.base}{path}"
        return self.bench.http.request(method, url, headers=headers, **more)

    def make(self, **body: Any) -> str:
        response = self.call("POST", "/drive/v3/files", json=body)
        assert response.status_code == 200, response.text
        return str(response.json()["id"])

    def session(self, size: int, **body: Any) -> str:
        response = self.call(
            "POST", "/upload/drive/v3/files?uploadType=resumable&fields=id,size",
            json=body, headers={"x-upload-content-length": str(size)},
        )  # fmt: skip
        assert response.status_code == 200, response.text
        return response.headers["location"]

    def put(self, session: str, content: bytes, told: str) -> httpx.Response:
        return self.call("PUT", session, content=content, headers={"content-range": told})


@pytest.fixture
def bench() -> Iterator[DriveBench]:
    app = Sandbox(None, SIMULATORS)
    with Server(app) as server, httpx.Client(timeout=20) as http:
        yield DriveBench(server.url, "google_drive", http)
    app.close()


@pytest.fixture
def app(bench: DriveBench) -> App:
    return App(bench)


def refusal(response: httpx.Response) -> tuple[int, str]:
    error = response.json()["error"]
    assert error["code"] == response.status_code
    assert error["message"]
    return response.status_code, error["errors"][0]["reason"]


# --- requests as strict as replies


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "/about", None, (400, "required")),
        ("GET", "/about?fields=user(colour)", None, (400, "invalidParameter")),
        ("GET", "/files?fields=files(id,nonsense)", None, (400, "invalidParameter")),
        ("GET", "/files?fields=files(id", None, (400, "invalidParameter")),
        ("GET", "/files?pageSize=0", None, (400, "invalid")),
        ("GET", "/files?pageSize=1001", None, (400, "invalid")),
        ("GET", "/files?pageSize=ten", None, (400, "invalid")),
        ("GET", "/files?pageToken=abc", None, (400, "invalid")),
        ("GET", "/files?limit=5", None, (400, "invalid")),
        ("GET", "/files?orderBy=colour", None, (400, "invalid")),
        ("GET", "/files?q=name%20is%20'a'", None, (400, "invalid")),
        ("GET", "/files?q=name='a", None, (400, "invalid")),
        ("GET", "/files?q=(trashed=false", None, (400, "invalid")),
        ("GET", "/files?q='x'%20in%20children", None, (400, "invalid")),
        ("GET", "/files?q=modifiedTime>'yesterday'", None, (400, "invalid")),
        ("GET", "/files/none", None, (404, "notFound")),
        ("GET", "/changes?pageToken=999", None, (400, "invalid")),
        ("GET", "/files/generateIds?count=1001", None, (400, "invalid")),
        ("GET", "/nonsense", None, (404, "notFound")),
        ("GET", "/drives", None, (501, "notImplemented")),
        ("POST", "/files", {"nam": "a"}, (400, "badRequest")),
        ("POST", "/files", {"name": 5}, (400, "badRequest")),
        ("POST", "/files", {"name": "a", "md5Checksum": "0"}, (403, "fieldNotWritable")),
        ("POST", "/files", {"name": "a", "id": "my-own-id"}, (400, "invalid")),
        ("POST", "/files", {"name": "a", "parents": ["none"]}, (404, "notFound")),
        ("POST", "/files", {"name": "a", "parents": ["root", "root"]}, (403, "cannotAddParent")),
        ("POST", "/files", {"name": "a", "appProperties": {"key": "x" * 122}}, (400, "badRequest")),
        ("POST", "/files", {"appProperties": {str(n): "" for n in range(31)}}, (403, "propertyLimitExceeded")),
        ("POST", "/files", [], (400, "parseError")),
        ("DELETE", "/files/trash", None, (403, "insufficientPermissions")),
    ],
)
def test_what_drive_refuses_is_refused(app: App, method: str, path: str, body: Any, expected: tuple[int, str]) -> None:
    response = app.call(method, f"/drive/v3{path}", **({} if body is None else {"json": body}))
    assert refusal(response) == expected
    assert app.bench.all("anna") == []


def test_a_file_has_one_parent_and_no_folder_lies_within_itself(app: App) -> None:
    outer = app.make(name="outer", mimeType=FOLDER)
    inner = app.make(name="inner", mimeType=FOLDER, parents=[outer])
    file = app.make(name="file", parents=[inner])
    assert refusal(app.call("PATCH", f"/drive/v3/files/{file}?addParents={outer}", json={})) == (403, "cannotAddParent")
    assert refusal(app.call("PATCH", f"/drive/v3/files/{file}", json={"parents": [outer]})) == (403, "fieldNotWritable")
    move = f"/drive/v3/files/{outer}?addParents={inner}&removeParents=root"
    assert refusal(app.call("PATCH", move, json={})) == (400, "badRequest")
    assert refusal(app.call("POST", "/drive/v3/files", json={"parents": [file]})) == (403, "parentNotAFolder")
    assert "outer/inner/file" in app.bench.living("anna")


def test_a_call_needs_a_living_token_with_a_fitting_scope(app: App) -> None:
    assert refusal(httpx.get(f"{app.base}/drive/v3/files")) == (401, "required")
    wrong = app.call("GET", "/drive/v3/files", headers={"authorization": "Bearer at-nonsense"})
    assert refusal(wrong) == (401, "authError")
    assert "invalid_token" in wrong.headers["www-authenticate"]
    reader = App(app.bench, scope="drive.readonly")
    assert refusal(reader.call("POST", "/drive/v3/files", json={"name": "a"})) == (403, "insufficientPermissions")


def test_generated_ids_belong_to_their_account(app: App) -> None:
    foreign = App(app.bench, "jonas").call("GET", "/drive/v3/files/generateIds?count=1").json()["ids"][0]
    assert refusal(app.call("POST", "/drive/v3/files", json={"id": foreign})) == (400, "invalid")


def test_an_id_is_not_free_again_after_its_file_was_deleted(app: App) -> None:
    [mine] = app.call("GET", "/drive/v3/files/generateIds?count=1").json()["ids"]
    app.make(id=mine, name="a")
    assert app.call("DELETE", f"/drive/v3/files/{mine}").status_code == 204
    assert refusal(app.call("POST", "/drive/v3/files", json={"id": mine})) == (409, "fileIdInUse")


def test_and_and_or_bind_from_the_left(app: App) -> None:
    for name in "abc":
        app.make(name=name)
    query = "name = 'a' or name = 'b' and starred = true"
    assert app.call("GET", "/drive/v3/files", params={"q": query}).json()["files"] == []
    query = "name = 'a' or (name = 'b' and starred = true)"
    assert [one["name"] for one in app.call("GET", "/drive/v3/files", params={"q": query}).json()["files"]] == ["a"]


def test_a_page_token_belongs_to_its_query(app: App) -> None:
    for name in "abc":
        app.make(name=name)
    token = app.call("GET", "/drive/v3/files?pageSize=1").json()["nextPageToken"]
    other = app.call("GET", "/drive/v3/files", params={"pageSize": 1, "q": "trashed=false", "pageToken": token})
    assert refusal(other) == (400, "invalid")


# --- uploads


def test_a_session_tells_what_it_has_and_ends_with_the_file(app: App) -> None:
    session = app.session(MIB, name="big")
    assert app.put(session, b"", f"bytes */{MIB}").status_code == 308
    first = app.put(session, bytes(MIB // 2), f"bytes 0-{MIB // 2 - 1}/{MIB}")
    assert (first.status_code, first.headers["range"]) == (308, f"bytes=0-{MIB // 2 - 1}")
    last = app.put(session, bytes(MIB // 2), f"bytes {MIB // 2}-{MIB - 1}/{MIB}")
    assert last.json()["size"] == str(MIB)
    assert app.put(session, b"", f"bytes */{MIB}").json() == last.json()
    assert len(app.bench.files("anna")) == 1


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (bytes(1000), f"bytes 0-999/{MIB}"),  # not a multiple of 256 KiB
        (bytes(256 * 1024), f"bytes 262144-524287/{MIB}"),  # a gap
        (bytes(256 * 1024), f"bytes 0-99/{MIB}"),
        (bytes(256 * 1024), f"bytes 0-262143/{MIB + 1}"),
        (bytes(256 * 1024), "bytes a-b/c"),
    ],
)
def test_a_piece_that_does_not_fit_is_refused(app: App, content: bytes, told: str) -> None:
    session = app.session(MIB, name="big")
    assert refusal(app.put(session, content, told)) == (400, "badRequest")
    assert "range" not in app.put(session, b"", f"bytes */{MIB}").headers


def test_a_session_ends_after_a_week_or_when_it_is_cancelled(app: App) -> None:
    session, other = app.session(MIB, name="a"), app.session(MIB, name="b")
    assert app.call("DELETE", other).status_code == 499
    assert app.put(other, b"", f"bytes */{MIB}").status_code == 404
    app.bench.control("clock", advance=7 * 86400 + 1)
    fresh = App(app.bench)
    assert fresh.put(session, b"", f"bytes */{MIB}").status_code == 404


def test_a_multipart_body_that_is_none_is_refused(app: App) -> None:
    url = "/upload/drive/v3/files?uploadType=multipart"
    assert refusal(app.call("POST", url, json={"name": "a"})) == (400, "badRequest")
    body = b'--x\r\nContent-Type: application/json\r\n\r\n{"name":"a"}\r\n--x\r\nContent-Type: text/plain\r\n\r\nabc'
    headers = {"content-type": "multipart/related; boundary=x"}
    assert refusal(app.call("POST", url, content=body, headers=headers)) == (400, "badRequest")
    assert app.call("POST", url, content=body + b"\r\n--x--", headers=headers).status_code == 200
    assert app.bench.files("anna") == ["a"]


def test_a_full_drive_takes_nothing_more_but_can_still_be_read(app: App) -> None:
    app.bench.control("google_drive/limit", account="anna", bytes=10)
    url = "/upload/drive/v3/files?uploadType=media"
    assert app.call("POST", url, content=bytes(10)).status_code == 200
    assert refusal(app.call("POST", url, content=b"x")) == (403, "storageQuotaExceeded")
    start = {"x-upload-content-length": "1"}
    resumable = app.call("POST", "/upload/drive/v3/files?uploadType=resumable", json={}, headers=start)
    assert refusal(resumable) == (403, "storageQuotaExceeded")
    assert app.call("GET", "/drive/v3/about?fields=storageQuota").json()["storageQuota"]["usage"] == "10"


def test_a_download_may_be_a_range(app: App) -> None:
    made = app.call("POST", "/upload/drive/v3/files?uploadType=media", content=b"0123456789").json()["id"]
    url = f"/drive/v3/files/{made}?alt=media"
    part = app.call("GET", url, headers={"range": "bytes=2-4"})
    assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
    assert app.call("GET", url, headers={"range": "bytes=-3"}).content == b"789"
    assert app.call("GET", url, headers={"range": "bytes=20-"}).status_code == 416
    folder = app.make(name="f", mimeType=FOLDER)
    assert refusal(app.call("GET", f"/drive/v3/files/{folder}?alt=media")) == (403, "fileNotDownloadable")


# --- limits and faults


def test_an_app_that_asks_too_often_is_throttled_for_a_minute(app: App) -> None:
    app.bench.control("settings", provider="google_drive", units_per_minute=250)
    answers = [app.call("GET", "/drive/v3/files").status_code for _ in range(3)]
    assert answers == [200, 200, 403]
    assert App(app.bench, "jonas").call("GET", "/drive/v3/files").status_code == 200
    app.bench.control("clock", advance=60)
    assert app.call("GET", "/drive/v3/files").status_code == 200


@pytest.mark.parametrize("reason", sorted(KNOWN))
def test_every_published_fault_can_be_played(app: App, reason: str) -> None:
    app.bench.script([f"fault:{reason}"])
    assert refusal(app.call("GET", "/drive/v3/files")) == (KNOWN[reason][0], reason)
    assert app.call("GET", "/drive/v3/files").status_code == 200


def test_a_lost_answer_has_had_its_effect_and_a_reset_has_not(app: App) -> None:
    for step, names in (("reset", []), ("commit-then-drop", ["x"])):
        app.bench.script([step])
        with pytest.raises(httpx.TransportError):
            app.call("POST", "/drive/v3/files", json={"name": "x"})
        assert app.bench.files("anna") == names


# --- sign-in


def consent(bench: DriveBench, flow: Flow, code_verifier: str, **more: str) -> str:
    """What a person does on the consent page; the code that comes back."""
    url = flow.consent_url(
        redirect_uri="http://127.0.0.1:9/callback", state="s", code_challenge=challenge(code_verifier)
    )
    for name, value in more.items():
        url = re.sub(rf"{name}=[^&]*&?", f"{name}={value}&" if value else "", url)
    page = bench.http.get(url)
    assert page.status_code == 200
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    answer = bench.http.post(url, data={**hidden, "account": "anna", "decision": "allow"})
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


def test_consent_with_pkce_gives_a_login_that_is_refreshed_without_rotating(bench: DriveBench) -> None:
    flow = Flow(GoogleDrive.manifest, APP, bench.http, bench.endpoints())
    mine = verifier()
    told = {"redirect_uri": "http://127.0.0.1:9/callback", "now": bench.now(), "extras": {}}
    token = flow.exchange(code=consent(bench, flow, mine), code_verifier=mine, **told)  # type: ignore[arg-type]
    assert token.refresh
    assert flow.refresh(token, bench.now()).refresh == token.refresh
    with pytest.raises(Exception, match="connect again"):
        flow.exchange(code=consent(bench, flow, mine), code_verifier=verifier(), **told)  # type: ignore[arg-type]
    online = flow.exchange(code=consent(bench, flow, mine, access_type=""), code_verifier=mine, **told)  # type: ignore[arg-type]
    assert online.refresh is None


def test_the_challenge_is_that_of_the_standard() -> None:
    digest = hashlib.sha256(b"abc").digest()
    assert challenge("abc") == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


# --- people


def test_a_person_sees_the_tree_downloads_and_changes_it(app: App) -> None:
    folder = app.make(name="Kontor", mimeType=FOLDER)
    made = app.call("POST", "/upload/drive/v3/files?uploadType=media", content=b"<script>x</script>").json()["id"]
    move = f"/drive/v3/files/{made}?addParents={folder}&removeParents=root"
    app.call("PATCH", move, json={"name": "<b>ä.pdf", "mimeType": "text/html"})
    page = app.bench.http.get(f"{app.base}/my-drive/anna", headers={"accept-language": "de"})
    assert "Kontor" in page.text
    assert "&lt;b&gt;ä.pdf" in page.text
    assert "<b>ä" not in page.text
    download = app.bench.http.get(f"{app.base}/uc?id={made}&export=view")
    assert download.content == b"<script>x</script>"
    assert download.headers["content-type"] == "application/octet-stream"
    assert download.headers["content-disposition"].startswith("attachment")
    address = f"{app.base}/my-drive/anna/{made}"
    foreign = app.bench.http.post(address, data={"action": "delete"}, headers={"origin": "http://evil.example"})
    assert foreign.status_code == 404
    assert app.bench.http.post(address, data={"action": "rename", "name": "neu"}).status_code == 303
    assert app.bench.files("anna") == ["Kontor/neu"]
    for action, left in (("trash", []), ("restore", ["Kontor/neu"]), ("delete", [])):
        app.bench.http.post(address, data={"action": action})
        assert app.bench.files("anna") == left


def test_links_lead_to_the_row_and_unknown_ones_to_a_page(app: App) -> None:
    made = app.make(name="a.txt")
    link = app.call("GET", f"/drive/v3/files/{made}?fields=webViewLink").json()["webViewLink"]
    assert app.bench.http.get(link, follow_redirects=True).status_code == 200
    for path in ("/file/d/none/view", "/my-drive/nobody", "/drive/folders/none", "/uc?id=none", "/elsewhere"):
        assert app.bench.http.get(f"{app.base}{path}").status_code == 404


# --- a restart


def test_files_sessions_and_changes_outlive_a_restart(tmp_path: Path) -> None:
    content, session, headers = bytes(MIB), "", {}
    for turn in range(2):
        sandbox = Sandbox(tmp_path, SIMULATORS)
        with Server(sandbox) as server, httpx.Client(timeout=20) as http:
            app = App(DriveBench(server.url, "google_drive", http))
            if turn == 0:
                headers = app.headers
                app.make(name="kept")
                session = urlsplit(app.session(MIB, name="big")).query
                url = f"/upload/drive/v3/files?{session}"
                assert app.put(url, content[: MIB // 2], f"bytes 0-{MIB // 2 - 1}/{MIB}").status_code == 308
            else:
                app.headers = headers
                url = f"/upload/drive/v3/files?{session}"
                last = app.put(url, content[MIB // 2 :], f"bytes {MIB // 2}-{MIB - 1}/{MIB}")
                assert last.json()["size"] == str(MIB)
                changes = app.call("GET", "/drive/v3/changes?pageToken=1").json()["changes"]
                assert [change["file"]["name"] for change in changes] == ["kept", "big"]
        sandbox.close()


def test_a_refused_call_leaves_nothing_behind(app: App) -> None:
    body = {"name": "a", "appProperties": {"k": "v" * 200}}
    lines = [
        "--x", "Content-Type: application/json", "", json.dumps(body), "--x", "Content-Type: text/plain", "", "abc",
        "--x--", "",
    ]  # fmt: skip
    response = app.call(
        "POST", "/upload/drive/v3/files?uploadType=multipart", content="\r\n".join(lines).encode(),
        headers={"content-type": "multipart/related; boundary=x"},
    )  # fmt: skip
    assert refusal(response) == (400, "badRequest")
    assert app.call("GET", "/drive/v3/changes?pageToken=1").json()["changes"] == []
    assert app.call("GET", "/drive/v3/about?fields=storageQuota").json()["storageQuota"]["usage"] == "0"
