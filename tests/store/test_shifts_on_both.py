"""A day's limit, refusals, shifts and hours on SQLite and PostgreSQL alike, also when many come at once."""

import threading
from collections.abc import Callable
from datetime import time, timedelta

import pytest
from front_door import YANGON, Hotline
from sqlalchemy import select
from trials import trials

from gateway.errors import Refused
from gateway.services import attending, casework, opening, shifts
from gateway.services import counselors as people
from gateway.store import attendance, refusals
from gateway.store.callbacks import callbacks
from gateway.store.hours import ALL_DAY, Holiday, Span


def ask(hotline: Hotline, number: int) -> str:
    line = hotline.dial(f"+95979000{number:04d}")
    line.press("115")
    line.hang_up()
    return str(hotline.rows(select(callbacks.c.id).order_by(callbacks.c.asked.desc()))[0].id)


@pytest.mark.promise(13)
def test_of_two_claims_at_once_by_one_person_the_limit_lets_one_through(
    hosts: tuple[Hotline, Hotline], tried: Callable[[int], None]
) -> None:
    tried(trials(5, 100))
    here = hosts[0]
    helper = here.counselor()
    attending.set_cap(here.runtime, "helper", 1, by=None)
    for trial in range(trials(5, 100)):
        cases = [ask(here, 100 + 2 * trial + one) for one in range(2)]
        won: list[str] = []
        gate = threading.Barrier(2)

        def claim(host: Hotline, case: str, gate: threading.Barrier = gate, won: list[str] = won) -> None:
            gate.wait()
            try:
                casework.claim(host.runtime, case, helper.id)
            except Refused as refused:
                won.append(refused.reason_key)
            else:
                won.append(case)

        both = [
            threading.Thread(target=claim, args=(host, case)) for host, case in zip(hosts, cases, strict=True)
        ]
        for one in both:
            one.start()
        for one in both:
            one.join()
        assert len([one for one in won if one in cases]) == 1, won
        assert "enough_today" in won
        for host in hosts:
            host.clock.skip_to(here.clock.now() + timedelta(days=1))


def test_two_clocks_begin_and_end_a_shift_once(hosts: tuple[Hotline, Hotline]) -> None:
    here, there = hosts
    helper = here.counselor()
    people.set_shift(here.runtime, "helper", on=False)
    here.at(10)
    there.clock.skip_to(here.clock.now())
    day = here.clock.now().astimezone(YANGON).date()
    shifts.plan(here.runtime, "helper", day, time(11), time(12), by="x")
    for hour, on in ((11, True), (12, False)):
        for host in hosts:
            host.at(hour)
        both = [threading.Thread(target=attending.tick, args=(host.runtime,)) for host in hosts * 2]
        for one in both:
            one.start()
        for one in both:
            one.join()
        assert people.known(here.runtime, "helper").on_shift is on
    assert attending.of(here.runtime, helper.id).off_why == attending.PLAN_OVER
    assert not shifts.own(here.runtime, helper.id)


def test_what_is_kept_is_read_again(hotline: Hotline) -> None:
    helper, case = hotline.counselor(), ask(hotline, 1)
    day = hotline.clock.now().astimezone(YANGON).date()
    week = (Span(time(9), time(17, 30)), None, *[ALL_DAY] * 5)
    opening.set_week(hotline.runtime, week, by="x")
    opening.set_holiday(hotline.runtime, Holiday(day, "သင်္ကြန်", Span(time(22), time(2))), by="x")
    kept = opening.kept(hotline.runtime)
    assert (kept.week, list(kept.holidays.values())) == (
        week,
        [Holiday(day, "သင်္ကြန်", Span(time(22), time(2)))],
    )
    casework.refuse(hotline.runtime, case, helper.id)
    casework.refuse(hotline.runtime, case, helper.id)
    attending.pause(hotline.runtime, helper.id, on=True)
    now = hotline.clock.now()
    with hotline.runtime.database.read() as session:
        assert refusals.of_request(session, case) == [helper.id]
        assert refusals.of_account(session, helper.id) == {case}
        assert attendance.paused(session, now) == [helper.id]
        assert attendance.there(session, now) == 0
        assert attendance.there(session, now + attending.PAUSE) == 1
