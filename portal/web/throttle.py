"""How often something may be tried: counted in Redis for all processes, in memory while Redis is away."""

from __future__ import annotations

from flask import Flask, Response, current_app, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

limiter = Limiter(
    key_func=get_remote_address,
    strategy="moving-window",
    in_memory_fallback_enabled=True,
    headers_enabled=True,
    key_prefix="kontor",
)
# Failed tries only. Per address: a firm's staff share one; per account: wherever the tries come from.
PER_ADDRESS = "30 per 10 minutes"
PER_ACCOUNT = "8 per 10 minutes"


def register(app: Flask, redis_url: str) -> None:
    """Attach the counters. ``redis_url`` as in ``Settings.redis``."""
    app.config.setdefault("TRIES_PER_ADDRESS", PER_ADDRESS)
    app.config.setdefault("TRIES_PER_ACCOUNT", PER_ACCOUNT)
    app.config.update(
        RATELIMIT_STORAGE_URI=redis_url.replace("unix://", "redis+unix://", 1),
        RATELIMIT_STORAGE_OPTIONS={"socket_timeout": 2, "socket_connect_timeout": 1},
    )
    limiter.init_app(app)


def per_address() -> str:
    """The limit of tries from one address."""
    return str(current_app.config["TRIES_PER_ADDRESS"])


def per_account() -> str:
    """The limit of tries for one account."""
    return str(current_app.config["TRIES_PER_ACCOUNT"])


def account() -> str:
    """The e-mail address that is being tried, as one key however it is written."""
    return "account:" + request.form.get("email", "").strip().lower()[:320]


def failed(answer: Response) -> bool:
    """Whether a try failed; only those count."""
    return answer.status_code >= 400
