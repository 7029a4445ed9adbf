"""Shifts begin and end by themselves, and how much a day may bring is held by the very claim."""

from datetime import date, datetime, time, timedelta

import pytest
from front_door import COUNSELOR, YANGON, Hotline
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from trials import trials

from gateway.errors import Refused
from gateway.services import attending, casework, opening, shifts
from gateway.services import counselors as people
from gateway.store import shifts as rows
from gateway.store.attendance import Attendance
from gateway.store.audit import audit
from gateway.store.callbacks import callbacks
from gateway.store.counselors import Account, Role, accounts
from gateway.store.hours import Span
from workers import clock

SECOND = "+66812345021"


@pytest.fixture
def helper(hotline: Hotline) -> Account:
    """Somebody with a phone, off shift, at ten in the morning."""
    account = hotline.counselor()
    people.set_shift(hotline.runtime, "helper", on=False)
    hotline.at(10)
    return account


def on_shift(hotline: Hotline, alias: str = "helper") -> bool:
    attending.tick(hotline.runtime)
    return bool(hotline.one(select(accounts.c.on_shift).where(accounts.c.alias == alias)).on_shift)


def today(hotline: Hotline) -> date:
    return hotline.clock.now().astimezone(YANGON).date()


def plan(hotline: Hotline, begins: time, ends: time, *, days: int = 0, alias: str = "helper") -> None:
    shifts.plan(hotline.runtime, alias, today(hotline) + timedelta(days=days), begins, ends, by="coordinator")


def why_off(hotline: Hotline, account: Account) -> str:
    return attending.of(hotline.runtime, account.id).off_why


def ask(hotline: Hotline, number: int) -> str:
    line = hotline.dial(f"+9597900020{number:02d}")
    line.press("115")
    line.hang_up()
    return str(hotline.rows(select(callbacks.c.id).order_by(callbacks.c.asked.desc()))[0].id)


# --- the plan -------------------------------------------------------------------------------------------


def test_a_planned_shift_begins_and_ends_by_itself(hotline: Hotline, helper: Account) -> None:
    plan(hotline, time(11), time(15))
    assert not on_shift(hotline)
    hotline.at(11)
    assert on_shift(hotline)
    hotline.at(14, 59)
    assert on_shift(hotline)
    hotline.at(15)
    assert not on_shift(hotline)
    assert why_off(hotline, helper) == attending.PLAN_OVER


def test_who_goes_off_by_hand_during_a_planned_shift_stays_off(hotline: Hotline, helper: Account) -> None:
    plan(hotline, time(11), time(15))
    hotline.at(11, 1)
    assert on_shift(hotline)
    people.set_shift(hotline.runtime, "helper", on=False)
    hotline.at(12)
    assert not on_shift(hotline)
    assert why_off(hotline, helper) == ""


def test_one_shift_follows_another_without_an_end(hotline: Hotline, helper: Account) -> None:
    plan(hotline, time(11), time(13))
    plan(hotline, time(13), time(15))
    hotline.at(12)
    assert on_shift(hotline)
    hotline.at(13, 1)
    assert on_shift(hotline)
    hotline.at(15)
    assert not on_shift(hotline)


def test_a_clock_that_was_away_begins_no_shift_that_is_over(hotline: Hotline, helper: Account) -> None:
    plan(hotline, time(11), time(13))
    hotline.at(14)
    assert not on_shift(hotline)
    people.set_shift(hotline.runtime, "helper", on=True)
    assert on_shift(hotline), "nor does it end another"


def test_nobody_is_taken_off_shift_during_a_call(hotline: Hotline, helper: Account) -> None:
    plan(hotline, time(11), time(13))
    hotline.at(12, 50)
    assert on_shift(hotline)
    case = ask(hotline, 1)
    casework.claim(hotline.runtime, case, helper.id)
    casework.call(hotline.runtime, case, helper.id)
    hotline.work()
    line = hotline.pick_up(hotline.provider.calls[-1])
    hotline.at(13, 5)
    assert on_shift(hotline), "her phone is in a call"
    line.hang_up()
    assert not on_shift(hotline)


def test_an_account_that_ended_begins_no_shift(hotline: Hotline, helper: Account) -> None:
    plan(hotline, time(11), time(13))
    with hotline.runtime.database.write() as session:
        session.execute(accounts.update().values(disabled=True))
    hotline.at(11, 1)
    assert not on_shift(hotline)


