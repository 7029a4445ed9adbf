"""A counselor claims a request, and the two are joined."""

import pytest
from front_door import CALLER, COUNSELOR, Hotline, Line
from sqlalchemy import select

from gateway.errors import Refused
from gateway.services import casework, housekeeping
from gateway.store import callbacks as rows
from gateway.store.callbacks import CallbackState
from gateway.store.contacts import contacts
from gateway.store.counselors import Account


def asked(hotline: Hotline, *, wish: str = "1", own: str = "5") -> str:
    hotline.dial().press("1" + wish + own)
    return str(hotline.one(select(rows.callbacks.c.id).where(rows.callbacks.c.ended.is_(None))).id)


def state(hotline: Hotline, callback: str) -> CallbackState:
    with hotline.runtime.database.read() as session:
        there = rows.get(session, callback)
    assert there
    return there.state


def called(hotline: Hotline) -> tuple[str, Account, Line]:
    """A request claimed and called: the counselor has picked up."""
    helper = hotline.counselor()
    callback = asked(hotline)
    casework.claim(hotline.runtime, callback, helper.id)
    casework.call(hotline.runtime, callback, helper.id)
    hotline.work()
    return callback, helper, hotline.pick_up(hotline.provider.calls[-1])


def joined(hotline: Hotline) -> tuple[str, Account, Line, Line]:
    callback, helper, counselor = called(hotline)
    counselor.press("11")
    hotline.work()
    caller = hotline.pick_up(hotline.provider.calls[-1])
    return callback, helper, counselor, caller


def test_the_counselor_is_rung_first_and_the_caller_only_after_the_handle(hotline: Hotline) -> None:
    callback, _, counselor = called(hotline)
    placed = hotline.provider.calls

    assert len(placed) == 1
    assert placed[0].form["To"] == COUNSELOR
    assert placed[0].form["From"] == hotline.settings.counselor_numbers[0].reveal("demo")
    assert "MachineDetection" not in placed[0].form
    assert counselor.heard.said == ["counselor_gate"]
    assert counselor.press("1").said == ["handle", "counselor_choices"]
    hotline.work()
    assert len(placed) == 1
    heard = counselor.press("1")
    assert heard.said == ["counselor_wait"]
    assert heard.room
    hotline.work()
    assert placed[1].form["To"] == CALLER
    assert placed[1].form["From"] == hotline.settings.numbers[0].reveal("demo")
    assert placed[1].form["MachineDetection"] == "Enable"
    assert state(hotline, callback) is CallbackState.CALLING_CALLER


def test_her_own_number_joins_them_in_one_room_without_recording(hotline: Hotline) -> None:
    callback, helper, counselor, caller = joined(hotline)
    room = counselor.heard.room

    assert caller.heard.said == ["gate"]
    heard = caller.press("5")
    assert heard.said == ["joining"]
    assert heard.room == room
    assert state(hotline, callback) is CallbackState.TALKING
    conference = heard.document.find("Dial/Conference")
    assert conference is not None
    assert "record" not in conference.attrib
    caller.leave_room()
    caller.hang_up()
    counselor.leave_room()
    counselor.hang_up()
    assert state(hotline, callback) is CallbackState.CLAIMED
    casework.record_outcome(hotline.runtime, callback, helper.id, outcome="done", note="ပြန်ပြောပြီး")
    assert state(hotline, callback) is CallbackState.DONE
    with hotline.runtime.database.read() as session:
        there = rows.get(session, callback)
        assert there
        assert casework.read_note(hotline.runtime, session, there) == "ပြန်ပြောပြီး"


@pytest.mark.promise(21)
@pytest.mark.parametrize("key", ["1", "4", "6", "7", "8", "9", "#"])
def test_any_other_key_plays_harmless_content_and_no_sign_of_more(hotline: Hotline, key: str) -> None:
    callback, _, _, caller = joined(hotline)
    heard = caller.press(key)

    assert heard.said == ["harmless"]
    assert heard.verbs[-1] == "Hangup"
    caller.hang_up()
    assert state(hotline, callback) is CallbackState.NO_ANSWER, (
        "only the right answer goes on: it is not rung again"
    )


