"""What a second hostile reader found in the queue by breaking it: each was wrong once."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from front_door import CALLER, COUNSELOR, Hotline, Line, Provider
from sqlalchemy import select

from gateway.carriers.twilio import TwilioCarrier
from gateway.errors import CarrierError
from gateway.runtime import Runtime
from gateway.services import casework, housekeeping
from gateway.store import callbacks as rows
from gateway.store.callbacks import CallbackState, callbacks
from gateway.store.counselors import Account

S = CallbackState
OTHER, THIRD = "+959790003003", "+959790004004"


@pytest.fixture
def roomy(template: Path, tmp_path: Path, provider: Provider) -> Iterator[Hotline]:
    made = Hotline(template, tmp_path / "roomy", provider, HOTLINE_CALLS_AT_ONCE="8")
    yield made
    made.runtime.database.close()


def state(hotline: Hotline, callback: str) -> rows.Callback:
    with hotline.runtime.database.read() as session:
        there = rows.get(session, callback)
    assert there
    return there


def rung(hotline: Hotline) -> list[str]:
    return [call.form["To"] for call in hotline.provider.calls]


def called(hotline: Hotline) -> tuple[str, Account, Line]:
    """A counselor took a request and is on the phone for it."""
    helper = hotline.counselor()
    hotline.dial().press("115")
    callback = str(hotline.one(select(callbacks.c.id)).id)
    casework.claim(hotline.runtime, callback, helper.id)
    casework.call(hotline.runtime, callback, helper.id)
    hotline.work()
    return callback, helper, hotline.pick_up(hotline.provider.calls[-1])


def joined(hotline: Hotline) -> tuple[str, Account, Line, Line]:
    callback, helper, counselor = called(hotline)
    counselor.press("11")
    hotline.work()
    return callback, helper, counselor, hotline.pick_up(hotline.provider.calls[-1])


def code_of(hotline: Hotline, call: Line) -> str:
    """The six digits as they were spoken."""
    names = re.findall(
        r"([0-9a-f]{64})\.wav", " ".join(play.text or "" for play in call.heard.document.iter("Play"))
    )
    spoken = [hotline.runtime.voices.spoken_by(name) for name in names]
    digits = [one.key.removeprefix("digit.") for one in spoken if one and one.key.startswith("digit.")]
    return "".join(digits[:6])


def typed(hotline: Hotline, code: str, own: str, caller: str = OTHER) -> Line:
    call = hotline.dial(caller)
    call.press("1#")
    call.post(call.heard.action or "", Digits=code)
    call.press(own)
    return call


def hung_up(caller: Line, counselor: Line) -> None:
    for line in (caller, counselor):
        line.leave_room()
        line.hang_up()


def talked(hotline: Hotline) -> tuple[str, Account]:
    """They were joined, and both have hung up."""
    callback, helper, counselor, caller = joined(hotline)
    caller.press("5")
    hung_up(caller, counselor)
    return callback, helper


def told_later(hotline: Hotline, **span: float) -> None:
    """Time goes by, and the clock does what it does, while a counselor looks at the console."""
    hotline.later(**span)
    hotline.at_console()
    housekeeping.expire(hotline.runtime)
    hotline.work()


# --- somebody within minutes ---------------------------------------------------------------------------


def test_in_danger_and_without_her_own_phone_somebody_is_rung_as_soon_as_a_phone_can_be(
    hotline: Hotline,
) -> None:
    hotline.counselor()
    call = hotline.dial()
    call.press("167")
    code = code_of(hotline, call)
    assert call.press("1").said[0] == "kept_danger"
    assert typed(hotline, code, "7").press("1").said == ["kept_hour", "case_kept"]
    told_later(hotline, minutes=2)
    assert rung(hotline) == [COUNSELOR]


def test_in_danger_and_asked_for_the_evening_then_for_now_somebody_is_rung_now(hotline: Hotline) -> None:
    hotline.counselor()
    assert hotline.dial().press("1451").said[0] == "kept_danger"
    hotline.dial().press("115")
    told_later(hotline, minutes=2)
    assert rung(hotline) == [COUNSELOR]


def test_in_danger_somebody_is_rung_in_the_next_days_window_too(hotline: Hotline) -> None:
    hotline.at(9)
    assert hotline.dial().press("1251").said[0] == "kept_danger"
    hotline.counselor()
    hotline.at(11, 1)
    told_later(hotline, minutes=1)
    assert not rung(hotline)
    hotline.at(7, 0, days=1)
    told_later(hotline, minutes=2)
    assert rung(hotline) == [COUNSELOR]


# --- outside her window --------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["busy", "no-answer", "withheld"])
def test_moved_to_the_evening_while_she_was_rung_she_is_not_rung_before(hotline: Hotline, how: str) -> None:
    callback, _, counselor = called(hotline)
    if how != "withheld":
        counselor.press("11")
        hotline.work()
    assert hotline.dial().press("145").said[0] == "registered"
    if how == "withheld":
        counselor.press("11")
        hotline.work()
    else:
        hotline.not_answered(hotline.provider.calls[-1], how)
    there = state(hotline, callback)
    assert there.state is S.WAITING
    assert there.not_before >= hotline.at(17)


def test_moved_to_the_evening_at_the_very_gate_it_stands(hotline: Hotline) -> None:
    callback, _, counselor = called(hotline)
    counselor.press("11")
    hotline.work()
    caller = hotline.pick_up(hotline.provider.calls[-1])
    assert caller.heard.said == ["gate"]
    assert hotline.text("14")
    hotline.work()
    caller.hang_up()
    hotline.work()
    there = state(hotline, callback)
    assert (there.state, there.wish) == (S.WAITING, "evening")
    assert there.not_before >= hotline.at(17)


# --- asking again --------------------------------------------------------------------------------------


def test_asking_again_when_nobody_said_how_the_talk_went_is_served(hotline: Hotline) -> None:
    callback, _ = talked(hotline)
    told_later(hotline, minutes=40)
    assert state(hotline, callback).state is S.UNCERTAIN
    assert hotline.dial().press("115").said[0] == "registered"
    assert state(hotline, callback).state is S.WAITING
    told_later(hotline, minutes=2)
    assert rung(hotline)[2:] == [COUNSELOR]


def test_asking_again_after_the_talk_is_served_when_its_counselor_forgets_the_outcome(
    hotline: Hotline,
) -> None:
    callback, _ = talked(hotline)
    assert hotline.dial().press("145").said[0] == "registered"
    told_later(hotline, minutes=40)
    there = state(hotline, callback)
    assert (there.state, there.wish, there.reached) == (S.WAITING, "evening", 0)


def test_asking_again_by_code_after_the_talk_stands(hotline: Hotline) -> None:
    call = hotline.dial()
    call.press("167")
    code = code_of(hotline, call)
    typed(hotline, code, "7").press("1")
    callback = str(hotline.one(select(callbacks.c.id)).id)
    helper = hotline.counselor()
    casework.claim(hotline.runtime, callback, helper.id)
    casework.write_note(hotline.runtime, callback, helper.id, "who she is")
    casework.call(hotline.runtime, callback, helper.id)
    hotline.work()
    counselor = hotline.pick_up(hotline.provider.calls[-1])
    counselor.press("11")
    hotline.work()
    caller = hotline.pick_up(hotline.provider.calls[-1])
    assert caller.press("7").room
    hung_up(caller, counselor)
    assert typed(hotline, code, "7", THIRD).press("4").said[-1] == "case_kept"
    casework.record_outcome(hotline.runtime, callback, helper.id, outcome="done")
    hotline.work()
    there = state(hotline, callback)
    assert (there.state, there.wish) == (S.WAITING, "evening")
    with hotline.runtime.database.read() as session:
        assert casework.read_note(hotline.runtime, session, there) == "", "it was sealed for another phone"


def test_what_cannot_be_added_any_more_is_not_said_to_be_written_down(hotline: Hotline) -> None:
    call = hotline.dial()
    assert call.press("115").said[0] == "registered"
    hotline.text("10")
    assert call.press("1").said[0] == "not_saved"


# --- twice at once -------------------------------------------------------------------------------------


def test_her_phone_never_rings_twice_at_once_after_the_provider_stumbled(
    roomy: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    callback, helper, counselor = called(roomy)
    real = TwilioCarrier.place_call

    def stumbles(*_about: object, **_more: object) -> str:
        raise CarrierError("not now", retry=True)

    counselor.press("11")
    with monkeypatch.context() as patch:
        patch.setattr(TwilioCarrier, "place_call", stumbles)
        roomy.work()
    counselor.hang_up()
    roomy.work()
    assert TwilioCarrier.place_call is real
    casework.call(roomy.runtime, callback, helper.id)
    roomy.work()
    roomy.pick_up(roomy.provider.calls[-1]).press("11")
    roomy.work()
    roomy.later(seconds=30)
    roomy.work()
    assert rung(roomy).count(CALLER) == 1
    assert state(roomy, callback).state is S.CALLING_CALLER


def test_her_phone_is_not_rung_while_an_earlier_call_to_it_stands(
    roomy: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    callback, helper, counselor = called(roomy)
    counselor.press("11")
    roomy.work()
    first = roomy.provider.calls[-1]

    def stumbles(_carrier: TwilioCarrier, _sid: str) -> None:
        raise CarrierError("not now", retry=True)

    with monkeypatch.context() as patch:
        patch.setattr(TwilioCarrier, "end_call", stumbles)
        counselor.hang_up()
        roomy.work()
        casework.call(roomy.runtime, callback, helper.id)
        roomy.work()
        roomy.pick_up(roomy.provider.calls[-1]).press("11")
        roomy.work()
    roomy.not_answered(first)
    roomy.later(seconds=6)
    roomy.work()
    assert rung(roomy).count(CALLER) == 1
    assert state(roomy, callback).state is S.WAITING, "she was rung, and did not answer"
    assert roomy.provider.calls[-1].moved_to, "and the counselor who waits is told"


# --- claims --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [casework.release, casework.refuse])
def test_given_back_after_the_talk_the_next_counselor_can_ring_her(
    hotline: Hotline, how: Callable[[Runtime, str, str], None]
) -> None:
    callback, helper = talked(hotline)
    how(hotline.runtime, callback, helper.id)
    assert state(hotline, callback).reached == 0
    other = hotline.counselor("other", "+66812345021")
    casework.claim(hotline.runtime, callback, other.id)
    told_later(hotline, minutes=21)
    assert state(hotline, callback).state is S.WAITING, "they never talked"
