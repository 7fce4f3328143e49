"""The store: what there is, and what of it is installed and configured for a firm (P3)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import structlog
from pydantic import BaseModel
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

import integrations
from integrations.contract import Connector, Importer, Ledger, Manifest
from portal import access, audit, clock
from portal.access import Right, Viewer
from portal.accounts.models import Person
from portal.clients.models import Client
from portal.errors import Conflict, NotFound
from portal.extensions import folder, settings
from portal.extensions.models import Installation
from portal.i18n import N_
from portal.secrets import Vault

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One extension of the store as a firm sees it."""

    manifest: Manifest
    right: Right  # what a person needs to set it up for a client
    conformance: folder.Conformance | None  # None: never run
    installation: Installation | None
    installed_by: str | None = None

    @property
    def kind(self) -> str:
        """The name in URLs and tables."""
        return self.manifest.kind


def right_of(kind: str) -> Right:
    """What setting up, pausing and disconnecting an instance of this kind needs (the table of rights)."""
    connector = connector_of(kind)
    if issubclass(connector, Ledger):
        return Right.LEDGER
    return Right.IMPORTS if issubclass(connector, Importer) else Right.EXPORTS


def connector_of(kind: str) -> type[Connector]:
    """The class of a kind; NotFound when there is none."""
    if kind not in integrations.kinds():
        raise NotFound
    return integrations.get(kind)


def manifest_of(kind: str) -> Manifest:
    """Who the kind is; NotFound when there is none."""
    return connector_of(kind).manifest


def signs_in(kind: str) -> bool:
    """Whether an instance of the kind needs a login, by the provider's page or entered here."""
    connector = connector_of(kind)
    return connector.manifest.oauth is not None or connector.Login is not None


def catalogue(session: Session, viewer: Viewer) -> list[Offer]:
    """Every extension there is, by name, with what the viewer's firm has installed."""
    firm_id = access.firm_or_404(viewer, Right.FIRM)
    live = {one.kind: one for one in session.exec(_live(firm_id))}
    offers = [_offer(kind, live.get(kind), None) for kind in sorted(integrations.kinds()) if _loads(kind)]
    return sorted(offers, key=lambda offer: offer.manifest.name.casefold())


def offer(session: Session, viewer: Viewer, kind: str) -> Offer:
    """One extension; NotFound when there is none of that kind."""
    firm_id = access.firm_or_404(viewer, Right.FIRM)
    connector_of(kind)
    installation = session.exec(_live(firm_id).where(Installation.kind == kind)).one_or_none()
    by = installation.installed_by if installation else None
    person = session.get(Person, by) if by else None
    return _offer(kind, installation, person.name if person else None)


def installed_for(session: Session, viewer: Viewer, client: Client) -> list[Offer]:
    """The firm's installed extensions that the viewer may set up for a client they can see, by name."""
    rights = access.rights_for(viewer, client)
    found = [_offer(one.kind, one, None) for one in session.exec(_live(client.firm_id)) if _loads(one.kind)]
    allowed = [one for one in found if one.right in rights]
    return sorted(allowed, key=lambda one: one.manifest.name.casefold())


def installation_for(session: Session, client: Client, kind: str) -> Installation:
    """The live installation of a kind at the client's firm; NotFound when it is not installed."""
    found = session.exec(_live(client.firm_id).where(Installation.kind == kind)).one_or_none()
    if found is None:
        raise NotFound
    return found


def install(session: Session, viewer: Viewer, vault: Vault, kind: str, values: settings.Values) -> Installation:
    """Install and configure a kind for the viewer's firm; Conflict when it is installed already."""
    firm_id = access.firm_or_404(viewer, Right.FIRM)
    if session.exec(_live(firm_id).where(Installation.kind == kind)).one_or_none():
        raise Conflict(N_("%(name)s is installed already."), name=manifest_of(kind).name)
    app = settings.validated(connector_of(kind).App, values)
    made = Installation(
        firm_id=firm_id, kind=kind, settings=vault.lock(settings.plain(app)), installed_by=viewer.person_id
    )
    session.add(made)
    facts = {"kind": kind, **settings.shown(type(app), settings.plain(app))}
    audit.record(session, firm_id, "extension.installed", by=viewer.by, subject_id=made.id, facts=facts)
    return made


def change(session: Session, viewer: Viewer, vault: Vault, kind: str, values: settings.Values) -> Installation:
    """Change an installation's settings; a secret that is left empty stays as it is."""
    installation = _installed(session, viewer, kind)
    model = connector_of(kind).App
    before = vault.unlock(installation.settings)
    app = settings.validated(model, settings.kept(model, values, before))
    after = settings.plain(app)
    installation.settings = vault.lock(after)
    session.add(installation)
    changed = sorted(name for name in after if after[name] != before.get(name))
    audit.record(
        session, installation.firm_id, "extension.changed", by=viewer.by, subject_id=installation.id,
        facts={"kind": kind, "changed": changed},
    )  # fmt: skip
    return installation


def retire(session: Session, viewer: Viewer, kind: str) -> Installation:
    """Mark an installation as removed. What rests on it is stopped by ``instances.uninstall``, which calls this."""
    installation = _installed(session, viewer, kind)
    installation.removed_at = clock.now()
    session.add(installation)
    audit.record(
        session, installation.firm_id, "extension.uninstalled", by=viewer.by, subject_id=installation.id,
        facts={"kind": kind},
    )  # fmt: skip
    return installation


def app_of(vault: Vault, installation: Installation) -> BaseModel:
    """The installation's settings as the connector takes them, secrets in the clear."""
    return connector_of(installation.kind).App.model_validate(vault.unlock(installation.settings))


def shown_settings(vault: Vault, installation: Installation) -> dict[str, object]:
    """The installation's settings that a person may read."""
    return settings.shown(connector_of(installation.kind).App, vault.unlock(installation.settings))


def _installed(session: Session, viewer: Viewer, kind: str) -> Installation:
    firm_id = access.firm_or_404(viewer, Right.FIRM)
    found = session.exec(_live(firm_id).where(Installation.kind == kind).with_for_update()).one_or_none()
    if found is None:
        raise NotFound
    return found


def _live(firm_id: UUID) -> SelectOfScalar[Installation]:
    return select(Installation).where(Installation.firm_id == firm_id, col(Installation.removed_at).is_(None))


def _offer(kind: str, installation: Installation | None, by: str | None) -> Offer:
    return Offer(
        manifest=manifest_of(kind),
        right=right_of(kind),
        conformance=folder.conformance(kind),
        installation=installation,
        installed_by=by,
    )


def _loads(kind: str) -> bool:
    """Whether the kind's code can be loaded: a broken third-party package must not close the store."""
    try:
        integrations.get(kind)
    except (ImportError, AttributeError) as error:
        log.warning("extension.broken", kind=kind, error=str(error))
        return False
    return True
