"""The bell: every job by name, and the one way to ring for one; a job carries one opaque id and nothing else."""

import re
import time
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, worker_registration
from rq.exceptions import DuplicateJobError
from rq.job import Job
from rq.serializers import JSONSerializer

JOB_RING_COUNSELOR: Final = "ring_counselor"
JOB_RING_CALLER: Final = "ring_caller"
JOB_RING_BACK: Final = "ring_back"
"""Answer a missed call with the menu."""
JOB_CONFIRM: Final = "confirm"
"""Ask by one neutral call whether somebody wants what was opted into."""
JOB_LOOK_UP: Final = "look_up"
"""Ask the provider what became of a call that a worker was about to place."""
JOB_RECALL: Final = "recall"
"""Take back the calls of a campaign that nobody has answered yet."""
JOB_MOVE_CALL: Final = "move_call"
"""Send a live leg to other instructions."""
JOB_END_CALL: Final = "end_call"
JOB_RING_POOL: Final = "ring_pool"
"""Choose who of those on shift is rung for somebody who asked for within the hour."""
JOB_RING_POOLED: Final = "ring_pooled"
"""Ring one of them."""
JOB_RING_KEYPAD: Final = "ring_keypad"
"""Ring back a counselor who rang a counselors' number."""
JOB_RING_COLLEAGUE: Final = "ring_colleague"
"""Ring somebody who is asked to join a talk."""
JOB_STOP_WAITING: Final = "stop_waiting"
"""Tell her who stays on the line that nobody came."""
JOB_SEND_TEXT: Final = "send_text"
JOB_RENDER: Final = "render"
JOB_SPEAK: Final = "speak"
"""Make the sounds that a draft of the content lacks."""
JOB_CAMPAIGN: Final = "campaign"
JOB_FORGET: Final = "forget"
JOB_DELETE_COPIES: Final = "delete_copies"
"""Delete what the provider keeps of calls and texts that are over."""

CALLS: Final = "calls"
"""What somebody waits for."""
LOOKS: Final = "looks"
"""Whether somebody can be rung by now: so many of them as wait, again and again, and no other duty stands behind."""
SLOW: Final = "slow"
"""What may wait or take minutes, such as programmes and speech."""
QUEUES: Final = (CALLS, LOOKS, SLOW)
"""In the order in which a worker empties them."""

JOBS: Final[dict[str, str]] = {
    JOB_RING_COUNSELOR: CALLS,
    JOB_RING_CALLER: CALLS,
    JOB_RING_BACK: CALLS,
    JOB_CONFIRM: CALLS,
    JOB_MOVE_CALL: CALLS,
    JOB_END_CALL: CALLS,
    JOB_RING_POOL: LOOKS,
    JOB_RING_POOLED: CALLS,
    JOB_RING_KEYPAD: CALLS,
    JOB_RING_COLLEAGUE: CALLS,
    JOB_STOP_WAITING: CALLS,
    JOB_SEND_TEXT: CALLS,
    JOB_FORGET: CALLS,
    JOB_CAMPAIGN: SLOW,
    JOB_DELETE_COPIES: SLOW,
    JOB_LOOK_UP: CALLS,
    JOB_RECALL: CALLS,
    JOB_RENDER: SLOW,
    JOB_SPEAK: SLOW,
}
"""Every job and its queue; each is the function of that name in `workers.jobs` and takes one id."""

SEALED: Final = "sealed"
"""The sign that a worker without a root key leaves: it cannot dial until `hotline unseal`."""

SERIALIZER: Final = JSONSerializer
"""Not RQ's pickle: whoever can write to Redis must not be able to run code."""

_TIME_OUT: Final = 0.5
_PAUSE: Final = 1.0
_JOB_TIME_OUT: Final = 120
_HEARD_WITHIN: Final = 30
"""Seconds after which an unheard ring fades, lest a worker that died with it in hand kept others from ringing."""
_FAILURE_KEPT: Final = 60
_BEAT_KEPT: Final = 30
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)

