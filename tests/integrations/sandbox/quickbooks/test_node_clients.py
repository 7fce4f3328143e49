"""node-quickbooks and Intuit's own intuit-oauth for JavaScript, as they are published, against the simulator."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.absent import absent
from tests.integrations.sandbox.serving import GERMAN, Running

PACKAGES = ("node-quickbooks@2.0.50", "intuit-oauth@4.2.5")
BUILD = Path(__file__).parents[4] / "build" / "node-clients"
CLIENTS = "The JavaScript clients of QuickBooks were"
BACK = "http://127.0.0.1:9999/back"


@pytest.fixture(scope="module")
def modules() -> Path:
    """A folder in which the pinned clients are installed, once for all runs."""
    if not shutil.which("node") or not shutil.which("npm"):
        absent(CLIENTS, "node and npm are not installed")
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = BUILD / ".installed"
        if not done.exists() or done.read_text() != " ".join(PACKAGES):
            install(done)
    return BUILD


def install(done: Path) -> None:
    """npm, without running anybody's install scripts."""
    (BUILD / "package.json").write_text("{}")
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES]
    try:
        result = subprocess.run(command, cwd=BUILD, capture_output=True, text=True, timeout=90, check=False)
    except subprocess.TimeoutExpired:
        absent(CLIENTS, "npm did not answer in time")
    if result.returncode:
        absent(CLIENTS, f"npm could not install them: {result.stderr.strip()[-200:]}")
    done.write_text(" ".join(PACKAGES))


def test_the_published_javascript_clients_work_unchanged(sandbox: Running, modules: Path) -> None:
    base = f"{sandbox.url}/quickbooks"
    form = {
        "client_id": "kontor-demo",
        "response_type": "code",
        "scope": "com.intuit.quickbooks.accounting",
        "redirect_uri": BACK,
        "state": "s",
        "account": GERMAN,
        "decision": "allow",
    }
    back = sandbox.http.post(f"{base}/oauth2/authorize", data=form).headers["location"]
    code = parse_qs(urlsplit(back).query)["code"][0]
    script = Path(__file__).with_name("node_clients.cjs")
    command = ["node", str(script), str(modules), base, GERMAN, code, BACK]
    result = subprocess.run(command, cwd=modules, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout.splitlines()[-1]) == {
        "company": "Lindenhof Handels GmbH",
        "rotated": True,
        "sameBill": True,
        "total": 119,
        "attachedTo": True,
        "note": "changed",
        "counted": 1,
        "refused": "6240",
        "mailed": "EmailSent",
        "pdf": "%PDF-",
        "batch": "Batch",
        "captured": "Deleted",
        "ended": True,
    }
