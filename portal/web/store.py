"""The store (P3): what there is, installing and configuring it for the firm, uninstalling, which says what stops."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from portal.delivery.rule import FIELD_NAMES
from portal.errors import Conflict, NotFound
from portal.extensions import folder, services
from portal.extensions.settings import InvalidSettings, secrets_of
from portal.i18n import N_, language, ngettext
from portal.instances import uninstall as uninstalling
from portal.web import forms, go, markdown, notice, parts, reading, viewer, writing

pages = Blueprint("store", __name__)


@pages.get("/store")
def catalogue() -> str:
    """Every extension as a card."""
    with reading() as session:
        offers = services.catalogue(session, viewer())
    return render_template("store/catalogue.html", offers=offers)


@pages.get("/store/<kind>")
def one(kind: str) -> str:
    """One extension: what it does, how it is set up, its settings for the firm."""
    return _page(kind, None)


@pages.post("/store/<kind>/install")
def install(kind: str) -> ResponseReturnValue:
    """Install it for the firm."""
    try:
        with writing() as session:
            services.install(session, viewer(), parts().vault, kind, _posted(kind))
    except InvalidSettings as refused:
        return _page(kind, refused), refused.status
    notice(N_("%(name)s is installed. It can now be added at each client."), name=services.manifest_of(kind).name)
    return go("store.one", kind=kind)


@pages.post("/store/<kind>/settings")
def change(kind: str) -> ResponseReturnValue:
    """Change the installation's settings."""
    try:
        with writing() as session:
            services.change(session, viewer(), parts().vault, kind, _posted(kind))
    except InvalidSettings as refused:
        return _page(kind, refused), refused.status
    notice(N_("The settings are saved."))
    return go("store.one", kind=kind)


@pages.get("/store/<kind>/uninstall")
def ask_uninstall(kind: str) -> str:
    """What would stop."""
    with reading() as session:
        offer = services.offer(session, viewer(), kind)
        stops = uninstalling.effects(session, viewer(), kind)
    if offer.installation is None:
        raise NotFound
    return render_template("store/uninstall.html", offer=offer, stops=stops, total=_total(stops))


@pages.post("/store/<kind>/uninstall")
def uninstall(kind: str) -> Response:
    """Stop it all. Refused when more would stop than the person was shown."""
    with writing() as session:
        stops = uninstalling.effects(session, viewer(), kind)
        if request.form.get("seen") != str(_total(stops)):
            raise Conflict(N_("Meanwhile other integrations would stop. Please look again."))
        stopped = uninstalling.uninstall(session, viewer(), kind)
    name = services.manifest_of(kind).name
    text = ngettext(
        "%(name)s is uninstalled. %(num)d integration was stopped.",
        "%(name)s is uninstalled. %(num)d integrations were stopped.",
        stopped,
        name=name,
    )
    notice(text, tone="warn" if stopped else "good")
    return go("store.catalogue")


def redirect_uri(kind: str) -> str:
    """The address to register with the provider, as this portal is reached now."""
    return url_for("integrations.callback", kind=kind, _external=True)


def _page(kind: str, refused: InvalidSettings | None) -> str:
    with reading() as session:
        offer = services.offer(session, viewer(), kind)
    model = services.connector_of(kind).App
    values = services.shown_settings(parts().vault, offer.installation) if offer.installation else {}
    if refused:
        values = {**values, **_posted(kind)}
    stored = secrets_of(model) if offer.installation else frozenset()
    return render_template(
        "store/one.html",
        offer=offer,
        field_names=FIELD_NAMES,
        fields=forms.fields(model, values, refused=refused, stored=stored),
        guide=markdown.html(markdown.in_language(folder.setup_text(kind), language())),
        redirect_uri=redirect_uri(kind) if offer.manifest.oauth else None,
    )


def _posted(kind: str) -> dict[str, object]:
    return forms.parsed(services.connector_of(kind).App, request.form)


def _total(stops: list[uninstalling.Stops]) -> int:
    return sum(len(one.instances) for one in stops)
