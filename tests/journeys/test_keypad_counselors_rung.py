"""A counselor with a keypad is rung when somebody urgent waits, and keeps what a cut line left behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from front_door import COUNSELOR, Hotline, Line, Provider
from sqlalchemy import select

from gateway.services import attending, keypad
from gateway.store.callbacks import CallbackState, callbacks
from gateway.store.counselors import Account, accounts
from gateway.store.legs import legs

SECOND = "+66812345021"


@pytest.fixture
def hotline(template: Path, tmp_path: Path, provider: Provider) -> Iterator[Hotline]:
    made = Hotline(template, tmp_path / "hotline", provider, HOTLINE_CALLS_AT_ONCE="6")
    yield made
    made.runtime.database.close()


def with_sheet(hotline: Hotline, alias: str = "one", number: str = COUNSELOR) -> tuple[Account, list[str]]:
    helper = hotline.counselor(alias, number)
    return helper, keypad.fresh_sheet(hotline.runtime, helper)


def asks(hotline: Hotline, caller: str = "+959790001001") -> None:
    line = hotline.dial(caller)
    line.press("115")
    line.hang_up()


def rung(hotline: Hotline) -> Line:
    hotline.later(seconds=61)
    hotline.work()
    return hotline.pick_up(hotline.provider.calls[-1])


def type_code(line: Line, code: str) -> list[str]:
    assert line.heard.action
    return line.post(line.heard.action, Digits=code).said


def rings_us(hotline: Hotline, number: str = COUNSELOR) -> Line:
    form = {
        "From": number,
        "To": hotline.settings.counselor_numbers[0].reveal("demo"),
        "Direction": "inbound",
        "CallSid": f"CA{len(hotline.provider.calls):032x}",
    }
    hotline.voice("/twilio/voice", form)
    hotline.work()
    return hotline.pick_up(hotline.provider.calls[-1])


def state(hotline: Hotline) -> str:
    return str(hotline.one(select(callbacks.c.state)).state)


def test_somebody_within_the_hour_rings_a_keypad_and_the_next_code_takes_it(hotline: Hotline) -> None:
    helper, codes = with_sheet(hotline)
    asks(hotline)
    line = rung(hotline)
    assert line.form["From"] in [one.reveal("demo") for one in hotline.settings.counselor_numbers]
    assert line.heard.said == ["keypad_gate"]
    assert type_code(line, codes[0]) == ["handle", "counselor_choices"]
    assert hotline.one(select(callbacks)).claimed_by == helper.id
    assert line.press("1").room
    hotline.work()
    caller = hotline.pick_up(hotline.provider.calls[-1])
    assert caller.press("5").room == line.heard.room
    caller.leave_room()
    caller.hang_up()
    assert line.leave_room().said[0] == "keypad_outcome"
    line.press("1")
    assert state(hotline) == CallbackState.DONE


def test_of_a_console_and_a_keypad_the_first_one_wins_and_the_other_call_ends(hotline: Hotline) -> None:
    _, codes = with_sheet(hotline)
    hotline.counselor("two", SECOND)
    hotline.at_console("two")
    asks(hotline)
    hotline.later(seconds=61)
    hotline.work()
    by_number = {call.form["To"]: call for call in hotline.provider.calls}
    assert by_number.keys() == {COUNSELOR, SECOND}
    sheet, console = hotline.pick_up(by_number[COUNSELOR]), hotline.pick_up(by_number[SECOND])
    assert console.press("1").said == ["handle", "counselor_choices"]
    assert type_code(sheet, codes[0]) == ["counselor_taken"]
    hotline.work()
    assert by_number[COUNSELOR].status == "completed"
    # The code was used, whoever was first: an operator who heard it can do nothing with it.
    sheet.hang_up()
    assert type_code(rings_us(hotline), codes[0]) == ["keypad_refused"]


def test_the_keypad_wins_over_the_console(hotline: Hotline) -> None:
    helper, codes = with_sheet(hotline)
    hotline.counselor("two", SECOND)
    hotline.at_console("two")
    asks(hotline)
    hotline.later(seconds=61)
    hotline.work()
    by_number = {call.form["To"]: call for call in hotline.provider.calls}
    sheet, console = hotline.pick_up(by_number[COUNSELOR]), hotline.pick_up(by_number[SECOND])
    type_code(sheet, codes[0])
    assert console.press("1").said == ["counselor_taken"]
    assert hotline.one(select(callbacks)).claimed_by == helper.id


def test_somebody_in_danger_rings_a_keypad_inside_the_time_she_chose(hotline: Hotline) -> None:
    _, codes = with_sheet(hotline)
    hotline.at(8)
    line = hotline.dial()
    line.press("1251")  # in the morning, own number 5; then: in danger today
    line.hang_up()
    rings = rung(hotline)
    assert type_code(rings, codes[0]) == ["handle", "counselor_choices"]


def test_a_wrong_code_takes_nothing(hotline: Hotline) -> None:
    _, codes = with_sheet(hotline)
    asks(hotline)
    line = rung(hotline)
    assert type_code(line, codes[1]) == ["keypad_refused"]
    line.hang_up()
    assert state(hotline) == CallbackState.WAITING


def test_two_unanswered_rings_take_a_keypad_counselor_off_shift_and_the_next_call_says_so(
    hotline: Hotline,
) -> None:
    _, codes = with_sheet(hotline)
    asks(hotline)
    for minutes in (2, 6):
        hotline.later(minutes=minutes)
        hotline.work()
        hotline.not_answered(hotline.provider.calls[-1])
    assert not hotline.one(select(accounts)).on_shift
    assert type_code(rings_us(hotline), codes[0]) == ["keypad_off", "keypad_off_missed", "keypad"]


def test_who_wins_and_hangs_up_leaves_it_to_the_others(hotline: Hotline) -> None:
    _, codes = with_sheet(hotline)
    asks(hotline)
    line = rung(hotline)
    type_code(line, codes[0])
    line.hang_up()
    hotline.work()
    assert state(hotline) == CallbackState.WAITING
    hotline.counselor("two", SECOND)
    hotline.at_console("two")
    hotline.later(seconds=31)
    hotline.work()
    assert hotline.provider.calls[-1].form["To"] == SECOND


def test_a_console_counselor_who_wins_and_hangs_up_leaves_it_to_the_others(hotline: Hotline) -> None:
    hotline.counselor()
    hotline.at_console()
    asks(hotline)
    line = rung(hotline)
    line.press("1")
    line.hang_up()
    assert state(hotline) == CallbackState.WAITING
    assert hotline.one(select(callbacks)).claimed_by is None


def test_who_wins_and_says_nothing_leaves_it_to_the_others(hotline: Hotline) -> None:
    hotline.counselor()
    hotline.at_console()
    asks(hotline)
    line = rung(hotline)
    line.press("1")
    while not line.heard.ends:
        line.silence()
    assert state(hotline) == CallbackState.WAITING


def test_a_line_that_was_cut_is_taken_up_again_with_the_next_code(hotline: Hotline) -> None:
    helper, codes = with_sheet(hotline)
    asks(hotline)
    asks(hotline, "+959790001002")
    line = rings_us(hotline)
    type_code(line, codes[0])
    line.press("1")
    mine = hotline.one(select(callbacks).where(callbacks.c.claimed_by == helper.id))
    line.hang_up()
    hotline.work()
    again = rings_us(hotline)
    type_code(again, codes[1])
    assert again.press("1").said == ["handle", "counselor_choices"]
    assert hotline.one(select(callbacks).where(callbacks.c.claimed_by == helper.id)).id == mine.id
    assert again.press("1").room == mine.room


def test_a_line_that_was_cut_after_the_talk_begins_with_how_it_went(hotline: Hotline) -> None:
    _, codes = with_sheet(hotline)
    asks(hotline)
    line = rings_us(hotline)
    type_code(line, codes[0])
    line.press("11")
    hotline.work()
    caller = hotline.pick_up(hotline.provider.calls[-1])
    caller.press("5")
    caller.leave_room()
    caller.hang_up()
    line.leave_room()
    line.hang_up()
    again = rings_us(hotline)
    type_code(again, codes[1])
    assert again.press("1").said == ["handle", "keypad_outcome"]
    assert again.press("1").said == ["keypad_thanks"]
    assert state(hotline) == CallbackState.DONE


def test_a_refused_request_is_not_offered_again_and_nobody_is_rung_for_it(hotline: Hotline) -> None:
    _, codes = with_sheet(hotline)
    asks(hotline)
    line = rung(hotline)
    type_code(line, codes[0])
    assert line.press("4").said == ["counselor_refuses"]
    line.hang_up()
    assert state(hotline) == CallbackState.WAITING
    placed = len(hotline.provider.calls)
    hotline.later(minutes=6)
    hotline.work()
    assert len(hotline.provider.calls) == placed
    again = rings_us(hotline)
    type_code(again, codes[1])
    assert again.press("1").said[0] == "keypad_nothing"


def test_when_the_day_has_brought_enough_the_keypad_says_so_and_is_not_rung(hotline: Hotline) -> None:
    _, codes = with_sheet(hotline)
    attending.set_cap(hotline.runtime, "one", 1, by=None)
    asks(hotline)
    line = rings_us(hotline)
    type_code(line, codes[0])
    line.press("1")
    line.press("3")
    line.hang_up()
    asks(hotline, "+959790001002")
    placed = len(hotline.provider.calls)
    hotline.later(minutes=6)
    hotline.work()
    assert len(hotline.provider.calls) == placed
    again = rings_us(hotline)
    type_code(again, codes[1])
    assert again.press("1").said[0] == "keypad_enough"
    again.hang_up()
    hotline.at(10, days=1)
    asks(hotline, "+959790001003")
    tomorrow = rings_us(hotline)
    type_code(tomorrow, codes[2])
    assert tomorrow.press("1").said == ["handle", "counselor_choices"]


def test_no_leg_is_left_behind(hotline: Hotline) -> None:
    _, codes = with_sheet(hotline)
    asks(hotline)
    line = rung(hotline)
    type_code(line, codes[0])
    line.hang_up()
    assert not hotline.rows(select(legs).where(legs.c.ended.is_(None)))