@pytest.mark.promise(21)
def test_a_machine_hears_nothing(hotline: Hotline) -> None:
    callback, _, counselor = called(hotline)
    counselor.press("11")
    hotline.work()
    caller = hotline.pick_up(hotline.provider.calls[-1], by="machine_start")

    assert caller.heard.verbs == ["Hangup"]
    caller.hang_up()
    hotline.work()
    assert hotline.provider.calls[0].moved_to, "the counselor, who waits, is told"
    assert state(hotline, callback) is CallbackState.WAITING


@pytest.mark.parametrize("status", ["no-answer", "busy", "failed", "canceled"])
def test_when_she_does_not_answer_the_counselor_is_told_and_the_request_waits(
    hotline: Hotline, status: str
) -> None:
    callback, _, counselor = called(hotline)
    counselor.press("11")
    hotline.work()
    hotline.not_answered(hotline.provider.calls[-1], status)
    hotline.work()

    (moved,) = hotline.provider.calls[0].moved_to
    path = moved.removeprefix(hotline.settings.public_url)
    assert counselor.post(path).said == ["not_reached"]
    counselor.hang_up()
    assert state(hotline, callback) is CallbackState.WAITING
    with hotline.runtime.database.read() as session:
        there = rows.get(session, callback)
    assert there
    assert there.not_before > hotline.clock.now(), "not again at once"


def test_somebody_else_on_the_phone_ends_the_request_and_the_number_is_destroyed(hotline: Hotline) -> None:
    callback, _, counselor, caller = joined(hotline)
    assert caller.press("3").said == ["gate_wrong_person"]
    caller.hang_up()
    counselor.hang_up()
    hotline.later(seconds=11)
    hotline.work()
    assert state(hotline, callback) is CallbackState.WRONG_PERSON
    assert not hotline.rows(select(contacts))


def test_later_means_later(hotline: Hotline) -> None:
    hotline.at(12)
    helper = hotline.counselor()
    callback = asked(hotline, wish="3")
    casework.claim(hotline.runtime, callback, helper.id)
    casework.call(hotline.runtime, callback, helper.id)
    hotline.work()
    hotline.pick_up(hotline.provider.calls[-1]).press("11")
    hotline.work()
    hotline.pick_up(hotline.provider.calls[-1]).press("2")
    with hotline.runtime.database.read() as session:
        there = rows.get(session, callback)
    assert there
    assert there.state is CallbackState.WAITING
    assert (there.not_before - hotline.clock.now()).total_seconds() > 3000


def test_the_counselor_leaves_while_she_is_rung_and_she_is_told_to_expect_another_ring(
    hotline: Hotline,
) -> None:
    callback, _, counselor, caller = joined(hotline)
    counselor.hang_up()
    assert state(hotline, callback) is CallbackState.CLAIMED
    heard = caller.press("5")
    assert heard.said == ["ring_again"]
    assert heard.room is None
    hotline.work()
    assert hotline.provider.calls[1].status == "completed"


def test_a_counselor_who_does_not_pick_up_keeps_the_claim(hotline: Hotline) -> None:
    helper = hotline.counselor()
    callback = asked(hotline)
    casework.claim(hotline.runtime, callback, helper.id)
    casework.call(hotline.runtime, callback, helper.id)
    hotline.work()
    hotline.not_answered(hotline.provider.calls[-1])
    hotline.work()
    assert state(hotline, callback) is CallbackState.CLAIMED
    assert len(hotline.provider.calls) == 1


def test_of_two_who_claim_one_wins_and_the_other_hears_taken(hotline: Hotline) -> None:
    one, two = hotline.counselor(), hotline.counselor("other", "+66812345002")
    callback = asked(hotline)
    casework.claim(hotline.runtime, callback, one.id)
    with pytest.raises(Refused, match="taken"):
        casework.claim(hotline.runtime, callback, two.id)
    with pytest.raises(Refused, match="taken"):
        casework.call(hotline.runtime, callback, two.id)


@pytest.mark.promise(20)
def test_nobody_is_rung_before_the_window_or_after_it(hotline: Hotline) -> None:
    helper = hotline.counselor()
    callback = asked(hotline, wish="4")
    casework.claim(hotline.runtime, callback, helper.id)
    with pytest.raises(Refused, match="not_yet"):
        casework.call(hotline.runtime, callback, helper.id)
    hotline.at(20, 1)
    with pytest.raises(Refused, match="expired"):
        casework.call(hotline.runtime, callback, helper.id)
    assert not hotline.provider.calls


