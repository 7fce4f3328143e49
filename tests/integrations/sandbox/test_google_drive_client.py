"""google-api-python-client, which we did not write, works unchanged; every reply to it is as Google publishes."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import google_auth_httplib2
import httplib2
import httpx
import pytest
from google.auth.exceptions import RefreshError
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaIoBaseDownload, MediaIoBaseUpload

from integrations.sandbox.app import Sandbox
from integrations.sandbox.server import Server
from tests.integrations.google_drive.bench import DriveBench
from tests.integrations.sandbox.discovery import Discovery

FOLDER = "application/vnd.google-apps.folder"
PDF = "application/pdf"
DISCOVERY = Discovery()


class Recorder(httplib2.Http):  # type: ignore[misc]
    """The client's own transport, looking on."""

    def __init__(self) -> None:
        super().__init__(timeout=20)
        self.redirect_codes -= {308}  # as googleapiclient.http.build_http does: 308 is no redirect here
        self.replies: list[tuple[str, str, int, bytes]] = []

    def request(self, uri: str, method: str = "GET", **more: Any) -> Any:
        response, content = super().request(uri, method, **more)
        self.replies.append((method, urlsplit(uri).path, response.status, content))
        return response, content


@pytest.fixture
def bench() -> Iterator[DriveBench]:
    app = Sandbox(None, {"google_drive": "integrations.sandbox.google_drive:GoogleDrive"})
    with Server(app) as server, httpx.Client(timeout=20) as http:
        yield DriveBench(server.url, "google_drive", http)
    app.close()


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    made = Recorder()
    yield made
    made.close()


def signed_in(bench: DriveBench, recorder: Recorder, account: str = "anna", scope: str = "drive.file") -> Any:
    answer = bench.control(
        "grant", provider="google_drive", account=account, scopes=[f"https://www.googleapis.com/auth/{scope}"]
    )
    credentials = Credentials(  # type: ignore[no-untyped-call]
        answer["access_token"],
        refresh_token=answer["refresh_token"],
        token_uri=f"{bench.url}/google_drive/oauth2/token",
        client_id="kontor-demo",
        client_secret="kontor-demo-secret",
    )
    published = deepcopy(DISCOVERY.document)
    published |= {"rootUrl": f"{bench.url}/google_drive/", "baseUrl": f"{bench.url}/google_drive/drive/v3/"}
    published.pop("mtlsRootUrl", None)
    return build_from_document(published, http=google_auth_httplib2.AuthorizedHttp(credentials, http=recorder))


@pytest.fixture
def drive(bench: DriveBench, recorder: Recorder) -> Any:
    return signed_in(bench, recorder)


def media(content: bytes, **how: Any) -> MediaIoBaseUpload:
    return MediaIoBaseUpload(io.BytesIO(content), PDF, **how)


def test_files_are_created_with_content_and_told_with_checksums(drive: Any) -> None:
    folder = drive.files().create(body={"name": "Kontor", "mimeType": FOLDER}).execute()
    assert folder == {"kind": "drive#file", "id": folder["id"], "name": "Kontor", "mimeType": FOLDER}
    file = (
        drive.files()
        .create(body={"name": "a.pdf", "parents": [folder["id"]]}, media_body=media(b"%PDF a"), fields="*")
        .execute()
    )
    assert (file["size"], file["mimeType"], file["parents"]) == ("6", PDF, [folder["id"]])
    assert file["md5Checksum"] == hashlib.md5(b"%PDF a").hexdigest()
    assert file["sha256Checksum"] == hashlib.sha256(b"%PDF a").hexdigest()
    assert drive.files().get_media(fileId=file["id"]).execute() == b"%PDF a"


def test_a_resumable_upload_in_pieces_arrives_whole_and_downloads_in_ranges(drive: Any) -> None:
    content = bytes(range(256)) * 4096 + b"end"
    upload = media(content, chunksize=256 * 1024, resumable=True)
    request = drive.files().create(body={"name": "gross.pdf"}, media_body=upload, fields="id,size,md5Checksum")
    steps, reply = 0, None
    while reply is None:
        _status, reply = request.next_chunk()
        steps += 1
    assert steps == 5
    assert reply["size"] == str(len(content))
    assert reply["md5Checksum"] == hashlib.md5(content).hexdigest()
    buffer = io.BytesIO()
    download = MediaIoBaseDownload(buffer, drive.files().get_media(fileId=reply["id"]), chunksize=300_000)
    done = False
    while not done:
        _progress, done = download.next_chunk()
    assert buffer.getvalue() == content


