"""Not my phone: a case that keeps no number, found again by its code and her own key."""

import re

import pytest
from front_door import CALLER, Hotline, Line
from sqlalchemy import select

from gateway.services import casework
from gateway.store import callbacks as requests
from gateway.store.callbacks import callbacks
from gateway.store.contacts import contacts

OTHER = "+959790003003"


def code_of(hotline: Hotline, call: Line) -> str:
    """The six digits as they were spoken."""
    digits = []
    for play in call.heard.document.iter("Play"):
        name = re.search(r"([0-9a-f]{64})", play.text or "")
        prompt = hotline.runtime.voices.spoken_by(name[1]) if name else None
        if prompt and prompt.key.startswith("digit."):
            digits.append(prompt.key.removeprefix("digit."))
    assert digits[:6] == digits[6:], "said twice"
    return "".join(digits[:6])


def kept(hotline: Hotline) -> str:
    call = hotline.dial()
    call.press("167")
    return code_of(hotline, call)


def typed(hotline: Hotline, code: str, own: str, caller: str = OTHER) -> Line:
    call = hotline.dial(caller)
    call.press("1#")
    assert call.heard.action
    call.post(call.heard.action, Digits=code)
    call.press(own)
    return call


def test_nothing_of_the_number_is_kept(hotline: Hotline) -> None:
    code = kept(hotline)
    assert re.fullmatch(r"\d{6}", code)
    assert not hotline.rows(select(contacts))
    row = hotline.one(select(callbacks))
    assert row.contact is None
    assert code not in repr(row)
    with hotline.runtime.database.read() as session:
        assert not requests.waiting(session, most=10), "nobody could be rung for it"


def test_from_any_phone_the_code_and_her_own_number_open_it_and_that_phone_is_rung(hotline: Hotline) -> None:
    handle = hotline_handle(hotline, kept(hotline))
    call = typed(hotline, handle[0], "7")
    assert call.heard.said[0] == "case_open"
    assert call.press("1").said == ["case_kept"]
    helper = hotline.counselor()
    row = hotline.one(select(callbacks))
    assert row.handle == handle[1], "the same case, the same two words"
    casework.claim(hotline.runtime, row.id, helper.id)
    casework.call(hotline.runtime, row.id, helper.id)
    hotline.work()
    hotline.pick_up(hotline.provider.calls[-1]).press("11")
    hotline.work()
    assert hotline.provider.calls[-1].form["To"] == OTHER
    assert hotline.pick_up(hotline.provider.calls[-1]).press("7").room


def hotline_handle(hotline: Hotline, code: str) -> tuple[str, str]:
    return code, hotline.one(select(callbacks)).handle


@pytest.mark.promise(8)
def test_a_wrong_key_and_an_unknown_code_sound_the_same(hotline: Hotline) -> None:
    code = kept(hotline)
    unknown = f"{(int(code) + 1) % 1_000_000:06d}"
    assert typed(hotline, code, "5").heard.said == typed(hotline, unknown, "7").heard.said
    assert typed(hotline, code, "7").heard.said[0] == "case_open"


def test_after_two_wrong_keys_even_the_right_one_is_unknown_for_hours_and_longer_every_time(
    hotline: Hotline,
) -> None:
    code = kept(hotline)
    for _ in range(2):
        assert typed(hotline, code, "4").heard.said[0] == "case_unknown"
    assert typed(hotline, code, "7").heard.said[0] == "case_unknown"
    hotline.later(hours=7)
    assert typed(hotline, code, "5").heard.said[0] == "case_unknown"
    hotline.later(hours=7)
    assert typed(hotline, code, "7").heard.said[0] == "case_unknown"
    hotline.later(hours=24)
    assert typed(hotline, code, "7").heard.said[0] == "case_open"


def test_what_that_phone_had_asked_for_itself_gives_way_to_the_case(hotline: Hotline) -> None:
    code = kept(hotline)
    hotline.dial(OTHER).press("125")
    typed(hotline, code, "7").press("1")
    states = sorted(row.state for row in hotline.rows(select(callbacks)))
    assert states == ["waiting", "withdrawn"]
    assert CALLER.removeprefix("+95") not in repr(hotline.rows(select(callbacks)))
