"""Staying on the line (feature `live`): registered first, then those on shift are rung, and the first one meets her."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from front_door import CALLER, COUNSELOR, Hotline, Line, Placed, Provider
from sqlalchemy import select

from gateway.services import casework, housekeeping
from gateway.store.callbacks import CallbackState, callbacks
from gateway.store.counselors import accounts
from gateway.store.legs import legs
from gateway.store.outbox import outbox

SECOND = "+66812345021"


@pytest.fixture
def hotline(template: Path, tmp_path: Path, provider: Provider) -> Iterator[Hotline]:
    made = Hotline(
        template, tmp_path / "hotline", provider, HOTLINE_FEATURES="live", HOTLINE_CALLS_AT_ONCE="6"
    )
    made.counselor()
    made.at_console()
    yield made
    made.runtime.database.close()


def stays(hotline: Hotline, caller: str = CALLER) -> Line:
    """She chooses her number, hears her two words, and waits in the conference."""
    her = hotline.dial(caller)
    assert her.press("1").said == ["truth", "when", "when_live"]
    assert her.press("5").said == ["kept_hour", "own_key"]
    assert her.press("7").said == ["registered", "handle", "registered_end", "live_wait"]
    hotline.provider.calls.append(Placed(her.sid, {"To": "", "From": caller}, status="in-progress"))
    assert request(hotline).state == CallbackState.WAITING, "committed before she is told"
    assert her.silence().room
    return her


def request(hotline: Hotline) -> Any:
    return hotline.one(select(callbacks))


def rung(hotline: Hotline, number: str = COUNSELOR) -> list[Placed]:
    hotline.work(most=20)
    return [call for call in hotline.provider.calls if call.form["To"] == number]


def test_she_stays_a_counselor_is_rung_at_once_and_they_talk_in_one_room(hotline: Hotline) -> None:
    her = stays(hotline)
    (call,) = rung(hotline)
    counselor = hotline.pick_up(call)
    assert counselor.press("1").said == ["handle", "counselor_choices"]
    assert counselor.press("1").room == her.heard.room
    assert request(hotline).state == CallbackState.TALKING
    hotline.work()
    assert not [one for one in hotline.provider.calls if one.form["To"] == CALLER], "no second call to her"
    counselor.hang_up()
    assert her.leave_room().said == ["bridge_over", "goodbye"]
    her.hang_up()
    assert request(hotline).state == CallbackState.CLAIMED
    casework.record_outcome(hotline.runtime, request(hotline).id, request(hotline).claimed_by, outcome="done")
    assert request(hotline).state == CallbackState.DONE
    assert not hotline.rows(select(legs).where(legs.c.ended.is_(None)))


def test_a_counselor_who_is_faster_than_the_sentence_waits_for_her(hotline: Hotline) -> None:
    her = hotline.dial()
    her.press("157")
    (call,) = rung(hotline)
    counselor = hotline.pick_up(call)
    assert counselor.press("11").room
    assert request(hotline).state == CallbackState.CALLING_CALLER
    assert her.silence().room == counselor.heard.room
    assert request(hotline).state == CallbackState.TALKING


def test_nobody_comes_and_she_is_told_so_and_is_rung_like_anybody(hotline: Hotline) -> None:
    her = stays(hotline)
    (call,) = rung(hotline)
    hotline.not_answered(call)
    hotline.later(minutes=3, seconds=1)
    hotline.work(most=20)
    moved = hotline.provider.of(her.sid).moved_to
    assert len(moved) == 1
    assert her.post(moved[0].removeprefix(hotline.settings.public_url)).said == [
        "live_nobody", "live_still", "goodbye",
    ]  # fmt: skip
    her.hang_up()
    assert request(hotline).state == CallbackState.WAITING
    hotline.at_console()
    hotline.later(minutes=6)
    second = hotline.pick_up(rung(hotline)[-1])
    second.press("11")
    hotline.work(most=20)
    assert hotline.pick_up(hotline.provider.calls[-1]).press("7").room == second.heard.room


def test_whoever_hears_her_two_words_just_then_is_not_too_late(hotline: Hotline) -> None:
    her = stays(hotline)
    counselor = hotline.pick_up(rung(hotline)[0])
    hotline.later(minutes=2, seconds=58)
    counselor.press("1")
    hotline.later(seconds=5)
    hotline.work(most=20)
    assert not hotline.provider.of(her.sid).moved_to
    assert counselor.press("1").room == her.heard.room
    hotline.later(seconds=30)
    hotline.work(most=20)
    assert not hotline.provider.of(her.sid).moved_to
    assert request(hotline).state == CallbackState.TALKING


@pytest.mark.parametrize("keys", ["", "1", "11"])
def test_hanging_up_leaves_an_ordinary_request_and_nobody_rings_in_a_hurry(
    hotline: Hotline, keys: str
) -> None:
    her = stays(hotline) if keys != "11" else hotline.dial()
    if keys == "11":
        her.press("157")
    (call,) = rung(hotline)
    counselor = hotline.pick_up(call) if keys else None
    if counselor:
        counselor.press(keys)
    her.hang_up()
    hotline.work(most=20)
    assert request(hotline).state == CallbackState.WAITING
    if keys == "11":  # the counselor waited in the conference, and is told
        assert call.moved_to
        assert counselor
        assert counselor.leave_room().said == ["not_reached"]
    else:
        assert call.status == "completed"
    hotline.not_answered(call, "completed")
    assert len([one for one in hotline.provider.calls if one.form["To"] == CALLER]) == 0
    hotline.at_console()
    hotline.later(minutes=1)
    assert len(rung(hotline)) == 1
    hotline.later(minutes=6)
    assert len(rung(hotline)) == 2
    assert hotline.one(select(accounts)).missed_rings == 0


def test_a_star_leaves_and_a_counselor_on_shift_is_not_blamed(hotline: Hotline) -> None:
    her = stays(hotline)
    rung(hotline)
    assert her.leave_room().said == ["live_still", "goodbye"]
    her.hang_up()
    assert request(hotline).state == CallbackState.WAITING


def test_several_are_rung_and_when_the_winner_leaves_she_waits_on(hotline: Hotline) -> None:
    hotline.counselor("two", SECOND)
    hotline.at_console("two")
    her = stays(hotline)
    hotline.work(most=20)
    first, second = (hotline.pick_up(one) for one in hotline.provider.calls[1:])
    first.press("1")
    hotline.work(most=20)
    assert hotline.provider.of(her.sid).status == "in-progress", "only the other counselor's call ends"
    assert hotline.provider.of(second.sid).status == "completed"
    first.hang_up()
    second.hang_up("canceled")
    hotline.work(most=20)
    assert request(hotline).state == CallbackState.WAITING
    assert hotline.provider.of(her.sid).status == "in-progress"


def test_a_claim_in_the_console_does_not_end_her_call(hotline: Hotline) -> None:
    her = stays(hotline)
    (call,) = rung(hotline)
    account = hotline.one(select(accounts))
    casework.claim(hotline.runtime, request(hotline).id, account.id)
    hotline.work(most=20)
    assert call.status == "completed"
    assert hotline.provider.of(her.sid).status == "in-progress"
    hotline.not_answered(call, "canceled")
    casework.call(hotline.runtime, request(hotline).id, account.id)
    counselor = hotline.pick_up(rung(hotline)[-1])
    assert counselor.press("11").room == her.heard.room
    assert request(hotline).state == CallbackState.TALKING


@pytest.mark.parametrize("code", ["10", "99"])
def test_taking_it_back_from_the_same_number_ends_the_call(hotline: Hotline, code: str) -> None:
    her = stays(hotline)
    hotline.text(code)
    hotline.work(most=20)
    assert hotline.provider.of(her.sid).status == "completed"
    her.hang_up()
    assert request(hotline).state == CallbackState.WITHDRAWN


def test_forgotten_while_she_waits_nothing_remains(hotline: Hotline) -> None:
    her = stays(hotline)
    hotline.text("77")
    hotline.text("77")
    hotline.work(most=20)
    assert hotline.provider.of(her.sid).status == "completed"
    her.hang_up()
    hotline.later(minutes=1)
    hotline.work(most=30)
    assert request(hotline).contact is None
    assert not hotline.rows(select(legs).where(legs.c.kind == "live", legs.c.ended.is_(None)))


def test_a_counselor_who_is_not_safe_ends_her_call_without_a_word(hotline: Hotline) -> None:
    her = stays(hotline)
    counselor = hotline.pick_up(rung(hotline)[0])
    counselor.press("11")
    casework.i_am_not_safe(hotline.runtime, request(hotline).id, request(hotline).claimed_by)
    hotline.work(most=20)
    assert hotline.provider.of(her.sid).status == "completed"
    assert hotline.provider.of(counselor.sid).status == "completed"
    her.hang_up()
    counselor.hang_up()
    assert request(hotline).state == CallbackState.WAITING
    assert request(hotline).flagged


def test_the_same_number_again_gets_an_ordinary_request_and_never_her_room(hotline: Hotline) -> None:
    """Anybody can show her number: a second call must not come into a conversation."""
    her = stays(hotline)
    counselor = hotline.pick_up(rung(hotline)[0])
    counselor.press("11")
    again = hotline.dial()
    assert again.press("1").said == ["truth", "when"]
    assert again.press("5").said[0] == "wrong_key"
    assert her.heard.room == counselor.heard.room


def test_whoever_may_no_longer_stay_is_told_and_registered(hotline: Hotline) -> None:
    her = hotline.dial()
    her.press("15")
    hotline.later(minutes=31)  # nobody at the console any more
    with hotline.runtime.database.write() as session:
        session.execute(accounts.update().values(on_shift=False))
    assert her.press("7").said == ["live_not_now", "registered", "handle", "registered_end", "more"]
    assert request(hotline).state == CallbackState.WAITING
    assert not hotline.rows(select(legs))


def test_the_key_is_not_offered_without_anybody_without_a_line_or_without_the_feature(
    template: Path, tmp_path: Path, provider: Provider, hotline: Hotline
) -> None:
    first = stays(hotline, "+959790001077")
    assert first.heard.room
    with hotline.runtime.database.write() as session:
        session.execute(accounts.update().values(on_shift=False))
    assert hotline.dial().press("1").said == ["truth", "nobody_now", "when"]
    for name, settings in (("off", {}), ("two", {"HOTLINE_FEATURES": "live", "HOTLINE_CALLS_AT_ONCE": "2"})):
        other = Hotline(template, tmp_path / name, provider, **settings)
        other.counselor()
        other.at_console()
        assert other.dial("+959790001002").press("1").said == (
            ["truth", "when", "when_live"] if name == "two" else ["truth", "when"]
        )
        if name == "two":
            other.dial("+959790001002").press("157")
            assert other.dial("+959790001003").press("1").said == ["truth", "when"], "both lines are needed"
        other.runtime.database.close()


def test_a_lost_report_is_looked_up_and_the_line_is_free_again(hotline: Hotline) -> None:
    her = stays(hotline)
    rung(hotline)
    hotline.provider.of(her.sid).status = "completed"
    hotline.later(minutes=3)
    housekeeping.sweep(hotline.runtime)
    (row,) = hotline.rows(select(legs).where(legs.c.kind == "live"))
    assert row.ended is not None
    assert row.sid is None
    assert request(hotline).state == CallbackState.WAITING


def test_the_same_webhook_twice_is_one_line(hotline: Hotline) -> None:
    her = hotline.dial()
    her.press("15")
    again = her.heard.action
    assert again
    her.post(again, Digits="7")
    her.post(again, Digits="7")
    assert len(hotline.rows(select(legs).where(legs.c.kind == "live"))) == 1
    assert len(hotline.rows(select(outbox).where(outbox.c.job == "stop_waiting"))) == 1
