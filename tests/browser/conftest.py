"""One Chromium for all tests here; each test has windows, an address and a client of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import make_server

from portal.access import Viewer
from portal.accounts.models import Firm
from portal.clients.models import Client
from portal.parts import Parts
from tests import factories

Window = Callable[..., Page]
expect.set_options(timeout=20_000)  # milliseconds; a busy machine is no fault


@pytest.fixture(scope="package")
def _chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def window(_chromium: Browser) -> Iterator[Window]:
    """``window(width=…, locale=…, scripts=…)``: a page with cookies of its own.

    Faults in scripts and what the content policy forbids fail the test.
    """
    complaints: list[str] = []
    contexts = []

    def open_one(*, width: int = 1440, locale: str = "en-GB", scripts: bool = True) -> Page:
        size = {"width": width, "height": 900}
        context = _chromium.new_context(locale=locale, viewport=size, java_script_enabled=scripts)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if "Security Policy" in line.text else None)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def parts(app: Flask) -> Parts:
    """Those that the pages use."""
    made: Parts = app.extensions["kontor"]
    return made


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """The portal on a free port."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    server.daemon_threads = False  # type: ignore[attr-defined]  # closing waits for what is being answered
    serving = threading.Thread(target=server.serve_forever, args=(0.02,))
    serving.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    serving.join()
    server.server_close()


@pytest.fixture
def client(parts: Parts, firm: Firm) -> Client:
    """A client of the firm, committed."""
    with parts.db.transaction() as session:
        return factories.client(session, firm)


@pytest.fixture
def page(app: Flask, address: str, viewer: Callable[..., Viewer], window: Window) -> Page:
    """A window in which an owner of the firm is signed in."""
    cookie = factories.sign_in(app, viewer().person_id).get_cookie("kontor")
    assert cookie is not None
    opened = window()
    opened.context.add_cookies([{"name": "kontor", "value": cookie.value, "url": address}])
    return opened
