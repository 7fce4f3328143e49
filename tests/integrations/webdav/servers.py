"""WebDAV servers that are not ours, each with its own ways: wsgidav (Python) and rclone (Go, x/net/webdav)."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from werkzeug.wrappers import Response
from wsgidav.fs_dav_provider import FilesystemProvider
from wsgidav.wsgidav_app import WsgiDAVApp

from integrations.sandbox.oauth import Account, Rules
from integrations.sandbox.provider import Core, Provider

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from werkzeug.wrappers import Request

    from integrations.sandbox.faults import Step

USERS = {"anna": "first secret", "jonas": "second secret"}


class Wsgidav(Provider):
    """wsgidav behind the sandbox's faults: one share for each user, on the file system."""

    kind: ClassVar[str] = "webdav"
    title: ClassVar[str] = "wsgidav"
    rules: ClassVar[Rules] = Rules(scopes={})
    root: ClassVar[Path]
    passwords: ClassVar[dict[str, str]]

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self._served = self._app()

    @property
    def wsgi(self) -> WSGIApplication:
        return self._at_the_top

    def _at_the_top(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """wsgidav takes a Destination to be below its own top, so it is not mounted, but serves whole paths."""
        whole = {**environ, "SCRIPT_NAME": "", "PATH_INFO": environ["SCRIPT_NAME"] + environ["PATH_INFO"]}
        return self._served(whole, start_response)

    def _app(self) -> WSGIApplication:
        for user in self.passwords:
            (self.root / user).mkdir(exist_ok=True)
        shares = {f"/webdav/{user}": FilesystemProvider(str(self.root / user)) for user in self.passwords}
        users = {f"/webdav/{user}": {user: {"password": word}} for user, word in self.passwords.items()}
        config: dict[str, Any] = {
            "provider_mapping": shares,
            "simple_dc": {"user_mapping": users},
            "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
            "lock_storage": True,
            "property_manager": None,
            "logging": {"enable": False},
            "verbose": 0,
        }
        found: WSGIApplication = WsgiDAVApp(config)
        return found

    def endpoints(self, base: str) -> dict[str, str]:
        return {"address": base}

    def accounts(self) -> Sequence[Account]:
        return []

    def is_api(self, path: str) -> bool:
        return True

    def refusal(self, step: Step, request: Request) -> Response | None:
        if step.name == "throttle":
            return Response(status=429, headers={"Retry-After": f"{step.number(60):.0f}"})
        return Response(status=503)

    def control(self, action: str, order: Mapping[str, Any]) -> Any:
        if action == "password":
            self.passwords[str(order["account"])] = str(order["password"])
            self._served = self._app()
            return {}
        return super().control(action, order)


def missing_rclone() -> str:
    """Why rclone cannot be used; empty when it can."""
    return "" if shutil.which("rclone") else "rclone is not installed: scripts/setup.py test installs it"


@contextmanager
def rclone_serving(root: Path, *options: str) -> Iterator[str]:
    """``rclone serve webdav`` of a folder, for the user anna; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        "rclone", "serve", "webdav", str(root), "--addr", f"127.0.0.1:{port}", "--user", "anna",
        "--pass", USERS["anna"], "--config", "/dev/null", "--dir-cache-time", "0s", *options,
    ]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE) as server:
        try:
            _wait_for(port, server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.communicate(timeout=20)


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    for _turn in range(200):
        if server.poll() is not None:
            _out, told = server.communicate()
            pytest.fail(f"rclone ended: {told.decode()}")
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("rclone does not listen")
