"""The board: every client one may see, with what is open there; saved views of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.access import Right
from portal.clients import services as clients
from portal.errors import NotFound
from portal.i18n import _
from portal.ids import parse
from portal.overview import board
from portal.overview.board import Filter, Only, Order
from portal.web import back_to, go_to, is_fragment, notice, reading, viewer, writing
from portal.web.kept import kept

pages = Blueprint("board", __name__)
KEYS = ("q", "only", "member", "sort")


@pages.get("/")
@kept
def home() -> ResponseReturnValue:
    """All clients, a page at a time. A contact of one company goes straight there."""
    who = viewer()
    if who.firm_id is None and len(who.contacts) == 1:
        return redirect(url_for("clients.overview", client_id=next(iter(who.contacts))))
    query = _query()
    with reading() as session:
        found = board.page(
            session, who, _filter(query), Order.read(query.get("sort", "")),
            after=request.args.get("after"), before=request.args.get("before"),
        )  # fmt: skip
        views = clients.saved_views(session, who, "board")
        staff = board.staff(session, who)
    template = "board/list.html" if is_fragment() else "board/page.html"
    return render_template(
        template, board=found, query=query, order=str(Order.read(query.get("sort", ""))), views=views, staff=staff,
        may_create=Right.CLIENTS in who.firm_rights, link=_link(query),
    )  # fmt: skip


@pages.post("/views")
def save() -> ResponseReturnValue:
    """Keep the present filter under a name."""
    query = {key: request.form.get(key, "") for key in KEYS}
    with writing() as session:
        view = clients.save_view(session, viewer(), "board", request.form.get("name", ""), query)
    notice(_("The view “%(name)s” is saved.", name=view.name))
    return go_to(url_for("board.home", **cast("Any", view.query)))


@pages.post("/views/<uuid:view_id>/remove")
def remove(view_id: UUID) -> ResponseReturnValue:
    """Forget a saved view."""
    with writing() as session:
        clients.remove_view(session, viewer(), view_id)
    return go_to(back_to(url_for("board.home")))


def _query() -> dict[str, str]:
    return {key: value[:200] for key in KEYS if (value := request.args.get(key, "").strip())}


def _filter(query: dict[str, str]) -> Filter:
    only = query.get("only", "")
    try:
        member = parse(query["member"]) if "member" in query else None
    except NotFound:
        member = None
    return Filter(text=query.get("q", ""), only=Only(only) if only in set(Only) else Only.PRESENT, member_id=member)


def _link(query: dict[str, str]) -> Callable[..., str]:
    """Links that keep the filter and change what they are given: ``link(sort="-name")``, ``link(after=…)``."""
    return lambda **changed: url_for("board.home", **{**query, **changed})
