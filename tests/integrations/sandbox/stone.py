"""Replies checked against the validators that Dropbox generates from its own specification and ships with its SDK."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import requests
from dropbox import auth, check, common, files, users
from stone.backends.python_rsrc import stone_serializers, stone_validators

_ROUTES: Mapping[str, Any] = {
    f"{namespace}/{route.name}{f'_v{route.version}' if route.version > 1 else ''}": route
    for namespace, module in (("files", files), ("users", users), ("auth", auth), ("check", check))
    for route in module.ROUTES.values()
}
_BY_STATUS = {
    401: auth.AuthError_validator,
    403: auth.AccessError_validator,
    422: common.PathRootError_validator,
    429: auth.RateLimitError_validator,
}


def complaint(route: str, status: int, body: str) -> str | None:
    """What of a JSON reply is not as published: a name too many, one too few, a wrong type, an unknown tag."""
    told = json.loads(body)
    published = _ROUTES[route]
    validator = published.result_type if status == 200 else _BY_STATUS.get(status, published.error_type)
    try:
        decode: Any = stone_serializers.json_compat_obj_decode
        decode(validator, told if status == 200 else told["error"], strict=True)
    except (stone_validators.ValidationError, KeyError, TypeError) as error:
        return f"{route} {status}: {error}"
    return None


class ToSandbox(requests.adapters.HTTPAdapter):
    """Sends what is meant for Dropbox's hosts to a sandbox, and looks on."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._hosts = {
            "https://api.dropboxapi.com/oauth2": f"{url}/dropbox/oauth2",
            "https://api.dropboxapi.com": f"{url}/dropbox/api",
            "https://content.dropboxapi.com": f"{url}/dropbox/content",
        }
        self.replies: list[tuple[str, int, str]] = []

    def send(self, request: Any, **options: Any) -> Any:  # type: ignore[override]
        for host, here in self._hosts.items():
            if request.url.startswith(host):
                request.url = request.url.replace(host, here, 1)
                break
        response = super().send(request, **options)
        self._note(request.url.partition("/2/")[2], response)
        return response

    def _note(self, route: str, response: Any) -> None:
        body = response.headers.get("dropbox-api-result") or (
            response.text if response.headers["content-type"] == "application/json" else ""
        )
        if route and body:
            self.replies.append((route, response.status_code, body))
