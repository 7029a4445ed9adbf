"""The pace that all hosts share: never faster than set, hardly slower, on both databases."""

import threading
import time
from datetime import timedelta
from itertools import pairwise

from front_door import Hotline
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from gateway.services import lines
from gateway.store import paces

Hosts = tuple[Hotline, Hotline]


def test_two_hosts_that_ask_at_once_are_never_given_the_same_moment(hosts: Hosts) -> None:
    every = timedelta(milliseconds=2)
    taken: list[tuple[object, int]] = []
    now = hosts[0].runtime.clock.now()

    def take(host: Hotline, count: int) -> None:
        for _ in range(10):
            with host.runtime.database.write() as session:
                first = paces.reserve(
                    session, "t", now=now, every=every, count=count, ahead=timedelta(hours=1)
                )
            assert first is not None
            taken.append((first, count))

    threads = [threading.Thread(target=take, args=(host, count)) for host in hosts for count in (1, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    moments = sorted(first + at * every for first, count in taken for at in range(count))  # type: ignore[operator]
    assert len(moments) == 80
    assert {after - before for before, after in pairwise(moments)} == {every}


def test_whoever_would_have_to_wait_too_long_takes_no_moment(hotline: Hotline) -> None:
    runtime = hotline.runtime
    now, second = runtime.clock.now(), timedelta(seconds=1)
    with runtime.database.write() as session:
        assert paces.reserve(session, "t", now=now, every=second, count=3, ahead=second) == now
        assert paces.reserve(session, "t", now=now, every=second, count=1, ahead=second) is None
        assert (
            paces.reserve(session, "t", now=now, every=second, count=1, ahead=3 * second) == now + 3 * second
        )


def test_a_clock_that_was_set_back_holds_nobody_up(hotline: Hotline) -> None:
    runtime = hotline.runtime
    now, second = runtime.clock.now(), timedelta(seconds=1)
    with runtime.database.write() as session:
        paces.reserve(session, "t", now=now + timedelta(days=1), every=second, count=1, ahead=second)
        assert paces.reserve(session, "t", now=now, every=second, count=1, ahead=second) == now
    assert len(hotline.rows(select(paces.paces).where(paces.paces.c.name == "t"))) == 1


def test_calls_that_were_held_up_do_not_leave_together(hotline: Hotline) -> None:
    """A stall of half a second in the middle of a block of moments: the block is let pass."""
    runtime = hotline.runtime
    pacer = lines.Pacer(runtime)
    every = lines.every(runtime)
    with runtime.database.write() as session:
        first = lines.moments(session, runtime, count=30)
    assert first is not None
    time.sleep(0.5)
    began = []
    for at in range(30):
        pacer.wait(first + at * every)
        began.append(runtime.clock.now())
    assert min(after - before for before, after in pairwise(began)) > every * 0.5


@given(st.lists(st.integers(0, 400), min_size=1, max_size=40), st.integers(1, 50))
def test_no_second_holds_more_calls_than_the_rate(pauses: list[int], rate: int) -> None:
    """The same arithmetic with any pauses between the asking: moments are at least a step apart."""
    step = int(1_000_000 * 1.02 / rate)
    free, now, begun = 0, 0, []
    for pause in pauses:
        now += pause * 1_000
        begins = max(free, now)
        free = begins + step
        begun.append(begins)
    for at, one in enumerate(begun):
        assert sum(1 for other in begun[at:] if other < one + 1_000_000) <= rate
