"""An RQ worker with our parts and one of our queues; nothing else. Any number may run, on one machine or many."""

from __future__ import annotations

import os
import sys

from rq import Worker

from portal import jobs, log
from portal.queue import QUEUES, connect


def main(queue: str = "deliveries") -> None:
    """Work on a queue (a key of ``QUEUES``) until told to stop; what was begun is finished first."""
    if queue == "texts":
        os.nice(10)  # nobody waits for the search's index: whoever is waited for goes first
    log.configure("worker" if queue == "deliveries" else queue)
    parts = jobs.parts()  # before the fork: each job then starts with everything loaded
    worker = Worker(
        [QUEUES[queue]],  # one queue only: RQ can lose a job of a worker that listens on several
        connection=connect(parts.settings.redis),
        serializer="json",
        # RQ's own intervals would let a dead worker's job wait for twenty minutes
        maintenance_interval=30,
        job_monitoring_interval=5,
        worker_ttl=60,
        log_job_description=False,
    )
    worker.work(logging_level="WARNING")


if __name__ == "__main__":
    main(*sys.argv[1:2])
