"""What RQ workers run. The only argument is an id, as text; everything else is in the database."""

from __future__ import annotations

from functools import cache

from portal import config, ids
from portal.delivery import deliver, lookback, outbox
from portal.errors import NotFound
from portal.instances import places
from portal.instances.models import Instance
from portal.notices import sending
from portal.parts import Parts, assemble
from portal.processing import content
from portal.processing import services as processing


@cache
def parts() -> Parts:
    """The parts of this process; a worker makes them before it forks, so that a job starts quickly."""
    return assemble(config.read())


def read(document_id: str) -> None:
    """Settle what a document is."""
    processing.settle(parts(), ids.parse(document_id))


def text(document_id: str) -> None:
    """Let a document be found by what its file says."""
    content.read_text(parts(), ids.parse(document_id))


def texts(_all: str) -> None:
    """The same for all that wait for it."""
    content.read_backlog(parts())


def drain(instance_id: str) -> None:
    """Deliver what is due for an instance; a bank account opened since the last time gets its folder first."""
    places.open_account_folders(parts(), ids.parse(instance_id))
    deliver.drain(parts(), ids.parse(instance_id))


def look(instance_id: str) -> None:
    """Look whether what an instance delivered is still there as its receipts say."""
    lookback.look(parts(), ids.parse(instance_id))


def tell(notice_id: str) -> None:
    """Send one notice by e-mail."""
    sending.tell(parts(), ids.parse(notice_id))


def plan(instance_id: str) -> None:
    """Hold an instance against all documents of its client, a page a transaction."""
    last = None
    while True:
        with parts().db.transaction() as session:
            instance = session.get(Instance, ids.parse(instance_id))
            if instance is None:
                raise NotFound
            last = outbox.plan_instance(session, instance, last)
        if last is None:
            return
