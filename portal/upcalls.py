"""What a layer above must do in the same transaction, named and not imported, like the jobs in ``queue.JOBS``.

Imports go down only. These two events are born below and have their consequences above; each has one consequence, so
a name is enough, and a wrong name fails the first time it is used.
"""

from __future__ import annotations

from pkgutil import resolve_name
from typing import Any

from sqlmodel import Session

# A connection was lost or ended: every instance that uses it is held.
CONNECTION_LOST = "portal.instances.services:login_lost"
# An instance was finished, paused, resumed, held, released, changed or removed: its deliveries are planned again.
INSTANCE_CHANGED = "portal.delivery.outbox:plan_instance"


def call(name: str, session: Session, subject: Any) -> None:
    """Do what ``name`` stands for, in the caller's transaction."""
    resolve_name(name)(session, subject)
