"""What a person sees and does in the simulated Nextcloud and S3, and that it outlives a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from integrations.conformance.parts import sample
from integrations.contract import DocumentKind
from integrations.sandbox.app import Sandbox
from integrations.sandbox.server import Server
from tests.integrations.s3.bench import ANNA, S3Bench
from tests.integrations.webdav.bench import DavBench

DAV, S3 = "/webdav/index.php/apps/files/anna", f"/s3/_buckets/{ANNA}"


def test_pages_tell_how_to_sign_in_and_what_is_there_after_a_restart(tmp_path: Path) -> None:
    for turn in range(2):
        app = Sandbox(tmp_path)
        with Server(app) as server, httpx.Client() as http:
            bucket, cloud = S3Bench(server.url, "s3", http), DavBench(server.url, "webdav", http)
            connectors = bucket.signed_in(), cloud.signed_in("anna")
            if turn == 0:
                document = sample(DocumentKind.RECEIPT, party=None, number="R <7>")
                paths = [connector.deliver(document, "unused", None).remote_id for connector in connectors]
            index = http.get(server.url, headers={"accept": "text/html"}).text
            assert DAV in index
            assert S3 in index
            pages = [http.get(f"{server.url}{page}").text for page in (S3, DAV)]
            assert "KONTORSANDBOXANNA" in pages[0]
            assert f"secret-of-{ANNA}" in pages[0]
            assert f"{server.url}/webdav" in pages[1]
            assert "anna-app-password" in pages[1]
            assert all("R -7-.pdf" in page for page in pages)
            assert [bucket.held(), cloud.paths("anna")] == [[paths[0]], [paths[1]]]
        app.close()


@pytest.fixture
def server() -> Iterator[Server]:
    app = Sandbox(None)
    yield Server(app)
    app.close()


@pytest.mark.parametrize("page", [DAV, S3])
def test_a_person_changes_and_deletes_from_the_page_but_no_other_site_does(server: Server, page: str) -> None:
    with server, httpx.Client() as http:
        bucket, cloud = S3Bench(server.url, "s3", http), DavBench(server.url, "webdav", http)
        bucket.do("write", "Kontor/a.pdf", text="one")
        cloud.do("anna", "write", "a.pdf", text="one")
        path = "a.pdf" if page == DAV else "Kontor/a.pdf"
        form = {"path": path, "text": "two", "action": "write"}
        foreign = http.post(f"{server.url}{page}", data=form, headers={"origin": "https://evil.example"})
        assert foreign.status_code == 404
        assert http.get(f"{server.url}{page}", params={"get": path}).text == "one"
        assert http.post(f"{server.url}{page}", data=form).status_code == 303
        assert http.get(f"{server.url}{page}", params={"get": path}).text == "two"
        http.post(f"{server.url}{page}", data={"path": path, "action": "delete"})
        assert http.get(f"{server.url}{page}", params={"get": path}).status_code == 404


@pytest.mark.parametrize("page", ["/webdav/index.php/apps/files/nobody", "/webdav/x", "/s3/_buckets/nothing"])
def test_there_is_no_other_page(server: Server, page: str) -> None:
    with server, httpx.Client() as http:
        assert http.get(f"{server.url}{page}").status_code == 404


def test_nobody_gets_in_without_the_password(server: Server) -> None:
    with server, httpx.Client() as http:
        files = f"{server.url}/webdav/remote.php/dav/files"
        assert http.request("PROPFIND", f"{files}/anna/").status_code == 401
        assert http.request("PROPFIND", f"{files}/jonas/", auth=("anna", "anna-app-password")).status_code == 404
        assert http.get(f"{server.url}/s3/{ANNA}").status_code == 403
