"""A counselor with nothing but a keypad."""

import secrets

import pytest
from front_door import COUNSELOR, Hotline, Line
from sqlalchemy import select

from gateway.services import keypad
from gateway.store.callbacks import CallbackState, callbacks
from gateway.store.counselors import Account, accounts


def ring_us(hotline: Hotline, number: str = COUNSELOR) -> None:
    line = hotline.settings.counselor_numbers[0].reveal("demo")
    form = {"From": number, "To": line, "Direction": "inbound", "CallSid": "CA" + secrets.token_hex(16)}
    assert hotline.voice("/twilio/voice", form).verbs == ["Reject"]
    hotline.work()


def rung_back(hotline: Hotline) -> tuple[Account, list[str], Line]:
    helper = hotline.counselor()
    codes = keypad.fresh_sheet(hotline.runtime, helper)
    ring_us(hotline)
    return helper, codes, hotline.pick_up(hotline.provider.calls[-1])


def type_code(line: Line, code: str) -> None:
    assert line.heard.action
    line.post(line.heard.action, Digits=code)


def test_the_registered_number_is_rung_back_and_the_next_code_opens(hotline: Hotline) -> None:
    _, codes, line = rung_back(hotline)
    assert line.heard.said == ["keypad_gate"]
    assert len(codes) == len(set(codes)) == keypad.CODES
    type_code(line, codes[0])
    assert line.heard.said == ["keypad_on", "keypad"]


@pytest.mark.promise(27)
def test_a_code_works_once_and_only_in_its_turn(hotline: Hotline) -> None:
    _, codes, line = rung_back(hotline)
    type_code(line, codes[3])
    assert line.heard.said == ["keypad_refused"]
    line.hang_up()
    ring_us(hotline)
    again = hotline.pick_up(hotline.provider.calls[-1])
    type_code(again, codes[0])
    again.hang_up()
    ring_us(hotline)
    third = hotline.pick_up(hotline.provider.calls[-1])
    type_code(third, codes[0])
    assert third.heard.said == ["keypad_refused"]


@pytest.mark.promise(27)
def test_after_six_wrong_codes_the_sheet_is_burnt(hotline: Hotline) -> None:
    _, codes, line = rung_back(hotline)
    for _ in range(keypad.WRONG_CODES):
        type_code(line, "000000" if codes[0] != "000000" else "111111")
        line.hang_up()
        ring_us(hotline)
        line = hotline.pick_up(hotline.provider.calls[-1])
    type_code(line, codes[0])
    assert line.heard.said == ["keypad_refused"]
    assert not hotline.one(select(accounts)).on_shift


def test_next_case_joined_and_the_outcome_by_keys(hotline: Hotline) -> None:
    _, codes, line = rung_back(hotline)
    hotline.dial().press("115")
    type_code(line, codes[0])
    assert line.press("1").said == ["handle", "counselor_choices"]
    assert line.press("1").room
    hotline.work()
    caller = hotline.pick_up(hotline.provider.calls[-1])
    assert caller.press("5").room == line.heard.room
    caller.leave_room()
    caller.hang_up()
    assert line.leave_room().said == ["keypad_outcome", "keypad_dropped"]
    assert line.press("1").said == ["keypad_thanks"]
    line.hang_up()
    assert hotline.one(select(callbacks)).state == CallbackState.DONE


def test_not_safe_ends_it_without_a_word_and_the_case_returns(hotline: Hotline) -> None:
    _, codes, line = rung_back(hotline)
    hotline.dial().press("115")
    type_code(line, codes[0])
    line.press("11")
    hotline.work()
    hotline.pick_up(hotline.provider.calls[-1]).press("5")
    line.leave_room()
    assert line.press("7").said == []
    row = hotline.one(select(callbacks))
    assert (row.state, row.flagged, row.claimed_by) == (CallbackState.WAITING, True, None)
    assert not hotline.one(select(accounts)).on_shift


def test_on_and_off_shift(hotline: Hotline) -> None:
    _, codes, line = rung_back(hotline)
    type_code(line, codes[0])
    assert line.press("2").said == ["keypad_went_off", "keypad_more"]
    assert not hotline.one(select(accounts)).on_shift
    line.press("1")
    assert line.press("2").said == ["keypad_went_on", "keypad_more"]


def test_nobody_waits(hotline: Hotline) -> None:
    _, codes, line = rung_back(hotline)
    type_code(line, codes[0])
    assert line.press("1").said[0] == "keypad_nothing"


def test_a_stranger_who_rings_a_counselors_number_hears_nothing_and_is_not_rung(hotline: Hotline) -> None:
    hotline.counselor()
    ring_us(hotline, "+66899999999")
    assert not hotline.provider.calls


def test_who_was_not_reached_is_said_and_nothing_is_recorded(hotline: Hotline) -> None:
    _, codes, line = rung_back(hotline)
    hotline.dial().press("115")
    type_code(line, codes[0])
    line.press("11")
    hotline.work()
    hotline.not_answered(hotline.provider.calls[-1])
    hotline.work()
    path = hotline.provider.calls[0].moved_to[0].removeprefix(hotline.settings.public_url)
    assert line.post(path).said == ["not_reached"]
    line.press("1")
    assert hotline.one(select(callbacks)).state == CallbackState.WAITING
