"""Every page there is fits a phone, in German, whose words are long: only what scrolls by itself may be wider."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Page

from portal.clients.models import Client
from tests import factories
from tests.browser.conftest import Window
from tests.portal.web import walk
from tests.portal.web.test_stranger import ENDS_SESSION, World, world

__all__ = ["world"]
pytestmark = pytest.mark.browser
PHONE = 390
# What sticks out to the right, by its tag and classes.
WIDEST = """() => [...document.querySelectorAll("main *")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth)
  .slice(0, 3).map((one) => `${one.tagName}.${one.className}`)"""


@pytest.mark.timeout(300)
def test_no_page_is_wider_than_a_phone(app: Flask, address: str, world: World, window: Window) -> None:
    _give_a_long_name(world)
    cookie = factories.sign_in(app, world.people["owner"]).get_cookie("kontor")
    assert cookie is not None
    page = window(width=PHONE, locale="de-DE")
    page.context.add_cookies([{"name": "kontor", "value": cookie.value, "url": address}])
    paths = [call.path for call in walk.calls(app, world.rows) if _is_page(call)]
    wide = {
        path: sticking for path in [*paths, "/search?q=geheim"] if (sticking := _sticking_out(page, address + path))
    }
    assert len(paths) > 40
    assert wide == {}


def _give_a_long_name(world: World) -> None:
    with world.parts.db.transaction() as session:
        client = session.get_one(Client, world.client.id)
        client.name = "Lindqvist, Wulff und Partner Steuerberatungsgesellschaft mit beschränkter Berufshaftung"


def _is_page(call: walk.Call) -> bool:
    return (
        call.method == "GET"
        and call.endpoint not in ENDS_SESSION
        and not call.endpoint.startswith(("api:", "files.", "static", "health."))
    )


def _sticking_out(page: Page, url: str) -> list[str]:
    """What makes this page wider than the phone; nothing where it is no page (a download, a piece for a script)."""
    shown = page.request.get(url, max_redirects=0)
    if (
        shown.status != 200
        or "<html" not in shown.text()
        or "attachment" in shown.headers.get("content-disposition", "")
    ):
        return []
    page.goto(url)
    if page.evaluate("document.documentElement.scrollWidth") <= PHONE:
        return []
    found: list[str] = page.evaluate(WIDEST)
    return found or ["?"]
