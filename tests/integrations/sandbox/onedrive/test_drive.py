"""What the OneDrive simulator keeps and tells: hashes, quota, pages, batches, sessions, the bin."""

from __future__ import annotations

import hashlib
from pathlib import Path

import httpx
import pytest

from integrations.sandbox.app import Sandbox
from integrations.sandbox.onedrive.disk import quick_xor
from integrations.sandbox.server import Server
from tests.integrations.onedrive.bench import OneDriveBench
from tests.integrations.sandbox.onedrive.bare import FAIL, REPLACE, UNIT, App, refusal
from tests.integrations.sandbox.onedrive.conftest import SIMULATOR


def test_personal_and_company_drives_differ(app: App, company: App) -> None:
    mine, theirs = app.told("GET", "/me/drive"), company.told("GET", "/me/drive")
    assert (mine["driveType"], theirs["driveType"]) == ("personal", "business")
    assert theirs["id"].startswith("b!")
    assert "email" not in mine["owner"]["user"]
    assert theirs["owner"]["user"]["email"] == "jonas@berg-tischlerei.example"
    hashes = [one.file("a.pdf")["file"]["hashes"] for one in (app, company)]
    assert set(hashes[0]) == {"quickXorHash", "sha1Hash", "sha256Hash"}
    assert set(hashes[1]) == {"quickXorHash"}
    assert hashes[0]["quickXorHash"] == hashes[1]["quickXorHash"] == quick_xor(b"%PDF")
    assert hashes[0]["sha256Hash"] == hashlib.sha256(b"%PDF").hexdigest().upper()


def test_the_quota_tells_how_full_it_is(bench: OneDriveBench, app: App) -> None:
    app.file("a.bin", b"x" * 900)
    states = []
    for size in (10_000, 995, 905, 900):
        bench.control("onedrive/limit", account="anna", bytes=size)
        quota = app.told("GET", "/me/drive")["quota"]
        assert (quota["total"], quota["used"], quota["remaining"]) == (size, 900, size - 900)
        states.append(quota["state"])
    assert states == ["normal", "nearing", "critical", "exceeded"]
    assert refusal(app.put("b.bin", b"x")) == (507, "quotaLimitReached")
    assert refusal(app.call("GET", "/me/drive/root:/b.bin")) == (404, "itemNotFound")


def test_what_is_in_the_bin_still_takes_room(bench: OneDriveBench, app: App) -> None:
    file = app.file("a.bin", b"x" * 900)
    assert app.call("DELETE", f"/me/drive/items/{file['id']}").status_code == 204
    quota = app.told("GET", "/me/drive")["quota"]
    assert (quota["used"], quota["deleted"]) == (900, 900)
    assert refusal(app.call("GET", f"/me/drive/items/{file['id']}")) == (404, "itemNotFound")
    bench.do("anna", "restore", file["id"])
    assert app.told("GET", f"/me/drive/items/{file['id']}")["size"] == 900


def test_a_deleted_folder_takes_all_within_along(bench: OneDriveBench, app: App) -> None:
    folder = app.folder("a")
    file = app.file("a/b/c.pdf")
    app.call("DELETE", f"/me/drive/items/{folder['id']}")
    assert refusal(app.call("GET", f"/me/drive/items/{file['id']}")) == (404, "itemNotFound")
    path = f"/me/drive/items/{folder['id']}:/d.pdf:/content"
    assert refusal(app.call("PUT", path, content=b"x")) == (404, "itemNotFound")
    assert app.folder("a")["id"] != folder["id"]
    bench.do("anna", "restore", folder["id"])
    assert bench.files("anna") == ["a 1/b/c.pdf"]


def test_folders_come_in_pages(app: App) -> None:
    for number in range(5):
        app.file(f"{number}.pdf")
    seen, path = [], "/me/drive/root/children?$top=2&$select=id,name"
    while path:
        body = app.told("GET", path)
        seen.append([one["name"] for one in body["value"]])
        path = body.get("@odata.nextLink", "")
    assert seen == [["0.pdf", "1.pdf"], ["2.pdf", "3.pdf"], ["4.pdf"]]


