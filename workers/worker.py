"""The worker process: takes jobs from RQ's queues, each in a fork of its own, until it is told to end."""

import gc
import signal
import sys
import time
from contextlib import suppress
from types import FrameType
from typing import Any, Final

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.job import Job

import prompts.speech.chain  # noqa: F401 - takes long to load, so not in each fork that speaks
from gateway import logs
from gateway.lifeline import end_with_parent
from gateway.queue import QUEUES, SEALED, SERIALIZER
from gateway.runtime import Runtime
from workers import jobs

_SIGN_OF_LIFE: Final = 30
"""Seconds; RQ sends one every half of it, and waits that and ten more for a Redis that hangs."""
_TIDY_EVERY: Final = 60
_PAUSE: Final = 1.0

_log = logs.get(__name__)


class _Job(Job):  # type: ignore[misc]  # RQ carries no types
    """A job that fails is over for RQ: its row is due again, and that is the only retry.

    So nothing of the error reaches Redis, where RQ would keep a traceback with whatever it quotes.
    """

    def perform(self) -> None:
        try:
            super().perform()
        except BaseException as error:  # noqa: BLE001 - the fork ends here; only the class may be told
            _log.error("job failed", job=self.description, id=self.id, exc_info=error)


class _Worker(Worker):  # type: ignore[misc]  # RQ carries no types
    """RQ's forking worker, which outlives Redis and leaves no fork behind."""

    job_class = _Job
    max_connection_wait_time = _PAUSE

    def __init__(self, connection: Redis, runtime: Runtime) -> None:
        self._runtime = runtime
        self.told_to_end = False
        super().__init__(
            [Queue(name, connection=connection, serializer=SERIALIZER, job_class=_Job) for name in QUEUES],
            connection=connection,
            serializer=SERIALIZER,
            worker_ttl=_SIGN_OF_LIFE,
            maintenance_interval=_TIDY_EVERY,
            log_job_description=False,
        )

    def subscribe(self) -> None:
        """Listen to no commands: nobody sends any, and a process with threads must not fork."""

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.told_to_end = True
        super().request_stop(signum, frame)

    def set_shutdown_requested_date(self) -> None:
        with suppress(RedisError):  # only for show; must not cut the job that is being waited for
            super().set_shutdown_requested_date()

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """As RQ wants it; and say it where this host waits for its root key."""
        super().heartbeat(timeout, pipeline)
        if self._runtime.vault.locked:
            self._runtime.queue.beat(SEALED)

    def maintain_heartbeats(self, *about: Any) -> None:
        with suppress(RedisError):  # the job goes on without Redis
            super().maintain_heartbeats(*about)

    def main_work_horse(self, *work: Any) -> None:
        end_with_parent(self.pid, signal.SIGKILL)
        self._runtime.after_fork()
        super().main_work_horse(*work)


def run(runtime: Runtime) -> None:
    """Do jobs until SIGTERM or SIGINT, then the one in hand to its end; goes on whenever Redis comes back.

    Whatever the jobs import is loaded once, here, before the first fork.
    """
    jobs.RUNTIME = runtime
    runtime.carrier.prepare()
    gc.collect()
    gc.freeze()  # the forks share what is loaded, instead of copying it when the collector looks at it
    connection = Redis.from_url(runtime.settings.redis_url, socket_connect_timeout=_PAUSE)
    while not _work(connection, runtime):
        time.sleep(_PAUSE)


def _work(connection: Redis, runtime: Runtime) -> bool:
    """Work until told to end (True) or until RQ gives up on its connection (False)."""
    worker = None
    try:
        worker = _Worker(connection, runtime)
        worker.work(logging_level="WARNING")
    except (RedisError, StopRequested) as error:
        _log.warning("the worker lost Redis", exc_info=error)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):  # with no job in hand there is nothing to wait for
            signal.signal(number, lambda *_: sys.exit())
    return worker is not None and worker.told_to_end