@pytest.mark.promise(13)
def test_an_expired_request_is_never_dialled_and_its_number_is_destroyed(hotline: Hotline) -> None:
    callback = asked(hotline)
    hotline.later(minutes=46)
    housekeeping.expire(hotline.runtime)
    hotline.work()
    assert state(hotline, callback) is CallbackState.EXPIRED
    assert not hotline.rows(select(contacts))
    assert not hotline.provider.calls


def test_a_missed_window_repeats_once_the_next_day_and_then_dies(hotline: Hotline) -> None:
    callback = asked(hotline, wish="4")
    hotline.at(20, 1)
    housekeeping.expire(hotline.runtime)
    assert state(hotline, callback) is CallbackState.WAITING
    hotline.at(20, 1, days=1)
    housekeeping.expire(hotline.runtime)
    assert state(hotline, callback) is CallbackState.EXPIRED


def test_a_claim_that_runs_out_returns_the_case_but_never_during_a_call(hotline: Hotline) -> None:
    callback, _, counselor, caller = joined(hotline)
    hotline.later(minutes=30)
    housekeeping.expire(hotline.runtime)
    assert state(hotline, callback) is CallbackState.CALLING_CALLER
    caller.press("5")
    hotline.later(minutes=40)
    housekeeping.expire(hotline.runtime)
    assert state(hotline, callback) is CallbackState.TALKING
    counselor.leave_room()
    hotline.later(minutes=31)
    housekeeping.expire(hotline.runtime)
    assert state(hotline, callback) is CallbackState.UNCERTAIN, "they talked: nobody is rung again by itself"


def test_withdrawn_while_the_phone_rings_ends_the_calls(hotline: Hotline) -> None:
    callback, _, counselor = called(hotline)
    counselor.press("11")
    hotline.work()
    hotline.text("10")
    hotline.work()
    assert state(hotline, callback) is CallbackState.WITHDRAWN
    assert [call.status for call in hotline.provider.calls] == ["completed", "completed"]


@pytest.mark.promise(12)
def test_a_lost_answer_of_the_provider_is_looked_up_and_nobody_is_rung_twice(hotline: Hotline) -> None:
    helper = hotline.counselor()
    callback = asked(hotline)
    casework.claim(hotline.runtime, callback, helper.id)
    casework.call(hotline.runtime, callback, helper.id)
    hotline.provider.drop_answers = True
    hotline.work()
    assert len(hotline.provider.calls) == 1
    hotline.provider.drop_answers = False
    hotline.later(seconds=25)
    hotline.work()
    assert len(hotline.provider.calls) == 1
    assert hotline.pick_up(hotline.provider.calls[0]).press("1").said == ["handle", "counselor_choices"]


def test_a_provider_that_is_busy_is_asked_again_with_another_leg(hotline: Hotline) -> None:
    helper = hotline.counselor()
    callback = asked(hotline)
    casework.claim(hotline.runtime, callback, helper.id)
    casework.call(hotline.runtime, callback, helper.id)
    hotline.provider.refuse = lambda: (429, 20429)
    hotline.work()
    assert state(hotline, callback) is CallbackState.CALLING_COUNSELOR
    hotline.provider.refuse = lambda: None
    hotline.later(seconds=25)
    hotline.work()
    assert len(hotline.provider.calls) == 1


def test_an_end_that_was_never_reported_is_asked_for(hotline: Hotline) -> None:
    callback, _, counselor, caller = joined(hotline)
    caller.press("5")
    for call in hotline.provider.calls:
        call.status = "completed"
    hotline.later(minutes=3)
    housekeeping.sweep(hotline.runtime)
    assert state(hotline, callback) is CallbackState.CLAIMED
    assert counselor.sid


@pytest.mark.promise(7)
def test_status_reports_doubled_and_out_of_order_change_nothing_more(hotline: Hotline) -> None:
    callback, _, counselor, caller = joined(hotline)
    caller.press("5")
    for _ in range(3):
        caller.hang_up()
        counselor.hang_up()
        caller.hang_up("in-progress")
    assert state(hotline, callback) is CallbackState.CLAIMED
    with hotline.runtime.database.read() as session:
        assert [one.why for one in rows.history(session, callback)].count("talked") == 1
