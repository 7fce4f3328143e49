"""rclone looks at our Nextcloud, and our connector looks at rclone's server (which knows no conditions on a PUT)."""

from __future__ import annotations

import io
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from integrations.conformance.parts import MemoryFacts, revised, sample, worker
from integrations.contract import DocumentKind, DriftKind, OutgoingDocument, Receipt
from integrations.errors import ReauthRequired, Transient
from integrations.layout import Layout
from integrations.webdav.connector import WebDav
from integrations.webdav.login import DavLogin
from tests.integrations.bench import entered
from tests.integrations.webdav.bench import HERE, DavBench
from tests.integrations.webdav.servers import USERS, missing_rclone, rclone_serving

pytestmark = pytest.mark.skipif(bool(missing_rclone()), reason=missing_rclone() or "there")

INVOICE = DocumentKind.INCOMING_INVOICE


def rclone(*words: str) -> str:
    command = ["rclone", "--config", "/dev/null", *words]
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout


def test_rclone_finds_in_our_nextcloud_what_we_delivered(sandbox: DavBench, tmp_path: Path) -> None:
    connector = sandbox.signed_in("anna")
    delivered = {}
    for content in (b"", b"one", b"x" * 300_000):
        receipt = connector.deliver(sample(INVOICE, content), "unused", None)
        delivered[receipt.remote_id] = content
    remote = (
        f":webdav,url='{sandbox.url}/webdav/remote.php/dav/files/anna',vendor=nextcloud,user=anna,"
        f"pass={rclone('obscure', 'anna-app-password').strip()}:"
    )
    rclone("copy", remote, str(tmp_path))
    assert {str(f.relative_to(tmp_path)): f.read_bytes() for f in tmp_path.rglob("*") if f.is_file()} == delivered
    (tmp_path / "extra.txt").write_text("by rclone")
    rclone("copyto", str(tmp_path / "extra.txt"), f"{remote}new/extra.txt")
    rclone("moveto", f"{remote}new/extra.txt", f"{remote}new/moved.txt")
    assert sandbox.content("anna", "new/moved.txt") == b"by rclone"
    rclone("purge", f"{remote}new")
    assert not [path for path in sandbox.paths("anna") if path.startswith("new")]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    with rclone_serving(tmp_path) as address:
        yield tmp_path, address


@pytest.fixture
def connector(served: tuple[Path, str]) -> Iterator[WebDav]:
    with httpx.Client(timeout=20) as http:
        yield signed_in(served[1], http)


def signed_in(address: str, http: httpx.Client, password: str = USERS["anna"]) -> WebDav:
    login = DavLogin(address=address, user="anna", password=password)
    made = entered(WebDav, login, Layout(), HERE, http)
    assert isinstance(made, WebDav)
    return made


def files(root: Path) -> dict[str, bytes]:
    return {str(f.relative_to(root)): f.read_bytes() for f in root.rglob("*") if f.is_file()}


def test_documents_arrive_whole_at_rclones_server(served: tuple[Path, str], connector: WebDav) -> None:
    assert connector.check().name.startswith("anna")
    delivered = {}
    for content in (b"", b"one", b"x" * 3_000_001):
        receipt = connector.deliver(sample(INVOICE, content), "unused", None)
        delivered[receipt.remote_id] = content
    assert files(served[0]) == delivered


def test_nothing_is_written_over_at_a_server_that_knows_no_conditions(
    served: tuple[Path, str], connector: WebDav
) -> None:
    first, second = (sample(INVOICE, content, number="R-1", party=None) for content in (b"first", b"second"))
    receipts = [connector.deliver(document, "unused", None) for document in (first, second)]
    again = worker(connector, MemoryFacts())
    assert [again.deliver(one, "unused", None).remote_id for one in (first, second)] == [
        receipt.remote_id for receipt in receipts
    ]
    assert sorted(files(served[0]).values()) == [b"first", b"second"]


def test_updates_moves_and_read_back_work_at_rclones_server(served: tuple[Path, str], connector: WebDav) -> None:
    document = sample(INVOICE, b"first")
    receipt = connector.deliver(document, "unused", None)
    assert connector.inspect([receipt]) == []
    new = revised(document, b"second", account="Tagesgeld")
    moved = connector.deliver(new, "unused", receipt)
    assert files(served[0]) == {moved.remote_id: b"second"}
    assert "/Tagesgeld/" in moved.remote_id
    assert connector.inspect([moved]) == []
    (served[0] / moved.remote_id).write_bytes(b"edited")
    assert [drift.kind for drift in connector.inspect([moved])] == [DriftKind.CHANGED]
    (served[0] / moved.remote_id).unlink()
    assert [drift.kind for drift in connector.inspect([moved])] == [DriftKind.GONE]


def test_a_wrong_password_is_told(served: tuple[Path, str]) -> None:
    with httpx.Client() as http, pytest.raises(ReauthRequired):
        signed_in(served[1], http, "wrong").check()


def test_the_half_of_an_upload_that_broke_off_is_not_left(served: tuple[Path, str], connector: WebDav) -> None:
    whole = sample(INVOICE, b"x" * 3_000_001)

    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 1_000_000:
                raise ConnectionResetError("the line is dead")
            return super().read(size)

    broken = replace(whole, open=lambda: Breaking(b"x" * 3_000_001))
    with pytest.raises(ConnectionResetError):
        connector.deliver(broken, "unused", None)
    receipt = patiently(connector, whole)
    assert files(served[0]) == {receipt.remote_id: b"x" * 3_000_001}


def patiently(connector: WebDav, document: OutgoingDocument) -> Receipt:
    """As the portal would: the server keeps a file locked until it has noticed that its sender is gone."""
    for _attempt in range(50):
        try:
            return connector.deliver(document, "unused", None)
        except Transient:
            time.sleep(0.1)
    return pytest.fail("the file stays locked")
