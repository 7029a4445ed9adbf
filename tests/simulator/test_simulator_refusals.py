"""What Twilio would refuse, warn about or do differently is refused here, and stands on the network's list."""

from collections.abc import Callable

import pytest
from flask import Response
from simulator.gateway_double import PUBLIC, House, mulaw_wav

from gateway.simulator import twiml
from gateway.simulator.twiml import FaultError
from gateway.simulator.wire import resolve, signature, signed_url, wav_seconds

VOICE = "/twilio/voice"

REFUSED = {
    "an unknown verb": ("<Shout>hello</Shout>", 12200),
    "a verb in lower case": ("<play>/a.wav</play>", 12200),
    "a recording": ("<Record/>", 12200),
    "a misspelt attribute": ('<Gather numdigits="1"/>', 12200),
    "an attribute of another verb": ('<Redirect loop="2">/x</Redirect>', 12200),
    "speech input": ('<Gather input="speech dtmf"/>', 12200),
    "a timeout of zero": ('<Gather timeout="0"/>', 12200),
    "Burmese digits in a number": ('<Gather numDigits="၁"/>', 12200),
    "two finish keys": ('<Gather finishOnKey="*#"/>', 12200),
    "a wrong method": ('<Redirect method="PUT">/x</Redirect>', 13710),
    "a redirect without address": ("<Redirect/>", 13710),
    "a wrong reason": ('<Reject reason="tired"/>', 13810),
    "a negative pause": ('<Pause length="-1"/>', 13910),
    "a wrong loop": ('<Play loop="often">/a.wav</Play>', 13410),
    "play without address": ("<Play/>", 12200),
    "Burmese in say": ("<Say>မင်္ဂလာပါ</Say>", 13511),
    "say's language Burmese": ('<Say language="my-MM">hello</Say>', 13511),
    "an empty say": ("<Say> </Say>", 13520),
    "a gather in a gather": ("<Gather><Gather/></Gather>", 13320),
    "a redirect in a gather": ("<Gather><Redirect>/x</Redirect></Gather>", 13320),
    "a pause with children": ("<Pause><Play>/a.wav</Play></Pause>", 12200),
    "a number in dial": ("<Dial>+959790000000</Dial>", 13201),
    "a number noun in dial": ("<Dial><Number>+959790000000</Number></Dial>", 13201),
    "a recorded dial": ('<Dial record="true"><Conference>x</Conference></Dial>', 12200),
    "a recorded conference": ('<Dial><Conference record="record-from-start">x</Conference></Dial>', 12200),
    "a conference without name": ("<Dial><Conference/></Dial>", 13240),
    "a number as conference name": ("<Dial><Conference>+959790000000</Conference></Dial>", 13240),
    "unreachable verbs": ("<Redirect>/x</Redirect><Hangup/>", 12200),
    "text between verbs": ("hello<Hangup/>", 12200),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_document_twilio_would_not_do_as_written_is_refused(name: str) -> None:
    markup, code = REFUSED[name]
    with pytest.raises(FaultError) as refused:
        twiml.voice(f"<Response>{markup}</Response>".encode())
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"", 12100),
        (b"hello", 12100),
        (b"<Response>", 12100),
        (b' <?xml version="1.0"?><Response/>', 12100),
        (b"<response/>", 12102),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><Response/>', 12100),
        (b"<Response>" + b"<!-- -->" * 10_000 + b"</Response>", 11750),
    ],
)
def test_what_is_no_twiml_is_refused(document: bytes, code: int) -> None:
    with pytest.raises(FaultError) as refused:
        twiml.voice(document)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("markup", "code"),
    [
        ("<Play>/a.wav</Play>", 14110),
        ("<Message/>", 14103),
        (f"<Message>{'x' * 1601}</Message>", 14103),
        ("<Message>x</Message>" * 11, 14109),
        ('<Message to="+959790000000">x</Message>', 12200),
        ('<Message body="x">x</Message>', 12200),
        ("<Message><Media>/x.png</Media></Message>", 12200),
    ],
)
def test_a_reply_twilio_would_not_send_is_refused(markup: str, code: int) -> None:
    with pytest.raises(FaultError) as refused:
        twiml.messaging(f"<Response>{markup}</Response>".encode())
    assert refused.value.code == code


