"""The phone in the terminal: scripted steps in, captions and replies out."""

import io
import threading

import pytest
import requests
from flask import Response
from simulator.gateway_double import MISSED, POOL, PUBLIC, SID, TOKEN, House

from gateway.simulator.records import Document
from gateway.simulator.terminal import dial, text

VOICE = "/twilio/voice"


def call(house: House, *steps: str, start: str | None = None, to: str | None = None) -> tuple[bool, str]:
    out = io.StringIO()
    taken = dial(house.double.url, SID, TOKEN, start, to, out=out, keys=io.StringIO("\n".join(steps)))
    return taken, out.getvalue()


def test_a_scripted_call_presses_keys_and_prints_captions_in_both_languages(house: House) -> None:
    hello = house.double.spoken(4, "မင်္ဂလာပါ", "Hello")
    noted = house.double.spoken(3, "မှတ်ပြီးပါပြီ", "Registered")
    house.double.answers[VOICE] = f'<Gather numDigits="2" action="/keys"><Play>{hello}</Play></Gather>'
    house.double.answers["/keys"] = f"<Play>{noted}</Play><Hangup/>"
    taken, said = call(house, "wait 1", "12")
    assert taken
    assert house.double.to("/keys")[0]["Digits"] == "12"
    wanted = [
        "my: မင်္ဂလာပါ",
        "en: Hello",
        "(robot voice)",
        "my: မှတ်ပြီးပါပြီ",
        "en: Registered",
        "The call is over",
    ]
    assert [said.index(words) for words in wanted] == sorted(said.index(words) for words in wanted)


def test_a_script_that_is_over_hangs_up_when_the_line_waits_for_a_key(house: House) -> None:
    house.double.answers[VOICE] = f'<Gather timeout="600"><Play>{house.double.sound(2)}</Play></Gather>'
    taken, said = call(house)
    house.settle()
    assert taken
    assert "The call is over (completed)" in said


def test_a_line_that_rejects_is_said_so(house: House) -> None:
    house.double.answers[VOICE] = '<Reject reason="busy"/>'
    taken, said = call(house, to=MISSED)
    assert taken
    assert "The call is over (line rejected)" in said


def test_a_script_can_wait_to_be_rung_back(house: House) -> None:
    number = house.network.phones["caller"].number

    def reject_and_ring_back() -> Response:
        document = Document(house.double.url + "/leg")
        # Twilio would ring an engaged handset as busy: the call back leaves a little later.
        threading.Timer(0.2, house.network.place, (PUBLIC, number, document, None)).start()
        return Response('<Response><Reject reason="busy"/></Response>', mimetype="text/xml")

    house.double.answers[VOICE] = reject_and_ring_back
    house.double.answers["/leg"] = '<Say>Press your number</Say><Gather numDigits="1" action="/own"/>'
    house.double.answers["/own"] = "<Hangup/>"
    _, said = call(house, "answer", "5", to=MISSED)
    assert "Press your number" in said
    assert house.double.to("/own")[0]["Digits"] == "5"


def test_an_engaged_handset_dials_nobody(house: House) -> None:
    house.double.answers[VOICE] = f"<Play>{house.double.sound(600)}</Play>"
    running = house.network.dial("caller", PUBLIC)
    assert not call(house, "1")[0]
    assert not running.status.final


def test_a_line_that_makes_no_sense_is_explained(house: House) -> None:
    house.double.answers[VOICE] = '<Gather timeout="600"/>'
    _, said = call(house, "hello there", "hangup", "5")
    assert "Type keys" in said
    assert "Nobody was listening for 5." in said


def test_any_number_is_a_phone(house: House) -> None:
    house.double.answers[VOICE] = "<Hangup/>"
    assert call(house, start="+959770000001", to=POOL)[0]
    assert house.double.to(VOICE)[0]["From"] == "+959770000001"
    assert house.double.to(VOICE)[0]["To"] == POOL


def test_a_texts_replies_come_back_in_order(house: House) -> None:
    house.double.answers["/twilio/sms"] = ["<Message>တစ်</Message><Message>နှစ်</Message>", ""]
    assert text(house.double.url, SID, TOKEN, None, "၁") == ["တစ်", "နှစ်"]
    assert text(house.double.url, SID, TOKEN, None, "stop now") == []
    assert house.double.to("/twilio/sms")[0]["To"] == PUBLIC


@pytest.mark.parametrize("auth", [None, (SID, "wrong"), ("", "")])
def test_the_terminal_needs_the_accounts_token(house: House, auth: tuple[str, str] | None) -> None:
    url = f"{house.double.url}/simulator/terminal/open"
    assert requests.post(url, json={"from": None}, auth=auth, timeout=5).status_code == 401


@pytest.mark.parametrize("nonsense", [[1], None, "x", 5])
def test_nonsense_for_the_terminal_is_refused(house: House, nonsense: object) -> None:
    url = f"{house.double.url}/simulator/terminal/open"
    assert requests.post(url, json=nonsense, auth=(SID, TOKEN), timeout=5).status_code in {400, 415}
