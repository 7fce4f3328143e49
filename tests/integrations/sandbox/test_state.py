from __future__ import annotations

import threading
from pathlib import Path

import pytest

from integrations.sandbox.clock import Clock
from integrations.sandbox.state import Store
from tests.integrations.sandbox.serving import Books, running


def test_what_is_written_survives_a_restart_in_order(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for key in ("b", "a", "c"):
        store.bucket("things").put(key, {"name": key})
    store.bucket("things").put("b", {"name": "changed"})
    store.files.put("file", b"one")
    store.files.append("file", b"two")
    store.close()
    again = Store(tmp_path)
    assert [value["name"] for value in again.bucket("things").values()] == ["changed", "a", "c"]
    assert (again.files.get("file"), again.files.size("file")) == (b"onetwo", 6)
    again.close()


def test_a_transaction_that_fails_leaves_nothing_behind_also_not_in_memory() -> None:
    store = Store()
    things = store.bucket("things")
    things.put("a", 1)

    def fail() -> None:
        with store.transaction():
            things.put("a", 2)
            things.put("b", 2)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert things.items() == [("a", 1)]


def test_an_inner_transaction_can_fail_alone() -> None:
    store = Store()
    things = store.bucket("things")

    def fail() -> None:
        with store.transaction():
            things.put("b", 2)
            raise ZeroDivisionError

    with store.transaction():
        things.put("a", 1)
        with pytest.raises(ZeroDivisionError):
            fail()
        things.put("c", 3)
    assert things.items() == [("a", 1), ("c", 3)]


def test_a_value_handed_out_is_the_callers_own() -> None:
    things = Store().bucket("things")
    things.put("a", {"list": [1]})
    things.get("a")["list"].append(2)
    assert things.get("a") == {"list": [1]}


def test_numbers_are_never_given_twice_to_many_threads() -> None:
    sequence = Store().bucket("sequence")
    numbers: list[int] = []
    threads = [
        threading.Thread(target=lambda: numbers.extend(sequence.next_number() for _ in range(50))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 401))


def test_the_clock_goes_forward_only_and_keeps_its_advance(tmp_path: Path) -> None:
    store = Store(tmp_path)
    clock = Clock(store)
    before = clock.now()
    clock.advance(3600)
    assert 3599 < (clock.now() - before).total_seconds() < 3610
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)
    store.close()
    again = Store(tmp_path)
    assert Clock(again).advanced == 3600
    again.close()


def test_tokens_books_files_and_request_ids_survive_a_restart(tmp_path: Path) -> None:
    with running(tmp_path) as first:
        books = Books(first)
        vendor = books.vendor()["Id"]
        body = books.bill_body(vendor, DocNumber="R-1")
        bill = books.write("Bill", body, requestid="r1")
        attachment = books.upload(b"content", AttachableRef=[{"EntityRef": {"type": "Bill", "value": bill["Id"]}}])
        token = books.token
    with running(tmp_path) as second:
        again = Books(second)
        again.token = token
        assert again.write("Bill", body, requestid="r1") == bill
        assert again.query("select count(*) from Bill")["totalCount"] == 1
        address = again.request("GET", f"download/{attachment['Attachable']['Id']}").text
        assert second.http.get(address).content == b"content"
