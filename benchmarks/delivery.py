"""Own time per delivery with a provider that answers at once in the same process, and deliveries a second.

Anchor: a bare RQ job on the same Redis.
"""

from __future__ import annotations

import logging
import os
import time
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import structlog
from rq import Queue, SimpleWorker, Worker
from sqlmodel import col, func, select

from benchmarks.figures import Figure, percentile
from benchmarks.place import Place, place
from portal.children import Forked, stop
from portal.config import adopt
from portal.db import ring
from portal.delivery import outbox
from portal.delivery.deliver import drain
from portal.delivery.models import Delivery, State
from portal.queue import QUEUE, connect
from tests import echo, factories, servers

ONE, MANY, WORKERS, JOBS = 500, 250, 2, 200


def nothing() -> None:
    """The bare job."""


def measure(database_url: str | None = None) -> list[Figure]:
    """All figures of this script."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with place(database_url) as at:
        bare, per_second = _bare_job(at), _bare_jobs(at)
        own = _own_times(at)
        rate = _rate(at)
    median, slow = percentile(own, 0.5) * 1000, percentile(own, 0.95) * 1000
    job = "a bare RQ job"
    return [
        Figure("own time per delivery, median", median, "ms", job, bare * 1000, "≤ 10 ms", median <= 10),
        Figure("own time per delivery, 95th percentile", slow, "ms", job, bare * 1000),
        Figure(f"deliveries with {WORKERS} workers", rate, "/s", "bare RQ jobs", per_second, "> 100 /s", rate > 100),
    ]


def _queue(at: Place, name: str) -> Queue:
    return Queue(name, connection=connect(at.parts.settings.redis), serializer="json")


def _bare_job(at: Place) -> float:
    """Seconds a job takes in a worker that does not fork, so that the anchor is RQ's own time and not the fork's."""
    queue = _queue(at, "bare")
    for _ in range(JOBS):
        queue.enqueue("benchmarks.delivery.nothing", result_ttl=0)
    worker = SimpleWorker([queue], connection=queue.connection, serializer="json")
    began = time.perf_counter()
    worker.work(burst=True, logging_level="ERROR")
    return (time.perf_counter() - began) / JOBS


def _bare_jobs(at: Place) -> float:
    """Bare jobs a second with as many workers as are used below, each job in a fork as there."""
    queue = _queue(at, "bare")
    for _ in range(JOBS):
        queue.enqueue("benchmarks.delivery.nothing", result_ttl=0)

    def work() -> None:
        connection = connect(at.parts.settings.redis)
        Worker(["bare"], connection=connection, serializer="json").work(burst=True, logging_level="ERROR")

    began = time.perf_counter()
    running = [Forked(work) for _ in range(WORKERS)]
    for one in running:
        one.wait(120)
    return JOBS / (time.perf_counter() - began)


def _instance(at: Place, documents: int) -> UUID:
    """A client with an instance and documents that wait for it; nothing rings yet."""
    bell, at.parts.db.bell = at.parts.db.bell, None
    with at.parts.db.transaction() as session:
        firm = factories.firm(session)
        client = factories.client(session, firm)
        installed = factories.installation(session, firm, kind=echo.KIND, parts=at.parts)
        instance = factories.instance(session, client, installed)
    for _ in range(documents):
        with at.parts.db.transaction() as session:
            outbox.plan_document(session, factories.document(session, client, parts=at.parts))
    at.parts.db.bell = bell
    return instance.id


def _own_times(at: Place) -> list[float]:
    """Seconds between one call of the connector and the next: everything that is ours."""
    kept = echo.install()
    instance_id = _instance(at, ONE)
    moments: list[float] = []
    kept.before = [lambda: moments.append(time.perf_counter())] * ONE
    drain(at.parts, instance_id, seconds=300)
    assert len(moments) == ONE, f"{len(moments)} of {ONE} were delivered"
    return [later - earlier for earlier, later in pairwise(moments)]


def _rate(at: Place) -> float:
    """Deliveries a second from the first ring to the last receipt, with real worker processes."""
    instances = [_instance(at, MANY) for _ in range(2 * WORKERS)]

    def work() -> None:
        import worker

        adopt(at.environ)
        echo.install()
        worker.main()

    running = [Forked(work, output=Path(os.devnull)) for _ in range(WORKERS)]
    queue = _queue(at, QUEUE)
    servers.until(lambda: len(Worker.all(queue=queue)) == WORKERS, 60, "the start of the workers")
    began = time.perf_counter()
    with at.parts.db.transaction() as session:
        for instance_id in instances:
            ring(session, "drain", instance_id)
    servers.until(lambda: _left(at, instances) == 0, 300, "the last delivery")
    seconds = time.perf_counter() - began
    for one in running:
        stop(one, 10)
    return MANY * len(instances) / seconds


def _left(at: Place, instances: list[UUID]) -> int:
    time.sleep(0.05)
    with at.parts.db.read() as session:
        waiting = select(func.count()).select_from(Delivery)
        return session.exec(
            waiting.where(col(Delivery.instance_id).in_(instances), Delivery.state != State.DELIVERED)
        ).one()


if __name__ == "__main__":
    print(*measure(), sep="\n")