Answer = TypeVar("Answer")


def function_of(job: str) -> str:
    """Give the dotted name under which workers find the job's function."""
    return f"workers.jobs.{job}"


def _beat_of(process: str) -> str:
    return f"hotline:beat:{process}"


class JobQueue:
    """Rings for jobs; never in the way of an answer to a caller.

    Redis is only the bell: where it is away nothing is lost, because the row is due and the clock rings
    again. So each trip has half a second, is not repeated, and after a failure nobody tries for a second.
    """

    def __init__(self, redis_url: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._redis = Redis.from_url(
            redis_url,
            socket_timeout=_TIME_OUT,
            socket_connect_timeout=_TIME_OUT,
            retry=Retry(NoBackoff(), 0),
        )
        self._queues = {name: Queue(name, connection=self._redis, serializer=SERIALIZER) for name in QUEUES}
        self._monotonic = monotonic
        self._silent_until = float("-inf")

    def put(self, job: str, id: str, *, ring: int = 0) -> bool:  # noqa: A002 - the word of the design
        """Ring for `job` on the row `id`; False where Redis did not take it, and then the clock will.

        What stands in the queue already is not put twice. A job may still run twice, or not at all; so it
        begins by claiming its row, and the clock puts it again until somebody has.
        """
        if job not in JOBS or not _ID.fullmatch(id):
            raise ValueError("A job has a name from JOBS and takes one opaque id.")
        return self._attempt(lambda: self._ring(job, id, ring), otherwise=False)

    def ready(self) -> bool:
        """Say whether Redis answers now; half a second at most."""
        return self._attempt(lambda: bool(self._redis.ping()), otherwise=False)

    def durability(self) -> dict[str, str]:
        """Give Redis' own settings that decide whether a bell may get lost; empty where it does not tell."""
        names = ("appendonly", "appendfsync", "maxmemory-policy")
        return self._attempt(
            lambda: {name: str(self._redis.config_get(name).get(name, "")) for name in names}, otherwise={}
        )

    def workers(self) -> int:
        """Count the worker processes that live; 0 where Redis is away."""
        return self._attempt(self._count_workers, otherwise=0)

    def beat(self, process: str) -> bool:
        """Leave a sign of life of a process that is no worker, such as the clock."""
        return self._attempt(
            lambda: bool(self._redis.set(_beat_of(process), b"", ex=_BEAT_KEPT)), otherwise=False
        )

    def beats(self, process: str) -> bool:
        """Say whether a process left a sign of life in the last half minute."""
        return self._attempt(lambda: bool(self._redis.exists(_beat_of(process))), otherwise=False)

    def _ring(self, job: str, row: str, ring: int) -> bool:
        job_id = f"{job}-{row}-{ring}"
        call = partial(
            self._queues[JOBS[job]].enqueue_call,
            function_of(job),
            args=(row,),
            job_id=job_id,
            description=job,  # without one RQ writes the whole call out
            timeout=_JOB_TIME_OUT,
            ttl=_HEARD_WITHIN,
            result_ttl=0,
            failure_ttl=_FAILURE_KEPT,
        )
        try:
            call(unique=True)
        except DuplicateJobError:
            # Queued, or started by a worker that may be dead: only the first is as good as put.
            if self._redis.hget(Job.key_for(job_id), "status") != b"queued":
                call()
        return True

    def _count_workers(self) -> int:
        keys = worker_registration.get_keys(connection=self._redis)
        return int(self._redis.exists(*keys)) if keys else 0

    def _attempt(self, trip: Callable[[], Answer], otherwise: Answer) -> Answer:
        if self._monotonic() < self._silent_until:
            return otherwise
        try:
            return trip()
        except RedisError:
            self._silent_until = self._monotonic() + _PAUSE
            return otherwise
