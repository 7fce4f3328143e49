"""Deliveries against the attempts on record: a state to which no attempt leads was written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from portal.delivery.models import Attempt, Delivery, Drift, Outcome, Settlement, State
from portal.delivery.problem import NO_WAY, Problem
from portal.instances.models import Instance

# What the last attempt of a failed delivery ended with; see the table of ``record``.
_FAILED = frozenset({Outcome.REJECTED, Outcome.TRANSIENT, Outcome.BROKEN})


def verify(session: Session, instance: Instance) -> Iterator[Problem]:
    """Every delivery of an instance, older versions too, that its attempts did not lead to."""
    for row in session.execute(_standing(instance.id)).yield_per(1000):
        if row.made != row.attempts or not _led(row):
            yield Problem(row.client_id, instance.id, row.document_id, NO_WAY, {"state": row.state.value})


def _standing(instance_id: UUID) -> sa.Select[Any]:
    """One statement, so that it sees one moment: each delivery, how many attempts it has, how the last one ended."""
    every = aliased(Attempt)
    made = sa.select(sa.func.count()).where(col(every.delivery_id) == col(Delivery.id)).scalar_subquery()
    left = sa.exists().where(
        col(Drift.document_id) == col(Delivery.document_id), col(Drift.instance_id) == col(Delivery.instance_id),
        col(Drift.delivery_id) == col(Delivery.id),
        col(Drift.settlement).in_([Settlement.LEFT_OUT, Settlement.COMES_BACK]),
    )  # fmt: skip
    last = sa.and_(col(Attempt.delivery_id) == col(Delivery.id), col(Attempt.number) == col(Delivery.attempts))
    return (
        sa.select(col(Delivery.client_id), col(Delivery.document_id), col(Delivery.state), col(Delivery.attempts))
        .add_columns(col(Delivery.tries_before), col(Attempt.outcome), made.label("made"), left.label("left"))
        .outerjoin(Attempt, last)
        .where(col(Delivery.instance_id) == instance_id)
    )


def _led(row: Any) -> bool:
    """Whether the last attempt, or what a look back found later, leads to the state."""
    state, outcome = row.state, row.outcome
    if (outcome is Outcome.UNDER_WAY) != (state is State.SENDING):
        return False
    if state is State.FAILED:
        return outcome in _FAILED
    if state is State.REMOVED:
        return outcome is Outcome.TARGET_GONE or (outcome is Outcome.DELIVERED and row.left)
    if state in {State.QUEUED, State.HELD} and outcome is Outcome.DELIVERED:
        return bool(row.tries_before == row.attempts)  # let go again
    return state is not State.DELIVERED or outcome is Outcome.DELIVERED
