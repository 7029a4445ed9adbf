"""When nothing can be stored: information goes on, and the truth is said. The state travels sealed in the address."""

import base64
from dataclasses import replace

from gateway.carriers.base import CallArrived, KeysCame, LegAnswered, TextArrived, VoiceAnswer
from gateway.errors import BadSeal, GatewayError
from gateway.runtime import Runtime
from gateway.services import states
from gateway.services.facts import kind_of
from gateway.vault import Place
from ivr import actions as act
from ivr.burmese.encodings import Encoding
from ivr.engine import State, step, step_text
from ivr.events import CallEvent, CallStarted, Facts, KeyPressed, StayedSilent, TextReceived

_FACTS = Facts(flags=frozenset({"no_saving", "neutral_due"}))
_LIVES = 3  # hours that have begun since: a call's last answer is never older
_SORRY = (act.Play((act.Prompt("sorry_later"),)), act.HangUp())
_SORRY_AND_TRUE = (act.Play((act.Prompt("sorry_later"), act.Prompt("harmless"))), act.HangUp())


def answer(runtime: Runtime, came: CallArrived | LegAnswered | KeysCame) -> tuple[Runtime, VoiceAnswer, str]:
    """What a call hears while the database is away, in which version, and its language. Never raises.

    Whoever answers a call that we placed may hold her phone: the hotline's menus are never for them.
    """
    runtime = runtime.at(runtime.editions.now())
    language = runtime.library.languages[0]
    if isinstance(came, LegAnswered) or (isinstance(came, KeysCame) and (came.ours or came.bridged)):
        return runtime, VoiceAnswer(_SORRY, 0), language
    if kind_of(runtime, came.line) != "dialled":
        return runtime, VoiceAnswer((act.Reject(),), 0), language
    state, lost = None, False
    if isinstance(came, KeysCame):
        runtime, state = open_token(runtime, came)
        lost = state is None and came.keys != ""
    event: CallEvent
    if state is None or isinstance(came, CallArrived):  # a call that began before is asked to begin again
        event = CallStarted("dialled", language, facts=_FACTS)
    elif came.keys:
        event = KeyPressed(came.keys, facts=_FACTS)
    else:
        event = StayedSilent(_FACTS)
    decided = step(runtime.library.script, state, event)
    said = [action for action in decided.actions if not isinstance(action, act.Perform)]
    if lost:  # the key may have been the one that asks for a call
        said.insert(0, act.Play((act.Prompt(runtime.library.script.not_saved),)))
    number = came.step + 1 if isinstance(came, KeysCame) else 1
    try:
        sealed = _sealed(runtime, came.sid, decided.state)
    except GatewayError:  # the keystore is away too, or wiped: nothing goes on from here
        return runtime, VoiceAnswer(_SORRY_AND_TRUE, 0), language
    return runtime, VoiceAnswer(said, number, sealed), decided.state.language


def text(runtime: Runtime, came: TextArrived) -> str | None:
    """The answer to a text that could not be stored: what needs no storing, or that it was not stored."""
    if came.sender is None or kind_of(runtime, came.line) != "dialled":
        return None
    match, of_words = runtime.library.keyword(came.text, None)
    language = of_words or runtime.library.languages[0]
    facts = replace(_FACTS, flags=_FACTS.flags | {"threads"}) if runtime.switches.on("threads") else _FACTS
    decided = step_text(runtime.library.script, "", language, TextReceived(match.name, None, facts))
    reply = next((action.key for action in decided.actions if isinstance(action, act.SendText)), None)
    if reply is None:
        return None
    zawgyi = match.encoding is Encoding.ZAWGYI and decided.language == "my"
    return runtime.library.sms(decided.language, reply, "zawgyi" if zawgyi else "unicode")


def open_token(runtime: Runtime, came: KeysCame) -> tuple[Runtime, State | None]:
    """The state that this call's last answer gave along, with the runtime of its version; None for anything else."""
    if not came.token:
        return runtime, None
    for hour in range(_LIVES):
        try:
            sealed = base64.urlsafe_b64decode(came.token + "=" * (-len(came.token) % 4))
            return states.opened(runtime, _place(runtime, came.sid, hour), sealed)
        except BadSeal:
            continue
        except (GatewayError, ValueError):
            break
    return runtime, None


def _sealed(runtime: Runtime, sid: str, state: State) -> str:
    sealed = states.sealed(runtime, _place(runtime, sid), state)
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def _place(runtime: Runtime, sid: str, hours_ago: int = 0) -> Place:
    """Nowhere but in this call, and not for long."""
    hour = int(runtime.clock.now().timestamp()) // 3600 - hours_ago
    return Place("", "token", f"{sid} {hour}")
