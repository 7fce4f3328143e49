"""The address of a client: readable, and with an end that nobody guesses. A replaced one is known, and refused."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlmodel import Session, col, select

from portal import access, audit, clock
from portal.access import Right, Viewer
from portal.clients.models import Client, fold
from portal.mailbox.models import MailAddress, MailSettings

# Nothing that is mistaken for something else when it is read out: no 0 o 1 l i.
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
SECRET_LENGTH = 8  # 40 bits; whoever guesses at the door is cut off after a few tries
_NAME_LENGTH = 30
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_LEGAL_FORMS = re.compile(r"-(gmbh|mbh|ug|ag|kg|ohg|gbr|ek|e-k|co|haftungsbeschraenkt|und|u)(?=-|$)")


def local_part(name: str) -> str:
    """A fresh part before the @ for a client of this name: ``baeckerei-kornblum-7f3k9qxw``."""
    readable = re.sub(r"[^a-z0-9]+", "-", fold(name.translate(_UMLAUTS))).strip("-")
    short = _LEGAL_FORMS.sub("", readable)[:_NAME_LENGTH].strip("-") or "client"
    return f"{short}-{''.join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH))}"


def shown(settings: MailSettings | None, address: MailAddress | None) -> str | None:
    """The whole address as people write it; None when there is none or the firm has no mail domain."""
    if settings is None or address is None:
        return None
    before = f"{settings.mailbox}+" if settings.mailbox else ""
    return f"{before}{address.local}@{settings.domain}"


def present(session: Session, client_id: UUID) -> MailAddress | None:
    """The client's address that is in use."""
    in_use = select(MailAddress).where(MailAddress.client_id == client_id, col(MailAddress.retired_at).is_(None))
    return session.exec(in_use).one_or_none()


def renew(session: Session, viewer: Viewer, client_id: UUID) -> MailAddress:
    """Give a client an address, or a new one in place of the present one, which is refused from now on."""
    client = access.client_or_404(session, viewer, client_id, Right.CORRECT)
    before = present(session, client_id)
    if before is not None:
        before.retired_at = clock.now()
        session.flush()
    made = _given(session, client)
    facts = {"address": made.local, "replaces": before.local if before else None}
    audit.record(
        session, client.firm_id, "mail_address.made", by=viewer.by, client_id=client.id, subject_id=made.id, facts=facts
    )  # fmt: skip
    return made


def give_all(session: Session, viewer: Viewer) -> int:
    """Give every client of the firm that has none an address; how many were given."""
    firm_id = access.firm_or_404(viewer, Right.FIRM)
    having = select(MailAddress.client_id).where(col(MailAddress.retired_at).is_(None))
    without = select(Client).where(
        Client.firm_id == firm_id, col(Client.archived_at).is_(None), col(Client.id).not_in(having)
    )
    given = [_given(session, client) for client in session.exec(without).all()]
    if given:
        facts = {"number": len(given)}
        audit.record(session, firm_id, "mail_address.made_for_all", by=viewer.by, facts=facts)
    return len(given)


def _given(session: Session, client: Client) -> MailAddress:
    made = MailAddress(client_id=client.id, local=local_part(client.name))
    session.add(made)
    session.flush()
    return made


def known(session: Session, written: Collection[str], firm_id: UUID | None = None) -> Mapping[str, MailAddress]:
    """The addresses among ``written`` that lead to a client, replaced ones too; of one firm's clients, if given.

    The end after the @ must be the firm's own: a guessed local part at another domain leads nowhere.
    """
    locals_of = {address: _local(address) for address in written}
    statement = (
        select(MailAddress, MailSettings, Client)
        .join(Client, col(Client.id) == MailAddress.client_id)
        .join(MailSettings, col(MailSettings.firm_id) == Client.firm_id)
        .where(col(MailAddress.local).in_(set(locals_of.values()) - {""}))
    )
    if firm_id is not None:
        statement = statement.where(Client.firm_id == firm_id)
    found = {row.local: (row, settings.domain) for row, settings, _client in session.exec(statement)}
    return {
        address: found[local][0]
        for address, local in locals_of.items()
        if local in found and address.lower().endswith("@" + found[local][1])
    }


def _local(address: str) -> str:
    """What stands before the @, without a mailbox's name and plus before it."""
    return address.rpartition("@")[0].lower().rpartition("+")[2]


def best(found: Sequence[MailAddress]) -> Sequence[MailAddress]:
    """One address per client: the one in use rather than a replaced one."""
    by_client: dict[UUID, MailAddress] = {}
    for one in found:
        if one.client_id not in by_client or one.retired_at is None:
            by_client[one.client_id] = one
    return list(by_client.values())
