"""The page on which a person allows an app to use an account, and the answer that goes back to the app."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from integrations.sandbox.oauth import OAuth
from integrations.sandbox.wire import german, page

_WORDS = {
    "en": {
        "title": "Sign in and allow access",
        "asks": "would like to access your account",
        "choose": "Choose the account",
        "able": "It will be able to:",
        "allow": "Allow",
        "cancel": "Cancel",
        "wrong": "This request cannot be shown",
        "note": "Simulated page of the Kontor sandbox. No real account is involved.",
    },
    "de": {
        "title": "Anmelden und Zugriff erlauben",
        "asks": "möchte auf Ihr Konto zugreifen",
        "choose": "Konto auswählen",
        "able": "Damit wird es möglich:",
        "allow": "Erlauben",
        "cancel": "Abbrechen",
        "wrong": "Diese Anfrage kann nicht angezeigt werden",
        "note": "Simulierte Seite der Kontor-Sandbox. Kein echtes Konto ist beteiligt.",
    },
}


def consent(oauth: OAuth, request: Request) -> Response:
    """The consent page (GET) and what the person chose on it (POST)."""
    words = _WORDS["de" if german(request) else "en"]
    app = oauth.app(request.values.get("client_id", ""))
    target = request.values.get("redirect_uri", "")
    # With an unknown app or address nothing may be sent anywhere: the error stays on this page (RFC 6749, 4.1.2.1).
    if app is None:
        return _wrong(oauth, words, "client_id: unknown")
    if not oauth.accepts(app, target):
        return _wrong(oauth, words, "redirect_uri: not registered for this app")
    state = request.values.get("state", "")
    error = _error(oauth, request.values)
    if error:
        return _back(target, {"error": error}, state)
    if request.method == "POST":
        return _decided(oauth, request, target, state)
    return _ask(oauth, request, words, app)


def _error(oauth: OAuth, asked: Mapping[str, str]) -> str:
    scopes = asked.get("scope", "").split()
    if asked.get("response_type") != "code":
        return "unsupported_response_type"
    if not scopes or any(scope not in oauth.rules.scopes for scope in scopes):
        return "invalid_scope"
    method = asked.get("code_challenge_method", "plain")
    if oauth.rules.pkce == "required" and not asked.get("code_challenge"):
        return "invalid_request"
    if asked.get("code_challenge") and oauth.rules.pkce != "none" and method not in {"S256", "plain"}:
        return "invalid_request"
    return ""


def _ask(oauth: OAuth, request: Request, words: Mapping[str, str], app: Mapping[str, Any]) -> Response:
    which = 1 if german(request) else 0
    scopes = [oauth.rules.scopes[scope][which] for scope in request.values["scope"].split()]
    answer = page(
        "consent.html",
        language="de" if which else "en",
        words=words,
        oauth=oauth,
        app=app,
        scopes=[scope for scope in scopes if scope],
        accounts=list(oauth.accounts()),
        asked=request.args.to_dict(),
        hint=request.args.get("login_hint", ""),
    )
    answer.headers["X-Frame-Options"] = "DENY"
    return answer


def _decided(oauth: OAuth, request: Request, target: str, state: str) -> Response:
    form = request.form
    account = form.get("account", "")
    if form.get("decision") != "allow":
        return _back(target, {"error": "access_denied"}, state)
    if account not in {known.id for known in oauth.accounts()}:
        return _back(target, {"error": "invalid_request"}, state)
    client_id = form["client_id"]
    scopes = form["scope"].split()
    code = oauth.code(
        client_id=client_id,
        redirect_uri=target,
        account=account,
        scopes=scopes,
        challenge=form.get("code_challenge", ""),
        method=form.get("code_challenge_method", "plain"),
        offline=oauth.offline(client_id, account, form),
    )
    extra = {oauth.rules.account_field: account} if oauth.rules.account_field else {}
    if oauth.rules.tells_scope:
        extra["scope"] = " ".join(scopes)
    return _back(target, {"code": code, **extra}, state)


def _back(target: str, values: Mapping[str, str], state: str) -> Response:
    query = urlencode({**values, **({"state": state} if state else {})})
    answer = redirect(f"{target}{'&' if '?' in target else '?'}{query}", 302)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _wrong(oauth: OAuth, words: Mapping[str, str], why: str) -> Response:
    return page("wrong.html", 400, words=words, oauth=oauth, why=why, number=secrets.token_hex(4))
