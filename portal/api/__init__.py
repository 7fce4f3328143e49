"""The REST API, version 1: its own small application at /api/v1, calling the functions that the pages call.

It is an application of its own, and not a part of the pages', because everything around a call differs: bearer tokens
instead of a signed-in browser, problem+json instead of pages, no forms and no cookies. ``app.extensions["kontor-api"]``
is the application, for whoever walks all routes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apiflask import APIFlask
    from flask import Flask

    from portal.parts import Parts

PREFIX = "/api/v1"


def mount(app: Flask, parts: Parts) -> None:
    """Put the API below the pages' application. Its OpenAPI document is at /api/v1/openapi.json."""
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    api = make(parts, app.extensions["babel"].instance.domain_instance if "babel" in app.extensions else None)
    app.extensions["kontor-api"] = api
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {PREFIX: api})  # type: ignore[method-assign]


def make(parts: Parts, sentences: object = None) -> APIFlask:
    """The application alone; ``sentences`` is the catalogue (Flask-Babel's Domain) that the pages use."""
    from apiflask import APIFlask

    from portal.api import (
        clients,
        connections,
        deliveries,
        documents,
        drifts,
        firm,
        integrations,
        mailbox,
        movements,
        openapi,
        problems,
        reach,
        readings,
        search,
        splits,
        store,
    )
    from portal.i18n import LANGUAGES, Babel

    api = APIFlask("portal.api", title="Kontor", version="1", docs_path=None, static_folder=None)  # type: ignore[arg-type]
    api.config.update(
        MAX_CONTENT_LENGTH=128_000_000,
        SPEC_FORMAT="json",
        AUTO_OPERATION_ID=True,
        AUTO_404_RESPONSE=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
    )
    api.json.sort_keys = False  # type: ignore[attr-defined]
    api.servers = [{"url": PREFIX}]
    api.description = DESCRIPTION
    api.extensions["kontor"] = parts
    babel = Babel(api, locale_selector=lambda: _language(LANGUAGES))
    if sentences is not None:
        babel.domain_instance = sentences
    reach.register(api, parts.settings.redis)  # first: whoever has no token hears of nothing else
    problems.register(api)
    openapi.register(api)
    for blueprint in (
        clients.bp, documents.bp, clients.accounts, store.bp, connections.bp, integrations.bp, deliveries.bp,
        drifts.bp, splits.bp, firm.bp, readings.bp, movements.bp, search.bp, mailbox.bp,
    ):  # fmt: skip
        api.register_blueprint(blueprint)
    return api


def _language(spoken: tuple[str, ...]) -> str:
    """The language of the answers: as the caller asks, else as the token's person chose, else English."""
    from flask import g, request

    asked = request.accept_languages.best_match(spoken) if request.accept_languages else None
    viewer = g.get("viewer")
    return asked or (viewer.language if viewer else None) or "en"


DESCRIPTION = """\
Everything the pages of Kontor do, for programs. Send an API token as `Authorization: Bearer …`; the firm's settings
page and `kontor token add` make them. What a token's person or scopes do not allow is answered with 404, as if it did
not exist. Amounts are whole minor units (cents) of a currency; instants are UTC; accounting dates are days. Lists go on
with `after`. Errors are `application/problem+json` with one sentence, in German or English as `Accept-Language` asks.
"""
