"""rclone's OneDrive backend, as it is published, against the simulator under Microsoft's own host names."""

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
from tests.integrations.onedrive.bench import OneDriveBench
from tests.integrations.onedrive.documents import delivered, invoice, large
from tests.integrations.sandbox.front import front
from tests.integrations.sandbox.onedrive.bare import App
from tests.integrations.sandbox.onedrive.conftest import HOSTS, SIMULATOR

Rclone = Callable[..., str]


@pytest.fixture
def bench_and_app() -> Iterator[tuple[OneDriveBench, Sandbox]]:
    app = Sandbox(None, SIMULATOR)
    with Server(app) as server, httpx.Client(timeout=20) as http:
        yield OneDriveBench(server.url, "onedrive", http), app
    app.close()


@pytest.fixture(params=["anna", "jonas"])
def account(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def rclone(bench_and_app: tuple[OneDriveBench, Sandbox], account: str, tmp_path: Path) -> Iterator[Rclone]:
    """A command of rclone's with a configured remote «one:»."""
    if not shutil.which("rclone"):
        absent("rclone at OneDrive was", "it is not installed")
    bench, app = bench_and_app
    bench.set(session_refuses_token=False)  # this rclone sends its token to upload sessions too
    answer = bench.control("grant", provider="onedrive", account=account)
    drive = App(bench, account).told("GET", "/me/drive")
    token = {
        "access_token": answer["access_token"], "refresh_token": answer["refresh_token"], "token_type": "Bearer",
        "expiry": "2020-01-01T00:00:00Z",  # so that it begins with a refresh
    }  # fmt: skip
    config = tmp_path / "rclone.conf"
    config.write_text(
        "[one]\ntype = onedrive\nclient_id = kontor-demo\nclient_secret = kontor-demo-secret\n"
        f"token = {json.dumps(token)}\ndrive_id = {drive['id']}\ndrive_type = {drive['driveType']}\n"
    )
    with front(app, tmp_path, HOSTS) as served:
        environ = {"HTTPS_PROXY": served.proxy, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}

        def run(*words: str) -> str:
            command = ["rclone", "--config", str(config), "--ca-cert", str(served.certificate), "--retries", "1"]
            result = subprocess.run(
                [*command, *words], check=False, capture_output=True, text=True, timeout=60, env=environ
            )
            assert result.returncode == 0, result.stderr
            return result.stdout

        yield run
    assert token["refresh_token"] not in config.read_text()  # it wrote the rotated one back


def test_rclone_works_unchanged(
    rclone: Rclone, bench_and_app: tuple[OneDriveBench, Sandbox], account: str, tmp_path: Path
) -> None:
    bench, _app = bench_and_app
    source = tmp_path / "source"
    (source / "Büro & Co").mkdir(parents=True)
    (source / "Büro & Co" / "klein – 1.txt").write_bytes(b"small")
    (source / "leer.txt").write_bytes(b"")
    (source / "gross.bin").write_bytes(bytes(range(256)) * 50_000)  # 12.8 MB: an upload session in pieces
    rclone("copy", "--onedrive-chunk-size", "3200k", str(source), "one:Kontor")
    assert bench.files(account) == ["Kontor/Büro & Co/klein – 1.txt", "Kontor/gross.bin", "Kontor/leer.txt"]
    rclone("check", str(source), "one:Kontor")  # by the hashes that are told
    rclone("copy", "one:Kontor", str(tmp_path / "back"))
    for file in ("Büro & Co/klein – 1.txt", "leer.txt", "gross.bin"):
        assert (tmp_path / "back" / file).read_bytes() == (source / file).read_bytes()
    rclone("moveto", "one:Kontor/leer.txt", "one:Archiv/still leer.txt")
    rclone("deletefile", "one:Kontor/gross.bin")
    assert bench.files(account) == ["Archiv/still leer.txt", "Kontor/Büro & Co/klein – 1.txt"]
    assert json.loads(rclone("about", "one:", "--json"))["used"] >= 5
    listed = {one["Path"] for one in json.loads(rclone("lsjson", "-R", "one:"))}
    assert listed == {"Archiv", "Archiv/still leer.txt", "Kontor", "Kontor/Büro & Co", "Kontor/Büro & Co/klein – 1.txt"}


def test_rclone_reads_what_the_connector_delivered(
    rclone: Rclone, bench_and_app: tuple[OneDriveBench, Sandbox], account: str, tmp_path: Path
) -> None:
    bench, _app = bench_and_app
    connector = bench.signed_in(account)
    receipts = [delivered(connector, invoice(content, number=f"R-{len(content)}")) for content in (b"%PDF", large())]
    rclone("copy", "one:Kontor", str(tmp_path / "back"))
    assert [(tmp_path / "back" / str(one.path)).read_bytes() for one in receipts] == [b"%PDF", large()]
