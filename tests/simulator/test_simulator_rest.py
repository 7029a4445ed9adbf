"""Twilio's own client drives the network's REST API, and is refused where Twilio would refuse it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import requests
from simulator.gateway_double import MISSED, POOL, PUBLIC, SID, TOKEN, House
from twilio.base import values
from twilio.base.exceptions import TwilioRestException

from gateway.simulator.records import Status

LEG = "/leg"


def ring(house: House, who: str = "counselor", sender: str = POOL, **more: object) -> str:
    """Place a call by REST and return its SID."""
    number = house.network.phones[who].number
    asked = {"to": number, "from_": sender, "url": house.double.url + LEG} | more
    return house.client.calls.create(**asked).sid


def rings(house: House, who: str = "counselor") -> None:
    phone = house.network.phones[who]
    house.until(lambda: phone.call is not None and phone.call.status is Status.RINGING)


def test_a_call_by_rest_rings_the_handset_and_reports_its_progress(house: House) -> None:
    house.double.answers[LEG] = "<Hangup/>"
    sid = ring(
        house,
        status_callback=house.double.url + "/progress",
        status_callback_event=["initiated", "ringing", "answered", "completed"],
    )
    rings(house)
    assert house.network.phones["counselor"].call.from_number == POOL
    assert house.client.calls(sid).fetch().status == "ringing"
    house.network.answer("counselor")
    house.settle()
    told = house.double.to("/progress")
    statuses = ["initiated", "ringing", "in-progress", "completed"]
    assert [fields["CallStatus"] for fields in told] == statuses
    assert [fields["SequenceNumber"] for fields in told] == ["0", "1", "2", "3"]
    assert told[-1]["CallDuration"] == "1"
    assert told[-1]["Direction"] == "outbound-api"
    assert house.double.to(LEG)[0]["CallStatus"] == "in-progress"
    assert all(seen.valid for seen in house.double.seen)
    fetched = house.client.calls(sid).fetch()
    assert (fetched.status, fetched.duration, fetched.direction) == ("completed", "1", "outbound-api")


def test_by_default_only_the_end_is_reported(house: House) -> None:
    house.double.answers[LEG] = "<Hangup/>"
    ring(house, status_callback=house.double.url + "/progress")
    rings(house)
    house.network.answer("counselor")
    house.settle()
    assert [fields["CallStatus"] for fields in house.double.to("/progress")] == ["completed"]


def test_a_phone_nobody_answers_rings_until_the_timeout(house: House) -> None:
    sid = ring(house, timeout=5, status_callback=house.double.url + "/progress")
    house.settle()
    assert house.client.calls(sid).fetch().status == "no-answer"
    assert house.double.to(LEG) == []
    assert house.double.to("/progress")[0]["CallStatus"] == "no-answer"
    assert [entry.way for entry in house.network.phones["counselor"].calls] == ["missed"]


def test_a_declined_call_is_busy_and_so_is_an_engaged_handset(house: House) -> None:
    first, second = ring(house), ring(house)
    rings(house)
    house.until(lambda: house.network.calls[second].status is Status.BUSY)
    house.network.hang_up("counselor")
    house.settle()
    assert house.network.calls[first].status is Status.BUSY


@pytest.mark.parametrize(
    ("machine", "asked", "said"),
    [
        (False, "Enable", "human"),
        (True, "Enable", "machine_start"),
        (True, "DetectMessageEnd", "machine_end_beep"),
    ],
)
def test_machine_detection_comes_with_the_first_request(
    house: House, machine: bool, asked: str, said: str
) -> None:
    house.double.answers[LEG] = "<Hangup/>"
    house.network.set_machine("caller", machine)
    ring(house, "caller", PUBLIC, machine_detection=asked)
    if not machine:
        rings(house, "caller")
        house.network.answer("caller")
    house.settle()
    assert house.double.to(LEG)[0]["AnsweredBy"] == said


def test_a_live_call_is_sent_elsewhere_at_once(house: House) -> None:
    house.double.answers[LEG] = f"<Play>{house.double.sound(600)}</Play>"
    house.double.answers["/elsewhere"] = "<Hangup/>"
    sid = ring(house)
    rings(house)
    with pytest.raises(TwilioRestException) as refused:
        house.client.calls(sid).update(url=house.double.url + "/elsewhere")
    assert refused.value.code == 21220
    house.network.answer("counselor")
    house.until(lambda: house.network.phones["counselor"].heard[-1].kind == "sound")
    house.client.calls(sid).update(url=house.double.url + "/elsewhere", method="POST")
    house.settle()
    assert house.double.to("/elsewhere")[0]["CallSid"] == sid


def test_a_live_call_can_be_given_a_document(house: House) -> None:
    house.double.answers[LEG] = f"<Play>{house.double.sound(600)}</Play>"
    sid = ring(house)
    rings(house)
    house.network.answer("counselor")
    house.until(lambda: house.network.phones["counselor"].heard[-1].kind == "sound")
    house.client.calls(sid).update(twiml="<Response><Say>Good bye</Say></Response>")
    house.settle()
    assert house.network.phones["counselor"].heard[-1].text == "Good bye"


def test_a_document_given_by_rest_has_no_base_for_relative_addresses(house: House) -> None:
    sid = ring(house, url=values.unset, twiml='<Response><Gather action="/keys" numDigits="1"/></Response>')
    rings(house)
    house.network.answer("counselor")
    house.press("1", "counselor")
    house.settle()
    assert house.network.faults[0].code == 15004
    assert house.network.calls[sid].status is Status.COMPLETED


def test_calls_are_ended_and_canceled_by_rest(house: House) -> None:
    house.double.answers[LEG] = f"<Play>{house.double.sound(600)}</Play>"
    ringing = ring(house, status_callback=house.double.url + "/ringing")
    rings(house)
    house.client.calls(ringing).update(status="canceled")
    house.settle()
    assert house.double.to("/ringing")[0]["CallStatus"] == "canceled"
    running = ring(house)
    rings(house)
    house.network.answer("counselor")
    house.until(lambda: house.network.calls[running].status is Status.IN_PROGRESS)
    with pytest.raises(TwilioRestException) as refused:
        house.client.calls(running).update(status="canceled")
    assert refused.value.code == 21220
    house.client.calls(running).update(status="completed")
    house.settle()
    with pytest.raises(TwilioRestException) as refused:
        house.client.calls(running).update(status="completed")
    assert refused.value.code == 21220


def test_a_call_canceled_in_the_queue_reports_nothing(make_house: Callable[..., House]) -> None:
    house = make_house(calls_per_second=0.01)
    ring(house, "caller", PUBLIC)
    rings(house, "caller")
    queued = ring(house, status_callback=house.double.url + "/progress")
    house.client.calls(queued).update(status="canceled")
    house.network.hang_up("caller")
    house.settle()
    assert house.network.calls[queued].status is Status.CANCELED
    assert house.double.to("/progress") == []


def test_a_call_is_deleted_only_when_it_is_over(house: House) -> None:
    sid = ring(house)
    with pytest.raises(TwilioRestException) as refused:
        house.client.calls(sid).delete()
    assert refused.value.code == 20009
    house.client.calls(sid).update(status="completed")
    house.settle()
    assert house.client.calls(sid).delete()
    with pytest.raises(TwilioRestException) as refused:
        house.client.calls(sid).fetch()
    assert (refused.value.code, refused.value.status) == (20404, 404)


def test_calls_are_listed_page_by_page_and_filtered(house: House) -> None:
    for _ in range(3):
        ring(house)
    assert len(house.client.calls.list(page_size=2)) == 3
    assert len(house.client.calls.list(to=house.network.phones["caller"].number)) == 0
    assert len(house.client.calls.list(from_=POOL, status="completed")) == 0
    later = datetime.now(UTC) + timedelta(hours=1)
    assert house.client.calls.list(start_time_after=later) == []
    assert len(house.client.calls.list(start_time_before=later)) == 3


def test_the_gateways_own_numbers_are_listed_with_their_addresses(house: House) -> None:
    listed = house.client.incoming_phone_numbers.list()
    assert {number.phone_number for number in listed} == {PUBLIC, MISSED, POOL}
    assert {number.voice_url for number in listed} == {house.double.url + "/twilio/voice"}
    assert len(house.client.incoming_phone_numbers.list(phone_number=POOL)) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"To": ""}, 21201),
        ({"To": "0979"}, 21211),
        ({"To": POOL}, 21211),
        ({"From": ""}, 21213),
        ({"From": "hotline"}, 21212),
        ({"From": "+12025550123"}, 21210),
        ({"Url": "/leg"}, 21205),
        ({"Url": "https://elsewhere.example/leg"}, 21205),
        ({"Method": "PUT"}, 21209),
        ({"Timeout": "soon"}, 21208),
        ({"MachineDetection": "Perhaps"}, 21234),
        ({"StatusCallback": "nowhere"}, 21609),
        ({"StatusCallback": "{url}/x", "StatusCallbackEvent": "['ringing']"}, 21626),
        ({"Url": None, "Twiml": "x" * 4001}, 32018),
        ({"Url": None}, 21205),
    ],
)
def test_bad_calls_are_refused_with_twilios_codes(house: House, change: dict[str, str], code: int) -> None:
    asked = {"To": house.network.phones["caller"].number, "From": PUBLIC, "Url": house.double.url + LEG}
    asked |= {k: v.replace("{url}", house.double.url) if v else v for k, v in change.items()}
    answer = requests.post(api(house, "Calls"), data=asked, auth=(SID, TOKEN), timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert house.network.calls == {}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"To": ""}, 21604),
        ({"To": "x"}, 21211),
        ({"From": ""}, 21603),
        ({"From": "+12025550123"}, 21606),
        ({"Body": ""}, 21602),
        ({"Body": "က" * 1601}, 21617),
        ({"ValidityPeriod": "0"}, 30400),
        ({"StatusCallback": "nowhere"}, 21609),
    ],
)
def test_bad_messages_are_refused_with_twilios_codes(house: House, change: dict[str, str], code: int) -> None:
    asked = {"To": house.network.phones["caller"].number, "From": PUBLIC, "Body": "hello"} | change
    answer = requests.post(api(house, "Messages"), data=asked, auth=(SID, TOKEN), timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert house.network.messages == {}


def test_the_account_is_there_for_whoever_checks_the_token(house: House) -> None:
    assert house.client.api.accounts(SID).fetch().status == "active"


@pytest.mark.parametrize("auth", [None, (SID, "wrong"), ("AC" + "6" * 32, TOKEN)])
def test_only_the_account_gets_in(house: House, auth: tuple[str, str] | None) -> None:
    answer = requests.get(api(house, "Calls"), auth=auth, timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)


def test_a_record_that_slips_into_a_log_shows_no_number(house: House) -> None:
    sid = ring(house, "caller", PUBLIC)
    call, phone = house.network.calls[sid], house.network.phones["caller"]
    for record in (call, phone, call.line):
        assert phone.number not in repr(record)
        assert PUBLIC not in repr(record)


def test_another_account_is_not_found(house: House) -> None:
    url = api(house, "Calls").replace(SID, "AC" + "6" * 32)
    assert requests.get(url, auth=(SID, TOKEN), timeout=5).json()["code"] == 20404


def api(house: House, what: str) -> str:
    return f"{house.double.url}/simulator/api/2010-04-01/Accounts/{SID}/{what}.json"
