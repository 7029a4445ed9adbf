"""When nothing can be stored: information goes on, and the truth is said. The state travels sealed in the address."""

import base64
import binascii

from gateway.carriers.base import CallArrived, KeysCame, LegAnswered, TextArrived, VoiceAnswer
from gateway.errors import GatewayError
from gateway.runtime import Runtime
from gateway.services import states
from gateway.vault import Place
from ivr import actions as act
from ivr.burmese.encodings import Encoding
from ivr.engine import State, step, step_text
from ivr.events import CallEvent, CallStarted, Facts, KeyPressed, StayedSilent, TextReceived

_FACTS = Facts(flags=frozenset({"no_saving", "neutral_due"}))
_PLACE = Place("", "token", "")
_SORRY = (act.Play((act.Prompt("sorry_later"),)), act.HangUp())


def answer(
    runtime: Runtime, came: CallArrived | LegAnswered | KeysCame, token: str
) -> tuple[Runtime, VoiceAnswer, str]:
    """What a call hears while the database is away, in which version, and its language. Never raises."""
    runtime, state = open_token(runtime.at(runtime.editions.now()), token)
    language = runtime.library.languages[0]
    if isinstance(came, LegAnswered) or (isinstance(came, KeysCame) and came.bridged):
        return runtime, VoiceAnswer(_SORRY, 0), language
    event: CallEvent
    if state is None or isinstance(came, CallArrived):  # a call that began before is asked to begin again
        event = CallStarted("dialled", language, facts=_FACTS)
        state = None
    elif came.keys:
        event = KeyPressed(came.keys, facts=_FACTS)
    else:
        event = StayedSilent(_FACTS)
    decided = step(runtime.library.script, state, event)
    said = [action for action in decided.actions if not isinstance(action, act.Perform)]
    number = came.step + 1 if isinstance(came, KeysCame) else 1
    try:
        sealed = _sealed(runtime, decided.state)
    except GatewayError:  # the keystore is away too: say so and end, for nothing could go on from here
        return runtime, VoiceAnswer(_SORRY, 0), language
    return runtime, VoiceAnswer(said, number, sealed), decided.state.language


def text(runtime: Runtime, came: TextArrived) -> str | None:
    """The answer to a text that could not be stored: what needs no storing, or that it was not stored."""
    if came.sender is None:
        return None
    match, of_words = runtime.library.keyword(came.text, None)
    language = of_words or runtime.library.languages[0]
    decided = step_text(runtime.library.script, "", language, TextReceived(match.name, None, _FACTS))
    reply = next((action.key for action in decided.actions if isinstance(action, act.SendText)), None)
    if reply is None:
        return None
    zawgyi = match.encoding is Encoding.ZAWGYI and decided.language == "my"
    return runtime.library.sms(decided.language, reply, "zawgyi" if zawgyi else "unicode")


def open_token(runtime: Runtime, token: str) -> tuple[Runtime, State | None]:
    """The state that an answer of ours gave along, with the runtime of its version; None for anything else."""
    if not token:
        return runtime, None
    try:
        sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        return states.opened(runtime, _PLACE, sealed)
    except (GatewayError, ValueError, binascii.Error):
        return runtime, None


def _sealed(runtime: Runtime, state: State) -> str:
    return base64.urlsafe_b64encode(states.sealed(runtime, _PLACE, state)).rstrip(b"=").decode()
