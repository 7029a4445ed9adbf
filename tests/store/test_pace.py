"""The pace that all hosts share: never faster than set, hardly slower, on both databases."""

import threading
import time
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from front_door import Hotline, Provider
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from gateway.errors import CarrierError
from gateway.services import lines
from gateway.store import paces
from gateway.store.database import Session
from gateway.store.paces import Moment

SECOND = timedelta(seconds=1)
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
            taken.append((first.at, count))

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
        assert paces.reserve(session, "t", now=now, every=second, count=3, ahead=second) == Moment(now, 0)
        assert paces.reserve(session, "t", now=now, every=second, count=1, ahead=second) is None
        later = paces.reserve(session, "t", now=now, every=second, count=1, ahead=3 * second)
        assert later == Moment(now + 3 * second, 3)


def test_a_clock_that_was_set_back_holds_nobody_up(hotline: Hotline) -> None:
    runtime = hotline.runtime
    now, second = runtime.clock.now(), timedelta(seconds=1)
    with runtime.database.write() as session:
        paces.reserve(session, "t", now=now + timedelta(days=1), every=second, count=1, ahead=second)
        assert paces.reserve(session, "t", now=now, every=second, count=1, ahead=second) == Moment(now, 1)
    assert len(hotline.rows(select(paces.paces).where(paces.paces.c.name == "t"))) == 1


def test_calls_that_were_held_up_leave_one_after_the_other_and_put_off_who_comes_next(
    template: Path, tmp_path: Path, provider: Provider
) -> None:
    hotline = Hotline(template, tmp_path / "hotline", provider, HOTLINE_CALLS_PER_SECOND="100")
    runtime = hotline.runtime
    pacer, every = lines.Pacer(runtime), lines.every(runtime)
    with runtime.database.write() as session:
        first = lines.moments(session, runtime, count=30)
    assert first is not None
    time.sleep(0.2)
    began = []
    for at in range(30):
        pacer.wait(Moment(first.at + at * every, at))
        began.append(runtime.clock.now())
    with runtime.database.write() as session:
        then = lines.moments(session, runtime)
    assert min(after - before for before, after in pairwise(began)) > every * 0.4
    assert then is not None
    # The hundredth after each comes a second after it left.
    assert all(then.at + (100 - 30 + at) * every >= left + SECOND for at, left in enumerate(began))
    hotline.runtime.database.close()


def test_a_call_that_is_much_too_late_does_not_leave(hotline: Hotline) -> None:
    runtime = hotline.runtime
    with runtime.database.write() as session:
        first = lines.moments(session, runtime)
    assert first is not None
    hotline.later(seconds=20)
    with pytest.raises(CarrierError) as refused:
        lines.Pacer(runtime).wait(first)
    assert refused.value.retry


def test_a_late_call_whose_follower_has_its_moment_already_takes_a_new_one(hotline: Hotline) -> None:
    runtime = hotline.runtime  # one call a second
    with runtime.database.write() as session:
        first = lines.moments(session, runtime, count=2)
    assert first is not None
    hotline.later(seconds=1)
    lines.Pacer(runtime).wait(first)
    assert runtime.clock.now() >= first.at + 2 * lines.every(runtime)


@given(
    st.lists(st.tuples(st.integers(0, 80), st.sampled_from([0, 0, 0, 5, 30, 200])), min_size=1, max_size=60),
    st.integers(1, 20),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_second_holds_more_calls_than_the_rate(
    hotline: Hotline, calls: list[tuple[int, int]], rate: int
) -> None:
    """Calls are asked for after any pause and leave as late as they like, if they may, else at a new moment."""
    every, slack = timedelta(milliseconds=1020 / rate), timedelta(milliseconds=10)
    now, left = hotline.runtime.clock.now(), []
    with hotline.runtime.database.write() as session:
        session.execute(paces.paces.delete())
        for pause, late in calls:
            now += timedelta(milliseconds=pause)
            while (moment := _reserved(session, now, every)) is None:
                now += timedelta(milliseconds=20)
            leaves = moment.at + timedelta(milliseconds=late)
            if leaves - moment.at > slack and not paces.leave_late(
                session, "t", moment, until=leaves, every=every, most=rate, span=SECOND
            ):
                continue
            left.append(leaves)
    left.sort()
    assert all(after - before >= SECOND for before, after in zip(left, left[rate:], strict=False))


def _reserved(session: Session, now: datetime, every: timedelta) -> Moment | None:
    ahead = timedelta(milliseconds=600)
    return paces.reserve(session, "t", now=now, every=every, count=1, ahead=ahead)
