"""The bell: what reaches Redis, and how little it costs when Redis is away."""

import signal
import time
from collections.abc import Iterator

import pytest
from real_redis import RedisServer
from redis import Redis
from rq import Queue

from gateway.queue import (
    CALLS,
    JOB_FORGET,
    JOB_RENDER,
    JOB_RING_COUNSELOR,
    JOB_RING_POOL,
    JOBS,
    QUEUES,
    JobQueue,
)


@pytest.fixture
def redis(redis_server: RedisServer) -> Iterator[Redis]:
    with Redis.from_url(redis_server.url) as connection:
        yield connection


def queued(redis: Redis, name: str = CALLS) -> list[str]:
    return Queue(name, connection=redis).job_ids


def test_a_job_is_put_under_its_row_and_ring(redis_server: RedisServer, redis: Redis) -> None:
    queue = JobQueue(redis_server.url)
    assert queue.put(JOB_RING_COUNSELOR, "b0b1", ring=2)
    assert queued(redis) == ["ring_counselor-b0b1-2"]


def test_the_same_ring_stands_in_the_queue_once(redis_server: RedisServer, redis: Redis) -> None:
    queue = JobQueue(redis_server.url)
    assert all(queue.put(JOB_FORGET, "b0b1") for _ in range(3))
    assert queue.put(JOB_FORGET, "b0b1", ring=1)
    assert queued(redis) == ["forget-b0b1-0", "forget-b0b1-1"]


def test_a_ring_whose_worker_died_with_it_can_be_put_again(redis_server: RedisServer, redis: Redis) -> None:
    queue = JobQueue(redis_server.url)
    queue.put(JOB_FORGET, "b0b1")
    redis.delete("rq:queue:calls")
    redis.hset("rq:job:forget-b0b1-0", "status", "started")
    assert queue.put(JOB_FORGET, "b0b1")
    assert queued(redis) == ["forget-b0b1-0"]


def test_a_ring_that_nobody_heard_fades(redis_server: RedisServer, redis: Redis) -> None:
    JobQueue(redis_server.url).put(JOB_FORGET, "b0b1")
    assert 0 < redis.ttl("rq:job:forget-b0b1-0") <= 60


def test_what_may_take_minutes_or_is_a_crowds_does_not_stand_before_what_somebody_waits_for(
    redis_server: RedisServer, redis: Redis
) -> None:
    queue = JobQueue(redis_server.url)
    queue.put(JOB_RENDER, "b0b1")
    queue.put(JOB_RING_POOL, "b0b3")
    queue.put(JOB_FORGET, "b0b2")
    assert [queued(redis, name) for name in QUEUES] == [
        ["forget-b0b2-0"],
        ["ring_pool-b0b3-0"],
        ["render-b0b1-0"],
    ]


def test_redis_holds_one_opaque_id_as_json_and_no_result(redis_server: RedisServer, redis: Redis) -> None:
    JobQueue(redis_server.url).put(JOB_FORGET, "b0b1")
    job = Queue(CALLS, connection=redis, serializer="json").fetch_job("forget-b0b1-0")
    assert (job.func_name, job.args, job.kwargs) == ("workers.jobs.forget", ["b0b1"], {})
    assert (job.result_ttl, job.timeout, job.description, job.retries_left) == (0, 120, "forget", None)


def test_every_job_has_a_queue_that_workers_serve() -> None:
    assert set(JOBS.values()) <= set(QUEUES)


@pytest.mark.parametrize("row", ["", "+95912345", "two words", "a" * 65, "id\n", "၁၂၃"])
def test_only_an_opaque_id_can_be_put(redis_server: RedisServer, row: str) -> None:
    with pytest.raises(ValueError, match="opaque"):
        JobQueue(redis_server.url).put(JOB_FORGET, row)


def test_an_unknown_job_is_a_mistake_of_ours_and_loud(redis_server: RedisServer) -> None:
    with pytest.raises(ValueError, match="JOBS"):
        JobQueue(redis_server.url).put("delete_everything", "b0b1")


@pytest.mark.promise(14)
def test_without_redis_a_put_says_no_at_once_and_then_pauses(redis_server: RedisServer) -> None:
    queue = JobQueue(redis_server.url)
    redis_server.kill()
    assert [queue.put(JOB_FORGET, "b0b1") for _ in range(200)] == [False] * 200
    assert not queue.ready()


@pytest.mark.promise(14)
def test_a_redis_that_hangs_costs_half_a_second_once_and_not_each_time(redis_server: RedisServer) -> None:
    queue = JobQueue(redis_server.url)
    assert queue.put(JOB_FORGET, "b0b1")
    redis_server.send(signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert not queue.put(JOB_FORGET, "b0b2")
        waited = time.monotonic()
        assert not any(queue.put(JOB_FORGET, "b0b3") for _ in range(20))
        assert waited - began > 0.4
        assert time.monotonic() - waited < 5 * (waited - began)  # each would have waited as long
    finally:
        redis_server.send(signal.SIGCONT)


def test_when_redis_comes_back_the_bell_rings_again_after_the_pause(
    redis_server: RedisServer, redis: Redis
) -> None:
    now = 0.0
    queue = JobQueue(redis_server.url, monotonic=lambda: now)
    redis_server.kill()
    assert not queue.put(JOB_FORGET, "b0b1")
    redis_server.start()
    assert not queue.put(JOB_FORGET, "b0b1")
    now = 1.1
    assert queue.put(JOB_FORGET, "b0b1")
    assert queue.ready()
    assert queued(redis) == ["forget-b0b1-0"]


def test_a_restarted_redis_costs_no_ring(redis_server: RedisServer, redis: Redis) -> None:
    queue = JobQueue(redis_server.url)
    assert queue.put(JOB_FORGET, "b0b1")
    redis_server.kill()
    redis_server.start()
    assert queue.put(JOB_FORGET, "b0b2")
    assert queued(redis) == ["forget-b0b1-0", "forget-b0b2-0"]


def test_a_full_redis_is_a_redis_that_did_not_take_it(redis_server: RedisServer, redis: Redis) -> None:
    redis.config_set("maxmemory", "1")
    assert not JobQueue(redis_server.url).put(JOB_FORGET, "b0b1")


def test_a_sign_of_life_is_seen_by_another_process_and_fades(redis_server: RedisServer, redis: Redis) -> None:
    assert not JobQueue(redis_server.url).beats("clock")
    assert JobQueue(redis_server.url).beat("clock")
    assert JobQueue(redis_server.url).beats("clock")
    assert 0 < redis.ttl("hotline:beat:clock") <= 60
    assert JobQueue(redis_server.url).workers() == 0
