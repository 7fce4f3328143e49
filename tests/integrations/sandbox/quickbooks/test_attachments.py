from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.integrations.sandbox.serving import Books, refusal_of

PDF = b"%PDF-1.4\n\r\n--not a boundary\x00\xff\n"


def linked(bill: str, **more: Any) -> dict[str, Any]:
    return {"AttachableRef": [{"EntityRef": {"type": "Bill", "value": bill}, **more}]}


def content(books: Books, key: str) -> bytes:
    return books.sandbox.http.get(books.request("GET", f"download/{key}").text).content


@pytest.mark.parametrize("body", [b"", b"x", PDF, b"\r\n" * 10, bytes(range(256)) * 5000])
def test_a_file_arrives_byte_for_byte_and_hangs_on_its_bill(books: Books, body: bytes) -> None:
    bill = books.bill(books.vendor()["Id"])["Id"]
    attachment = books.upload(body, **linked(bill))["Attachable"]
    assert (attachment["Size"], attachment["FileName"]) == (len(body), "rechnung.pdf")
    assert content(books, attachment["Id"]) == body
    where = f"AttachableRef.EntityRef.Type = 'Bill' AND AttachableRef.EntityRef.value = '{bill}'"
    assert [found["Id"] for found in books.query(f"select * from Attachable where {where}")["Attachable"]] == [
        attachment["Id"]
    ]


def test_base64_with_line_feeds_and_without_a_file_name_is_taken(books: Books) -> None:
    metadata = json.dumps({"FileName": "a.pdf", "ContentType": "application/pdf"})
    body = (
        f'\n--b\nContent-Disposition: form-data; name="file_metadata_01"\nContent-Type: application/json\n\n'
        f"{metadata}\n\n"
        '--b\nContent-Disposition: form-data; name="file_content_01"\nContent-Type: application/pdf\n'
        f"Content-Transfer-Encoding: base64\n\n{base64.b64encode(PDF).decode()}\n\n--b--\n"
    )
    headers = {"content-type": "multipart/form-data; boundary=b"}
    answer = books.request("POST", "upload", content=body.encode(), headers=headers).json()
    assert content(books, answer["AttachableResponse"][0]["Attachable"]["Id"]) == PDF


def test_without_metadata_the_file_names_itself_and_several_come_at_once(books: Books) -> None:
    files = {"file_content_01": ("a.png", b"1", "image/png"), "file_content_02": ("b.exe", b"2", "application/exe")}
    first, second = books.request("POST", "upload", files=files).json()["AttachableResponse"]
    assert (first["Attachable"]["FileName"], first["Attachable"]["ContentType"]) == ("a.png", "image/png")
    assert second["Fault"]["Error"][0]["code"] == "6000"


def test_what_a_file_hangs_on_must_exist(books: Books) -> None:
    assert books.upload(PDF, **linked("999"))["Fault"]["Error"][0]["code"] == "610"
    wrong: dict[str, Any] = {"AttachableRef": [{"EntityRef": {"type": "Unicorn", "value": "1"}}]}
    assert books.upload(PDF, **wrong)["Fault"]["Error"][0]["code"] == "6050"
    assert books.query("select count(*) from Attachable")["totalCount"] == 0


def test_a_file_above_the_limit_is_refused(books: Books) -> None:
    assert books.sandbox.control("settings", "GET", provider="quickbooks")["upload_limit"] == 100 * 1024 * 1024
    books.sandbox.control("settings", provider="quickbooks", upload_limit=1000)
    books.upload(b"x" * 1000)
    assert books.upload(b"x" * 1001)["Fault"]["Error"][0]["code"] == "6030"


def test_an_upload_without_a_file_is_refused(books: Books) -> None:
    files = {"file_metadata_01": ("a.json", b"{}", "application/json")}
    assert refusal_of(books.request("POST", "upload", files=files))[0] == "2020"
    headers = {"content-type": "multipart/form-data"}
    assert refusal_of(books.request("POST", "upload", content=b"x", headers=headers))[0] == "2020"


def test_the_address_of_a_file_works_without_sign_in_for_a_quarter_of_an_hour(books: Books) -> None:
    attachment = books.upload(PDF)["Attachable"]
    address = books.read("Attachable", attachment["Id"])["TempDownloadUri"]
    assert books.sandbox.http.get(address).content == PDF
    assert books.sandbox.http.get(address.replace("signature=", "signature=0")).status_code == 403
    books.sandbox.control("clock", advance=901)
    assert books.sandbox.http.get(address).status_code == 403


def test_a_note_is_an_attachment_without_a_file(books: Books) -> None:
    note = books.write("Attachable", {"Note": "call first"})
    assert refusal_of(books.request("GET", f"download/{note['Id']}"))[0] == "610"
    assert books.refusal("Attachable", {})[0] == "2020"


def test_an_attachment_can_be_changed_and_deleted(books: Books) -> None:
    attachment = books.upload(PDF, Note="one")["Attachable"]
    changed = books.write("Attachable", {**attachment, "Note": "two"})
    assert (changed["Note"], changed["Size"], changed["SyncToken"]) == ("two", len(PDF), "1")
    books.write("Attachable", {"Id": attachment["Id"], "SyncToken": "1"}, operation="delete")
    assert refusal_of(books.request("GET", f"attachable/{attachment['Id']}"))[0] == "610"
    assert refusal_of(books.request("GET", f"download/{attachment['Id']}"))[0] == "610"
