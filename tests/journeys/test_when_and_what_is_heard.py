"""When it rings, at any instant and whatever the clock does; and what whoever or whatever picks up hears."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from front_door import YANGON, Hotline
from hypothesis import given, settings
from hypothesis import strategies as st
from trials import trials

from gateway.services import windows

INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - aware
HOURS = (time(21), time(7))
SECOND = timedelta(seconds=1)


@pytest.mark.promise(20)
@settings(max_examples=trials(100, 10_000))
@given(now=INSTANTS, wish=st.sampled_from(sorted(windows.WINDOWS)))
def test_a_request_for_a_window_lives_in_that_window_and_never_in_the_night(now: datetime, wish: str) -> None:
    start, end = windows.WINDOWS[wish]
    lives = windows.life(wish, now, YANGON)
    for life in (lives, windows.repeated(wish, lives.expires, YANGON)):
        begins, last = (at.astimezone(YANGON) for at in (life.not_before, life.expires - SECOND))
        assert now <= life.not_before < life.expires <= now + timedelta(days=2, hours=13)
        assert start <= begins.time() <= last.time() < end
        assert begins.date() == last.date()
        assert not windows.quiet(life.not_before, HOURS, YANGON)
        assert not windows.quiet(life.expires - SECOND, HOURS, YANGON)


@pytest.mark.promise(20)
@settings(max_examples=trials(100, 10_000))
@given(
    now=INSTANTS,
    hours=st.tuples(st.times(), st.times()),
    zone=st.sampled_from(["Asia/Yangon", "Asia/Kolkata", "Asia/Bangkok", "UTC"]).map(ZoneInfo),
)
def test_after_quiet_hours_it_is_quiet_no_more_and_just_before_it_was(
    now: datetime, hours: tuple[time, time], zone: ZoneInfo
) -> None:
    after = windows.after_quiet(now, hours, zone)
    assert now <= after <= now + timedelta(days=1)
    if hours[0] != hours[1]:
        assert not windows.quiet(after, hours, zone)
    if after != now:
        assert windows.quiet(after - timedelta(microseconds=1), hours, zone)
        assert windows.quiet(now, hours, zone)


@pytest.mark.promise(20)
def test_whatever_the_clock_does_nobody_is_rung_in_the_night(
    hotline: Hotline, tried: Callable[[int], None]
) -> None:
    """What was asked waits while the clock jumps, back too; each call is looked at when it is dialled."""
    jumps, rung = trials(40, 2_000), 0
    for at in range(jumps):
        if at % 4 == 0:
            hotline.dial(f"+9597903{at:05d}").press(random.choice(["816", "818"]))
        hotline.later(minutes=random.choice([-600, -45, -1, 1, 7, 59, 180, 420, 720]))
        before = len(hotline.provider.calls)
        hotline.work(most=1_000)
        new = hotline.provider.calls[before:]
        rung += len(new)
        assert not new or not windows.quiet(hotline.clock.now(), hotline.settings.quiet_hours, YANGON)
        for call in new:
            hotline.not_answered(call)
    assert hotline.settings.quiet_hours
    assert rung
    tried(jumps)


MACHINES = ("machine_start", "machine_end_beep", "machine_end_silence", "machine_end_other", "fax")


@pytest.mark.promise(21)
def test_a_machine_hears_nothing_and_a_person_one_neutral_line_whatever_they_press(
    hotline: Hotline, tried: Callable[[int], None]
) -> None:
    answers = trials(15, 500)
    for at in range(answers):
        own = random.choice("45678")
        hotline.dial(f"+9597904{at:05d}").press(f"81{own}")
        hotline.work()
        by = random.choice([*MACHINES, "human", "human", "human", "unknown"])
        line = hotline.pick_up(hotline.provider.calls[-1], by=by)
        if by in MACHINES:
            assert line.heard.verbs == ["Hangup"]
            line.hang_up()
            continue
        assert line.heard.said == ["gate"]
        for _ in range(3):
            if line.heard.action is None:
                break
            key = random.choice(["", *"0123456789*#"])
            heard = line.press(key) if key else line.silence()
            opened = {"confirmed", "confirmed_more", "stopped"} if key == own else set()
            neutral = {"2": {"gate_later"}, "3": {"gate_wrong_person"}}.get(
                key, {"gate", "harmless", "goodbye"}
            )
            assert set(heard.said) <= neutral | opened, (key, own)
            if opened:
                break
        line.hang_up()
    tried(answers)