def test_what_cannot_be_planned_is_refused_with_its_reason(hotline: Hotline, helper: Account) -> None:
    people.add(hotline.runtime, "phoneless", helper.role, "correct horse battery", number=None)
    plan(hotline, time(12), time(15))
    cases = [
        ("helper", 0, time(8), time(9), "day_over"),
        ("helper", 400, time(8), time(9), "far_away"),
        ("helper", 1, time(8), time(20), "shift_too_long"),
        ("helper", 0, time(14), time(16), "planned_already"),
        ("phoneless", 1, time(8), time(9), "they_have_no_phone"),
        ("nobody", 1, time(8), time(9), "no_such_account"),
    ]
    for alias, days, begins, ends, reason in cases:
        with pytest.raises(Refused, match=reason):
            plan(hotline, begins, ends, days=days, alias=alias)
    plan(hotline, time(23), time(2), days=1)  # over midnight


def test_a_week_is_repeated_once(hotline: Hotline, helper: Account) -> None:
    hotline.counselor("two", SECOND)
    monday = shifts.week_of(today(hotline)) + shifts.WEEK
    for day, alias in ((0, "helper"), (6, "two")):
        shifts.plan(hotline.runtime, alias, monday + timedelta(days=day), time(22), time(1), by="x")
    assert shifts.repeat_week(hotline.runtime, monday, by="x") == 2
    assert shifts.repeat_week(hotline.runtime, monday, by="x") == 0
    first, second = (shifts.in_week(hotline.runtime, monday + weeks * shifts.WEEK) for weeks in (0, 1))
    assert [(one.alias, one.begins + shifts.WEEK, one.ends + shifts.WEEK) for one in first] == [
        (one.alias, one.begins, one.ends) for one in second
    ]


def test_one_sees_ones_own_shifts(hotline: Hotline, helper: Account) -> None:
    other = hotline.counselor("two", SECOND)
    plan(hotline, time(11), time(13))
    plan(hotline, time(11), time(13), alias="two")
    assert [one.alias for one in shifts.own(hotline.runtime, helper.id)] == ["helper"]
    assert [one.alias for one in shifts.own(hotline.runtime, other.id)] == ["two"]
    shifts.remove(hotline.runtime, shifts.own(hotline.runtime, helper.id)[0].id, by="x")
    assert not shifts.own(hotline.runtime, helper.id)


@settings(
    max_examples=trials(15, 500),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    planned=st.lists(st.tuples(st.integers(0, 40), st.integers(1, 5)), max_size=4),
    looks=st.lists(st.integers(1, 600), min_size=1, max_size=8),
)
def test_however_seldom_the_clock_looks_who_is_planned_now_is_there_and_nobody_else(
    hotline: Hotline, helper: Account, planned: list[tuple[int, int]], looks: list[int]
) -> None:
    start = hotline.clock.now()
    made: list[tuple[datetime, datetime]] = []
    with hotline.runtime.database.write() as session:
        session.execute(delete(rows.shifts))
        for begins, length in planned:
            first = start + timedelta(hours=begins)
            last = first + timedelta(hours=length)
            if not rows.overlaps(session, helper.id, first, last):
                rows.add(session, hotline.runtime.new_id(), account=helper.id, begins=first, ends=last)
                made.append((first, last))
    people.set_shift(hotline.runtime, "helper", on=False)
    for minutes in looks:
        hotline.later(minutes=minutes)
        now = hotline.clock.now()
        since = attending.of(hotline.runtime, helper.id).since
        long = since is not None and since <= now - hotline.settings.longest_shift
        planned_now = any(first <= now < last for first, last in made)
        there = on_shift(hotline)
        assert there <= planned_now
        assert there or long or not planned_now or why_off(hotline, helper) == attending.LONG


# --- what ends a shift besides --------------------------------------------------------------------------


def test_a_shift_is_no_longer_than_is_good(hotline: Hotline, helper: Account) -> None:
    people.set_shift(hotline.runtime, "helper", on=True)
    hotline.later(hours=5, minutes=59)
    assert on_shift(hotline)
    hotline.later(minutes=2)
    assert not on_shift(hotline)
    assert why_off(hotline, helper) == attending.LONG
    people.set_shift(hotline.runtime, "helper", on=True)
    assert on_shift(hotline)
    assert why_off(hotline, helper) == ""


def test_shifts_end_when_the_hours_end_and_who_comes_later_by_hand_stays(
    hotline: Hotline, helper: Account
) -> None:
    opening.set_week(hotline.runtime, [Span(time(9), time(12))] * 7, by="x")
    people.set_shift(hotline.runtime, "helper", on=True)
    hotline.at(11, 59)
    assert on_shift(hotline)
    hotline.at(12)
    assert not on_shift(hotline)
    assert why_off(hotline, helper) == attending.CLOSED
    people.set_shift(hotline.runtime, "helper", on=True)
    hotline.later(minutes=10)
    assert on_shift(hotline)


