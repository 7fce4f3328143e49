"""A live connector for an instance: its settings, the firm's app, its login and its memory put together.

Works without a request and opens no transaction that outlives the call.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from pydantic import BaseModel, ValidationError

from integrations import http
from integrations.contract import Connector, Exporter, TokenSource, Wiring
from integrations.errors import Misconfigured, ReauthRequired
from portal import clock
from portal.connections.services import token_source
from portal.connections.tokens import Nobody
from portal.extensions import services as extensions
from portal.extensions import settings
from portal.extensions.models import Installation
from portal.i18n import N_
from portal.instances.memory import memory
from portal.instances.models import Instance
from portal.parts import Parts


def build(parts: Parts, instance: Instance, *, complete: bool = True, watched: bool = False) -> Connector:
    """The connector of an instance. Whoever builds it closes ``connector.wiring.http``; ``opened`` does both.

    ``complete=False`` takes settings as they are: for asking the provider what may be chosen for them. ``watched``:
    somebody waits for the page, so the provider gets less time (``integrations.http``). Raises
    Misconfigured when the settings are not complete or the extension is no longer installed, ReauthRequired when the
    instance has no login.
    """
    with parts.db.read() as session:
        installation = session.get_one(Installation, instance.installation_id)
    connector = extensions.connector_of(instance.kind)
    if installation.removed_at is not None:
        raise Misconfigured(
            N_("%(name)s is no longer installed. Please ask the firm to install it."), name=connector.manifest.name
        )
    return connector(
        Wiring(
            config=_config(parts, instance, complete=complete),
            app=_app(parts, installation),
            http=http.client(watched=watched),
            tokens=_tokens(parts, instance),
            memory=memory(parts, instance.id),
            now=clock.now,
            endpoints=parts.settings.endpoints.get(instance.kind, {}),
        )
    )


@contextmanager
def opened(parts: Parts, instance_id: UUID, *, complete: bool = True, watched: bool = False) -> Iterator[Connector]:
    """The connector of an instance for a while; its HTTP connections are closed at the end."""
    with parts.db.read() as session:
        instance = session.get_one(Instance, instance_id)
    connector = build(parts, instance, complete=complete, watched=watched)
    try:
        yield connector
    finally:
        connector.wiring.http.close()


@contextmanager
def exporter(parts: Parts, instance_id: UUID, *, watched: bool = False) -> Iterator[Exporter]:
    """The same for an instance that takes documents; TypeError for any other."""
    with opened(parts, instance_id, watched=watched) as connector:
        if not isinstance(connector, Exporter):
            raise TypeError(f"{connector.manifest.kind} takes no documents")
        yield connector


def _app(parts: Parts, installation: Installation) -> BaseModel:
    try:
        return extensions.app_of(parts.vault, installation)
    except ValidationError:
        pass
    # raised outside the handler, as below
    name = extensions.manifest_of(installation.kind).name
    raise Misconfigured(N_("What the firm set up for %(name)s in the store is not complete."), name=name)


def _tokens(parts: Parts, instance: Instance) -> TokenSource:
    if not extensions.signs_in(instance.kind):
        return Nobody()
    if instance.connection_id is None:
        raise ReauthRequired(N_("This integration is not connected. Please connect it."))
    return token_source(parts, instance.connection_id)


def _config(parts: Parts, instance: Instance, *, complete: bool) -> BaseModel:
    model = extensions.connector_of(instance.kind).Config
    values = settings.unsealed(parts.vault, instance.settings)
    try:
        return model.model_validate(values)
    except ValidationError:
        if not complete:
            return model.model_construct(None, **values)
    # raised outside the handler: the chained error would carry the settings, secrets too
    raise Misconfigured(N_("The settings of this integration are not complete. Please go through them again."))