def test_an_interrupted_upload_is_resumed_by_the_client(bench: DriveBench, drive: Any) -> None:
    content = bytes(900_000)
    upload = media(content, chunksize=256 * 1024, resumable=True)
    request = drive.files().create(body={"name": "gross.pdf"}, media_body=upload, fields="size")
    bench.script(["ok:2", "down", "ok", "down"])
    reply = None
    failures: list[int] = []
    while reply is None:
        try:
            _status, reply = request.next_chunk()
        except HttpError as error:
            failures.append(error.status_code)
    assert (reply, failures) == ({"size": "900000"}, [503, 503])
    assert len(bench.files("anna")) == 1


def test_lists_come_in_pages_and_queries_find(drive: Any) -> None:
    parent = drive.files().create(body={"name": "Kontor", "mimeType": FOLDER}).execute()["id"]
    for turn in range(7):
        body = {"name": f"R-{turn} O'Hara.pdf", "parents": [parent], "appProperties": {"turn": str(turn % 2)}}
        drive.files().create(body=body, media_body=media(b"x")).execute()
    request, pages = drive.files().list(q=f"'{parent}' in parents", pageSize=3, orderBy="name", fields="*"), []
    while request is not None:
        reply = request.execute()
        pages.append([file["name"][:3] for file in reply["files"]])
        request = drive.files().list_next(request, reply)
    assert pages == [["R-0", "R-1", "R-2"], ["R-3", "R-4", "R-5"], ["R-6"]]
    assert names(drive, "appProperties has { key='turn' and value='1' } and trashed=false") == ["R-1", "R-3", "R-5"]
    assert names(drive, r"name = 'R-4 O\'Hara.pdf'") == ["R-4"]
    assert names(drive, f"mimeType != '{FOLDER}' and not (name contains 'R-4' or name contains 'R-5')") == [
        "R-0", "R-1", "R-2", "R-3", "R-6",
    ]  # fmt: skip
    assert names(drive, "'root' in parents and modifiedTime > '2020-01-01T00:00:00'") == ["Kon"]
    assert names(drive, "modifiedTime < '2020-01-01T00:00:00'") == []


def names(drive: Any, query: str) -> list[str]:
    return [file["name"][:3] for file in drive.files().list(q=query, orderBy="name").execute()["files"]]


def test_files_are_renamed_moved_changed_copied_trashed_and_deleted(drive: Any) -> None:
    one, two = (drive.files().create(body={"name": name, "mimeType": FOLDER}).execute()["id"] for name in "AB")
    body = {"name": "x.pdf", "parents": [one]}
    file = drive.files().create(body=body, media_body=media(b"1"), fields="id,headRevisionId,version").execute()
    moved = (
        drive.files()
        .update(
            fileId=file["id"], addParents=two, removeParents=one, body={"name": "y.pdf"}, media_body=media(b"22"),
            fields="name,parents,size,headRevisionId,version",
        )
        .execute()
    )  # fmt: skip
    assert (moved["name"], moved["parents"], moved["size"]) == ("y.pdf", [two], "2")
    assert moved["headRevisionId"] != file["headRevisionId"]
    assert int(moved["version"]) > int(file["version"])
    copy = drive.files().copy(fileId=file["id"], body={"name": "z.pdf"}, fields="id,parents,size").execute()
    assert (copy["parents"], copy["size"]) == ([two], "2")
    drive.files().update(fileId=two, body={"trashed": True}).execute()
    binned = drive.files().get(fileId=file["id"], fields="trashed,explicitlyTrashed").execute()
    assert binned == {"trashed": True, "explicitlyTrashed": False}
    drive.files().delete(fileId=two).execute()
    with pytest.raises(HttpError) as caught:
        drive.files().get(fileId=file["id"]).execute()
    assert caught.value.status_code == 404


