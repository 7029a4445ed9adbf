"""What a hostile reader found by breaking it: each was wrong once."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from front_door import CALLER, COUNSELOR, Heard, Hotline, Line, Provider
from sqlalchemy import select

from gateway.carriers.twilio import TwilioCarrier
from gateway.errors import CarrierError
from gateway.services import casework, housekeeping, keypad, placing
from gateway.store import callbacks as rows
from gateway.store import legs
from gateway.store.callbacks import CallbackState, callbacks
from gateway.store.contacts import contacts
from gateway.store.counselors import Account
from gateway.store.ring_backs import ring_backs
from gateway.vault import Vault


class Killed(BaseException):
    """A worker that was killed at this very point."""


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


def asked(hotline: Hotline, wish: str = "1") -> str:
    hotline.dial().press("1" + wish + "5")
    return str(hotline.one(select(callbacks.c.id).where(callbacks.c.ended.is_(None))).id)


def let_it_ring(hotline: Hotline, caller: str = CALLER) -> Heard:
    line = hotline.settings.missed_call_numbers[0].reveal("demo")
    form = {"From": caller, "To": line, "Direction": "inbound", "CallSid": "CA" + secrets.token_hex(16)}
    return hotline.voice("/twilio/voice", form)


def called(hotline: Hotline) -> tuple[str, Account, Line]:
    helper, callback = hotline.counselor(), asked(hotline)
    casework.claim(hotline.runtime, callback, helper.id)
    casework.call(hotline.runtime, callback, helper.id)
    hotline.work()
    return callback, helper, hotline.pick_up(hotline.provider.calls[-1])


def joined(hotline: Hotline) -> tuple[str, Account, Line, Line]:
    callback, helper, counselor = called(hotline)
    counselor.press("11")
    hotline.work()
    return callback, helper, counselor, hotline.pick_up(hotline.provider.calls[-1])


def rung(hotline: Hotline) -> list[str]:
    return [call.form["To"] for call in hotline.provider.calls]


def test_asking_again_while_her_keys_are_being_destroyed_can_still_be_rung(
    hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(hotline)
    hotline.text("10")
    real = Vault.destroy_keys
    again: list[str | None] = []

    def slow(vault: Vault, subject: str) -> None:
        if not again:
            again.append(hotline.text("11"))
        real(vault, subject)

    monkeypatch.setattr(Vault, "destroy_keys", slow)
    hotline.work()
    assert again[0]
    assert hotline.one(select(callbacks).where(callbacks.c.ended.is_(None))).contact


def test_killed_while_forgetting_her_keys_go_all_the_same(
    hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(hotline)
    hotline.text("10")
    destroyed: list[str] = []
    with monkeypatch.context() as patch:

        def killed(_vault: Vault, _subject: str) -> None:
            raise Killed

        patch.setattr(Vault, "destroy_keys", killed)
        with pytest.raises(Killed):
            hotline.work()
    real = Vault.destroy_keys
    monkeypatch.setattr(Vault, "destroy_keys", lambda vault, one: (destroyed.append(one), real(vault, one)))
    hotline.later(seconds=70)
    hotline.work()
    assert len(destroyed) == 1


def test_a_ring_back_whose_time_ends_during_the_call_loses_nothing_that_is_asked_there(
    hotline: Hotline,
) -> None:
    let_it_ring(hotline)
    hotline.later(minutes=29)
    hotline.work()
    call = hotline.pick_up(hotline.provider.calls[0])
    call.press("1")
    hotline.later(minutes=2)
    housekeeping.expire(hotline.runtime)
    hotline.work()
    assert call.press("15").said[0] == "registered"
    assert hotline.rows(select(callbacks))


def test_forgotten_during_the_call_nothing_is_said_to_be_registered(hotline: Hotline) -> None:
    let_it_ring(hotline)
    hotline.work()
    call = hotline.pick_up(hotline.provider.calls[0])
    call.press("1")
    hotline.text("10")
    hotline.work()
    assert call.press("1").said[0] == "kept_hour"
    assert call.press("5").said[0] == "not_saved"
    assert not hotline.rows(select(callbacks))


def test_asking_again_before_the_outcome_is_recorded_stands(hotline: Hotline) -> None:
    callback, helper, counselor, caller = joined(hotline)
    caller.press("5")
    caller.hang_up()
    counselor.leave_room()
    counselor.hang_up()
    assert hotline.dial().press("125").said[0] == "registered"
    casework.record_outcome(hotline.runtime, callback, helper.id, outcome="done")
    hotline.work()
    there = state(hotline, callback)
    assert (there.state, there.wish) == (CallbackState.WAITING, "morning")


@pytest.mark.parametrize("ready", [False, True])
def test_moved_to_the_evening_she_is_not_rung_now(hotline: Hotline, *, ready: bool) -> None:
    _, _, counselor = called(hotline)
    if ready:
        counselor.press("11")
    assert hotline.dial().press("145").said[0] == "registered"
    if not ready:
        counselor.press("11")
    hotline.work()
    assert CALLER not in rung(hotline)
    assert hotline.provider.calls[0].moved_to, "and the counselor who waits is told"


def test_a_worker_killed_after_dialling_leaves_no_request_stuck(
    roomy: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    callback, _, counselor = called(roomy)
    counselor.press("11")
    with monkeypatch.context() as patch:

        def killed(*_: object) -> None:
            raise Killed

        patch.setattr(placing, "_placed", killed)
        with pytest.raises(Killed):
            roomy.work()
    counselor.hang_up()
    for _ in range(40):
        roomy.later(minutes=10)
        housekeeping.expire(roomy.runtime)
        housekeeping.sweep(roomy.runtime)
        roomy.work()
    assert state(roomy, callback).ended


def test_withdrawn_after_a_kill_in_mid_dialling_her_phone_is_looked_up_and_ended(
    hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, counselor = called(hotline)
    counselor.press("11")
    with monkeypatch.context() as patch:

        def killed(*_: object) -> None:
            raise Killed

        patch.setattr(placing, "_placed", killed)
        with pytest.raises(Killed):
            hotline.work()
    hotline.text("10")
    for _ in range(16):
        hotline.later(seconds=5)
        hotline.work()
    assert hotline.provider.calls[1].form["To"] == CALLER
    assert hotline.provider.calls[1].status == "completed"


def test_the_provider_stumbles_at_ending_her_call_and_is_asked_until_it_ends(
    hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, counselor = called(hotline)
    counselor.press("11")
    hotline.work()
    hotline.text("99")
    real = TwilioCarrier.end_call
    fails = [1, 1]

    def stumbling(carrier: TwilioCarrier, sid: str) -> None:
        if fails:
            fails.pop()
            raise CarrierError("503", retry=True)
        real(carrier, sid)

    monkeypatch.setattr(TwilioCarrier, "end_call", stumbling)
    for _ in range(6):
        hotline.work()
        hotline.later(seconds=4)
    assert hotline.provider.calls[-1].status == "completed"


def test_stop_ends_a_ring_back_that_rings(hotline: Hotline) -> None:
    let_it_ring(hotline)
    hotline.work()
    hotline.text("99")
    hotline.work()
    assert hotline.provider.calls[0].status == "completed"
    assert not hotline.rows(select(ring_backs))


def test_handed_to_a_coordinator_it_waits_for_days(hotline: Hotline) -> None:
    helper = hotline.counselor()
    codes = keypad.fresh_sheet(hotline.runtime, helper)
    callback = asked(hotline, "2")
    line = hotline.settings.counselor_numbers[0].reveal("demo")
    form = {"From": COUNSELOR, "To": line, "Direction": "inbound", "CallSid": "CA" + secrets.token_hex(16)}
    hotline.voice("/twilio/voice", form)
    hotline.work()
    counselor = hotline.pick_up(hotline.provider.calls[-1])
    assert counselor.heard.action
    counselor.post(counselor.heard.action, Digits=codes[0])
    counselor.press("11")
    hotline.work()
    hotline.pick_up(hotline.provider.calls[-1]).press("5")
    counselor.leave_room()
    assert counselor.press("4").said == ["keypad_thanks"]
    hotline.at(12)
    housekeeping.expire(hotline.runtime)
    hotline.work()
    assert state(hotline, callback).state is CallbackState.UNCERTAIN
    hotline.later(days=4)
    housekeeping.expire(hotline.runtime)
    assert state(hotline, callback).ended


def test_forget_me_leaves_no_id_of_her_calls(hotline: Hotline) -> None:
    callback, helper, counselor, caller = joined(hotline)
    caller.press("5")
    caller.leave_room()
    caller.hang_up()
    counselor.leave_room()
    counselor.hang_up()
    casework.record_outcome(hotline.runtime, callback, helper.id, outcome="done", note="x")
    hotline.text("77")
    hotline.text("77")
    hotline.work()
    assert not hotline.rows(select(contacts))
    assert not hotline.rows(select(legs.legs).where(legs.legs.c.kind == "callback"))


def test_a_late_report_of_an_old_call_changes_nothing_of_the_new_one(roomy: Hotline) -> None:
    callback, helper, first = called(roomy)
    first.press("12")
    casework.call(roomy.runtime, callback, helper.id)
    roomy.work()
    second = roomy.pick_up(roomy.provider.calls[-1])
    second.press("1")
    first.hang_up()
    roomy.work()
    assert state(roomy, callback).state is CallbackState.CALLING_COUNSELOR
    assert roomy.provider.calls[-1].status == "queued"


def test_the_callers_line_is_kept_for_her_while_the_counselor_listens(hotline: Hotline) -> None:
    _, _, counselor = called(hotline)
    let_it_ring(hotline, "+959790005001")
    hotline.work()
    counselor.press("11")
    hotline.work()
    assert rung(hotline)[-1] == CALLER


def test_later_on_a_request_for_within_the_hour_is_still_within_the_hour(hotline: Hotline) -> None:
    callback, helper, counselor, caller = joined(hotline)
    caller.press("5")
    caller.hang_up()
    counselor.leave_room()
    casework.record_outcome(hotline.runtime, callback, helper.id, outcome="later")
    assert state(hotline, callback).state is CallbackState.WAITING


def test_a_call_whose_end_the_provider_will_not_tell_holds_no_line_for_ever(
    hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    callback, *_ = joined(hotline)

    def silent(_carrier: TwilioCarrier, _sid: str) -> None:
        raise CarrierError("no answer", retry=True)

    monkeypatch.setattr(TwilioCarrier, "call_status", silent)
    hotline.later(hours=2)
    housekeeping.sweep(hotline.runtime)
    with hotline.runtime.database.read() as session:
        assert legs.live(session) == 0
    assert state(hotline, callback).state is not CallbackState.CALLING_CALLER
