"""/extensions and /installations: the store, and what of it is installed for the firm."""

from __future__ import annotations

from apiflask import APIBlueprint
from sqlmodel import Session

from portal.api import told
from portal.api.logins import (
    ExtensionList,
    ExtensionOut,
    InstallationChange,
    InstallationIn,
    StopList,
    StopOut,
    Stopped,
    UninstallQuery,
)
from portal.api.reach import parts, reading, viewer, writing
from portal.errors import Conflict, NotFound
from portal.extensions import services as extensions
from portal.i18n import N_, _
from portal.instances import uninstall as uninstalling

bp = APIBlueprint("extensions", __name__, tag="Extensions")


@bp.get("/extensions")
@bp.output(ExtensionList)
def catalogue() -> ExtensionList:
    """List the store

    Every extension there is, with what it needs and since when it is installed.
    """
    with reading() as session:
        return ExtensionList(items=[_extension(one) for one in extensions.catalogue(session, viewer())])


@bp.get("/extensions/<string:kind>")
@bp.output(ExtensionOut)
def extension(kind: str) -> ExtensionOut:
    """Show an extension"""
    with reading() as session:
        return _extension(extensions.offer(session, viewer(), kind))


@bp.get("/installations")
@bp.output(ExtensionList)
def installed() -> ExtensionList:
    """List what is installed"""
    with reading() as session:
        offers = extensions.catalogue(session, viewer())
        return ExtensionList(items=[_extension(one) for one in offers if one.installation])


@bp.post("/installations")
@bp.input(InstallationIn, arg_name="body")
@bp.output(ExtensionOut, status_code=201)
def install(body: InstallationIn) -> ExtensionOut:
    """Install an extension

    And configure it for the firm, for example with the firm's own OAuth app. Secrets are kept encrypted and never told.
    """
    with writing() as session:
        extensions.install(session, viewer(), parts().vault, body.kind, body.settings)
        session.flush()
        return _extension(extensions.offer(session, viewer(), body.kind))


@bp.patch("/installations/<string:kind>")
@bp.input(InstallationChange, arg_name="body")
@bp.output(ExtensionOut)
def change(kind: str, body: InstallationChange) -> ExtensionOut:
    """Change an installation

    All of its settings; a secret that is left empty stays as it is.
    """
    with writing() as session:
        extensions.change(session, viewer(), parts().vault, kind, body.settings)
        return _extension(extensions.offer(session, viewer(), kind))


@bp.get("/installations/<string:kind>/stops")
@bp.output(StopList)
def stops(kind: str) -> StopList:
    """List what uninstalling would stop"""
    with reading() as session:
        _installed(session, kind)
        found = [one for each in uninstalling.effects(session, viewer(), kind) for one in each.instances]
        return StopList(items=[told.filled(StopOut, one, instance_id=one.id) for one in found], total=len(found))


@bp.delete("/installations/<string:kind>")
@bp.input(UninstallQuery, location="query", arg_name="query")
@bp.output(Stopped)
def uninstall(kind: str, query: UninstallQuery) -> Stopped:
    """Uninstall an extension

    Ends its integrations and logins at all clients; what was exported stays. Refused with 409 when meanwhile another
    number of integrations would stop than «seen» says.
    """
    with writing() as session:
        _installed(session, kind)
        found = uninstalling.effects(session, viewer(), kind)
        if query.seen != sum(len(one.instances) for one in found):
            raise Conflict(N_("Meanwhile other integrations would stop. Please look again."))
        return Stopped(stopped=uninstalling.uninstall(session, viewer(), kind))


def _installed(session: Session, kind: str) -> None:
    """NotFound unless the caller's firm has it installed."""
    if extensions.offer(session, viewer(), kind).installation is None:
        raise NotFound


def _extension(offer: extensions.Offer) -> ExtensionOut:
    connector = extensions.connector_of(offer.kind)
    manifest = offer.manifest
    return told.filled(
        ExtensionOut,
        manifest,
        summary=_(manifest.summary),
        takes=sorted(manifest.takes),
        signs_in=manifest.oauth is not None,
        login_schema=connector.Login.model_json_schema() if connector.Login else None,
        consent=_(manifest.consent),
        app_schema=connector.App.model_json_schema(),
        settings_schema=connector.Config.model_json_schema(),
        installed_at=offer.installation.installed_at if offer.installation else None,
    )