def test_a_download_is_a_redirect_to_an_address_without_a_token(app: App) -> None:
    file = app.file("a.pdf", b"%PDF inhalt")
    response = app.call("GET", f"/me/drive/items/{file['id']}/content")
    assert response.status_code == 302
    for url in (response.headers["location"], file["@microsoft.graph.downloadUrl"]):
        assert httpx.get(url).content == b"%PDF inhalt"


# --- batches


def test_a_batch_answers_each_call_for_itself(app: App) -> None:
    file = app.file("a.pdf")
    calls = [
        {"id": "1", "method": "GET", "url": f"/me/drive/items/{file['id']}?$select=id"},
        {"id": "2", "method": "GET", "url": "/me/drive/items/none"},
        {"id": "3", "method": "POST", "url": "/me/drive/root/children", "body": {"name": "n", "folder": {}, **FAIL},
         "headers": {"Content-Type": "application/json"}},
    ]  # fmt: skip
    answers = {one["id"]: one for one in app.told("POST", "/$batch", json={"requests": calls})["responses"]}
    assert [answers[name]["status"] for name in "123"] == [200, 404, 201]
    assert answers["1"]["body"]["id"] == file["id"]


@pytest.mark.parametrize("ids", [[str(number) for number in range(21)], ["1", "1"]])
def test_a_batch_has_at_most_twenty_calls_with_ids_of_their_own(app: App, ids: list[str]) -> None:
    calls = [{"id": name, "method": "GET", "url": "/me/drive/root"} for name in ids]
    assert refusal(app.call("POST", "/$batch", json={"requests": calls})) == (400, "BadRequest")


# --- upload sessions


def test_a_session_takes_pieces_in_order_and_makes_the_file_at_the_end(bench: OneDriveBench, app: App) -> None:
    content = bytes(range(256)) * 4 * 640 + b"end"
    url = app.session("a.bin", **FAIL)
    first = app.piece(url, content[:UNIT], 0, len(content))
    assert (first.status_code, first.json()["nextExpectedRanges"]) == (202, [f"{UNIT}-"])
    assert app.call("GET", url, token=False).json()["nextExpectedRanges"] == [f"{UNIT}-"]
    assert bench.files("anna") == []
    last = app.piece(url, content[UNIT:], UNIT, len(content))
    assert (last.status_code, last.json()["size"]) == (201, len(content))
    assert bench.content(last.json()["id"]) == content
    assert refusal(app.call("GET", url, token=False)) == (404, "itemNotFound")


@pytest.mark.parametrize(
    ("start", "size", "total", "expected"),
    [
        (0, UNIT + 1, 9 * UNIT, (400, "invalidRequest")),
        (0, UNIT, 9 * UNIT, (416, "fragmentOverlap")),
        (2 * UNIT, UNIT, 9 * UNIT, (416, "fragmentOutOfOrder")),
        (UNIT, UNIT, 8 * UNIT, (400, "fragmentLengthMismatch")),
    ],
)
def test_a_piece_that_does_not_fit_is_refused(app: App, start: int, size: int, total: int, expected: object) -> None:
    url = app.session("a.bin")
    app.piece(url, bytes(UNIT), 0, 9 * UNIT)
    assert refusal(app.piece(url, bytes(size), start, total)) == expected


def test_a_piece_says_where_it_belongs(app: App) -> None:
    url = app.session("a.bin")
    for told in ("", "bytes 0-9/*", "bytes 0-4/10", "0-9/10"):
        response = app.call("PUT", url, token=False, content=bytes(10), headers={"content-range": told})
        assert response.status_code == 400


def test_a_session_ends_by_itself_by_cancelling_and_with_a_token(bench: OneDriveBench, app: App) -> None:
    urls = [app.session(f"{number}.bin") for number in range(2)]
    assert refusal(app.call("GET", urls[0])) == (401, "unauthenticated")
    assert app.call("DELETE", urls[0], token=False).status_code == 204
    bench.advance(49 * 3600)
    app = App(bench, "anna")
    for url in urls:
        assert refusal(app.call("GET", url, token=False)) == (404, "itemNotFound")


