"""The bell: rings RQ workers for work that the database already holds. Losing a ring costs time, never work."""

from __future__ import annotations

from typing import Any

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.queue import EnqueueData

from portal.db import Ring

log = structlog.get_logger()

# One queue per worker process (a worker on several queues can lose a job for good when it is killed). Reading has its
# own, for a pile of scans must not delay deliveries; so has the search's, for nobody waits for it.
QUEUE, READING, TEXTS = "kontor", "kontor-reading", "kontor-texts"
QUEUES = {"deliveries": QUEUE, "reading": READING, "texts": TEXTS}
# job name -> (function, seconds it may run, queue)
JOBS: dict[str, tuple[str, int, str]] = {
    "read": ("portal.jobs.read", 150, READING),
    "drain": ("portal.jobs.drain", 180, QUEUE),
    "look": ("portal.jobs.look", 600, QUEUE),
    "plan": ("portal.jobs.plan", 600, QUEUE),
    "text": ("portal.jobs.text", 150, TEXTS),
    "texts": ("portal.jobs.texts", 210, TEXTS),
    # Beside the search's: a mail server that does not answer must not keep deliveries waiting.
    "tell": ("portal.jobs.tell", 120, TEXTS),
}
# The sweep rings again for whatever waits, so a queue needs no more than keeps its workers busy until then.
_MOST = 2000


def connect(url: str) -> Redis:
    """A Redis client with time-outs, for ``redis://…`` and ``unix://…``."""
    client: Redis = Redis.from_url(url, socket_timeout=20, socket_connect_timeout=3, health_check_interval=30)
    return client


def version(client: Redis) -> str | None:
    """The version of the server that answers; None when none does."""
    try:
        server: Any = client.info("server")
        return str(server["redis_version"])
    except (RedisError, OSError):
        return None


class Bell:
    """Puts jobs on the queue; ids are the only arguments, as JSON."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.queues = {name: Queue(name, connection=redis, serializer="json") for name in QUEUES.values()}

    def __call__(self, rings: list[Ring]) -> None:
        """Ring for each; a Redis that does not answer is logged, and the sweep rings again."""
        try:
            for name, queue in self.queues.items():
                jobs = [_job(job, key) for job, key in rings if JOBS[job][2] == name]
                if jobs and queue.count < _MOST:
                    queue.enqueue_many(jobs)
        except RedisError as error:
            log.warning("bell.silent", rings=len(rings), error=type(error).__name__)


def _job(name: str, key: str) -> EnqueueData:
    function, seconds, _queue = JOBS[name]
    # The truth is in the database, so neither results nor failures are kept for long.
    return Queue.prepare_data(
        function, args=(key,), timeout=seconds, result_ttl=0, failure_ttl=3600, description=f"{name} {key}"
    )