def test_a_refused_document_ends_the_call_and_is_shown(house: House) -> None:
    house.double.answers[VOICE] = "<Say>မင်္ဂလာပါ</Say>"
    call = house.network.dial("caller", PUBLIC)
    house.settle()
    assert house.network.faults[0].code == 13511
    assert "13511" in house.network.phones["caller"].heard[-1].text
    assert call.status == "failed"


ANSWERS: dict[str, tuple[Callable[[], Response], int]] = {
    "a page that is missing": (lambda: Response(status=404), 11200),
    "an error": (lambda: Response(status=500), 11200),
    "a redirect": (lambda: Response(status=302, headers={"Location": "/x"}), 11200),
    "JSON": (lambda: Response("{}", mimetype="application/json"), 12300),
    "an empty 204": (lambda: Response(status=204, mimetype=""), 12300),
    "too much": (lambda: Response("<Response>" + " " * 70_000 + "</Response>", mimetype="text/xml"), 11750),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_twilio_would_not_take_is_refused(house: House, name: str) -> None:
    answer, code = ANSWERS[name]
    house.double.answers[VOICE] = answer
    house.network.dial("caller", PUBLIC)
    house.settle()
    assert [fault.code for fault in house.network.faults] == [code]


def test_an_answer_that_takes_too_long_is_refused(make_house: Callable[..., House]) -> None:
    house = make_house(answer_within=0.2)

    def slow() -> Response:
        house.until(lambda: house.network.faults)
        return Response("<Response/>", mimetype="text/xml")

    house.double.answers[VOICE] = slow
    house.network.dial("caller", PUBLIC)
    house.settle()
    assert house.network.faults[0].code == 11200


@pytest.mark.parametrize("kind", ["text/html", "application/octet-stream", ""])
def test_a_sound_of_the_wrong_type_is_not_played(house: House, kind: str) -> None:
    house.double.answers[VOICE] = f"<Play>{house.double.sound(1, kind)}</Play>"
    house.network.dial("caller", PUBLIC)
    house.settle()
    assert [fault.code for fault in house.network.faults] == [13420]


def test_a_status_callback_answered_with_a_page_is_a_warning(house: House) -> None:
    house.double.answers[VOICE] = "<Hangup/>"
    house.double.answers["/twilio/voice/status"] = Response("thanks", mimetype="text/plain")
    house.network.dial("caller", PUBLIC)
    house.settle()
    assert [fault.code for fault in house.network.faults] == [15003]


def test_a_document_without_an_address_has_no_relative_ones() -> None:
    with pytest.raises(FaultError) as refused:
        resolve(None, "/keys")
    assert refused.value.code == 15004
    assert resolve(None, "https://gateway.example/keys") == "https://gateway.example/keys"


@pytest.mark.parametrize(
    ("caller", "expected"),
    [("+14158675310", "GvWf1cFY/Q7PnoempGyD5oXAezc="), ("+14158675309", "RSOYDt4T1cUTdK1PDd93/VVr8B8=")],
)
def test_the_signature_is_the_one_twilio_publishes(caller: str, expected: str) -> None:
    fields = {
        "CallSid": "CA1234567890ABCDE", "Caller": caller, "Digits": "1234",
        "From": caller, "To": "+18005551212",
    }  # fmt: skip
    assert signature("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", fields) == expected


def test_the_signed_address_has_no_user_no_fragment_and_for_calls_over_https_no_port() -> None:
    assert signed_url("https://a:b@h.example:8443/x?y=1#rc=2", voice=True) == "https://h.example/x?y=1"
    assert signed_url("https://h.example:8443/x", voice=False) == "https://h.example:8443/x"
    assert signed_url("http://h.example:8080/x", voice=True) == "http://h.example:8080/x"


def test_the_length_of_a_telephone_sound_is_read_from_its_header() -> None:
    assert wav_seconds(mulaw_wav(1.5)) == 1.5
    for broken in (b"", b"ID3", mulaw_wav(1)[:30], b"RIFF\0\0\0\0WAVE"):
        with pytest.raises(FaultError):
            wav_seconds(broken)
