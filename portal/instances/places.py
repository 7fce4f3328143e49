"""Where an instance puts its things at the provider: the link that people follow from its page (E2)."""

from __future__ import annotations

from uuid import UUID

import structlog
from sqlmodel import Session, col, select

from integrations.contract import Ability, Exporter
from integrations.errors import ConnectorError
from portal.banking.models import BankAccount
from portal.clients.models import Client
from portal.extensions import services as extensions
from portal.instances import connectors
from portal.instances.memory import memory
from portal.instances.models import Instance, InstanceState, Remembered
from portal.parts import Parts

log = structlog.get_logger()

# Connectors name what they remember themselves; this prefix is the portal's.
_ROOT = "portal:root-link"
_ACCOUNT = "portal:account:"
_OPENED = "opened"  # a folder whose link nobody told


def find_root(parts: Parts, instance: Instance) -> None:
    """Have the connector make its main folder and remember its link; the first document tries again."""
    connector = extensions.connector_of(instance.kind)
    if not issubclass(connector, Exporter) or Ability.FOLDERS not in connector.manifest.abilities:
        return
    try:
        with connectors.exporter(parts, instance.id, watched=True) as exporter:
            places = exporter.prepare([])
    except ConnectorError as error:
        log.info("instance.no_root_yet", instance=str(instance.id), error=str(error))
        return
    link = next((place.link for place in places if place.link), None)
    if link:
        memory(parts, instance.id).put(_ROOT, link)


def open_account_folders(parts: Parts, instance_id: UUID) -> int:
    """Give every open bank account of the client its folder (E2); return how many were new.

    What was opened is remembered: a folder that somebody deletes later stays deleted (E4).
    """
    accounts = _without_folder(parts, instance_id)
    if not accounts:
        return 0
    try:
        with connectors.exporter(parts, instance_id) as exporter:
            paths = {key: exporter.account_folder(client, name) for key, (client, name) in accounts.items()}
            wanted = sorted(set(filter(None, paths.values())))
            made = exporter.prepare(wanted)[1:] if wanted else []
    except ConnectorError as error:
        log.info("instance.no_account_folder_yet", instance=str(instance_id), error=str(error))
        return 0
    # the root comes first, then one place for each path that was asked for
    links = {path: place.link for path, place in zip(wanted, made, strict=False)}
    known = memory(parts, instance_id)
    for account_id, path in paths.items():
        known.put(f"{_ACCOUNT}{account_id}", links.get(path) or _OPENED)
    return len([path for path in paths.values() if path])


def _without_folder(parts: Parts, instance_id: UUID) -> dict[UUID, tuple[str, str]]:
    """Account -> names of client and account, for an active instance of a kind that has folders."""
    with parts.db.read() as session:
        instance = session.get_one(Instance, instance_id)
        abilities = extensions.manifest_of(instance.kind).abilities
        if instance.state is not InstanceState.ACTIVE or Ability.FOLDERS not in abilities:
            return {}
        statement = (
            select(BankAccount.id, Client.name, BankAccount.name)
            .join(Client, col(Client.id) == col(BankAccount.client_id))
            .where(BankAccount.client_id == instance.client_id, col(BankAccount.closed_at).is_(None))
        )
        found = {key: (client, name) for key, client, name in session.exec(statement)}
        opened = select(Remembered.key).where(
            Remembered.instance_id == instance_id, col(Remembered.key).startswith(_ACCOUNT)
        )
        for key in session.exec(opened):
            found.pop(UUID(key.removeprefix(_ACCOUNT)), None)
    return found


def account_links(session: Session, instance_id: UUID) -> list[tuple[str, str]]:
    """Name and link of the folder of each bank account that has one, by name."""
    kept = select(Remembered).where(
        Remembered.instance_id == instance_id, col(Remembered.key).startswith(_ACCOUNT), Remembered.value != _OPENED
    )
    links = {UUID(one.key.removeprefix(_ACCOUNT)): one.value for one in session.exec(kept)}
    names = select(BankAccount.id, BankAccount.name).where(col(BankAccount.id).in_(links))
    return sorted((name, links[key]) for key, name in session.exec(names))


def root_link(session: Session, instance_id: UUID) -> str | None:
    """The link to the instance's main folder, where there is one."""
    found = session.get(Remembered, (instance_id, _ROOT))
    return found.value if found else None
