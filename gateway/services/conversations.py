"""One webhook, one transaction: the state is read, `ivr` decides, effects and the answer are stored together."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from gateway.carriers.base import CallArrived, KeysCame, LegAnswered, VoiceAnswer
from gateway.errors import KeystoreDown, Refused, StoreDown
from gateway.runtime import Runtime
from gateway.services import cases, flood, provider_copies, states
from gateway.services.degraded import open_token
from gateway.services.effects import Effects, NeedsKeys
from gateway.services.errands import ring_bells
from gateway.services.facts import Turn, facts_of, free_handle, kind_of
from gateway.store import callbacks, conversations, inbox
from gateway.store.conversations import Conversation
from gateway.store.database import Session
from gateway.store.legs import LegKind
from gateway.vault import NewSubject, Place
from ivr import actions as act
from ivr.ahead import Ahead, ahead_of
from ivr.engine import State, Step, step
from ivr.events import BridgeOver, CallEvent, CallStarted, KeyPressed, StayedSilent

Came = CallArrived | LegAnswered | KeysCame
# The answer and its language, in sounds of the runtime's version of the content → the carrier's document
Render = Callable[[Runtime, VoiceAnswer, str], bytes]

TRIES = 3  # another host's turn, or keys to be made first, costs one each


@dataclass(frozen=True, slots=True)
class Prepared:
    """What had to be made outside the transaction before it could succeed."""

    new: NewSubject | None = None
    contact: str = ""
    flags: frozenset[str] = frozenset()


def take_turn(runtime: Runtime, came: Came, render: Render) -> bytes:
    """Answer a call's webhook. The same webhook again gets the same answer and has no second effect.

    Raises `StoreDown` where the database cannot be had: then `degraded.answer` speaks.
    """
    prepared = Prepared()
    runtime = runtime.at(runtime.editions.now())  # whatever is published before the turn is over
    if isinstance(came, CallArrived) and (met := flood.call_answer(runtime, came)):
        return render(runtime, VoiceAnswer(_turned_away(runtime, came, met), 0), runtime.library.languages[0])
    if isinstance(came, KeysCame) and came.step > flood.TURNS:
        raise Refused("stale")
    for _ in range(TRIES):
        try:
            return _turn(runtime, came, render, prepared)
        except NeedsKeys:
            prepared = with_keys(runtime, prepared)
        except KeystoreDown:
            prepared = replace(prepared, flags=prepared.flags | {"no_saving"})
        except Refused as refused:
            if refused.reason_key != "taken" or "taken" in prepared.flags:
                raise
            prepared = replace(prepared, flags=prepared.flags | {"taken"})  # and say so
        except IntegrityError:
            continue  # another host was faster with the same person: look again
    raise StoreDown("the turn could not be stored")


def _turned_away(runtime: Runtime, came: CallArrived, met: flood.Answer) -> list[act.Action]:
    """What a call meets that cannot be taken; lines that are only rung never answer."""
    if met is flood.Answer.REJECT or kind_of(runtime, came.line) != "dialled":
        return [act.Reject()]
    prompt = "closed_now" if met is flood.Answer.CLOSED else "busy_now"
    return [act.Play((act.Prompt(prompt),)), act.HangUp()]


def with_keys(runtime: Runtime, prepared: Prepared) -> Prepared:
    """Keys are committed to the keystore first, outside the transaction; orphans are swept."""
    contact = runtime.new_id()
    try:
        return replace(prepared, new=runtime.vault.create_keys(contact), contact=contact)
    except KeystoreDown:
        return replace(prepared, flags=prepared.flags | {"no_saving"})


def _turn(runtime: Runtime, came: Came, render: Render, prepared: Prepared) -> bytes:
    now = runtime.clock.now()
    key = flood.webhook_key(runtime, came.sid, _kind(came))
    place = Place("inbox", "answer", key.hex())
    with runtime.database.write() as session:
        if not inbox.take(session, key, now):
            return _again(runtime, place, inbox.answer_of(session, key, now), render)
        digest = runtime.vault.digest("sid", came.sid)
        if isinstance(came, CallArrived):
            provider_copies.began(session, runtime, "call", came.sid, now=now)
        there = conversations.load(session, digest)
        runtime, turn, event, state, number = _read(session, runtime, came, digest, there, now, prepared)
        decided = _decide(session, runtime, state, event)
        turn = replace(turn, language=decided.state.language)
        doing = Effects(session, runtime, turn, prepared.new, prepared.contact)
        errands = doing.perform(decided.actions)
        said = [action for action in decided.actions if not isinstance(action, act.Perform)]
        answer = render(runtime, VoiceAnswer(said, number), decided.state.language)
        kept = states.sealed(runtime, _state_place(digest), decided.state)
        if there is None:
            leg = came.leg if isinstance(came, LegAnswered) else None
            conversations.begin(session, digest, leg=leg, step=number, state=kept, now=now)
        else:
            conversations.go_on(session, digest, step=number, state=kept, now=now)
        if doing.leg:
            conversations.belongs_to(session, digest, doing.leg)
        inbox.keep_answer(session, key, runtime.vault.seal_here(place, answer))
    ring_bells(runtime, errands)
    return answer


def _kind(came: Came) -> str:
    match came:
        case CallArrived():
            return "arrived"
        case LegAnswered():
            return f"leg {came.leg} {came.moved}"
        case KeysCame():
            return f"turn {came.step}"


def _again(runtime: Runtime, place: Place, sealed: bytes | None, render: Render) -> bytes:
    if sealed is None:  # older than a day: no effect, and nothing that could tell
        return render(runtime, VoiceAnswer([act.HangUp()], 0), "")
    return runtime.vault.open_here(place, sealed)


def _read(
    session: Session,
    runtime: Runtime,
    came: Came,
    digest: bytes,
    there: Conversation | None,
    now: datetime,
    prepared: Prepared,
) -> tuple[Runtime, Turn, CallEvent, State | None, int]:
    """What happened in our words, where the conversation stands, and the number of the answer to come.

    The runtime is of the version that the call began with, or begins with now.
    """
    flags, script = prepared.flags, runtime.library.script
    match came:
        case CallArrived():
            turn = Turn.of_caller(session, runtime, came.caller, came.line, now)
            ahead = ahead_of(script, script.starts[turn.kind])
            facts = facts_of(session, runtime, turn, flags, ahead)
            return runtime, turn, CallStarted(turn.kind, turn.language, facts=facts), None, 1
        case LegAnswered():
            state = None
            if came.moved and there is not None:  # the worker moved a live call to hear what happened
                runtime, state = states.opened(runtime, _state_place(digest), there.state)
            turn = Turn.of_leg(session, runtime, came.leg, now)
            if state is None and turn.kind == LegKind.LIVE:
                raise Refused("stale")  # her call began when she dialled
            facts = facts_of(session, runtime, turn, flags)
            if state is not None and there is not None:
                return runtime, turn, BridgeOver(facts), state, there.step + 1
            return runtime, turn, CallStarted(turn.kind, turn.language, came.machine, facts), None, 1
        case KeysCame():
            runtime, state = _where(runtime, came, digest, there)
            script = runtime.library.script
            if state is None:
                raise Refused("stale")
            turn = (
                Turn.of_leg(session, runtime, there.leg, now)
                if there is not None and there.leg
                else Turn.of_caller(session, runtime, came.caller, came.line, now, language=state.language)
            )
            turn = replace(turn, sid=came.sid, keys=came.keys, code=state.kept.get("code", ""))
            pressed = came.keys if came.keys and not came.bridged else None
            ahead = Ahead() if state.over else ahead_of(script, state.menu, state.trail, pressed)
            facts = facts_of(session, runtime, turn, flags, ahead)
            event: CallEvent
            if came.bridged:
                event = BridgeOver(facts)
            elif came.keys:
                since = (now - there.touched).total_seconds() if there is not None else 0.0
                event = KeyPressed(came.keys, since, facts)
            else:
                event = StayedSilent(facts)
            return runtime, turn, event, state, came.step + 1


def _where(
    runtime: Runtime, came: KeysCame, digest: bytes, there: Conversation | None
) -> tuple[Runtime, State | None]:
    """Where the call stood when these keys were pressed, as far as its last answer tells; None if it is stale."""
    if came.token and (there is None or came.step >= there.step):
        return open_token(runtime, came)  # that answer could not be stored: its state came along, sealed
    if there is None or came.step != there.step:
        return runtime, None
    return states.opened(runtime, _state_place(digest), there.state)


def _decide(session: Session, runtime: Runtime, state: State | None, event: CallEvent) -> Step:
    """Step, and step again where the fresh handle or code is in use: the decision is pure."""
    while True:
        decided = step(runtime.library.script, state, event)
        if not any(_in_use(session, runtime, action) for action in decided.actions):
            return decided
        fresh = replace(
            event.facts, fresh_handle=free_handle(session, runtime), fresh_code=cases.fresh_code()
        )
        event = replace(event, facts=fresh)


def _in_use(session: Session, runtime: Runtime, action: act.Action) -> bool:
    match action:
        case act.Perform(act.Ask(handle=handle)):
            return callbacks.handle_in_use(session, handle)
        case act.Perform(act.AskByCode(handle=handle, code=code)):
            return callbacks.handle_in_use(session, handle) or cases.in_use(session, runtime, code)
        case _:
            return False


def _state_place(digest: bytes) -> Place:
    return Place("conversations", "state", digest.hex())
