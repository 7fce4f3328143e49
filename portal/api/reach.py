"""Who is calling, and how often they may: a bearer token before everything else, counted in Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from apiflask import APIFlask
from flask import Response, current_app, g, request
from flask_limiter import Limiter
from flask_limiter.errors import RateLimitExceeded
from sqlmodel import Session

from portal import clock
from portal.access import Viewer
from portal.accounts import tokens
from portal.api.problems import Refused, answer
from portal.parts import Parts

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="kontor"'}
WRONG = {"WWW-Authenticate": 'Bearer realm="kontor", error="invalid_token"'}
PER_TOKEN = "1200 per minute"  # noqa: S105 - a number of requests
PER_STRANGER = "60 per minute"  # requests without a valid token, from one address
NOTED_EVERY = timedelta(minutes=5)
OPEN = frozenset({"openapi.spec"})  # what may be read without a token


def register(api: APIFlask, settings_redis: str) -> None:
    """Attach the guard and the counters; ``settings_redis`` as in ``Settings.redis``."""
    api.config.update(
        RATELIMIT_STORAGE_URI=settings_redis.replace("unix://", "redis+unix://", 1),
        RATELIMIT_STORAGE_OPTIONS={"socket_timeout": 2, "socket_connect_timeout": 1},
        RATELIMIT_HEADERS_ENABLED=True,
    )
    api.config.setdefault("API_PER_TOKEN", PER_TOKEN)
    api.config.setdefault("API_PER_STRANGER", PER_STRANGER)
    api.extensions["api-tokens-noted"] = {}
    # Before the counters: they count by token once there is one.
    api.before_request(_recognise)
    Limiter(
        key_func=_caller,
        application_limits=[_limit],
        app=api,
        strategy="moving-window",
        in_memory_fallback_enabled=True,
        key_prefix="kontor-api",
    )
    api.before_request(_guard)
    api.after_request(_keep_private)
    api.register_error_handler(RateLimitExceeded, _too_often)


def viewer() -> Viewer:
    """Who is calling."""
    return cast("Viewer", g.viewer)


def parts() -> Parts:
    """The parts this application was made with."""
    return cast("Parts", current_app.extensions["kontor"])


@contextmanager
def reading() -> Iterator[Session]:
    """A session that only reads."""
    with parts().db.read() as session:
        yield session


@contextmanager
def writing() -> Iterator[Session]:
    """One write transaction. Never call the network inside."""
    with parts().db.transaction() as session:
        yield session


def _recognise() -> None:
    """Read the token; whose it is decides what is counted. Refusing comes after counting."""
    scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
    g.viewer = None
    if scheme.lower() == "bearer" and secret:
        with reading() as session:
            g.viewer = tokens.verify(session, parts().vault, secret.strip(), address=request.remote_addr or "")


def _guard() -> None:
    if g.viewer is None:
        if request.endpoint not in OPEN:
            raise Refused(401, headers=WRONG if "Authorization" in request.headers else CHALLENGE)
    elif g.viewer.token_id is not None:
        _note_use(g.viewer.token_id)


def _keep_private(answer: Response) -> Response:
    """Nothing between us and the caller, nor the caller's own cache, keeps what is told (RFC 9111)."""
    answer.headers.setdefault("Cache-Control", "no-store")
    return answer


def _note_use(token_id: UUID) -> None:
    """Keep when a token was last used; each process writes that down now and then, not with every request."""
    noted: dict[UUID, datetime] = current_app.extensions["api-tokens-noted"]
    now = clock.now()
    if token_id not in noted or now - noted[token_id] > NOTED_EVERY:
        noted[token_id] = now
        with writing() as session:
            tokens.used(session, token_id)


def _caller() -> str:
    return f"token:{g.viewer.token_id}" if g.get("viewer") else f"address:{request.remote_addr}"


def _limit() -> str:
    name = "API_PER_TOKEN" if g.get("viewer") else "API_PER_STRANGER"
    return str(current_app.config[name])


def _too_often(error: RateLimitExceeded) -> Response:
    wait = max(1, int(error.limit.limit.get_expiry())) if error.limit else 60
    return answer(429, headers={"Retry-After": str(wait)})
