"""The Microsoft identity platform around the sandbox's OAuth server: authorities, its own words, offline_access.

learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
"""

from __future__ import annotations

import copy
import json
import re
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from werkzeug.wrappers import Request, Response

from integrations.sandbox.consent import consent
from integrations.sandbox.oauth import OAuth
from integrations.sandbox.onedrive.disk import Person
from integrations.sandbox.wire import json_response

if TYPE_CHECKING:
    from integrations.sandbox.onedrive.provider import OneDrive

_PATH = re.compile(r"/([^/]+)/(oauth2/v2\.0/(?:authorize|token)|v2\.0/\.well-known/openid-configuration)")
_KINDS = {"common": (True, False), "consumers": (False,), "organizations": (True,)}
# AADSTS numbers of what the OAuth server says
_NUMBERS = {"invalid_grant": 70000, "invalid_client": 7000215, "invalid_request": 900144, "invalid_scope": 70011,
            "unsupported_grant_type": 70003}  # fmt: skip
_NEVER_TOLD = {"offline_access", "openid", "profile", "email"}


class Identity:
    """Sign-in below ``/<authority>``."""

    def __init__(self, provider: OneDrive) -> None:
        self._provider = provider

    @staticmethod
    def is_meant(path: str) -> bool:
        """Whether a path is one of the sign-in."""
        return _PATH.fullmatch(path) is not None

    def answer(self, request: Request) -> Response:
        """Consent page, token, or where they are."""
        found = _PATH.fullmatch(request.path)
        authority, what = (found[1], found[2]) if found else ("", "")
        people = self._people(authority)
        if not people:
            return self._refused("invalid_request", f"AADSTS90002: Tenant '{authority}' not found.", 400, 90002)
        if what.endswith("authorize"):
            return _without_scope(consent(self._limited(people), request))
        if what.endswith("token"):
            return self._token(request)
        return json_response(self._configuration(request, authority))

    def _people(self, authority: str) -> list[Person]:
        """Who may sign in there."""
        everybody = self._provider.people()
        if authority in _KINDS:
            return [person for person in everybody if person.company in _KINDS[authority]]
        return [person for person in everybody if person.company and person.email.rpartition("@")[2] == authority]

    def _limited(self, people: list[Person]) -> OAuth:
        oauth = copy.copy(self._provider.oauth)
        allowed = {person.id for person in people}
        oauth.accounts = lambda: [one for one in self._provider.accounts() if one.id in allowed]
        return oauth

    def _token(self, request: Request) -> Response:
        answer = self._provider.oauth.token(request)
        body: dict[str, Any] = json.loads(answer.get_data())
        if answer.status_code != 200:
            number = _NUMBERS.get(body["error"], 50000)
            text = f"AADSTS{number}: {body['error_description']}"
            return self._refused(body["error"], text, answer.status_code, number)
        scopes = str(body.get("scope", "")).split()
        if "offline_access" not in scopes:
            body.pop("refresh_token", None)
        body["scope"] = " ".join(scope for scope in scopes if scope not in _NEVER_TOLD)
        return json_response(body, 200, {"Cache-Control": "no-store", "Pragma": "no-cache"})

    def _refused(self, error: str, text: str, status: int, number: int) -> Response:
        body = {
            "error": error,
            "error_description": text,
            "error_codes": [number],
            "timestamp": f"{self._provider.clock.now():%Y-%m-%d %H:%M:%SZ}",
            "trace_id": str(uuid.uuid4()),
            "correlation_id": str(uuid.uuid4()),
        }
        return json_response(body, status, {"Cache-Control": "no-store"})

    @staticmethod
    def _configuration(request: Request, authority: str) -> dict[str, Any]:
        base = f"{request.host_url.rstrip('/')}{request.root_path}/{authority}"
        return {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
        }


def _without_scope(answer: Response) -> Response:
    """Microsoft's callback tells no scope."""
    target = urlsplit(answer.headers.get("Location", ""))
    if target.query:
        kept = urlencode([(name, value) for name, value in parse_qsl(target.query) if name != "scope"])
        answer.headers["Location"] = urlunsplit(target._replace(query=kept))
    return answer
