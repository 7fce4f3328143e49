"""Replies of the simulator checked against the names and types that Microsoft publishes (published.json)."""

from __future__ import annotations

import re
from typing import Any

import httpx

from integrations.sandbox.onedrive.published import complaints

_DRIVE = re.compile(r"/onedrive/v1\.0/(me/drive|drives/[^/]+)")


def check(response: httpx.Response) -> None:
    """To be hooked into a client: fails for a reply of Graph that is not as published."""
    path = response.request.url.path
    if not path.startswith(("/onedrive/v1.0/", "/onedrive/up/")):
        return
    if not response.read():
        assert response.status_code in (204, 302)
        return
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    if path.endswith("/$batch") and response.is_success:
        for answer in body["responses"]:
            assert set(answer) <= {"id", "status", "headers", "body"}
            assert_is_published(answer["body"], answer["status"], "")
    else:
        assert_is_published(body, response.status_code, path)


def assert_is_published(body: Any, status: int, path: str) -> None:
    if status >= 400:
        assert set(body) == {"error"}
        assert set(body["error"]) == {"code", "message", "innerError"}
        assert {"date", "request-id", "client-request-id"} <= set(body["error"]["innerError"])
        return
    wanted = _type_of(body, path)
    for value in body.get("value", [body]):
        assert list(complaints(value, wanted)) == []


def _type_of(body: Any, path: str) -> str:
    if "nextExpectedRanges" in body:
        return "uploadSession"
    if path.endswith("/v1.0/me"):
        return "user"
    return "drive" if _DRIVE.fullmatch(path) else "driveItem"
