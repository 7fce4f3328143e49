"""Microsoft's own programs, as they are published: msal signs in, its Graph client for JavaScript works."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import msal
import pytest

from integrations.sandbox.app import Sandbox
from integrations.sandbox.server import Server
from tests.absent import absent
from tests.integrations.onedrive.bench import OneDriveBench
from tests.integrations.sandbox.front import Front, front
from tests.integrations.sandbox.onedrive.conftest import HOSTS, SIMULATOR
from tests.integrations.sandbox.onedrive.test_identity import BACK, allowed

PACKAGE = "@microsoft/microsoft-graph-client@3.0.7"
CLIENT = "Microsoft's JavaScript client was"
BUILD = Path(__file__).parents[4] / "build" / "node-graph"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[OneDriveBench, Front]]:
    app = Sandbox(None, SIMULATOR)
    with Server(app) as server, httpx.Client(timeout=20) as http, front(app, tmp_path, HOSTS) as made:
        yield OneDriveBench(server.url, "onedrive", http), made
    app.close()


@pytest.fixture(scope="module")
def modules() -> Path:
    """A folder in which the pinned client is installed, once for all runs."""
    if not shutil.which("node") or not shutil.which("npm"):
        absent(CLIENT, "node and npm are not installed")
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = BUILD / ".installed"
        if not done.exists() or done.read_text() != PACKAGE:
            (BUILD / "package.json").write_text("{}")
            command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE]
            result = subprocess.run(command, cwd=BUILD, capture_output=True, text=True, timeout=90, check=False)
            if result.returncode:
                absent(CLIENT, f"npm could not install it: {result.stderr.strip()[-200:]}")
            done.write_text(PACKAGE)
    return BUILD


@pytest.mark.parametrize("account", ["anna", "jonas"])
def test_the_graph_client_for_javascript_works_unchanged(
    served: tuple[OneDriveBench, Front], modules: Path, account: str
) -> None:
    bench, made = served
    bench.set(session_refuses_token=False)  # the client takes our address for Graph and sends its token along
    token = bench.control("grant", provider="onedrive", account=account)["access_token"]
    script = Path(__file__).with_name("graph_client.cjs")
    result = subprocess.run(
        ["node", str(script), str(modules), made.url, token],
        capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "NODE_EXTRA_CA_CERTS": str(made.certificate)},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    seen = json.loads(result.stdout)
    assert seen["drive"]["driveType"] == {"anna": "personal", "jonas": "business"}[account]
    assert seen["clash"] == [409, "nameAlreadyExists"]
    assert seen["names"] == [f"{number}.txt" for number in range(5)]
    assert (seen["large"], seen["moved"]) == (3 * 327680 + 17, "moved.txt")
    assert (seen["batch"], seen["gone"]) == ([200, 404], 404)
    assert "Kontor/large.bin" in bench.files(account)


@pytest.mark.filterwarnings("ignore:response_mode='form_post' is recommended")
@pytest.mark.parametrize(("authority", "account"), [("common", "jonas"), ("consumers", "anna")])
def test_msal_signs_in_and_refreshes(
    served: tuple[OneDriveBench, Front], monkeypatch: pytest.MonkeyPatch, authority: str, account: str
) -> None:
    bench, made = served
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(made.certificate))  # one that is set counts more than ``verify``
    app = msal.ConfidentialClientApplication(
        "kontor-demo", client_credential="kontor-demo-secret", authority=f"{made.url}/{authority}",
        verify=str(made.certificate), instance_discovery=False, validate_authority=False,
    )  # fmt: skip
    flow = app.initiate_auth_code_flow(["Files.ReadWrite", "User.Read"], redirect_uri=BACK)
    assert urlsplit(flow["auth_uri"]).path == f"/onedrive/{authority}/oauth2/v2.0/authorize"
    asked = {name: values[0] for name, values in parse_qs(urlsplit(flow["auth_uri"]).query).items()}
    assert asked["code_challenge_method"] == "S256"
    told = allowed(bench, flow["auth_uri"].replace(made.url, bench.url), account)
    answer = app.acquire_token_by_auth_code_flow(flow, told)
    assert answer["token_type"] == "Bearer"
    headers = {"authorization": f"Bearer {answer['access_token']}"}
    assert httpx.get(f"{bench.url}/onedrive/v1.0/me", headers=headers).status_code == 200
    newer = app.acquire_token_by_refresh_token(answer["refresh_token"], ["Files.ReadWrite"])
    assert newer["refresh_token"] != answer["refresh_token"]
    refused = app.acquire_token_by_refresh_token("rt-unknown", ["Files.ReadWrite"])
    assert refused["error"] == "invalid_grant"
