"""Discovery document and user information of the provider's sign-in (OpenID Connect), as far as clients need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from integrations.sandbox.oauth import Refused
from integrations.sandbox.wire import json_response

if TYPE_CHECKING:
    from integrations.sandbox.quickbooks.simulator import QuickBooks

_USER = "/openid_connect/userinfo"
_DISCOVERY = ("/.well-known/openid_configuration", "/.well-known/openid_sandbox_configuration")
PATHS = frozenset({_USER, *_DISCOVERY})


def answer(simulator: QuickBooks, request: Request) -> Response:
    """Where everything is, or who signed in (401 without a token that has the scope «openid»)."""
    if request.path.rstrip("/") in _DISCOVERY:
        return json_response(_document(simulator, request.host_url.rstrip("/") + request.environ["SCRIPT_NAME"]))
    try:
        grant = simulator.oauth.check(request)
    except Refused as refused:
        return json_response({"error": "invalid_token", "error_description": refused.reason}, 401)
    if "openid" not in grant.scopes:
        return json_response({"error": "insufficient_scope"}, 403)
    return json_response({"sub": grant.id, "email": "owner@example.com", "emailVerified": True, "givenName": "Alex"})


def _document(simulator: QuickBooks, base: str) -> dict[str, object]:
    endpoints = simulator.endpoints(base)
    return {
        "issuer": base,
        "authorization_endpoint": endpoints["authorize"],
        "token_endpoint": endpoints["token"],
        "revocation_endpoint": endpoints["revoke"],
        "userinfo_endpoint": f"{base}{_USER}",
        "jwks_uri": f"{base}/op/v1/jwks",
        "response_types_supported": ["code"],
        "scopes_supported": list(simulator.rules.scopes),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
    }
