"""An app at one account of the simulator, by bare HTTP."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx

from tests.integrations.onedrive.bench import OneDriveBench

UNIT = 320 * 1024
FAIL, REPLACE, RENAME = ({"@microsoft.graph.conflictBehavior": how} for how in ("fail", "replace", "rename"))


class App:
    """Calls with its token. Paths begin with a slash, after /v1.0; whole addresses are taken as they are."""

    def __init__(self, bench: OneDriveBench, account: str, *scopes: str) -> None:
        self.bench, self.account = bench, account
        answer = bench.control("grant", provider="onedrive", account=account, scopes=list(scopes))
        self.headers = {"authorization": f"Bearer {answer['access_token']}"}

    def call(self, method: str, path: str, *, token: bool = True, **more: Any) -> httpx.Response:
        headers = (self.headers if token else {}) | more.pop("headers", {})
        url = path if path.startswith("http") else f"{self.bench.url}/onedrive/v1.0{path}"
        return self.bench.http.request(method, url, headers=headers, **more)

    def told(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """A call that must succeed."""
        response = self.call(method, path, **more)
        assert response.is_success, response.text
        found: dict[str, Any] = response.json()
        return found

    def folder(self, name: str, parent: str = "root") -> dict[str, Any]:
        where = "root" if parent == "root" else f"items/{parent}"
        return self.told("POST", f"/me/drive/{where}/children", json={"name": name, "folder": {}, **FAIL})

    def put(self, path: str, content: bytes, **more: Any) -> httpx.Response:
        return self.call("PUT", f"/me/drive/root:/{quote(path)}:/content", content=content, **more)

    def file(self, path: str, content: bytes = b"%PDF") -> dict[str, Any]:
        response = self.put(path, content)
        assert response.status_code in (200, 201), response.text
        found: dict[str, Any] = response.json()
        return found

    def session(self, path: str, **item: Any) -> str:
        body = {"item": item} if item else None
        return str(self.told("POST", f"/me/drive/root:/{quote(path)}:/createUploadSession", json=body)["uploadUrl"])

    def piece(self, url: str, content: bytes, start: int, total: int, **more: Any) -> httpx.Response:
        told = {"content-range": f"bytes {start}-{start + len(content) - 1}/{total}"}
        return self.call("PUT", url, token=False, content=content, headers=told, **more)


def refusal(response: httpx.Response) -> tuple[int, str]:
    """Status and the most detailed code."""
    error = response.json()["error"]
    return response.status_code, error["innerError"].get("code") or error["code"]
