"""The content store: bytes come back as they went in, whatever keeps them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest
from moto.server import ThreadedMotoServer

from portal.documents.files import Files, open_files
from portal.errors import Unavailable

FIRM = uuid4()


@pytest.fixture(params=["folder", "bucket"])
def files(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    if request.param == "folder":
        yield open_files(f"file://{tmp_path}")
        return
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        import boto3

        boto3.client("s3", endpoint_url=url, region_name="us-east-1").create_bucket(Bucket="kept")
        yield open_files(f"s3://kept/kontor?endpoint_url={url}&region_name=us-east-1")
    finally:
        server.stop()


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (3 << 20) + 7])
def test_bytes_come_back_as_they_went_in_and_twice_is_harmless(files: Files, size: int) -> None:
    content = Random(size).randbytes(size)
    expected = (hashlib.sha256(content).hexdigest(), size)
    assert files.put(FIRM, io.BytesIO(content)) == expected
    assert files.put(FIRM, io.BytesIO(content)) == expected
    with files.open(FIRM, expected[0]) as kept:
        assert kept.read() == content


def test_a_firm_never_gets_the_bytes_of_another(files: Files) -> None:
    digest, _size = files.put(FIRM, io.BytesIO(b"secret"))
    with pytest.raises(Unavailable):
        files.open(uuid4(), digest)


def test_a_copy_that_breaks_off_leaves_nothing_behind(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 0:
                raise OSError("the line broke")
            return super().read(10)

    with pytest.raises(OSError, match="broke"):
        open_files(f"file://{tmp_path}").put(FIRM, Broken(bytes(100)))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