def test_changes_tell_each_file_once_and_what_was_deleted(drive: Any) -> None:
    start = drive.changes().getStartPageToken().execute()["startPageToken"]
    ids = [drive.files().create(body={"name": name}).execute()["id"] for name in "abc"]
    drive.files().update(fileId=ids[0], body={"name": "renamed"}).execute()
    drive.files().delete(fileId=ids[1]).execute()
    seen, token = [], start
    while True:
        reply = drive.changes().list(pageToken=token, pageSize=2, fields="*").execute()
        seen += [(change["fileId"], change["removed"]) for change in reply["changes"]]
        if "newStartPageToken" in reply:
            break
        token = reply["nextPageToken"]
    assert seen == [(ids[2], False), (ids[0], False), (ids[1], True)]
    again = drive.changes().list(pageToken=reply["newStartPageToken"]).execute()
    assert again["changes"] == []


def test_an_id_made_beforehand_is_used_once(drive: Any) -> None:
    ids = drive.files().generateIds(count=3).execute()["ids"]
    assert len(set(ids)) == 3
    made = drive.files().create(body={"id": ids[0], "name": "a"}, media_body=media(b"a")).execute()
    assert made["id"] == ids[0]
    for more in ({}, {"media_body": media(b"b")}, {"media_body": media(b"b", resumable=True)}):
        with pytest.raises(HttpError) as caught:
            drive.files().create(body={"id": ids[0], "name": "b"}, **more).execute()
        assert (caught.value.status_code, reason(caught.value)) == (409, "fileIdInUse")


def reason(error: HttpError) -> str:
    return str(json.loads(error.content)["error"]["errors"][0]["reason"])


def test_a_batch_answers_each_call_for_itself(drive: Any) -> None:
    answers: dict[str, Any] = {}
    batch = drive.new_batch_http_request(callback=lambda name, reply, error: answers.update({name: reply or error}))
    for name in "ab":
        batch.add(drive.files().create(body={"name": name}, fields="name"), request_id=name)
    batch.add(drive.files().get(fileId="missing"), request_id="c")
    batch.execute()
    assert answers["a"] == {"name": "a"}
    assert answers["b"] == {"name": "b"}
    assert answers["c"].status_code == 404
    assert names(drive, "trashed = false") == ["a", "b"]


def test_google_auth_refreshes_an_expired_token_and_is_refused_a_revoked_one(bench: DriveBench, drive: Any) -> None:
    first = drive._http.credentials.token
    bench.control("clock", advance=4000)
    assert drive.about().get(fields="user").execute()["user"]["displayName"] == "Anna Meyer"
    assert drive._http.credentials.token != first
    bench.control("revoke", provider="google_drive", account="anna")
    with pytest.raises(RefreshError, match="invalid_grant"):
        drive.about().get(fields="user").execute()


@pytest.mark.parametrize("status", [403, 429])
def test_the_client_takes_our_throttling_for_googles_and_tries_again(
    bench: DriveBench, drive: Any, status: int
) -> None:
    bench.control("settings", provider="google_drive", throttle_status=status)
    bench.script(["throttle:1", "down"])
    request = drive.about().get(fields="user")
    request._sleep = lambda _seconds: None
    assert request.execute(num_retries=2)["user"]


def test_an_app_sees_only_what_it_made(bench: DriveBench, drive: Any, recorder: Recorder) -> None:
    bench.control("apps", provider="google_drive", client_id="other", client_secret="s", name="Other")
    mine = drive.files().create(body={"name": "mine"}).execute()["id"]
    answer = bench.control(
        "grant", provider="google_drive", account="anna", client_id="other",
        scopes=["https://www.googleapis.com/auth/drive.file"],
    )  # fmt: skip
    headers = {"authorization": f"Bearer {answer['access_token']}"}
    api = f"{bench.url}/google_drive/drive/v3/files"
    assert httpx.get(api, headers=headers).json()["files"] == []
    assert httpx.get(f"{api}/{mine}", headers=headers).status_code == 404
    assert httpx.patch(f"{api}/{mine}", headers=headers, json={"trashed": True}).status_code == 404
    with pytest.raises(HttpError) as caught:
        drive.files().get(fileId="root").execute()
    assert caught.value.status_code == 404
    everything = signed_in(bench, recorder, scope="drive")
    assert everything.files().get(fileId="root").execute()["name"] == "My Drive"
    assert everything.files().get(fileId=mine).execute()["id"] == mine
    jonas = signed_in(bench, recorder, "jonas", scope="drive")
    assert jonas.files().list().execute()["files"] == []


