"""A ring that costs nothing is answered by ringing back."""

import secrets

import pytest
from front_door import CALLER, Heard, Hotline
from sqlalchemy import select

from gateway.services import housekeeping
from gateway.store.callbacks import callbacks
from gateway.store.contacts import contacts


def let_it_ring(hotline: Hotline, caller: str = CALLER) -> Heard:
    line = hotline.settings.missed_call_numbers[0].reveal("demo")
    form = {"From": caller, "To": line, "Direction": "inbound", "CallSid": "CA" + secrets.token_hex(16)}
    return hotline.voice("/twilio/voice", form)


def test_it_is_rejected_and_rung_back_with_the_main_menu(hotline: Hotline) -> None:
    assert let_it_ring(hotline).verbs == ["Reject"]
    hotline.work()
    (placed,) = hotline.provider.calls
    assert placed.form["To"] == CALLER
    assert placed.form["From"] == hotline.settings.missed_call_numbers[0].reveal("demo")
    assert placed.form["MachineDetection"] == "Enable"
    call = hotline.pick_up(placed)
    assert call.heard.said == ["greeting_back", "main"]
    call.press("11")
    assert call.press("5").said[0] == "registered"
    call.hang_up()
    hotline.work()
    assert hotline.one(select(callbacks)).contact, "she asked: her number is kept as long as that lives"


def test_rings_that_are_minutes_apart_are_one(hotline: Hotline) -> None:
    for _ in range(4):
        let_it_ring(hotline)
    hotline.work()
    assert len(hotline.provider.calls) == 1


def test_who_then_asks_for_nothing_is_forgotten(hotline: Hotline) -> None:
    let_it_ring(hotline)
    hotline.work()
    call = hotline.pick_up(hotline.provider.calls[0])
    call.press("2")
    call.hang_up()
    hotline.work()
    assert not hotline.rows(select(contacts))
    assert len(hotline.provider.calls) == 1


def test_unanswered_it_is_tried_twice_and_then_forgotten(hotline: Hotline) -> None:
    let_it_ring(hotline)
    for _ in range(3):
        hotline.work()
        hotline.not_answered(hotline.provider.calls[-1])
        hotline.later(minutes=9)
    hotline.work()
    assert len(hotline.provider.calls) == 2
    assert not hotline.rows(select(contacts))


def test_after_half_an_hour_nobody_is_rung_back(hotline: Hotline) -> None:
    let_it_ring(hotline)
    hotline.later(minutes=31)
    housekeeping.expire(hotline.runtime)
    hotline.work()
    assert not hotline.provider.calls
    assert not hotline.rows(select(contacts))


@pytest.mark.promise(20)
def test_in_quiet_hours_nobody_is_rung_back(hotline: Hotline) -> None:
    hotline.at(23)
    assert let_it_ring(hotline).verbs == ["Reject"]
    hotline.work()
    assert not hotline.provider.calls
    assert not hotline.rows(select(contacts))


@pytest.mark.promise(19)
def test_a_number_that_said_stop_is_not_rung_back(hotline: Hotline) -> None:
    hotline.text("99")
    let_it_ring(hotline)
    hotline.work()
    assert not hotline.provider.calls


@pytest.mark.promise(21)
def test_a_machine_hears_nothing(hotline: Hotline) -> None:
    let_it_ring(hotline)
    hotline.work()
    assert hotline.pick_up(hotline.provider.calls[0], by="machine_start").heard.verbs == ["Hangup"]


def test_a_withheld_number_is_rejected_and_nothing_is_kept(hotline: Hotline) -> None:
    assert let_it_ring(hotline, "anonymous").verbs == ["Reject"]
    assert not hotline.rows(select(contacts))
