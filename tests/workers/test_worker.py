"""The worker process, with a real Redis that is killed and comes back."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from real_redis import RedisServer
from redis import Redis

from gateway.queue import JOB_END_CALL, JOB_FORGET, JOB_RING_BACK, JOB_RING_CALLER, JobQueue

ROOT = Path(__file__).parents[2]


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


class Shop:
    """A worker process and what its jobs wrote down."""

    def __init__(self, url: str, notes: Path) -> None:
        self.queue = JobQueue(url)
        self._notes = notes
        self._url = url
        self.log = notes.with_suffix(".log")
        self.process = self.open()

    def open(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("worker_for_tests.py")), self._url],
                env=os.environ | {"NOTES": str(self._notes), "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def notes(self) -> dict[str, list[str]]:
        if not self._notes.exists():
            return {}
        lines = [line.split() for line in self._notes.read_text(encoding="utf-8").splitlines()]
        return {word: rest for word, *rest in lines}

    def put_until_taken(self, job: str, row: str) -> None:
        """As the clock does: ring until it is heard."""
        ring = 0
        deadline = time.monotonic() + 60
        while row not in self.notes():
            assert time.monotonic() < deadline, "nobody heard"
            self.queue.put(job, row, ring=ring)
            ring += 1
            time.sleep(0.3)


@pytest.fixture
def shop(redis_server: RedisServer, tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(redis_server.url, tmp_path / "notes")
    yield shop
    shop.process.kill()
    shop.process.wait()


@pytest.fixture
def redis(redis_server: RedisServer) -> Iterator[Redis]:
    with Redis.from_url(redis_server.url) as connection:
        yield connection


def test_a_job_runs_in_a_fork_that_made_its_connections_its_own(shop: Shop) -> None:
    assert shop.queue.put(JOB_RING_BACK, "a1")
    until(lambda: "a1" in shop.notes())
    pid, _at, forked = shop.notes()["a1"]
    assert int(pid) != shop.process.pid
    assert forked == "1"


def test_nothing_of_a_job_that_succeeded_stays_in_redis(shop: Shop, redis: Redis) -> None:
    shop.queue.put(JOB_RING_BACK, "a1")
    until(lambda: "a1" in shop.notes() and not redis.keys("rq:job:*"))
    assert not redis.keys("rq:results:*")


def test_of_a_job_that_failed_only_its_class_is_told_and_nothing_stays(shop: Shop, redis: Redis) -> None:
    shop.queue.put(JOB_FORGET, "canary77")
    until(lambda: "RuntimeError" in shop.log.read_text())
    until(lambda: not redis.keys("rq:job:*"))
    assert not redis.keys("rq:results:*")
    assert redis.zcard("rq:failed:calls") == 0
    assert "the number was" not in shop.log.read_text()
    assert "Traceback" not in shop.log.read_text()


@pytest.mark.promise(13)
def test_a_poisoned_job_blocks_nobody(shop: Shop) -> None:
    shop.queue.put(JOB_FORGET, "a1")
    shop.queue.put(JOB_END_CALL, "a2")
    shop.queue.put("render", "a3")  # the stand-in has no such function
    shop.queue.put(JOB_RING_BACK, "a4")
    until(lambda: {"a2", "a4"} <= shop.notes().keys())
    assert shop.process.poll() is None


def test_sigterm_lets_the_job_in_hand_end(shop: Shop) -> None:
    shop.queue.put(JOB_RING_CALLER, "a1")
    until(lambda: "began-a1" in shop.notes())
    shop.process.terminate()
    assert shop.process.wait(10) == 0
    assert "ended-a1" in shop.notes()


def test_sigterm_ends_an_idle_worker_at_once(shop: Shop) -> None:
    shop.queue.put(JOB_RING_BACK, "a1")
    until(lambda: "a1" in shop.notes())  # it is counted before it listens to signals, and works after
    time.sleep(0.5)
    shop.process.terminate()
    assert shop.process.wait(20) == 0
    assert shop.queue.workers() == 0


def test_sigterm_with_redis_dead_still_lets_the_job_in_hand_end(
    shop: Shop, redis_server: RedisServer
) -> None:
    shop.queue.put(JOB_RING_CALLER, "a1")
    until(lambda: "began-a1" in shop.notes())
    redis_server.kill()
    shop.process.terminate()
    shop.process.wait(25)
    assert "ended-a1" in shop.notes()


@pytest.mark.promise(12)
def test_a_job_does_not_outlive_a_killed_worker(shop: Shop) -> None:
    shop.queue.put(JOB_RING_CALLER, "a1")
    until(lambda: "began-a1" in shop.notes())
    shop.process.kill()
    shop.process.wait()
    time.sleep(2.5)
    assert "ended-a1" not in shop.notes()


@pytest.mark.promise(10)
@pytest.mark.slow
def test_the_worker_goes_on_when_redis_was_killed_and_comes_back(
    shop: Shop, redis_server: RedisServer
) -> None:
    for round_ in range(3):
        shop.put_until_taken(JOB_RING_BACK, f"before{round_}")
        redis_server.kill()
        time.sleep(1)
        redis_server.start()
        shop.put_until_taken(JOB_RING_BACK, f"after{round_}")
    assert shop.process.poll() is None


def test_redis_killed_during_a_job_neither_ends_it_nor_the_worker(
    shop: Shop, redis_server: RedisServer
) -> None:
    shop.queue.put(JOB_RING_CALLER, "a1")
    until(lambda: "began-a1" in shop.notes())
    redis_server.kill()
    until(lambda: "ended-a1" in shop.notes())
    redis_server.start()
    shop.put_until_taken(JOB_RING_BACK, "a2")
    assert shop.process.poll() is None


def test_a_worker_that_starts_before_redis_waits_for_it(redis_server: RedisServer, tmp_path: Path) -> None:
    redis_server.kill()
    shop = Shop(redis_server.url, tmp_path / "notes")
    try:
        time.sleep(1.5)
        redis_server.start()
        shop.put_until_taken(JOB_RING_BACK, "a1")
    finally:
        shop.process.send_signal(signal.SIGTERM)
        assert shop.process.wait(10) == 0


def test_what_was_queued_when_redis_was_killed_is_done(redis_server: RedisServer, tmp_path: Path) -> None:
    queue = JobQueue(redis_server.url)
    assert all(queue.put(JOB_RING_BACK, f"a{number}") for number in range(20))
    redis_server.kill()
    redis_server.start()
    shop = Shop(redis_server.url, tmp_path / "notes")
    until(lambda: len(shop.notes()) == 20)
    shop.process.kill()
    shop.process.wait()


def test_an_idle_worker_starts_a_job_in_a_moment(shop: Shop) -> None:
    waits = []
    for number in range(20):
        until(lambda: shop.queue.workers() == 1)
        began = time.time()
        shop.queue.put(JOB_RING_BACK, f"a{number}")
        until(lambda row=f"a{number}": row in shop.notes())
        waits.append(float(shop.notes()[f"a{number}"][1]) - began)
        time.sleep(0.05)
    assert min(waits) < 1, waits  # not when the worker next looks by itself; `make bench` measures