def walk(drive: Any) -> None:
    """One call of everything, with all fields."""
    drive.about().get(fields="*").execute()
    drive.about().get(fields="user(displayName,emailAddress),storageQuota/limit").execute()
    folder = drive.files().create(body={"name": "F", "mimeType": FOLDER}, fields="*").execute()["id"]
    [reserved] = drive.files().generateIds(count=1).execute()["ids"]
    body = {
        "id": reserved, "name": "ä.pdf", "parents": [folder], "appProperties": {"a": "1"}, "properties": {"b": "2"},
        "description": "x", "starred": True, "modifiedTime": "2026-01-02T03:04:05.000Z",
    }  # fmt: skip
    drive.files().create(body=body, media_body=media(b"x"), fields="*").execute()
    upload = media(bytes(300_000), chunksize=256 * 1024, resumable=True)
    drive.files().create(body={"name": "big"}, media_body=upload, fields="*").execute()
    drive.files().update(fileId=reserved, body={"appProperties": {"a": None}}, fields="*").execute()
    drive.files().get(fileId=reserved, fields="*").execute()
    drive.files().list(fields="*").execute()
    drive.files().list(fields="nextPageToken,files(id,owners/displayName)", pageSize=1).execute()
    shared = drive.permissions().create(
        fileId=reserved, body={"type": "user", "role": "reader", "emailAddress": "a@b.example"}, fields="*"
    )
    permission = shared.execute()["id"]
    drive.permissions().list(fileId=reserved, fields="*").execute()
    drive.permissions().get(fileId=reserved, permissionId=permission, fields="*").execute()
    drive.permissions().delete(fileId=reserved, permissionId=permission).execute()
    drive.files().copy(fileId=reserved, fields="*").execute()
    drive.files().update(fileId=folder, body={"trashed": True}, fields="*").execute()
    drive.files().delete(fileId=reserved).execute()
    drive.changes().getStartPageToken().execute()
    drive.changes().list(pageToken="1", fields="*").execute()
    drive.changes().list(pageToken="1", pageSize=1).execute()
    drive.files().emptyTrash().execute()


def test_every_reply_of_a_broad_walk_is_as_published(bench: DriveBench, recorder: Recorder) -> None:
    walk(signed_in(bench, recorder, scope="drive"))
    checked = 0
    for verb, path, status, content in recorder.replies:
        below = path.partition("/drive/v3/")[2]
        assert status in {200, 204, 308}, f"{verb} {path}: {content!r}"
        schema = DISCOVERY.response_of("POST" if verb == "PUT" else verb, below)
        if status == 200 and content:
            assert schema, f"{verb} {path} answers nothing by the published document"
            assert DISCOVERY.complaints(json.loads(content), schema) == []
            checked += 1
    assert checked >= 18


def test_the_check_of_replies_can_fail() -> None:
    wrong = {"id": 3, "size": 5, "color": "red", "owners": [{"me": "yes"}], "createdTime": "yesterday"}
    assert len(DISCOVERY.complaints(wrong, "File")) == 5


def test_the_extract_that_the_simulator_uses_is_that_of_the_document() -> None:
    from integrations.sandbox.google_drive.published import published

    extract = published()
    assert DISCOVERY.document["revision"] in extract["source"]
    for name, facts in extract["methods"].items():
        original = DISCOVERY.methods[f"drive.{name}"]
        assert (facts["method"], facts["path"]) == (original["httpMethod"], original["path"])
        assert set(facts["parameters"]) == set(original["parameters"])
    for name, schema in extract["schemas"].items():
        assert set(schema.get("properties", {})) == set(DISCOVERY.document["schemas"][name].get("properties", {}))


def test_a_token_answer_has_what_google_auth_reads(bench: DriveBench) -> None:
    answer = bench.control("grant", provider="google_drive", account="anna")
    form = {
        "grant_type": "refresh_token", "refresh_token": answer["refresh_token"],
        "client_id": "kontor-demo", "client_secret": "kontor-demo-secret",
    }  # fmt: skip
    fresh = httpx.post(f"{bench.url}/google_drive/oauth2/token", data=form).json()
    assert "refresh_token" not in fresh
    assert timedelta(seconds=fresh["expires_in"]) < timedelta(hours=1)
