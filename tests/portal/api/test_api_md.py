"""docs/api.md: its commands are run, in their order, with real curl against the running application."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import reduce
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlmodel import select
from werkzeug.serving import make_server

from portal import access
from portal.clients.models import Client
from portal.db import Database
from portal.extensions.models import Installation
from tests import factories
from tests.portal.api.conftest import Caller

PAGE = Path(__file__).parents[3] / "docs" / "api.md"
KEEP = re.compile(r"# keep: (\S+) as ([A-Z]+)")


def commands() -> list[str]:
    """Every command and every «keep» of the page, continued lines joined."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith(("curl", "# keep"))]


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """Where the application is served."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}/api/v1"
    server.shutdown()
    thread.join()
    server.server_close()


def picked(answer: str, path: str) -> str:
    """What ``.items[0].id`` names in an answer."""
    steps = re.findall(r"\.(\w+)|\[(\d+)\]", path)
    return str(reduce(lambda value, step: value[step[0] or int(step[1])], steps, json.loads(answer)))


def test_every_command_of_the_page_works(
    caller: Callable[..., Caller], address: str, db: Database, tmp_path: Path
) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not on this machine: apt install curl")
    (tmp_path / ".curlrc").write_text("fail-with-body\n")
    (tmp_path / "invoice.pdf").write_bytes(factories.PDF)
    kept: dict[str, str] = {"KONTOR": address, "TOKEN": caller().secret}
    answer = ""
    for line in commands():
        if keep := KEEP.match(line):
            kept[keep.group(2)] = picked(answer, keep.group(1))
            continue
        if line.endswith('/connections"'):
            _consented(db, kept["CLIENT"])
        done = subprocess.run(
            ["bash", "-ec", line], cwd=tmp_path, env={**os.environ, "CURL_HOME": str(tmp_path), **kept},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        answer = done.stdout
    assert (tmp_path / "copy.pdf").read_bytes() == factories.PDF


def _consented(db: Database, client_id: str) -> None:
    """A person consented in their browser, as the page says they must."""
    with db.transaction() as session:
        client = session.get_one(Client, UUID(client_id))
        installed = session.exec(select(Installation).where(Installation.firm_id == client.firm_id)).one()
        factories.connection(session, client, installed)


def test_the_page_names_every_scope_and_every_status(app: Flask) -> None:
    text = PAGE.read_text()
    spec: dict[str, Any] = app.test_client().get("/api/v1/openapi.json").json or {}
    told = {status for status in spec["components"]["responses"] if status != "500"}
    named = set(re.findall(r"\b(4\d\d|503)\b", text[text.index("## Errors") :]))
    assert named == told
    assert all(f"| `{scope}` |" in text for scope in access.SCOPES)
