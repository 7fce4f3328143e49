"""rclone's Dropbox backend, as it is published, against the simulator under Dropbox's own host names."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from integrations.sandbox.app import Sandbox
from integrations.sandbox.server import Server
from tests.absent import absent
from tests.integrations.dropbox.bench import DropboxBench
from tests.integrations.dropbox.documents import delivered, invoice, large
from tests.integrations.sandbox.front import front

SIMULATOR = {"dropbox": "integrations.sandbox.dropbox:Dropbox"}
HOSTS = {"api.dropboxapi.com": "/dropbox/api", "content.dropboxapi.com": "/dropbox/content"}
Rclone = Callable[..., str]


@pytest.fixture
def app() -> Iterator[Sandbox]:
    made = Sandbox(None, SIMULATOR)
    yield made
    made.close()


@pytest.fixture
def bench(app: Sandbox) -> Iterator[DropboxBench]:
    with Server(app) as server, httpx.Client(timeout=20) as http:
        yield DropboxBench(server.url, "dropbox", http)


@pytest.fixture
def rclone(bench: DropboxBench, app: Sandbox, tmp_path: Path) -> Iterator[Rclone]:
    """A command of rclone's with a configured remote «box:»."""
    if not shutil.which("rclone"):
        absent("rclone at Dropbox was", "it is not installed")
    answer = bench.control("grant", provider="dropbox", account="anna")
    token = {
        "access_token": answer["access_token"], "refresh_token": answer["refresh_token"], "token_type": "bearer",
        "expiry": "2020-01-01T00:00:00Z",  # so that it begins with a refresh
    }  # fmt: skip
    config = tmp_path / "rclone.conf"
    config.write_text(
        "[box]\ntype = dropbox\nclient_id = kontor-demo\nclient_secret = kontor-demo-secret\n"
        f"token_url = {bench.url}/dropbox/oauth2/token\ntoken = {json.dumps(token)}\n"
    )
    with front(app, tmp_path, HOSTS) as served:
        environ = {"HTTPS_PROXY": served.proxy, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}

        def run(*words: str) -> str:
            options = ["--config", str(config), "--ca-cert", str(served.certificate), "--retries", "1"]
            result = subprocess.run(
                ["rclone", *options, *words], capture_output=True, text=True, timeout=60, env=environ, check=False
            )
            assert result.returncode == 0, result.stderr
            return result.stdout

        yield run


@pytest.mark.parametrize("batches", ["off", "sync"])
def test_rclone_works_unchanged(rclone: Rclone, bench: DropboxBench, tmp_path: Path, batches: str) -> None:
    bench.control("settings", provider="dropbox", utf8_header=True)  # without batches, this rclone escapes nothing
    source = tmp_path / "source"
    (source / "Büro & Co").mkdir(parents=True)
    (source / "Büro & Co" / "klein – 1.txt").write_bytes(b"small")
    (source / "leer.txt").write_bytes(b"")
    (source / "gross.bin").write_bytes(bytes(range(256)) * 50_000)  # 12.8 MB: an upload session in pieces
    rclone("copy", "--dropbox-batch-mode", batches, "--dropbox-chunk-size", "4M", str(source), "box:Kontor")
    assert bench.files("anna") == ["Kontor/Büro & Co/klein – 1.txt", "Kontor/gross.bin", "Kontor/leer.txt"]
    rclone("check", str(source), "box:Kontor")  # by content_hash
    rclone("copy", "box:Kontor", str(tmp_path / "back"))
    for file in ("Büro & Co/klein – 1.txt", "leer.txt", "gross.bin"):
        assert (tmp_path / "back" / file).read_bytes() == (source / file).read_bytes()
    rclone("moveto", "box:Kontor/leer.txt", "box:Archiv/still leer.txt")
    rclone("deletefile", "box:Kontor/gross.bin")
    assert bench.files("anna") == ["Archiv/still leer.txt", "Kontor/Büro & Co/klein – 1.txt"]
    assert json.loads(rclone("about", "box:", "--json"))["used"] == 5
    listed = {one["Path"] for one in json.loads(rclone("lsjson", "-R", "box:"))}
    assert listed == {"Archiv", "Archiv/still leer.txt", "Kontor", "Kontor/Büro & Co", "Kontor/Büro & Co/klein – 1.txt"}


def test_rclone_reads_what_the_connector_delivered(rclone: Rclone, bench: DropboxBench, tmp_path: Path) -> None:
    connector = bench.signed_in("anna")
    receipts = [delivered(connector, invoice(content, number=f"R-{len(content)}")) for content in (b"%PDF", large())]
    rclone("copy", "box:Kontor", str(tmp_path / "back"))
    assert [(tmp_path / "back" / str(one.path)).read_bytes() for one in receipts] == [b"%PDF", large()]
