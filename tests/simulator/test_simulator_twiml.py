"""The reader of TwiML against Twilio's own library: what it builds is understood, and nothing is invented."""

import inspect
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.twiml import messaging_response, voice_response
from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import VoiceResponse

from gateway.simulator import twiml
from gateway.simulator.twiml import FaultError

BUILDERS = {
    "Play": VoiceResponse.play,
    "Say": VoiceResponse.say,
    "Pause": VoiceResponse.pause,
    "Gather": VoiceResponse.gather,
    "Redirect": VoiceResponse.redirect,
    "Reject": VoiceResponse.reject,
    "Hangup": VoiceResponse.hangup,
    "Dial": VoiceResponse.dial,
    "Conference": voice_response.Dial.conference,
    "Message": MessagingResponse.message,
    "Body": messaging_response.Message.body,
}


@pytest.mark.parametrize("verb", BUILDERS)
def test_no_attribute_is_accepted_that_twilios_library_does_not_know(verb: str) -> None:
    known = set(inspect.signature(BUILDERS[verb]).parameters)
    for attribute in twiml._ATTRIBUTES[verb]:
        snake = re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), attribute)
        assert {snake, snake + "_"} & known, attribute


def test_what_twilios_library_builds_is_understood() -> None:
    response = VoiceResponse()
    gather = response.gather(
        action="/turns/1",
        num_digits=6,
        finish_on_key="#",
        timeout=7,
        action_on_empty_result=True,
        barge_in=False,
    )
    gather.play("/audio/a.wav")
    gather.pause(length=2)
    dial = response.dial(action="/after", hangup_on_star=True, time_limit=3600)
    dial.conference(
        "quiet-river", beep=False, start_conference_on_enter=False, end_conference_on_exit=True, wait_url="/wait",
        status_callback="/room", status_callback_event="start end",
    )  # fmt: skip
    assert twiml.voice(str(response).encode()) == (
        twiml.Gather(
            prompts=(twiml.Play("/audio/a.wav"), twiml.Pause(2.0)),
            action="/turns/1",
            timeout=7.0,
            num_digits=6,
            action_on_empty=True,
            barge_in=False,
        ),
        twiml.Dial(
            conference=twiml.Conference(
                "quiet-river",
                start_on_enter=False,
                end_on_exit=True,
                wait_url="/wait",
                status_callback="/room",
                status_events=frozenset({"start", "end"}),
            ),
            action="/after",
            hangup_on_star=True,
            time_limit=3600.0,
        ),
    )


def test_a_list_of_events_as_the_library_spells_it_by_mistake_is_refused() -> None:
    response = VoiceResponse()
    response.dial().conference("quiet-river", status_callback="/room", status_callback_event=["start", "end"])
    with pytest.raises(FaultError):
        twiml.voice(str(response).encode())


def test_a_burmese_reply_is_understood_in_both_spellings() -> None:
    short, long = MessagingResponse(), MessagingResponse()
    short.message("မင်္ဂလာပါ")
    long.message().body("မင်္ဂလာပါ")
    assert twiml.messaging(str(short).encode()) == twiml.messaging(str(long).encode())


NAMES = st.sampled_from([*twiml._ATTRIBUTES, "Record", "Number", "play", "x"])
VALUES = st.sampled_from(["", "0", "1", "-1", "true", "POST", "၁", "+959790000000", "#", "99999999"])
ATTRIBUTES = st.sampled_from(sorted({name for known in twiml._ATTRIBUTES.values() for name in known}))
ELEMENTS = st.recursive(
    st.sampled_from(["", "/a.wav", "မြန်မာ", " "]),
    lambda inner: st.builds(
        lambda name, attribute, value, body: f'<{name} {attribute}="{value}">{body}</{name}>',
        NAMES, ATTRIBUTES, VALUES, inner,
    ),
    max_leaves=5,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=60), ELEMENTS.map(lambda body: f"<Response>{body}</Response>".encode())))
def test_whatever_comes_is_understood_or_refused_in_words(document: bytes) -> None:
    for read in (twiml.voice, twiml.waiting, twiml.messaging):
        try:
            read(document)
        except FaultError as refused:
            assert refused.code in range(11000, 15100)  # noqa: PT017  (most documents are refused, some are not)
