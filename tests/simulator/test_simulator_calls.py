"""A phone dials a line, and the network does what the gateway's TwiML says."""

import time
from collections.abc import Callable

import pytest
from flask import Response
from simulator.gateway_double import MISSED, POOL, PUBLIC, SID, House

from gateway.simulator.records import Status

VOICE, STATUS = "/twilio/voice", "/twilio/voice/status"


def test_a_call_is_asked_for_with_twilios_whole_set_of_fields(house: House) -> None:
    house.double.answers[VOICE] = "<Hangup/>"
    call = house.network.dial("caller", PUBLIC)
    house.settle()
    [fields] = house.double.to(VOICE)
    number = house.network.phones["caller"].number
    assert fields["CallSid"] == call.sid
    assert fields["AccountSid"] == SID
    assert (fields["From"], fields["Caller"]) == (number, number)
    assert (fields["To"], fields["Called"]) == (PUBLIC, PUBLIC)
    assert (fields["CallStatus"], fields["Direction"]) == ("ringing", "inbound")
    assert (fields["FromCountry"], fields["ToCountry"], fields["FromCity"]) == ("MM", "TH", "")
    assert house.network.faults == []


def test_every_webhook_is_signed_as_twilios_own_validator_expects(house: House) -> None:
    house.double.answers[VOICE] = '<Gather action="/keys?turn=1" numDigits="1"/>'
    house.double.answers["/keys"] = "<Hangup/>"
    house.network.dial("caller", PUBLIC)
    house.press("4")
    house.settle()
    assert [seen.path for seen in house.double.seen] == [VOICE, "/keys", STATUS]
    assert all(seen.valid for seen in house.double.seen)
    tokens = {seen.headers["I-Twilio-Idempotency-Token"] for seen in house.double.seen}
    assert len(tokens) == 3


def test_the_end_of_a_call_is_reported_once_with_its_length(house: House) -> None:
    house.double.answers[VOICE] = '<Pause length="1"/><Pause length="10"/>'
    house.network.dial("caller", PUBLIC)
    house.settle()
    [fields] = house.double.to(STATUS)
    assert fields["CallStatus"] == "completed"
    assert fields["CallbackSource"] == "call-progress-events"
    assert fields["Duration"] == "1"


def test_a_played_sound_takes_as_long_as_it_is(make_house: Callable[..., House]) -> None:
    house = make_house(speed=2.0)
    house.double.answers[VOICE] = f'<Play loop="2">{house.double.sound(0.5)}</Play>'
    start = time.monotonic()
    house.network.dial("caller", PUBLIC)
    house.settle()
    assert time.monotonic() - start >= 0.5
    assert [heard.kind for heard in house.network.phones["caller"].heard] == ["ringing", "sound", "sound"]


def test_a_key_stops_the_prompts_and_reaches_the_action(house: House) -> None:
    play = f"<Play>{house.double.sound(60)}</Play>"
    house.double.answers[VOICE] = f'<Gather action="/keys" numDigits="1" timeout="5">{play}</Gather>'
    house.double.answers["/keys"] = "<Hangup/>"
    house.network.dial("caller", PUBLIC)
    house.press("3")
    house.settle()
    [fields] = house.double.to("/keys")
    assert fields["Digits"] == "3"
    assert fields["CallStatus"] == "in-progress"


def test_the_finish_key_ends_the_input_and_is_not_part_of_it(house: House) -> None:
    house.double.answers[VOICE] = '<Gather action="/keys" timeout="60"/>'
    house.double.answers["/keys"] = "<Hangup/>"
    house.network.dial("caller", PUBLIC)
    house.press("12#")
    house.settle()
    [fields] = house.double.to("/keys")
    assert (fields["Digits"], fields["FinishedOnKey"]) == ("12", "#")


def test_without_a_finish_key_star_and_hash_are_keys_like_others(house: House) -> None:
    house.double.answers[VOICE] = '<Gather action="/keys" finishOnKey="" numDigits="2"/>'
    house.double.answers["/keys"] = "<Hangup/>"
    house.network.dial("caller", PUBLIC)
    house.press("*#")
    house.settle()
    assert house.double.to("/keys")[0]["Digits"] == "*#"


def test_keys_that_stop_coming_are_sent_after_the_timeout(house: House) -> None:
    house.double.answers[VOICE] = '<Gather action="/keys" timeout="2"/>'
    house.double.answers["/keys"] = "<Hangup/>"
    house.network.dial("caller", PUBLIC)
    house.press("78")
    house.settle()
    assert house.double.to("/keys")[0]["Digits"] == "78"


@pytest.mark.parametrize("keys", ["", "#"])
def test_no_input_makes_no_request_and_falls_through(house: House, keys: str) -> None:
    house.double.answers[VOICE] = '<Gather action="/keys" timeout="2"/><Redirect>/silent</Redirect>'
    house.double.answers["/silent"] = "<Hangup/>"
    house.network.dial("caller", PUBLIC)
    house.press(keys)
    house.settle()
    assert house.double.to("/keys") == []
    assert len(house.double.to("/silent")) == 1


