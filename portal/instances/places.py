"""Where an instance puts its things at the provider: the link that people follow from its page (E2)."""

from __future__ import annotations

from uuid import UUID

import structlog
from sqlmodel import Session

from integrations.contract import Ability, Exporter
from integrations.errors import ConnectorError
from portal.extensions import services as extensions
from portal.instances import connectors
from portal.instances.memory import memory
from portal.instances.models import Instance, Remembered
from portal.parts import Parts

log = structlog.get_logger()

# Connectors name what they remember themselves; this prefix is the portal's.
_ROOT = "portal:root-link"


def find_root(parts: Parts, instance: Instance) -> None:
    """Have the connector make its main folder and remember its link; the first document tries again."""
    connector = extensions.connector_of(instance.kind)
    if not issubclass(connector, Exporter) or Ability.FOLDERS not in connector.manifest.abilities:
        return
    try:
        with connectors.exporter(parts, instance.id) as exporter:
            places = exporter.prepare([])
    except ConnectorError as error:
        log.info("instance.no_root_yet", instance=str(instance.id), error=str(error))
        return
    link = next((place.link for place in places if place.link), None)
    if link:
        memory(parts, instance.id).put(_ROOT, link)


def root_link(session: Session, instance_id: UUID) -> str | None:
    """The link to the instance's main folder, where there is one."""
    found = session.get(Remembered, (instance_id, _ROOT))
    return found.value if found else None
