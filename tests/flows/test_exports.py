"""A whole archive to each storage while the provider is slow, throttles and loses answers: every file there, once.

``make test`` sends a small one to each; ``make soak`` two thousand documents of three accounts and 24 months, with
50 ms before each answer (KONTOR_EXPORT_DOCUMENTS and KONTOR_SOAK_SEED choose how many and which chances).
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from integrations.contract import Exporter
from integrations.naming import safe_name
from portal import clock
from portal.banking.models import BankAccount
from portal.config import Settings
from portal.delivery.deliver import drain
from portal.delivery.models import Receipt
from portal.delivery.receipts import from_stored
from portal.delivery.sweep import sweep
from portal.documents.models import Document
from tests import factories
from tests.flows.world import STORAGES, World, world
from tests.integrations.s3.bench import ANNA, KEYS
from tests.integrations.webdav.servers import missing_rclone

SEED = int(os.environ.get("KONTOR_SOAK_SEED") or time.time())
SMALL, LARGE = 30, int(os.environ.get("KONTOR_EXPORT_DOCUMENTS") or 2000)
ACCOUNTS, MONTHS = ("Girokonto", "Geschäftskonto Ä/Ö", "Kreditkarte"), 24
TROUBLE = {"throttle:1": 0.02, "commit-then-drop": 0.01}


@pytest.mark.parametrize("kind", STORAGES)
def test_an_archive_arrives_whole(settings: Settings, environ: dict[str, str], kind: str, tmp_path: Path) -> None:
    _export(settings, environ, kind, tmp_path, SMALL, {name: 4 * share for name, share in TROUBLE.items()})


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", STORAGES)
def test_a_large_archive_arrives_whole(settings: Settings, environ: dict[str, str], kind: str, tmp_path: Path) -> None:
    _export(settings, environ, kind, tmp_path, LARGE, {**TROUBLE, "slow:0.05": 0.97})


def _export(
    settings: Settings, environ: dict[str, str], kind: str, folder: Path, count: int, faults: dict[str, float]
) -> None:
    with world(settings, environ, kind) as at:
        documents = _archive(at, count)
        at.bench.control("faults", provider=kind, random=faults, seed=SEED)
        began = time.monotonic()
        with clock.travel() as traveller:
            while at.open():
                if not drain(at.parts, at.instance.id):  # what must be waited for is over
                    traveller.advance(timedelta(seconds=30))
                    sweep(at.parts.db)
        took = time.monotonic() - began
        at.bench.clear()
        calls = len(at.bench.log())
        told = f"{kind}, seed {SEED}: {count} documents in {took:.0f} s, {calls / count:.2f} calls each"
        print(told, file=sys.stderr)  # noqa: T201 - so that the run can be repeated
        at.holds(documents)
        receipts = _in_their_folders(at, documents)
        assert isinstance(at.remote, Exporter)
        assert at.remote.inspect([from_stored(one) for one in receipts.values()]) == []
        _rclone_finds_no_difference(at, documents, receipts, folder / "wanted")


def _archive(at: World, count: int) -> list[Document]:
    """Documents of all accounts and months; now and then two that would have the same name."""
    chance = random.Random(SEED)
    with at.parts.db.transaction() as session:
        accounts = [factories.account(session, at.client, name=name) for name in ACCOUNTS]
    documents: list[Document] = []
    for turn in range(count):
        month = chance.randrange(MONTHS)
        facts = {
            "account_id": accounts[turn % len(accounts)].id,
            "issued_on": date(2024 + month // 12, month % 12 + 1, chance.randint(1, 28)),
            "party_name": f"Lieferant {chance.randint(1, 40)} GmbH & Co. KG",
            "content": chance.randbytes(chance.choice((1, 500, 20_000))) + str(turn).encode(),
        }
        twin = documents[-1] if documents and turn % 50 == 1 else None
        if twin is not None:
            facts |= {"issued_on": twin.issued_on, "party_name": twin.party_name, "number": twin.number}
            facts["account_id"] = twin.account_id
        documents += at.add(1, **facts)
    return documents


def _in_their_folders(at: World, documents: list[Document]) -> dict[str, Receipt]:
    """E2: Kontor/<client>/<account>/<month>/<date> <counterparty> <number>; the receipts by document."""
    with at.parts.db.read() as session:
        receipts = {str(one.document_id): one for one in session.exec(select(Receipt))}
        names = {one.id: one.name for one in session.exec(select(BankAccount))}
    for document in documents:
        path = receipts[str(document.id)].path or ""
        assert document.issued_on is not None
        wanted = [at.client.name, names.get(document.account_id or document.id, ""), f"{document.issued_on:%Y-%m}"]
        assert path.split("/")[-4:-1] == [safe_name(name) for name in wanted], path
        assert re.match(f"{document.issued_on} Lieferant", path.rpartition("/")[2])
    assert len({one.path for one in receipts.values()}) == len(documents)
    return receipts


def _rclone_finds_no_difference(
    at: World, documents: list[Document], receipts: dict[str, Receipt], folder: Path
) -> None:
    """Where rclone speaks to the provider, it compares what is there with what should be."""
    remote = {"webdav": _webdav, "s3": _s3}.get(at.kind)
    if remote is None or missing_rclone():
        return
    for document in documents:
        path = folder / (receipts[str(document.id)].path or "")
        path.parent.mkdir(parents=True, exist_ok=True)
        with at.parts.files.open(at.client.firm_id, document.sha256) as content, path.open("wb") as file:
            shutil.copyfileobj(content, file)
    rclone("check", "--download", str(folder), remote(at))


def rclone(*words: str) -> str:
    """Without anything of the machine's own settings; a difference is an error."""
    command = ["rclone", "--config", "/dev/null", "--s3-no-check-bucket", *words]
    environ = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=600, env=environ)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _webdav(at: World) -> str:
    password = rclone("obscure", "anna-app-password").strip()
    url = f"{at.bench.url}/webdav/remote.php/dav/files/anna"
    return f":webdav,url='{url}',vendor=nextcloud,user=anna,pass={password}:Kontor"


def _s3(at: World) -> str:
    keys = f"access_key_id={KEYS[ANNA]},secret_access_key=secret-of-{ANNA}"
    return f":s3,provider=Other,env_auth=false,{keys},endpoint='{at.bench.url}/s3',force_path_style=true:{ANNA}/Kontor"