def test_two_unanswered_rings_end_a_shift_with_a_word(hotline: Hotline, helper: Account) -> None:
    people.set_shift(hotline.runtime, "helper", on=True)
    hotline.at_console()
    ask(hotline, 1)
    for minutes in (2, 6):
        hotline.later(minutes=minutes)
        hotline.work()
        hotline.not_answered(hotline.provider.calls[-1])
    assert not on_shift(hotline)
    assert why_off(hotline, helper) == attending.MISSED
    assert hotline.rows(select(audit).where(audit.c.what == "off_shift_missed"))


# --- a pause --------------------------------------------------------------------------------------------


def test_during_a_pause_nobody_rings_and_callers_hear_that_nobody_is_there(
    hotline: Hotline, helper: Account
) -> None:
    people.set_shift(hotline.runtime, "helper", on=True)
    hotline.at_console()
    attending.pause(hotline.runtime, helper.id, on=True)
    line = hotline.dial()
    assert line.press("1").said == ["truth", "nobody_now", "when"]
    line.press("15")
    line.hang_up()
    hotline.later(minutes=3)
    hotline.work()
    assert not hotline.provider.calls
    hotline.later(minutes=13)  # it is over by itself
    hotline.work()
    assert [call.form["To"] for call in hotline.provider.calls] == [COUNSELOR]
    assert hotline.dial().press("1").said == ["truth", "when"]


def test_a_pause_ends_by_hand_too_and_needs_a_shift(hotline: Hotline, helper: Account) -> None:
    with pytest.raises(Refused, match="not_on_shift"):
        attending.pause(hotline.runtime, helper.id, on=True)
    people.set_shift(hotline.runtime, "helper", on=True)
    attending.pause(hotline.runtime, helper.id, on=True)
    attending.pause(hotline.runtime, helper.id, on=False)
    assert not attending.of(hotline.runtime, helper.id).paused(hotline.clock.now())


# --- refusing, and how much a day may bring -------------------------------------------------------------


def test_who_refused_a_request_cannot_take_it_and_is_not_rung_for_it(
    hotline: Hotline, helper: Account
) -> None:
    people.set_shift(hotline.runtime, "helper", on=True)
    hotline.at_console()
    case = ask(hotline, 1)
    casework.claim(hotline.runtime, case, helper.id)
    casework.refuse(hotline.runtime, case, helper.id)
    with pytest.raises(Refused, match="refused_before"):
        casework.claim(hotline.runtime, case, helper.id)
    hotline.later(minutes=3)
    hotline.work()
    assert not hotline.provider.calls
    other = hotline.counselor("two", SECOND)
    casework.claim(hotline.runtime, case, other.id)
    with pytest.raises(Refused, match="not_now"):
        casework.refuse(hotline.runtime, case, helper.id)


def test_a_new_counselor_takes_four_requests_a_day_and_whoever_leads_any_number(hotline: Hotline) -> None:
    for alias, role in (("new", Role.COUNSELOR), ("lead", Role.COORDINATOR)):
        people.add(hotline.runtime, alias, role, "correct horse battery", number=None)
    new, lead = (people.known(hotline.runtime, alias).id for alias in ("new", "lead"))
    assert attending.of(hotline.runtime, new).daily_cap == attending.NEW_ACCOUNTS
    assert attending.of(hotline.runtime, lead) == Attendance()
    cases = [ask(hotline, number) for number in range(6)]
    for case in cases[:4]:
        casework.claim(hotline.runtime, case, new)
        casework.release(hotline.runtime, case, new)
    casework.claim(hotline.runtime, cases[0], new)  # the same again is none more
    with pytest.raises(Refused, match="enough_today"):
        casework.claim(hotline.runtime, cases[4], new)
    for case in cases[1:]:
        casework.claim(hotline.runtime, case, lead)
    hotline.at(0, 5, days=1)
    fresh = ask(hotline, 7)
    casework.claim(hotline.runtime, fresh, new)


def test_a_coordinator_sets_how_much_a_day_may_bring(hotline: Hotline, helper: Account) -> None:
    attending.set_cap(hotline.runtime, "helper", 1, by="x")
    first, second = ask(hotline, 1), ask(hotline, 2)
    casework.claim(hotline.runtime, first, helper.id)
    with pytest.raises(Refused, match="enough_today"):
        casework.claim(hotline.runtime, second, helper.id)
    attending.set_cap(hotline.runtime, "helper", None, by="x")
    casework.claim(hotline.runtime, second, helper.id)
    for bad in (0, -1, 100):
        with pytest.raises(Refused, match="no_such_cap"):
            attending.set_cap(hotline.runtime, "helper", bad, by="x")


def test_the_clock_itself_looks_after_shifts(hotline: Hotline, helper: Account) -> None:
    plan(hotline, time(11), time(15))
    hotline.at(11)
    clock.run(hotline.runtime, once=True)
    assert hotline.one(select(accounts)).on_shift
