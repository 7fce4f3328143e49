"""What a layer above must do in the same transaction, named and not imported, like the jobs in ``queue.JOBS``.

Imports go down only. These events are born below and have their consequences above; each has one consequence, so a
name is enough, and a wrong name fails the first time it is used.
"""

from __future__ import annotations

from pkgutil import resolve_name
from typing import Any

from sqlmodel import Session

# (connection) was lost or ended: every instance that uses it is held.
CONNECTION_LOST = "portal.instances.services:login_lost"
# (connection) was refused by its provider: the right person is to be told.
CONNECTION_DIED = "portal.notices.services:died"
# (instance) was finished, paused, resumed, held, released, changed or removed: its deliveries are planned again.
INSTANCE_CHANGED = "portal.delivery.outbox:plan_instance"
# (instance) had its set-up run again: what was removed at the destination goes once more (E4).
SET_UP_AGAIN = "portal.delivery.runs:set_up_again"
# (run, now) was asked for: what waits for the instance's time is due now.
RUN_ASKED = "portal.delivery.runs:begin"
# (instance) is to stop what is under way: the rest waits for the next run.
RUN_STOPPED = "portal.delivery.runs:stop"


def call(name: str, session: Session, *subjects: Any) -> None:
    """Do what ``name`` stands for, in the caller's transaction."""
    resolve_name(name)(session, *subjects)