@pytest.mark.parametrize("at_start", [True, False])
def test_a_name_that_is_taken_meanwhile_is_a_conflict_at_the_end(
    bench: OneDriveBench, app: App, at_start: bool
) -> None:
    bench.set(conflict_at_start=at_start)
    url = app.session("a.bin", **FAIL)
    app.file("a.bin", b"other")
    assert refusal(app.piece(url, b"12345", 0, 5)) == (409, "upload_name_conflict")
    response = app.call("POST", "/me/drive/root:/a.bin:/createUploadSession", json={"item": FAIL})
    assert response.status_code == (409 if at_start else 200)


def test_a_session_replaces_by_id(bench: OneDriveBench, app: App) -> None:
    file = app.file("a.bin", b"old")
    path = f"/me/drive/items/{file['id']}/createUploadSession"
    url = app.told("POST", path, json={"item": REPLACE})["uploadUrl"]
    last = app.piece(url, b"newer", 0, 5)
    assert (last.status_code, last.json()["id"]) == (200, file["id"])
    assert bench.content(file["id"]) == b"newer"


def test_a_session_may_tell_size_and_times_beforehand(bench: OneDriveBench, app: App) -> None:
    bench.control("onedrive/limit", account="anna", bytes=100)
    path = "/me/drive/root:/a.bin:/createUploadSession"
    assert refusal(app.call("POST", path, json={"item": {"fileSize": 101}})) == (507, "quotaLimitReached")
    url = app.session("a.bin", fileSize=5, fileSystemInfo={"createdDateTime": "2020-01-01T00:00:00Z"})
    told = app.piece(url, b"12345", 0, 5).json()
    assert told["fileSystemInfo"]["createdDateTime"] == "2020-01-01T00:00:00Z"


# --- people, restarts


def test_a_person_works_in_the_drive(bench: OneDriveBench, app: App) -> None:
    folder, file = app.folder("Ordner"), app.file("a.pdf")
    page = bench.http.get(f"{bench.url}/onedrive/my-files/anna", headers={"accept-language": "de"})
    assert "Meine Dateien" in page.text
    assert "a.pdf" in page.text
    form = {"action": "move", "parent": folder["id"], "name": "a.pdf"}
    for origin, status in (("https://evil.example", 404), (bench.url, 303)):
        answer = bench.http.post(
            f"{bench.url}/onedrive/my-files/anna/{file['id']}", data=form, headers={"origin": origin}
        )
        assert answer.status_code == status
    assert bench.files("anna") == ["Ordner/a.pdf"]
    assert bench.http.get(f"{bench.url}/onedrive/my-files/nobody").status_code == 404


def test_a_restart_forgets_nothing(state: Path) -> None:
    def started() -> tuple[Sandbox, Server]:
        sandbox = Sandbox(state, SIMULATOR)
        return sandbox, Server(sandbox).start()

    content = bytes(UNIT) + b"end"
    with httpx.Client(timeout=10) as http:
        sandbox, server = started()
        app = App(OneDriveBench(server.url, "onedrive", http), "anna")
        file, url = app.file("a.pdf"), app.session("b.bin")
        app.piece(url, content[:UNIT], 0, len(content))
        server.stop()
        sandbox.close()
        sandbox, server = started()
        try:
            app.bench.url = server.url
            url = f"{server.url}/onedrive/up/{url.rpartition('/')[2]}"
            assert app.told("GET", f"/me/drive/items/{file['id']}")["name"] == "a.pdf"
            assert app.piece(url, content[UNIT:], UNIT, len(content)).json()["size"] == len(content)
        finally:
            server.stop()
            sandbox.close()


def test_further_people_can_be_added(bench: OneDriveBench) -> None:
    bench.control("onedrive/accounts", id="neu", name="Neu GmbH", email="info@neu.example", company=True)
    assert App(bench, "neu").told("GET", "/me/drive")["driveType"] == "business"
