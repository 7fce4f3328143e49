"""What every answer carries so that browsers keep strangers out: content policy, framing, transport, caching."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, request
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# Nothing but our own files; no script or style inside pages. Previews are frames and images of our own.
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "frame-src": "'self' blob:",
    "object-src": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'self'",
}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
YEAR = 365 * 24 * 3600
_LOOPBACK = {"127.0.0.1", "::1", ""}

csrf = CSRFProtect()


class LoopbackProxy:
    """Believe X-Forwarded-For and -Proto only from a proxy on this machine; from anybody else they are inventions."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.behind = ProxyFix(app, x_for=1, x_proto=1)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass the request on."""
        inner = self.behind if environ.get("REMOTE_ADDR", "") in _LOOPBACK else self.app
        return inner(environ, start_response)


def register(app: Flask, secret_keys: str) -> None:
    """Keys, cookies, CSRF and headers. ``secret_keys``: the first signs, all are believed."""
    keys = [hashlib.sha256(b"kontor cookies" + key.strip().encode()).hexdigest() for key in secret_keys.split(",")]
    app.config.update(
        SECRET_KEY=keys[0],
        SECRET_KEY_FALLBACKS=keys[1:],
        SESSION_COOKIE_NAME="kontor",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        WTF_CSRF_TIME_LIMIT=None,  # bound to the session, which ends by itself
    )
    csrf.init_app(app)
    app.after_request(protect)


def protect(answer: Response) -> Response:
    """Add what the view did not set itself."""
    targets: Iterable[str] = g.get("form_origins", ())
    policy = {**POLICY, "form-action": " ".join(["'self'", *sorted(targets)])}
    answer.headers.setdefault("Content-Security-Policy", "; ".join(f"{key} {value}" for key, value in policy.items()))
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    if request.is_secure:
        answer.headers.setdefault("Strict-Transport-Security", f"max-age={YEAR}")
    if "Cache-Control" not in answer.headers:
        answer.headers["Cache-Control"] = "no-store"
    if request.endpoint != "static":
        answer.vary.update(["Cookie", "Accept-Language", "HX-Request"])
    return answer


def assets(app: Flask) -> Callable[[str], str]:
    """A function that gives the URL of a static file with a digest of its content, so that it may be kept for ever."""
    known: dict[str, str] = {}
    folder = app.static_folder or ""

    def asset(name: str) -> str:
        if name not in known:
            with open(f"{folder}/{name}", "rb") as file:  # noqa: PTH123 - names come from templates only
                digest = hashlib.sha256(file.read()).hexdigest()[:12]
            known[name] = f"{app.static_url_path}/{name}?v={digest}"
        return known[name]

    return asset
