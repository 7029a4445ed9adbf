"""Every document we write is one that Twilio's own library could have written."""

import inspect
import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import VoiceResponse

from gateway.carriers.base import VoiceAnswer
from gateway.carriers.twilio.rendering import render_text, render_voice, render_wait
from ivr.actions import (
    Action,
    AskForKeys,
    Connect,
    HangUp,
    Play,
    Prompt,
    Recording,
    Reject,
    Sound,
    SpokenDigits,
)

BASE = "https://hotline.example"
HASH = "c" * 64


def sounds(sound: Sound) -> list[str]:
    """A prompt is one file, digits are one file each; the last has what must be escaped."""
    count = len(sound.digits) if isinstance(sound, SpokenDigits) else 1
    return [f"{BASE}/audio/{HASH}.wav?a=1&b=<{n}>" for n in range(count)]


def voice(*actions: Action, step: int = 7) -> bytes:
    return render_voice(VoiceAnswer(actions, step), sounds=sounds, base=BASE)


def parsed(document: bytes) -> ET.Element:
    return ET.fromstring(document)  # noqa: S314 - we wrote it


def by_the_library(document: bytes, response: Any) -> str:
    """Write the same document with the library's classes; an unknown verb, nesting or attribute fails."""

    def write(parent: Any, element: ET.Element) -> None:
        verb = getattr(parent, element.tag.lower())  # fails where the library does not allow this nesting
        parameters = list(inspect.signature(verb).parameters)
        given = {
            re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), name): value
            for name, value in element.attrib.items()
        }
        assert set(given) <= set(parameters), set(given) - set(parameters)
        text = [element.text] if element.text else []
        assert not text or parameters[0] not in given
        child = verb(*text, **given)
        for inner in element:
            write(child, inner)

    root = parsed(document)
    assert root.tag == "Response"
    assert not root.attrib
    for element in root:
        write(response, element)
    return ET.canonicalize(response.to_xml())


def assert_twiml(document: bytes, response: Any = None) -> ET.Element:
    assert document.startswith(b"<?xml")
    assert len(document) <= 64 * 1024
    assert b"record" not in document.lower()
    expected = by_the_library(document, VoiceResponse() if response is None else response)
    assert ET.canonicalize(document.decode()) == expected
    return parsed(document)


SOUNDS = st.one_of(
    st.builds(Prompt, st.just("welcome")),
    st.builds(SpokenDigits, st.text("0123456789", max_size=8)),
    st.builds(Recording, st.just(HASH)),
)
HEARD = st.lists(SOUNDS, max_size=6).map(tuple)
ACTIONS = st.lists(
    st.one_of(
        st.builds(Play, HEARD),
        st.builds(AskForKeys, HEARD, st.integers(0, 30), st.integers(0, 12)),
        st.builds(Connect, st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1)),
        st.just(HangUp()),
        st.just(Reject()),
    ),
    max_size=5,
)


@pytest.mark.promise(22)
@settings(deadline=None)
@given(ACTIONS, st.integers(0, 999))
def test_every_answer_is_twiml_that_the_library_could_have_written(
    actions: Sequence[Action], step: int
) -> None:
    root = assert_twiml(voice(*actions, step=step))
    assert root[-1].tag in {"Gather", "Dial", "Hangup", "Reject"}


def test_one_key_ends_the_waiting_by_itself() -> None:
    root = assert_twiml(voice(AskForKeys((Prompt("menu"), SpokenDigits("12")), wait=6)))
    gather = root[0]
    assert gather.attrib == {
        "input": "dtmf",
        "numDigits": "1",
        "timeout": "6",
        "finishOnKey": "",
        "actionOnEmptyResult": "true",
        "method": "POST",
        "action": f"{BASE}/twilio/voice/turn/7",
    }
    assert [play.tag for play in gather] == ["Play"] * 3
    assert len(root) == 1


