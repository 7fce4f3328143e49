"""Calls per document and wall time of an export, beside `rclone copy` of the same files to the same server.

The files of three accounts and 24 months go to another account of the same simulated provider, without faults; the
provider is 50 ms away, as providers are.
"""

from __future__ import annotations

import logging
import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import structlog
from sqlmodel import select

from benchmarks.figures import Figure
from benchmarks.place import place
from portal.delivery.deliver import drain
from portal.delivery.models import Receipt
from portal.documents.models import Document
from tests import factories, servers
from tests.flows.world import STORAGES, World, world
from tests.integrations.s3.bench import JONAS, KEYS

DOCUMENTS, ACCOUNTS, MONTHS = 300, 3, 24
AWAY = 0.05  # seconds


def measure(database_url: str | None = None) -> list[Figure]:
    """All figures of this script; without rclone only our own."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    figures: list[Figure] = []
    for kind in STORAGES:
        with (
            place(database_url) as at,
            servers.sandbox() as far,
            world(at.parts.settings, at.environ, kind, far.url) as there,
        ):
            documents = _archive(there)
            there.bench.control("faults", provider=kind, random={f"slow:{AWAY}": 1.0}, seed=1)
            calls, seconds = _counted(there, lambda there=there: _export(there))  # type: ignore[misc]
            theirs = _beside(there, documents)
        figures += _figures(kind, calls, seconds, theirs)
    return figures


def _figures(kind: str, calls: float, seconds: float, theirs: tuple[float, float] | None) -> list[Figure]:
    each, rate = f"{kind}, calls per document", f"{kind}, seconds for {DOCUMENTS} documents"
    if theirs is None:  # rclone cannot be led to the simulator
        waited = calls * DOCUMENTS * AWAY
        return [Figure(each, calls, "", "one call", 1), Figure(rate, seconds, "s", "its calls, one by one", waited)]
    return [
        Figure(each, calls, "", "rclone copy", theirs[0], "no more", calls <= theirs[0]),
        Figure(rate, seconds, "s", "rclone copy", theirs[1], "not slower", seconds <= theirs[1]),
    ]


def _archive(at: World) -> list[Document]:
    chance = random.Random(1)
    with at.parts.db.transaction() as session:
        accounts = [factories.account(session, at.client, name=f"Konto {turn}") for turn in range(ACCOUNTS)]
    documents: list[Document] = []
    for turn in range(DOCUMENTS):
        month = turn % MONTHS
        documents += at.add(
            account_id=accounts[turn % ACCOUNTS].id,
            issued_on=date(2024 + month // 12, month % 12 + 1, chance.randint(1, 28)),
            content=chance.randbytes(20_000),
        )
    return documents


def _counted(at: World, work: Callable[[], None]) -> tuple[float, float]:
    """Calls per document that the provider saw, and the seconds that ``work`` took."""
    before, began = len(at.bench.log()), time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    return (len(at.bench.log()) - before) / DOCUMENTS, seconds


def _export(at: World) -> None:
    while at.open():
        drain(at.parts, at.instance.id)


def _beside(at: World, documents: list[Document]) -> tuple[float, float] | None:
    """The same for rclone, where it speaks to the provider: the files as we named them, with its own settings."""
    remote = _REMOTES.get(at.kind)
    if remote is None or shutil.which("rclone") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        with at.parts.db.read() as session:
            paths = {one.document_id: one.path or "" for one in session.exec(select(Receipt))}
        for document in documents:
            path = Path(folder) / paths[document.id]
            path.parent.mkdir(parents=True, exist_ok=True)
            with at.parts.files.open(at.client.firm_id, document.sha256) as content:
                path.write_bytes(content.read())
        target = remote(at.bench.url)
        return _counted(at, lambda: _rclone("copy", folder, target))


def _rclone(*words: str) -> None:
    command = ["rclone", "--config", "/dev/null", "--s3-no-check-bucket", *words]
    subprocess.run(command, check=True, capture_output=True, env=_environ())


def _environ() -> dict[str, str]:
    """Nothing of the machine's own settings."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}


def _webdav(url: str) -> str:
    command = ["rclone", "--config", "/dev/null", "obscure", "jonas-app-password"]
    word = subprocess.run(command, check=True, capture_output=True, text=True, env=_environ()).stdout.strip()
    return f":webdav,url='{url}/webdav/remote.php/dav/files/jonas',vendor=nextcloud,user=jonas,pass={word}:Kontor"


def _s3(url: str) -> str:
    keys = f"access_key_id={KEYS[JONAS]},secret_access_key=secret-of-{JONAS}"
    return f":s3,provider=Other,env_auth=false,{keys},endpoint='{url}/s3',force_path_style=true:{JONAS}/Kontor"


_REMOTES: Mapping[str, Callable[[str], str]] = {"webdav": _webdav, "s3": _s3}


if __name__ == "__main__":
    print(*measure(), sep="\n")
