"""Writes our answers as TwiML: as strings, for the library's builder costs more and checks nothing."""

import re
from collections.abc import Iterable
from typing import Final, assert_never
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from gateway.carriers.base import Sounds, VoiceAnswer
from ivr.actions import Action, AskForKeys, Connect, HangUp, Perform, Play, Reject, SendText

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?><Response>'
_TAIL: Final = "</Response>"
_LONGEST_TALK: Final = 3600
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_voice(
    answer: VoiceAnswer, *, sounds: Sounds, base: str, talk_seconds: int = _LONGEST_TALK
) -> bytes:
    """Write one turn of a call; it always ends in a verb after which nothing is left to chance.

    `sounds` gives the addresses of a sound, `base` is our public address without a slash at its end, and
    `talk_seconds` is the longest that a conference may last.
    """
    turn = f"{base}/twilio/voice/turn/{answer.step}"
    if answer.token:
        turn += f"?s={quote(answer.token, safe='')}"
    verbs = [_verb(action, sounds, turn, base, talk_seconds) for action in answer.actions]
    last = answer.actions[-1] if answer.actions else None
    if not isinstance(last, AskForKeys | Connect | HangUp | Reject):
        verbs.append("<Hangup/>")
    return _document(verbs)


def render_text(body: str | None, *, base: str) -> bytes:
    """Write the answer to a text: one text back to its sender, or nothing.

    Only the reports of such a text tell its id, without which the provider's copy could not be deleted.
    """
    if body is None:
        return _document([])
    reports = quoteattr(
        f"{base}/twilio/sms/status"
    )  # Twilio wants both attributes, with one address, or neither
    return _document(
        [f'<Message action={reports} method="POST" statusCallback={reports}>{_text(body)}</Message>']
    )


def render_wait(urls: Iterable[str]) -> bytes:
    """Write what is heard before the other side comes; Twilio asks again whenever it has run out."""
    # Without anything to play it would ask again at once, for ever.
    return _document([_play(url) for url in urls] or ['<Pause length="10"/>'])


def _verb(action: Action, sounds: Sounds, turn: str, base: str, talk_seconds: int) -> str:
    match action:
        case Play():
            return _plays(action, sounds)
        case AskForKeys():
            return _gather(action, sounds, turn)
        case Connect():
            # A star leaves the conversation, as it leaves every menu.
            return (
                f'<Dial action={quoteattr(turn)} method="POST" timeLimit="{talk_seconds}" hangupOnStar="true">'
                '<Conference beep="false" startConferenceOnEnter="true"'
                f' endConferenceOnExit="{"true" if action.ends else "false"}"'
                f' waitUrl={quoteattr(base + "/twilio/voice/wait")} waitMethod="POST">'
                f"{_text(action.room)}</Conference></Dial>"
            )
        case HangUp():
            return "<Hangup/>"
        case Reject():
            return '<Reject reason="busy"/>'  # the other reason is a spoken sentence, in English
        case SendText() | Perform():
            return ""  # nothing that is heard
        case _:
            assert_never(action)


def _gather(action: AskForKeys, sounds: Sounds, turn: str) -> str:
    """One key ends by itself; more than one, or any number of them (0), also with the hash key."""
    most = f' numDigits="{action.digits}"' if action.digits else ""
    end = "" if action.digits == 1 else "#"
    return (
        f'<Gather input="dtmf"{most} timeout="{max(1, action.wait)}" finishOnKey="{end}"'
        f' actionOnEmptyResult="true" method="POST" action={quoteattr(turn)}>'
        f"{_plays(action, sounds)}</Gather>"
    )


def _plays(action: Play | AskForKeys, sounds: Sounds) -> str:
    return "".join(_play(url) for sound in action.sounds for url in sounds(sound))


def _play(url: str) -> str:
    return f"<Play>{_text(url)}</Play>"


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("", text), {"\r": "&#13;"})


def _document(verbs: Iterable[str]) -> bytes:
    return (_HEAD + "".join(verbs) + _TAIL).encode()
