"""Kontor, the accountant partner portal. ``create_app`` is the only place where its parts are put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from portal.config import Settings


def create_app(settings: Settings) -> Flask:
    """The web application: pages, API and all they need. Opens no connection; migrations are `kontor`'s business."""
    from pathlib import Path

    from flask import Flask

    from portal.parts import assemble
    from portal.web import failures, formats, languages, security, sessions, throttle, words

    root = Path(__file__).parent
    app = Flask("portal", root_path=str(root), template_folder=str(root.parent / "templates"))
    app.config.update(MAX_CONTENT_LENGTH=128_000_000, MAX_FORM_PARTS=5_000, SEND_FILE_MAX_AGE_DEFAULT=security.YEAR)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["kontor"] = assemble(settings)
    sessions.register(app)  # first: strangers see the sign-in page before anything else is looked at
    security.register(app, settings.secret_key)
    languages.register(app)
    throttle.register(app, settings.redis)
    formats.register(app)
    words.register(app)
    failures.register(app)
    app.jinja_env.globals["asset"] = security.assets(app)
    _register_pages(app)
    return app


def _register_pages(app: Flask) -> None:
    """Every noun's pages, then the API."""
    from importlib import import_module
    from importlib.util import find_spec

    from flask import Blueprint

    names = ("health", "auth", "first_visit", "board", "clients", "firm", "account", "documents", "bank_accounts",
             "store", "integrations", "deliveries", "completeness")  # fmt: skip
    for name in names:
        if find_spec(f"portal.web.{name}") is None:
            continue
        module = import_module(f"portal.web.{name}")
        for value in dict.fromkeys(one for one in vars(module).values() if isinstance(one, Blueprint)):
            app.register_blueprint(value)
