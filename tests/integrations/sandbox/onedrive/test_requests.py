"""The OneDrive simulator refuses what Microsoft refuses, in its words."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from integrations.sandbox.onedrive.problems import KNOWN
from tests.integrations.onedrive.bench import OneDriveBench
from tests.integrations.sandbox.onedrive.bare import FAIL, RENAME, REPLACE, App, refusal

# --- who may


def test_without_a_token_nothing_is_told(app: App) -> None:
    assert refusal(app.call("GET", "/me/drive", token=False)) == (401, "InvalidAuthenticationToken")
    assert refusal(app.call("GET", "/me/drive", headers={"authorization": "Bearer x"})) == (
        401,
        "InvalidAuthenticationToken",
    )


@pytest.mark.parametrize(
    ("scope", "method", "path", "allowed"),
    [
        ("User.Read", "GET", "/me", True),
        ("User.Read", "GET", "/me/drive", False),
        ("Files.Read", "GET", "/me/drive", True),
        ("Files.Read", "GET", "/me", False),
        ("Files.Read", "PUT", "/me/drive/root:/a.txt:/content", False),
        ("https://graph.microsoft.com/Files.ReadWrite", "PUT", "/me/drive/root:/a.txt:/content", True),
    ],
)
def test_a_call_needs_its_scope(bench: OneDriveBench, scope: str, method: str, path: str, allowed: bool) -> None:
    response = App(bench, "anna", scope).call(method, path, content=b"x" if method == "PUT" else None)
    assert response.is_success == allowed
    assert allowed or response.status_code == 403


def test_nobody_sees_another_persons_drive(bench: OneDriveBench, app: App) -> None:
    others = App(bench, "praxis").told("GET", "/me/drive")
    file = App(bench, "praxis").file("a.pdf")
    assert refusal(app.call("GET", f"/drives/{others['id']}/root")) == (403, "accessDenied")
    assert refusal(app.call("GET", f"/me/drive/items/{file['id']}")) == (404, "itemNotFound")


# --- addresses and queries


def test_an_item_has_many_addresses(app: App) -> None:
    folder = app.folder("Büro & Co")
    file = app.file("Büro & Co/a b+c.pdf")
    drive = app.told("GET", "/me/drive")["id"]
    name = quote("a b+c.pdf", safe="")
    for address in (
        f"/me/drive/items/{file['id']}",
        f"/drives/{drive}/items/{file['id']}",
        f"/me/drive/root:/{quote('Büro & Co', safe='')}/{name}",
        f"/me/drive/root:/{quote('büro & CO', safe='')}/{name}:",
        f"/me/drive/items/{folder['id']}:/{name}",
        f"/drives/{drive}/items/{folder['id']}:/{name}:",
    ):
        assert app.told("GET", address)["id"] == file["id"]
    assert file["parentReference"]["path"].endswith("/root:/B%C3%BCro%20%26%20Co")


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "/me/drive/root?$selekt=id", None, (400, "invalidQueryOption")),
        ("GET", "/me/drive/root?$select=colour", None, (400, "invalidRequest")),
        ("GET", "/me/drive/root/children?$top=0", None, (400, "invalidQueryOption")),
        ("GET", "/me/drive/root/children?$skiptoken=%C3%A4", None, (400, "invalidQueryOption")),
        ("GET", "/me/drive/root/children?$filter=name eq 'a'", None, (501, "notSupported")),
        ("GET", "/me/drive/root/delta", None, (501, "notSupported")),
        ("GET", "/me/drive/root/nonsense", None, (404, "BadRequest")),
        ("GET", "/me/friends", None, (404, "BadRequest")),
        ("GET", "/me/drive/items/none", None, (404, "itemNotFound")),
        ("GET", "/me/drive/root:/none.pdf", None, (404, "itemNotFound")),
        ("POST", "/me/drive/root/children", {"name": "a"}, (400, "invalidRequest")),
        ("POST", "/me/drive/root/children", {"folder": {}}, (400, "invalidRequest")),
        ("POST", "/me/drive/root/children", {"name": "a", "folder": {}, "colour": 1}, (400, "invalidRequest")),
        ("POST", "/me/drive/root/children", {"name": "a", "folder": {}, "size": 5}, (400, "invalidRequest")),
        ("POST", "/me/drive/root/children", {"name": 7, "folder": {}}, (400, "invalidRequest")),
        ("POST", "/me/drive/root/children", [], (400, "invalidRequest")),
        ("POST", "/me/drive/items/none/children", {"name": "a", "folder": {}}, (404, "itemNotFound")),
        ("PATCH", "/me/drive/root", {"name": "x"}, (403, "accessDenied")),
        ("DELETE", "/me/drive/root", None, (403, "accessDenied")),
        ("POST", "/me/drive/root:/a:/createUploadSession", {"name": "a"}, (400, "invalidRequest")),
        ("POST", "/me/drive/root:/a:/createUploadSession", {"item": {"size": 1}}, (400, "invalidRequest")),
        ("POST", "/me/drive/root:/a:/createUploadSession", {"item": {"name": "b"}}, (400, "invalidRequest")),
        ("POST", "/$batch", {"requests": []}, (400, "BadRequest")),
    ],
)
def test_what_is_not_published_is_refused(app: App, method: str, path: str, body: Any, expected: Any) -> None:
    more = {} if body is None else {"json": body}
    assert refusal(app.call(method, path, **more)) == expected


def test_only_what_is_asked_for_is_told(app: App) -> None:
    file = app.file("a.pdf")
    told = app.told("GET", f"/me/drive/items/{file['id']}?$select=id,name,size")
    assert {name for name in told if "@" not in name} == {"id", "name", "size"}


# --- names


@pytest.mark.parametrize(
    "name",
    ["a:b", "a*b", 'a"b', "a?b", "a|b", "a<b", "CON", "lpt1.txt", "_vti_x", "x_vti_y", "desktop.ini", ".lock", "~$a",
     "end.", " a", "a "],
)  # fmt: skip
@pytest.mark.parametrize("account", ["anna", "jonas"])
def test_some_names_are_refused_everywhere(bench: OneDriveBench, account: str, name: str) -> None:
    body = {"name": name, "folder": {}}
    assert refusal(App(bench, account).call("POST", "/me/drive/root/children", json=body)) == (400, "invalidPath")


@pytest.mark.parametrize("name", ["a#b", "a%b", "~a", "forms", "Forms"])
def test_some_names_are_refused_by_companies_only(app: App, company: App, name: str) -> None:
    body = {"name": name, "folder": {}}
    assert app.call("POST", "/me/drive/root/children", json=body).status_code == 201
    assert refusal(company.call("POST", "/me/drive/root/children", json=body)) == (400, "invalidPath")


def test_an_organisation_may_allow_number_signs(bench: OneDriveBench, company: App) -> None:
    bench.set(allows_hash_sign=True)
    assert company.call("POST", "/me/drive/root/children", json={"name": "a#1 %", "folder": {}}).status_code == 201


def test_a_path_has_at_most_400_characters(app: App) -> None:
    parent = app.folder("f" * 250)["id"]
    assert app.call("PUT", f"/me/drive/items/{parent}:/{'x' * 149}:/content", content=b"").status_code == 201
    response = app.call("PUT", f"/me/drive/items/{parent}:/{'x' * 150}:/content", content=b"")
    assert refusal(response) == (400, "pathIsTooLong")
    body = {"name": "n" * 256, "folder": {}}
    assert refusal(app.call("POST", "/me/drive/root/children", json=body)) == (400, "nameTooLong")


# --- conflicts


def test_a_taken_name_is_replaced_refused_or_renamed_as_asked(app: App) -> None:
    first = app.file("a.pdf", b"1")
    assert refusal(app.put("A.PDF", b"2", params=FAIL)) == (409, "nameAlreadyExists")
    renamed = app.put("a.pdf", b"3", params=RENAME)
    assert (renamed.status_code, renamed.json()["name"]) == (201, "a 1.pdf")
    replaced = app.put("a.pdf", b"4", params=REPLACE)
    assert (replaced.status_code, replaced.json()["id"]) == (200, first["id"])
    assert app.put("a.pdf", b"5").json()["id"] == first["id"]  # what a PUT does unless asked
    assert refusal(app.put("a.pdf", b"6", params={"@microsoft.graph.conflictBehavior": "x"})) == (400, "invalidRequest")


def test_a_folder_is_never_replaced(app: App) -> None:
    folder = app.folder("a")
    for behaviour in (FAIL, REPLACE):
        assert refusal(app.put("a", b"x", params=behaviour)) == (409, "nameAlreadyExists")
        body = {"name": "A", "folder": {}, **behaviour}
        assert refusal(app.call("POST", "/me/drive/root/children", json=body)) == (409, "nameAlreadyExists")
    assert app.told("GET", "/me/drive/root:/a")["id"] == folder["id"]


def test_names_are_free_for_their_own_item_and_taken_for_others(app: App) -> None:
    first, second = app.file("a.pdf"), app.file("b.pdf")
    assert app.told("PATCH", f"/me/drive/items/{first['id']}", json={"name": "A.pdf"})["name"] == "A.pdf"
    response = app.call("PATCH", f"/me/drive/items/{second['id']}", json={"name": "a.PDF"})
    assert refusal(response) == (409, "nameAlreadyExists")


def test_a_folder_cannot_go_into_itself(app: App) -> None:
    outer = app.folder("outer")
    inner = app.folder("inner", outer["id"])
    for target in (outer, inner):
        body = {"parentReference": {"id": target["id"]}}
        assert refusal(app.call("PATCH", f"/me/drive/items/{outer['id']}", json=body)) == (400, "invalidRequest")


def test_a_change_may_depend_on_what_was_read(app: App) -> None:
    file = app.file("a.pdf", b"1")
    newer = app.told("PUT", f"/me/drive/items/{file['id']}/content", content=b"2", headers={"if-match": file["cTag"]})
    assert newer["cTag"] != file["cTag"]
    for method, body in (("DELETE", None), ("PATCH", {"name": "b.pdf"})):
        response = app.call(method, f"/me/drive/items/{file['id']}", headers={"if-match": file["eTag"]}, json=body)
        assert refusal(response) == (412, "entityTagDoesNotMatch")


def test_a_rename_changes_the_etag_but_not_the_ctag(app: App) -> None:
    file = app.file("a.pdf")
    renamed = app.told("PATCH", f"/me/drive/items/{file['id']}", json={"name": "b.pdf"})
    assert renamed["eTag"] != file["eTag"]
    assert renamed["cTag"] == file["cTag"]


# --- faults


def test_every_known_code_can_be_made_to_happen(bench: OneDriveBench, app: App) -> None:
    for code, (status, _message) in KNOWN.items():
        bench.script([f"fault:{code}"])
        response = app.call("GET", "/me/drive")
        assert (response.status_code, response.json()["error"]["code"]) == (status, code)


def test_throttling_names_the_wait_and_full_is_507(bench: OneDriveBench, app: App) -> None:
    bench.script(["throttle:9", "full", "down:502"])
    first, second, third = (app.call("GET", "/me/drive") for _ in range(3))
    assert (first.status_code, first.headers["retry-after"]) == (429, "9")
    assert second.status_code == 507
    assert third.status_code == 502
