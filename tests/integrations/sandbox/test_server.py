from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from werkzeug.wrappers import Request, Response

from integrations.sandbox.server import ConnectionDropped, Server
from tests.integrations.sandbox.serving import GERMAN


@Request.application
def echo(request: Request) -> Response:
    if request.path == "/drop":
        raise ConnectionDropped(reset=False)
    if request.path == "/reset":
        raise ConnectionDropped(reset=True)
    if request.path == "/nothing":
        return Response(status=204)
    return Response(json.dumps({"length": len(request.get_data()), "path": request.path, "more": request.args}))


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(echo) as started:
        yield started


def test_one_connection_serves_many_requests(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        file = connection.makefile("rwb")
        for body in (b"", b"abc", b"x" * 100_000):
            file.write(b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            file.flush()
            length = 0
            while line := file.readline().strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            assert json.loads(file.read(length))["length"] == len(body)
        file.close()


def test_a_body_in_chunks_arrives_whole(server: Server) -> None:
    with httpx.Client() as http:
        for _ in range(2):
            assert http.post(server.url, content=iter([b"abc", b"d" * 70_000])).json()["length"] == 70_003


def test_what_has_no_body_has_none(server: Server) -> None:
    with httpx.Client() as http:
        head, body = http.head(server.url), http.get(server.url).content
        assert head.content == b""
        assert head.headers["content-length"] == str(len(body))
        assert http.get(f"{server.url}/nothing").status_code == 204
        assert http.get(f"{server.url}/a%20ü?x=1").json() == {"length": 0, "path": "/a ü", "more": {"x": "1"}}


def test_a_dropped_and_a_reset_connection_are_told_apart(server: Server) -> None:
    with httpx.Client() as http:
        with pytest.raises(httpx.RemoteProtocolError):
            http.post(f"{server.url}/drop", content=b"abc")
        with pytest.raises(httpx.ReadError):
            http.post(f"{server.url}/reset", content=b"abc")
        assert http.get(server.url).status_code == 200


def test_stopping_ends_idle_connections_at_once() -> None:
    with Server(echo) as server:
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert connection.recv(4096)
    connection.settimeout(2)
    while connection.recv(4096):
        pass  # ends with the connection, or the test with a time-out
    connection.close()


def started(state: Path, *options: str) -> tuple[subprocess.Popen[str], dict[str, dict[str, str]]]:
    command = [sys.executable, "-m", "integrations.sandbox", "--port", "0", "--state", str(state), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


def test_the_command_prints_base_urls_survives_a_kill_and_stops_on_sigterm(tmp_path: Path) -> None:
    process, urls = started(tmp_path)
    base = urls["quickbooks"]["api"].removesuffix("/quickbooks")
    with httpx.Client() as http:
        assert http.get(base).json() == urls
        page = http.get(base, headers={"accept": "text/html"})
        assert "Lindenhof Handels GmbH" in page.text
        grant = http.post(f"{base}/_control/grant", json={"provider": "quickbooks", "account": GERMAN}).json()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    again, urls = started(tmp_path)
    with httpx.Client() as http:
        signed = {"authorization": f"Bearer {grant['access_token']}", "accept": "application/json"}
        answer = http.get(f"{urls['quickbooks']['api']}/v3/company/{GERMAN}/companyinfo/{GERMAN}", headers=signed)
        assert answer.json()["CompanyInfo"]["CompanyName"] == "Lindenhof Handels GmbH"
    again.terminate()
    assert again.communicate(timeout=10) is not None
    assert again.returncode == 0


def test_a_port_that_is_taken_is_said_in_a_sentence(tmp_path: Path, server: Server) -> None:
    command = [sys.executable, "-m", "integrations.sandbox", "--port", str(server.port), "--state", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert str(server.port) in done.stderr
    assert "Traceback" not in done.stderr