def test_no_input_is_sent_when_it_was_asked_for(house: House) -> None:
    house.double.answers[VOICE] = '<Gather action="/keys" timeout="1" actionOnEmptyResult="true"/>'
    house.double.answers["/keys"] = "<Hangup/>"
    house.network.dial("caller", PUBLIC)
    house.settle()
    assert house.double.to("/keys")[0]["Digits"] == ""


def test_a_key_nobody_listens_for_is_lost(house: House) -> None:
    house.double.answers[VOICE] = f"<Play>{house.double.sound(600)}</Play>"
    house.network.dial("caller", PUBLIC)
    house.until(lambda: house.network.phones["caller"].call.status is Status.IN_PROGRESS)
    assert not house.network.press("caller", "1")


def test_prompts_that_may_not_be_interrupted_are_heard_to_their_end(house: House) -> None:
    play = f"<Play>{house.double.sound(6)}</Play>"
    house.double.answers[VOICE] = f'<Gather action="/keys" numDigits="1" bargeIn="false">{play}</Gather>'
    house.double.answers["/keys"] = "<Hangup/>"
    start = time.monotonic()
    house.network.dial("caller", PUBLIC)
    house.press("1")
    house.settle()
    assert time.monotonic() - start >= 0.3
    assert house.double.to("/keys")[0]["Digits"] == "1"


def test_a_leading_pause_lets_it_ring_on(house: House) -> None:
    house.double.answers[VOICE] = '<Pause length="10"/><Pause length="600"/>'
    call = house.network.dial("caller", PUBLIC)
    house.until(lambda: house.network.phones["caller"].heard[-1].kind == "silence")
    assert call.status is Status.RINGING
    house.until(lambda: call.status is Status.IN_PROGRESS)


@pytest.mark.parametrize(("reason", "status"), [("busy", "busy"), ("rejected", "no-answer")])
def test_a_rejecting_line_never_answers(house: House, reason: str, status: str) -> None:
    house.double.answers[VOICE] = f'<Reject reason="{reason}"/>'
    call = house.network.dial("caller", MISSED)
    house.settle()
    assert (call.status, call.answered, call.seconds) == (status, None, 0)
    assert house.network.phones["caller"].note == "line rejected"
    assert house.double.to(STATUS)[0]["CallStatus"] == status


def test_hanging_up_ends_the_call_in_the_middle_of_a_sound(house: House) -> None:
    house.double.answers[VOICE] = f"<Play>{house.double.sound(600)}</Play>"
    house.network.dial("caller", PUBLIC)
    house.until(lambda: house.network.phones["caller"].heard[-1].kind == "sound")
    house.network.hang_up("caller")
    house.settle()
    assert house.double.to(STATUS)[0]["CallStatus"] == "completed"
    assert house.network.phones["caller"].call is None


def test_relative_addresses_follow_the_document_they_stand_in(house: House) -> None:
    house.double.answers[VOICE] = "<Redirect>turns/2?c=x</Redirect>"
    house.double.answers["/twilio/turns/2"] = '<Gather action="../three" numDigits="1"/>'
    house.double.answers["/twilio/three"] = "<Hangup/>"
    house.network.dial("caller", PUBLIC)
    house.press("1")
    house.settle()
    assert [seen.path for seen in house.double.seen][:3] == [VOICE, "/twilio/turns/2", "/twilio/three"]
    assert house.network.faults == []


def test_a_number_that_is_no_line_is_not_in_service(house: House) -> None:
    assert house.network.dial("caller", "+959790000000") is None
    assert house.network.phones["caller"].note == "not in service"
    assert house.double.seen == []


def test_cookies_are_kept_during_a_call(house: House) -> None:
    def with_cookie() -> Response:
        answer = Response("<Response><Redirect>/second</Redirect></Response>", mimetype="text/xml")
        answer.set_cookie("turn", "1")
        return answer

    house.double.answers[VOICE] = with_cookie
    house.double.answers["/second"] = "<Hangup/>"
    house.network.dial("caller", PUBLIC)
    house.settle()
    assert house.double.seen[1].headers["Cookie"] == "turn=1"


def test_a_reset_ends_calls_and_empties_the_handsets(house: House) -> None:
    house.double.answers[VOICE] = f"<Play>{house.double.sound(600)}</Play>"
    call = house.network.dial("caller", POOL)
    house.until(lambda: call.status is Status.IN_PROGRESS)
    before = house.network.phones["caller"].number
    house.network.reset()
    assert call.status.final
    phone = house.network.phones["caller"]
    assert (phone.number, phone.calls, phone.texts, phone.call) == (before, [], [], None)


def test_a_document_that_sends_the_call_round_in_circles_is_stopped(house: House) -> None:
    house.double.answers[VOICE] = "<Redirect>/twilio/voice</Redirect>"
    house.network.dial("caller", PUBLIC)
    house.settle()
    assert "loop" in house.network.faults[0].message