@pytest.mark.parametrize(("digits", "most"), [(0, None), (6, "6")])
def test_more_keys_end_with_the_hash_key(digits: int, most: str | None) -> None:
    gather = assert_twiml(voice(AskForKeys((), wait=10, digits=digits)))[0]
    assert (gather.get("numDigits"), gather.get("finishOnKey")) == (most, "#")


def test_what_could_not_be_stored_travels_in_the_next_turns_address() -> None:
    answer = VoiceAnswer([AskForKeys((), 5)], 2, token="aB-_9&")
    (gather,) = assert_twiml(render_voice(answer, sounds=sounds, base=BASE))
    assert gather.get("action") == f"{BASE}/twilio/voice/turn/2?s=aB-_9%26"


def test_waiting_is_never_zero_seconds() -> None:
    assert assert_twiml(voice(AskForKeys((), wait=0)))[0].get("timeout") == "1"


def test_a_conference_is_silent_bounded_and_ends_when_either_leaves() -> None:
    dial = assert_twiml(voice(Connect("room-1")))[0]
    assert dial.attrib == {
        "action": f"{BASE}/twilio/voice/turn/7",
        "method": "POST",
        "timeLimit": "3600",
        "hangupOnStar": "true",
    }
    assert dial[0].text == "room-1"
    assert dial[0].attrib == {
        "beep": "false",
        "startConferenceOnEnter": "true",
        "endConferenceOnExit": "true",
        "waitUrl": f"{BASE}/twilio/voice/wait",
        "waitMethod": "POST",
    }
    limited = render_voice(VoiceAnswer([Connect("r")], 1), sounds=sounds, base=BASE, talk_seconds=600)
    assert assert_twiml(limited)[0].get("timeLimit") == "600"


@pytest.mark.parametrize("actions", [(), (Play((Prompt("bye"),)),)])
def test_an_answer_that_ends_in_nothing_hangs_up(actions: Sequence[Action]) -> None:
    assert assert_twiml(voice(*actions))[-1].tag == "Hangup"


def test_a_rejected_caller_hears_the_busy_tone_and_no_english() -> None:
    root = assert_twiml(voice(Reject()))
    assert [(verb.tag, verb.attrib) for verb in root] == [("Reject", {"reason": "busy"})]


def test_nothing_is_ever_spoken_by_the_carrier_or_dialled_by_number() -> None:
    everything = voice(Play((Prompt("a"),)), AskForKeys((), 1), Connect("r"), HangUp(), Reject())
    assert not {e.tag for e in parsed(everything).iter()} & {"Say", "Number", "Record", "Sip", "Pay"}


def test_the_longest_answer_we_could_give_stays_below_the_limit() -> None:
    assert_twiml(voice(AskForKeys((SpokenDigits("1" * 300),), wait=5)))


def test_no_answer_to_a_text_is_an_empty_document() -> None:
    assert len(assert_twiml(render_text(None, base="https://line.example.org"), MessagingResponse())) == 0


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cn", "Co")), min_size=1))
def test_a_text_is_answered_to_its_sender_word_for_word(body: str) -> None:
    message = assert_twiml(render_text(body, base="https://line.example.org"), MessagingResponse())[0]
    assert (message.tag, message.text) == ("Message", body)
    reports = "https://line.example.org/twilio/sms/status"
    assert (message.attrib["action"], message.attrib["statusCallback"]) == (reports, reports), (
        "both, or neither"
    )


@settings(deadline=None)
@given(st.text())
def test_no_body_breaks_the_document(body: str) -> None:
    parsed(render_text(body, base="https://line.example.org"))


def test_while_waiting_sounds_are_played_over_and_over() -> None:
    urls = [f"{BASE}/audio/1.wav", f"{BASE}/audio/2.wav?x=1&y=2"]
    assert [play.text for play in assert_twiml(render_wait(urls))] == urls


def test_waiting_without_a_sound_does_not_ask_again_at_once() -> None:
    assert [(verb.tag, verb.attrib) for verb in assert_twiml(render_wait([]))] == [
        ("Pause", {"length": "10"})
    ]
