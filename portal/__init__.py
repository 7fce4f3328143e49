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

    from portal import api
    from portal.parts import assemble
    from portal.web import failures, formats, fragments, kept, languages, security, sessions, throttle, words

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
    fragments.register(app)
    failures.register(app)
    app.jinja_env.globals["asset"] = security.assets(app)
    _register_pages(app)
    api.mount(app, app.extensions["kontor"])
    pages = kept.KeptPages(security.LoopbackProxy(app.wsgi_app), lambda: app.extensions["kontor"].db)
    app.wsgi_app = pages  # type: ignore[method-assign]
    return app


def _register_pages(app: Flask) -> None:
    """Every noun's pages."""
    from portal.web import (
        account,
        auth,
        bank_accounts,
        board,
        clients,
        completeness,
        connections,
        deliveries,
        documents,
        drifts,
        einvoices,
        files,
        firm,
        first_visit,
        health,
        integration_setup,
        integrations,
        mailbox,
        movements,
        readings,
        search,
        splitting,
        statements,
        store,
    )

    for blueprint in (
        health.pages, auth.pages, first_visit.pages, account.pages, firm.pages, board.pages, clients.pages,
        documents.pages, files.files, bank_accounts.pages, movements.pages, statements.pages, store.pages,
        integrations.pages, integration_setup.pages, connections.pages, drifts.pages, deliveries.pages,
        completeness.pages, search.pages, mailbox.pages, readings.pages, splitting.pages, einvoices.pages,
    ):  # fmt: skip
        app.register_blueprint(blueprint)
