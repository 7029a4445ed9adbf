"""Within the hour: counselors on shift are rung, and the first right key takes the request."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from front_door import COUNSELOR, Hotline, Placed, Provider
from sqlalchemy import select

from gateway.services import casework
from gateway.store.callbacks import CallbackState, callbacks
from gateway.store.counselors import accounts
from gateway.store.legs import legs
from gateway.store.outbox import outbox

SECOND, THIRD = "+66812345021", "+66812345022"


@pytest.fixture
def hotline(template: Path, tmp_path: Path, provider: Provider) -> Iterator[Hotline]:
    """With six lines, so that several counselors can be rung at once."""
    made = Hotline(template, tmp_path / "hotline", provider, HOTLINE_CALLS_AT_ONCE="6")
    yield made
    made.runtime.database.close()


def rung(hotline: Hotline) -> list[Placed]:
    """Three on shift, one request; everybody's phone rings."""
    for alias, number in (("one", COUNSELOR), ("two", SECOND), ("three", THIRD)):
        hotline.counselor(alias, number)
        hotline.at_console(alias)
    hotline.dial().press("115")
    hotline.work(most=10)
    assert not hotline.provider.calls, "whoever looks at the console has a minute's head start"
    hotline.later(seconds=61)
    hotline.work()
    return list(hotline.provider.calls)


def test_all_on_shift_are_rung_and_the_first_right_key_wins(hotline: Hotline) -> None:
    placed = rung(hotline)
    assert sorted(call.form["To"] for call in placed) == sorted([COUNSELOR, SECOND, THIRD])
    first, second = hotline.pick_up(placed[0]), hotline.pick_up(placed[1])
    assert first.press("1").said == ["handle", "counselor_choices"]
    assert second.press("1").said == ["counselor_taken"]
    hotline.work()
    assert [call.status for call in placed] == ["queued", "completed", "completed"]
    assert first.press("1").room
    hotline.work()
    caller = hotline.pick_up(hotline.provider.calls[-1])
    assert caller.press("5").room == first.heard.room
    assert hotline.one(select(callbacks)).state == CallbackState.TALKING


def test_the_losers_lines_change_nothing(hotline: Hotline) -> None:
    placed = rung(hotline)
    first = hotline.pick_up(placed[0])
    first.press("11")
    for call in placed[1:]:
        hotline.not_answered(call, "canceled")
    assert hotline.one(select(callbacks)).state == CallbackState.CALLING_CALLER


def test_a_claim_in_the_console_ends_the_ringing(hotline: Hotline) -> None:
    placed = rung(hotline)
    row = hotline.one(select(callbacks))
    account = hotline.one(select(accounts).where(accounts.c.alias == "three"))
    casework.claim(hotline.runtime, row.id, account.id)
    hotline.work()
    assert {call.status for call in placed} == {"completed"}


def test_two_unanswered_rings_take_a_counselor_off_shift(hotline: Hotline) -> None:
    hotline.counselor()
    hotline.at_console()
    hotline.dial().press("115")
    for minutes in (2, 6):
        hotline.later(minutes=minutes)
        hotline.work()
        hotline.not_answered(hotline.provider.calls[-1])
    assert len(hotline.provider.calls) == 2
    assert not hotline.one(select(accounts)).on_shift


def test_nobody_is_rung_for_a_later_window_or_after_it_was_withdrawn(hotline: Hotline) -> None:
    hotline.counselor()
    hotline.at_console()
    hotline.dial().press("125")
    hotline.later(minutes=3)
    hotline.work()
    hotline.text("11")
    hotline.text("10")
    hotline.later(minutes=3)
    hotline.work()
    assert not hotline.provider.calls


def test_the_one_counselor_who_is_there_is_rung_for_whoever_stands_first(hotline: Hotline) -> None:
    """In danger, she comes before who asked earlier, though the ring for that one is due first."""
    hotline.counselor()
    hotline.at_console()
    hotline.dial("+959790001002").press("115")
    hotline.later(seconds=20)
    hotline.dial().press("1151")
    hotline.later(seconds=45)
    hotline.work()
    assert not hotline.provider.calls, "hers is due in a moment"
    hotline.later(seconds=20)
    hotline.work()
    (call,) = hotline.provider.calls
    in_danger = hotline.one(select(callbacks.c.id).where(callbacks.c.danger.is_not(None)))
    assert leg_of(hotline, call).subject == in_danger.id
    hotline.not_answered(call)
    hotline.later(seconds=40)
    hotline.work()
    second = leg_of(hotline, hotline.provider.calls[1])
    assert second.subject != in_danger.id, "not again for her so soon, and nobody waits in vain"


def test_a_crowd_that_nobody_can_serve_leaves_the_workers_alone(hotline: Hotline) -> None:
    for at in range(25):
        hotline.text("11", f"+9597900{at:05}")
    hotline.later(minutes=2)
    hotline.work()
    now, pauses = hotline.clock.now(), select(outbox.c.due).where(outbox.c.done.is_(None))
    longest = max(row.due for row in hotline.rows(pauses)) - now
    soon = [row.due for row in hotline.rows(pauses) if row.due - now <= timedelta(seconds=30)]
    assert len(soon) == 10, "the first look as often as before"
    assert timedelta(seconds=60) < longest <= timedelta(seconds=90)


def leg_of(hotline: Hotline, call: Placed) -> Any:
    return hotline.one(select(legs).where(legs.c.id == call.leg_path.rsplit("/", 1)[1]))


def test_with_two_lines_one_counselor_is_rung_and_one_line_stays_for_the_caller(
    template: Path, tmp_path: Path, provider: Provider
) -> None:
    small = Hotline(template, tmp_path / "small", provider, HOTLINE_CALLS_AT_ONCE="2")
    for alias, number in (("one", COUNSELOR), ("two", SECOND)):
        small.counselor(alias, number)
        small.at_console(alias)
    small.dial().press("115")
    small.later(seconds=61)
    small.work()
    assert len(provider.calls) == 1
    small.runtime.database.close()
