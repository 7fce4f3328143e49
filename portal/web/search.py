"""The search over documents: of one client, or of all one may see; and views of lists that people keep."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from portal.clients import services as clients
from portal.errors import NotFound
from portal.i18n import _
from portal.overview import search
from portal.overview.search import Hit, Wanted
from portal.web import back_to, go_to, is_fragment, notice, reading, viewer, writing
from portal.web.folder_query import KEYS as FOLDER_KEYS
from portal.web.folder_query import date_of, uuid_of
from portal.web.words import FOLDERS

pages = Blueprint("search", __name__)
KEYS = ("q", "client", "folder", "since", "until")
_KINDS = {words[0]: kind for kind, words in FOLDERS.items()}


@pages.get("/search")
def found() -> str:
    """What fits, newest first, a page at a time."""
    query = _query(request.args)
    with reading() as session:
        shown = search.find(session, viewer(), _wanted(query), after=request.args.get("after") or None)
        narrowed = search.clients(session, viewer())
        views = clients.saved_views(session, viewer(), "search")
    return render_template(
        "search/list.html" if is_fragment() else "search/page.html",
        found=shown, groups=_grouped(shown.hits), query=query, clients=narrowed, views=views, link_of_view=_link,
        link=lambda **changed: _link({**query, **changed}),
    )  # fmt: skip


@pages.post("/views/<page>")
def save(page: str) -> ResponseReturnValue:
    """Keep the present filter of a folder's list, or of the search, under a name."""
    if page != "search" and page not in _KINDS:
        raise NotFound
    keys = KEYS if page == "search" else FOLDER_KEYS
    query = {key: request.form.get(key, "") for key in keys}
    with writing() as session:
        view = clients.save_view(session, viewer(), page, request.form.get("name", ""), query)
    notice(_("The view “%(name)s” is saved.", name=view.name))
    return go_to(f"{back_to('/search').partition('?')[0]}?{urlencode(view.query)}")


def _grouped(hits: Sequence[Hit]) -> list[list[Hit]]:
    """Neighbours of the same client and folder together; the order stays."""
    return [list(group) for _same, group in groupby(hits, lambda hit: (hit.client.id, hit.document.folder))]


def _query(given: MultiDict[str, str]) -> dict[str, str]:
    """What was asked for; empty values are left out, so that links stay short."""
    return {key: value[:200] for key in KEYS if (value := given.get(key, "").strip())}


def _wanted(query: dict[str, str]) -> Wanted:
    """A client that is none is not found; other things that cannot be understood narrow nothing."""
    return Wanted(
        text=query.get("q", "").replace("\x00", " "),
        client_id=_client(query["client"]) if "client" in query else None,
        folder=_KINDS.get(query.get("folder", "")),
        since=date_of(query.get("since")),
        until=date_of(query.get("until")),
    )


def _client(text: str) -> UUID:
    found = uuid_of(text)
    if found is None:
        raise NotFound
    return found


def _link(query: dict[str, str]) -> str:
    return f"{url_for('search.found')}?{urlencode({key: value for key, value in query.items() if value})}"
