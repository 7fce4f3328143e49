"""Dropbox's own Python SDK works unchanged against the simulator; every reply is as Dropbox publishes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import dropbox
import httpx
import pytest
import requests
from dropbox import common, files
from dropbox.exceptions import ApiError, AuthError, BadInputError, InternalServerError, PathRootError, RateLimitError

from integrations.conformance.parts import filler
from integrations.dropbox.upload import CHUNK
from integrations.sandbox.app import Sandbox
from integrations.sandbox.server import Server
from tests.integrations.dropbox.bench import DropboxBench
from tests.integrations.dropbox.documents import delivered, invoice
from tests.integrations.sandbox.stone import ToSandbox, complaint

BLOCK = 4 * 1024 * 1024


@pytest.fixture
def bench() -> Iterator[DropboxBench]:
    app = Sandbox(None, {"dropbox": "integrations.sandbox.dropbox:Dropbox"})
    with Server(app) as server, httpx.Client(timeout=20) as http:
        yield DropboxBench(server.url, "dropbox", http)
    app.close()


@pytest.fixture
def wire(bench: DropboxBench) -> Iterator[ToSandbox]:
    """The way of all requests of a test; at its end every JSON reply that went by must be as published."""
    adapter = ToSandbox(bench.url)
    yield adapter
    adapter.close()
    assert [found for reply in adapter.replies if (found := complaint(*reply))] == []


def signed_in(bench: DropboxBench, wire: ToSandbox, account: str = "anna", **options: Any) -> Any:
    answer = bench.control("grant", provider="dropbox", account=account)
    session = requests.Session()
    session.mount("https://", wire)
    return dropbox.Dropbox(
        oauth2_access_token=answer["access_token"],
        oauth2_refresh_token=answer["refresh_token"],
        app_key="kontor-demo",
        app_secret="kontor-demo-secret",
        max_retries_on_error=0,
        session=session,
        **options,
    )


@pytest.fixture
def box(bench: DropboxBench, wire: ToSandbox) -> Any:
    return signed_in(bench, wire)


def refused(call: Any, *arguments: Any, **more: Any) -> Any:
    with pytest.raises(ApiError) as caught:
        call(*arguments, **more)
    return caught.value.error


# --- files


def test_a_file_is_uploaded_told_and_downloaded(box: Any) -> None:
    told = box.files_upload(b"%PDF a", "/Kontor/März/Über 🧾.pdf")
    assert (told.name, told.path_display, told.path_lower) == (
        "Über 🧾.pdf", "/Kontor/März/Über 🧾.pdf", "/kontor/märz/über 🧾.pdf",
    )  # fmt: skip
    assert told.size == 6
    metadata, response = box.files_download("/KONTOR/märz/über 🧾.pdf")
    assert response.content == b"%PDF a"
    assert metadata.content_hash == told.content_hash
    for name in ("/kontor/märz/Über 🧾.PDF", told.id, f"rev:{told.rev}"):
        assert box.files_get_metadata(name).id == told.id
    folder = box.files_get_metadata("/kontor/MÄRZ")
    assert (folder.name, folder.path_display) == ("März", "/Kontor/März")
    assert box.files_get_metadata(f"{folder.id}/über 🧾.pdf").id == told.id


def test_add_takes_equal_bytes_and_refuses_others(box: Any) -> None:
    first = box.files_upload(b"one", "/a.pdf")
    assert box.files_upload(b"one", "/A.pdf").rev == first.rev
    error = refused(box.files_upload, b"two", "/a.PDF")
    assert error.get_path().reason.get_conflict().is_file()
    assert error.get_path().upload_session_id
    assert refused(box.files_upload, b"one", "/a.pdf", strict_conflict=True).get_path().reason.is_conflict()
    assert box.files_upload(b"two", "/a.pdf", autorename=True).name == "a (1).pdf"
    assert box.files_upload(b"two", "/a.pdf", mode=files.WriteMode.overwrite).id == first.id
    renewed = box.files_upload(b"three", first.id, mode=files.WriteMode.update(box.files_get_metadata("/a.pdf").rev))
    assert (renewed.id, renewed.name) == (first.id, "a.pdf")
    assert refused(box.files_upload, b"four", first.id, mode=files.WriteMode.update(first.rev)).is_path()


def test_what_a_refused_upload_left_in_a_session_can_be_stored(box: Any) -> None:
    box.files_upload(b"one", "/a.pdf")
    session = refused(box.files_upload, b"two", "/a.pdf").get_path().upload_session_id
    cursor = files.UploadSessionCursor(session, 3)
    assert box.files_upload_session_finish(b"", cursor, files.CommitInfo("/b.pdf")).size == 3


def test_uploads_below_a_folders_id_follow_the_folder(box: Any) -> None:
    folder = box.files_create_folder_v2("/a/b").metadata
    box.files_move_v2("/a", "/c")
    assert box.files_upload(b"x", f"{folder.id}/x.pdf").path_display == "/c/b/x.pdf"
    box.files_delete_v2("/c")
    assert refused(box.files_upload, b"x", f"{folder.id}/y.pdf").get_path().reason.is_malformed_path()
    assert refused(box.files_get_metadata, folder.id).get_path().is_not_found()
    assert box.files_list_folder("").entries == []


def test_folders_are_made_moved_copied_and_deleted(box: Any) -> None:
    folder = box.files_create_folder_v2("/a/b/c").metadata
    assert folder.path_display == "/a/b/c"
    assert refused(box.files_create_folder_v2, "/A/B/C").get_path().get_conflict().is_folder()
    assert box.files_create_folder_v2("/a/b/c", autorename=True).metadata.name == "c (1)"
    file = box.files_upload(b"x", "/a/b/c/x.pdf")
    assert refused(box.files_upload, b"x", "/a/b/c/x.pdf/y.pdf").get_path().reason.get_conflict().is_file_ancestor()
    moved = box.files_move_v2(file.id, "/new/y.pdf").metadata
    assert (moved.id, moved.path_display) == (file.id, "/new/y.pdf")
    copy = box.files_copy_v2("/new", "/newer").metadata
    assert copy.id != moved.id
    assert box.files_get_metadata("/newer/y.pdf").id != moved.id
    assert refused(box.files_move_v2, file.id, "/newer/Y.pdf").get_to().get_conflict().is_file()
    assert refused(box.files_move_v2, "/new/y.pdf", "/new/Y.PDF").is_duplicated_or_nested_paths()
    assert refused(box.files_move_v2, "/a", "/a/b/d").is_cant_move_folder_into_itself()
    assert refused(box.files_move_v2, "/missing", "/b").get_from_lookup().is_not_found()
    assert refused(box.files_move_v2, file.id, "id:unknown/x.pdf").get_to().is_malformed_path()
    assert isinstance(box.files_delete_v2("/newer").metadata, files.FolderMetadata)  # as it was
    assert refused(box.files_delete_v2, "/newer").get_path_lookup().is_not_found()
    assert isinstance(box.files_get_metadata("/newer", include_deleted=True), files.DeletedMetadata)
    restored = box.files_restore("/new/y.pdf", moved.rev)
    assert (restored.id, restored.size) == (moved.id, 1)


def test_an_upload_in_pieces(bench: DropboxBench, box: Any) -> None:
    content = filler(900_000)
    session = box.files_upload_session_start(content[:300_000]).session_id
    cursor = files.UploadSessionCursor(session, 300_000)
    box.files_upload_session_append_v2(content[300_000:600_000], cursor)
    error = refused(box.files_upload_session_append_v2, content[300_000:600_000], cursor)
    assert error.get_incorrect_offset().correct_offset == 600_000
    commit = files.CommitInfo("/large.bin")
    error = refused(box.files_upload_session_finish, b"", cursor, commit)
    assert error.get_lookup_failed().get_incorrect_offset().correct_offset == 600_000
    cursor.offset = 600_000
    told = box.files_upload_session_finish(content[600_000:], cursor, commit)
    assert told.size == 900_000
    assert bench.content(told.id) == content
    cursor.offset = 900_000
    assert refused(box.files_upload_session_finish, b"", cursor, commit).get_lookup_failed().is_not_found()
    bench.advance(8 * 86400)
    with pytest.raises(ApiError):
        box.files_upload_session_append_v2(b"x", files.UploadSessionCursor(session, 0))


def test_an_upload_in_concurrent_pieces(bench: DropboxBench, box: Any) -> None:
    content = filler(2 * BLOCK + 5)
    kind = files.UploadSessionType.concurrent
    session = box.files_upload_session_start(b"", session_type=kind).session_id
    for offset, close in ((BLOCK, False), (2 * BLOCK, True), (0, False)):
        piece = content[offset : offset + BLOCK]
        box.files_upload_session_append_v2(piece, files.UploadSessionCursor(session, offset), close=close)
    whole = files.UploadSessionCursor(session, len(content))
    told = box.files_upload_session_finish(b"", whole, files.CommitInfo("/large.bin"))
    assert bench.content(told.id) == content


def test_many_sessions_are_finished_at_once_and_each_answers_for_itself(bench: DropboxBench, box: Any) -> None:
    sessions = [box.files_upload_session_start(b"x" * n, close=n != 3).session_id for n in (1, 2, 3)]
    entries = [
        files.UploadSessionFinishArg(files.UploadSessionCursor(session, n), files.CommitInfo(path))
        for n, (session, path) in enumerate(zip(sessions, ("/a", "/a", "/b"), strict=True), 1)
    ]
    first, clash, open_ = box.files_upload_session_finish_batch_v2(entries).entries
    assert first.get_success().path_display == "/a"
    assert clash.get_failure().get_path().get_conflict().is_file()
    assert open_.get_failure().get_lookup_failed().is_not_closed()
    assert bench.files("anna") == ["a"]


# --- lists


def test_lists_come_in_pages_and_cursors_tell_what_changed(bench: DropboxBench, box: Any) -> None:
    for turn in range(7):
        box.files_upload(b"x", f"/Kontor/{turn}/R-{turn}.pdf")
    reply, paths = box.files_list_folder("/kontor", recursive=True, limit=4), []
    while True:
        paths += [entry.path_display for entry in reply.entries]
        if not reply.has_more:
            break
        reply = box.files_list_folder_continue(reply.cursor)
    assert paths == sorted(
        ["/Kontor", *(f"/Kontor/{n}" for n in range(7)), *(f"/Kontor/{n}/R-{n}.pdf" for n in range(7))]
    )
    assert [entry.name for entry in box.files_list_folder("/Kontor").entries] == [str(turn) for turn in range(7)]
    box.files_upload(b"new", "/kontor/new.pdf")
    box.files_move_v2("/Kontor/3", "/Elsewhere")
    box.files_delete_v2("/Kontor/5")
    changed = box.files_list_folder_continue(reply.cursor)
    told = {entry.path_display: type(entry).__name__ for entry in changed.entries}
    assert told == {
        "/Kontor/new.pdf": "FileMetadata",
        "/Kontor/3": "DeletedMetadata",
        "/Kontor/5": "DeletedMetadata",
    }
    assert box.files_list_folder_continue(changed.cursor).entries == []
    assert len(box.files_list_folder_continue(reply.cursor).entries) == 3  # the same cursor, the same changes
    bench.control("dropbox/forget_cursors", account="anna")
    assert refused(box.files_list_folder_continue, changed.cursor).is_reset()
    with pytest.raises(BadInputError):
        box.files_list_folder_continue("nonsense")


def test_a_cursor_from_now_on_tells_nothing_of_the_past(box: Any) -> None:
    box.files_upload(b"x", "/old.pdf")
    cursor = box.files_list_folder_get_latest_cursor("").cursor
    box.files_upload(b"x", "/new.pdf")
    assert [entry.name for entry in box.files_list_folder_continue(cursor).entries] == ["new.pdf"]


def test_a_list_of_a_folder_that_was_deleted_is_refused(box: Any) -> None:
    box.files_create_folder_v2("/a")
    cursor = box.files_list_folder("/a").cursor
    box.files_delete_v2("/a")
    assert refused(box.files_list_folder_continue, cursor).get_path().is_not_found()
    assert refused(box.files_list_folder, "/a").get_path().is_not_found()
    assert [type(one).__name__ for one in box.files_list_folder("", include_deleted=True).entries] == [
        "DeletedMetadata"
    ]


# --- accounts, login, trouble


@pytest.mark.parametrize("account", ["anna", "kanzlei"])
def test_an_account_and_its_room_are_told(bench: DropboxBench, wire: ToSandbox, account: str) -> None:
    box = signed_in(bench, wire, account)
    assert box.users_get_current_account().root_info.home_namespace_id
    assert box.users_get_space_usage().used == 0
    assert box.check_user("hello").result == "hello"


def test_a_team_member_reaches_the_teams_space_by_the_path_root(bench: DropboxBench, wire: ToSandbox) -> None:
    bench.full_access()
    box = signed_in(bench, wire, "kanzlei")
    info = box.users_get_current_account().root_info
    team = box.with_path_root(common.PathRoot.root(info.root_namespace_id))
    box.files_upload(b"x", "/own.pdf")
    team.files_upload(b"x", "/teams.pdf")
    assert [entry.name for entry in team.files_list_folder("").entries] == ["Kanzlei Sommer", "teams.pdf"]
    assert [entry.name for entry in box.files_list_folder("").entries] == ["own.pdf"]
    home = box.with_path_root(common.PathRoot.namespace_id(info.home_namespace_id))
    assert [entry.name for entry in home.files_list_folder("").entries] == ["own.pdf"]
    bench.control("dropbox/new_root", account="kanzlei")
    with pytest.raises(PathRootError) as caught:
        team.files_list_folder("")
    assert caught.value.error.get_invalid_root().root_namespace_id != info.root_namespace_id
    with pytest.raises(PathRootError):
        box.with_path_root(common.PathRoot.namespace_id("1")).files_list_folder("")


def test_an_app_with_a_folder_of_its_own_sees_nothing_else(bench: DropboxBench, box: Any) -> None:
    box.files_upload(b"x", "/mine.pdf")
    other = bench.control("dropbox/put", account="anna", path="/private.txt", text="secret")["id"]
    assert [entry.path_display for entry in box.files_list_folder("", recursive=True).entries] == ["/mine.pdf"]
    assert refused(box.files_get_metadata, other).get_path().is_not_found()
    bench.full_access()
    assert {entry.name for entry in box.files_list_folder("").entries} == {"Apps", "private.txt"}


def test_the_sdk_refreshes_an_expired_token_and_is_refused_a_revoked_one(bench: DropboxBench, box: Any) -> None:
    bench.control("expire", provider="dropbox", access_token=box._oauth2_access_token)
    assert box.users_get_current_account().name.display_name == "Anna Meyer"
    assert box._oauth2_access_token_expiration is not None
    box.auth_token_revoke()
    with pytest.raises(AuthError):
        box.users_get_current_account()


def test_the_sdk_takes_our_throttling_and_faults_for_dropboxs(bench: DropboxBench, box: Any) -> None:
    box._max_retries_on_rate_limit = 0
    for as_text in (False, True):
        bench.control("settings", provider="dropbox", throttle_text=as_text)
        bench.script(["throttle:7"])
        with pytest.raises(RateLimitError) as caught:
            box.users_get_space_usage()
        assert caught.value.backoff == 7
    bench.script(["down"])
    with pytest.raises(InternalServerError):
        box.users_get_space_usage()
    bench.script(["full"])
    assert refused(box.files_upload, b"x", "/a.pdf").get_path().reason.is_insufficient_space()
    bench.script(["fault:missing_scope"])
    with pytest.raises(AuthError) as lacking:
        box.files_upload(b"x", "/a.pdf")
    assert lacking.value.error.get_missing_scope().required_scope == "files.content.write"


def test_a_token_without_the_permission_is_refused(bench: DropboxBench, wire: ToSandbox) -> None:
    answer = bench.control("grant", provider="dropbox", account="anna", scopes=["account_info.read"])
    session = requests.Session()
    session.mount("https://", wire)
    box = dropbox.Dropbox(oauth2_access_token=answer["access_token"], session=session)
    assert box.users_get_current_account()
    with pytest.raises(AuthError) as caught:
        box.files_list_folder("")
    assert caught.value.error.get_missing_scope().required_scope == "files.metadata.read"


def test_a_full_dropbox_refuses(bench: DropboxBench, box: Any) -> None:
    bench.control("dropbox/limit", account="anna", bytes=10)
    assert refused(box.files_upload, b"x" * 11, "/a.pdf").get_path().reason.is_insufficient_space()
    box.files_upload(b"x" * 10, "/a.pdf")
    assert box.users_get_space_usage().allocation.get_individual().allocated == 10


def test_a_damaged_upload_is_refused(box: Any) -> None:
    assert refused(box.files_upload, b"x", "/a.pdf", content_hash="0" * 64).is_content_hash_mismatch()


# --- our own connector's traffic


def test_every_reply_to_our_connector_is_as_published(bench: DropboxBench) -> None:
    replies: list[tuple[str, int, str]] = []

    def note(response: httpx.Response) -> None:
        response.read()
        if "/2/" in response.url.path and response.headers["content-type"] == "application/json":
            replies.append((response.url.path.partition("/2/")[2], response.status_code, response.text))

    bench.http.event_hooks = {"response": [note]}
    connector = bench.signed_in("anna")
    connector.check()
    receipts = [delivered(connector, invoice(content)) for content in (b"a", b"b", filler(CHUNK + 1))]
    delivered(connector, invoice(b"c", number="R-7"), receipts[0])
    bench.do("anna", "trash", bench.living("anna")["Kontor/Meyer"])
    connector.inspect(receipts)
    delivered(connector, invoice(b"d"))
    connector.revoke()
    assert len(replies) > 30
    assert {status for _route, status, _body in replies} == {200, 409}
    assert [found for reply in replies if (found := complaint(*reply))] == []


def test_the_check_of_replies_can_fail() -> None:
    known = {"name": "a", "id": "id:1", "path_lower": "/a", "path_display": "/a"}
    assert complaint("files/create_folder_v2", 200, json.dumps({"metadata": known})) is None
    for wrong in ({**known, "color": "red"}, {**known, "name": 3}, {"id": "id:1"}):
        assert complaint("files/create_folder_v2", 200, json.dumps({"metadata": wrong}))
    for error in ({".tag": "path", "path": {".tag": "gone"}}, {".tag": "path"}):
        assert complaint("files/get_metadata", 409, json.dumps({"error": error}))
