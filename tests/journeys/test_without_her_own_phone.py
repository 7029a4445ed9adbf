"""Not my phone: a case that keeps no number, found again by its code and her own key."""

import re
from pathlib import Path
from typing import Any

import pytest
from front_door import CALLER, Hotline, Line, Provider
from sqlalchemy import select

from gateway.services import casework, forgetting, housekeeping
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
    assert call.press("1").said == ["kept_hour", "case_kept"]
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


def both_at_one_phone(hotline: Hotline) -> tuple[str, str]:
    """Its owner asked with 5; then somebody borrowed it for her case, with 7. Return both requests."""
    hotline.dial(OTHER).press("115")
    own = hotline.one(select(callbacks)).id
    typed(hotline, kept(hotline), "7").press("1")
    (case,) = (row.id for row in hotline.rows(select(callbacks)) if row.id != own)
    return own, case


def row(hotline: Hotline, request: str) -> Any:
    return hotline.one(select(callbacks).where(callbacks.c.id == request))


def rung_for(hotline: Hotline, request: str, account: str) -> Line:
    """Taken and rung: what her phone hears, when it is picked up."""
    casework.claim(hotline.runtime, request, account)
    casework.call(hotline.runtime, request, account)
    hotline.work()
    hotline.pick_up(hotline.provider.calls[-1]).press("11")
    hotline.work()
    assert hotline.provider.calls[-1].form["To"] == OTHER
    return hotline.pick_up(hotline.provider.calls[-1])


def everybody_hangs_up(hotline: Hotline) -> None:
    for call in hotline.provider.calls:
        hotline.not_answered(call, "completed")


def test_a_phones_own_request_and_a_case_that_borrows_the_phone_are_two(hotline: Hotline) -> None:
    own, case = both_at_one_phone(hotline)
    assert (row(hotline, own).own_keys, row(hotline, case).own_keys) == ("5", "7")
    hotline.dial(OTHER).press("124")
    assert row(hotline, own).own_keys == "4", "asked again: the newest counts, of her own"
    assert (row(hotline, case).own_keys, row(hotline, case).wish) == ("7", "hour")
    assert CALLER.removeprefix("+95") not in repr(hotline.rows(select(callbacks)))


def test_the_other_ones_number_opens_nothing_and_ends_nothing(hotline: Hotline) -> None:
    own, case = both_at_one_phone(hotline)
    helper = hotline.counselor()
    heard = rung_for(hotline, case, helper.id).press("5")
    assert heard.said == ["harmless"]
    assert (row(hotline, case).state, row(hotline, own).state) == ("waiting", "waiting")
    everybody_hangs_up(hotline)
    hotline.later(minutes=16)
    assert rung_for(hotline, case, helper.id).press("7").room


def test_while_one_of_the_two_is_rung_the_other_is_not(
    template: Path, tmp_path: Path, provider: Provider
) -> None:
    hotline = Hotline(template, tmp_path / "hotline", provider, HOTLINE_CALLS_AT_ONCE="6")
    own, case = both_at_one_phone(hotline)
    rung_for(hotline, case, hotline.counselor().id).press("7")
    second = hotline.counselor("second", "+66812345022")
    casework.claim(hotline.runtime, own, second.id)
    casework.call(hotline.runtime, own, second.id)
    hotline.work()
    hotline.pick_up(provider.calls[-1]).press("11")
    before = len(provider.calls)
    hotline.work()
    assert len(provider.calls) == before, "her line is engaged by us"
    hotline.later(minutes=3)
    hotline.work()
    assert len(provider.calls) == before
    assert row(hotline, own).state == "waiting"
    hotline.runtime.database.close()


@pytest.mark.parametrize("how", ["4", "10", "99", "77"])
def test_the_phone_lets_go_of_the_case_and_cannot_end_it(hotline: Hotline, how: str) -> None:
    own, case = both_at_one_phone(hotline)
    if how == "4":
        assert hotline.dial(OTHER).press("4").said == ["withdrawn", "withdrawn_more"]
    else:
        hotline.text(how, OTHER)
        hotline.text(how, OTHER)
    assert row(hotline, own).state in {"withdrawn", "forgotten"}
    left = row(hotline, case)
    assert (left.state, left.contact, left.wish) == ("waiting", None, "code")
    hotline.work()
    assert not hotline.rows(select(contacts)), "nothing needs the number any more"
    assert not [call for call in hotline.provider.calls if call.form["To"] == OTHER]


@pytest.mark.parametrize("how", ["nobody", "another_key", "wrong_person", "time"])
def test_whoever_was_not_reached_is_found_by_her_code_until_its_seven_days_are_over(
    hotline: Hotline, how: str
) -> None:
    code = kept(hotline)
    typed(hotline, code, "7").press("1")
    case = hotline.one(select(callbacks)).id
    helper = hotline.counselor()
    if how == "time":
        hotline.later(minutes=46)
        housekeeping.expire(hotline.runtime)
    elif how == "nobody":
        casework.claim(hotline.runtime, case, helper.id)
        casework.record_outcome(hotline.runtime, case, helper.id, outcome="no_answer")
    else:
        rung_for(hotline, case, helper.id).press("3" if how == "wrong_person" else "8")
    assert (row(hotline, case).state, row(hotline, case).contact) == ("waiting", None)
    hotline.later(minutes=1)
    everybody_hangs_up(hotline)
    hotline.work()
    assert not hotline.rows(select(contacts)), "the borrowed phone is forgotten"
    hotline.later(days=6)
    assert typed(hotline, code, "7", "+959790004004").press("4").said == ["kept_evening", "case_kept"]
    assert row(hotline, case).wish == "evening"
    hotline.later(days=2)
    housekeeping.expire(hotline.runtime)
    assert row(hotline, case).state == "expired", "what she was told has an end"
    assert typed(hotline, code, "7").heard.said[0] == "case_unknown"


def test_her_counselor_forgets_the_case_and_not_what_the_phones_owner_asked(hotline: Hotline) -> None:
    own, case = both_at_one_phone(hotline)
    helper = hotline.counselor()
    casework.claim(hotline.runtime, case, helper.id)
    forgetting.forget_case(hotline.runtime, case, helper.id, keep_out=True)
    hotline.work()
    assert (row(hotline, case).state, row(hotline, case).contact) == ("forgotten", None)
    assert row(hotline, own).state == "waiting"
    assert len(hotline.rows(select(contacts))) == 1


def test_no_phone_is_made_to_ring_by_many_codes(hotline: Hotline) -> None:
    codes = [kept(hotline) for _ in range(4)]
    heard = [typed(hotline, code, "7").press("1").said[-1] for code in codes]
    assert heard[:3] == ["case_kept"] * 3
    assert heard[3] != "case_kept"
    assert len([row for row in hotline.rows(select(callbacks)) if row.contact]) == 3
