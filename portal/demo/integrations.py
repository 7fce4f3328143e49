"""Setting integrations up as people do: through the real services and the provider's own consent page."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlmodel import col, select

from portal import clock
from portal.access import Viewer
from portal.connections import sign_in
from portal.connections.sign_in import Wish
from portal.delivery import deliver, runs
from portal.delivery.models import Delivery, State
from portal.demo.scenes import QUICKBOOKS, Ending, Scene
from portal.demo.trades import Trade
from portal.demo.walk import Providers
from portal.documents.models import Document
from portal.extensions import services as extensions
from portal.instances import services as instances
from portal.instances import setup
from portal.instances.models import Instance, InstanceState
from portal.parts import Parts
from portal.processing import corrections

# Accounts of the simulated companies that a practice would choose.
_CHOSEN = {"expense_account": "Wareneinkauf", "income_account": "Umsatzerlöse", "payment_account": "Bank"}
_PATIENCE = 20.0  # seconds for the workers to deliver what a scene needs delivered


@dataclass(frozen=True)
class SetUp:
    """An integration that was just finished."""

    instance_id: UUID
    client_id: UUID
    scene: Scene
    account: str  # at the provider


class Stage:
    """Sets scenes up for the firm's owner, signed in in the browser ``sign_in_id``."""

    def __init__(self, parts: Parts, providers: Providers, owner: Viewer, sign_in_id: UUID, address: str) -> None:
        self.parts, self.providers, self.owner = parts, providers, owner
        self.sign_in_id, self.address = sign_in_id, address.rstrip("/")

    def set_up(self, client_id: UUID, trade: Trade, scene: Scene) -> SetUp | None:
        """Draft, sign-in, settings, documents, start, Finish; None when it stays a draft or was finished before."""
        instance = self._draft(client_id, scene)
        if instance is None:
            return None
        if scene.ending is Ending.DRAFT:
            return None
        account = f"93414{trade.number}000001" if scene.kind == QUICKBOOKS else f"drive-{trade.number}"
        self.providers.open_account(scene.kind, account, trade.company.name, trade.company.email)
        self._sign_in(instance, trade, account)
        self._settings(instance)
        self._finish(instance, scene)
        return SetUp(instance.id, client_id, scene, account)

    def before_papers(self, done: SetUp, late: date) -> None:
        """What happens between Finish and the next papers; ``late`` is the date of an invoice that comes late."""
        match done.scene.ending:
            case Ending.BOOKS_CLOSED:
                following = (late.replace(day=28) + timedelta(days=4)).replace(day=1)
                self.providers.close_books(done.account, (following - timedelta(days=1)).isoformat())
            case Ending.REVOKED:
                self.providers.revoke(done.scene.kind, done.account)
            case Ending.PAUSED:
                with self.parts.db.transaction() as session:
                    instances.pause(session, self.owner, done.instance_id)

    def after_papers(self, done: SetUp) -> None:
        """A month's folder is deleted at the provider, and one of its documents changes here."""
        if done.scene.ending is not Ending.FOLDER_GONE:
            return
        delivered = self._delivered(done)
        if delivered is None:
            return
        document, folder = delivered
        self.providers.trash_folder(done.account, folder)
        with self.parts.db.transaction() as session:
            fields = {"number": f"{document.number} b"}
            corrections.correct(session, self.owner, done.client_id, document.id, fields=fields)
        runs.end_finished(self.parts.db)  # the first run has nothing left to do; a new one can begin
        with self.parts.db.transaction() as session:
            instances.export_now(session, self.owner, done.instance_id)

    # --- the steps of a set-up

    def _draft(self, client_id: UUID, scene: Scene) -> Instance | None:
        """A draft, also one that was begun before; None when it is finished."""
        with self.parts.db.transaction() as session:
            known = [one for one in instances.of_client(session, self.owner, client_id) if one.kind == scene.kind]
            if not known:
                made = setup.begin(session, self.owner, client_id, scene.kind)
                session.flush()
                return made
            return known[0] if known[0].state is InstanceState.DRAFT else None

    def _sign_in(self, instance: Instance, trade: Trade, account: str) -> None:
        manifest = extensions.manifest_of(instance.kind)
        wish = Wish(
            kind=instance.kind,
            name=f"{manifest.name} {trade.company.name}"[:80],
            consent=manifest.consent,
            redirect_uri=f"{self.address}/connect/callback/{instance.kind}",
            sign_in_id=self.sign_in_id,
            instance_id=instance.id,
        )
        with self.parts.db.transaction() as session:
            url = sign_in.begin(session, self.owner, self.parts, instance.client_id, wish)
        answer = self.providers.consent(url, account)
        sign_in.complete(self.parts, self.owner, self.sign_in_id, instance.kind, answer, setup.signed_in)

    def _settings(self, instance: Instance) -> None:
        with self.parts.db.read() as session:
            fresh = session.get_one(Instance, instance.id)
        offered = setup.choices(self.parts, fresh)
        values = {
            name: value for name, known in offered.items() for value, label in known if label == _CHOSEN.get(name)
        }
        labels = setup.check_settings(self.parts, fresh, values)
        with self.parts.db.transaction() as session:
            setup.set_settings(session, self.owner, self.parts.vault, instance.id, values, labels=labels)

    def _finish(self, instance: Instance, scene: Scene) -> None:
        manifest = extensions.manifest_of(instance.kind)
        today = clock.local_date(clock.now(), "Europe/Berlin")
        takes = [kind.value for kind in manifest.takes]
        with self.parts.db.transaction() as session:
            setup.set_documents(session, self.owner, instance.id, takes, on_click=scene.on_click)
            if scene.early:
                setup.set_start(session, self.owner, instance.id, today - timedelta(days=90))
            setup.finish(session, self.owner, instance.id)

    def _delivered(self, done: SetUp) -> tuple[Document, str] | None:
        """A delivered invoice and the name of the folder it is in, once the first run has brought it there."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            deliver.drain(self.parts, done.instance_id)
            with self.parts.db.read() as session:
                found = session.exec(
                    select(Document)
                    .join(Delivery, col(Delivery.document_id) == Document.id)
                    .where(
                        Delivery.instance_id == done.instance_id,
                        Delivery.state == State.DELIVERED,
                        col(Document.number).is_not(None),
                    )
                    .limit(1)
                ).first()
            if found is not None and found.issued_on is not None:
                return found, f"{found.issued_on:%Y-%m}"
            time.sleep(0.2)
        return None
