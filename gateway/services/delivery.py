"""Status reports of calls: any order, doubled or missing, they end in the same state."""

from dataclasses import replace

from gateway.carriers.base import LegProgress, LegStatus
from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.services import (
    bridging,
    campaigns,
    outreach_calls,
    pool,
    provider_copies,
    ringing_back,
    spending,
    states,
    staying,
    transferring,
)
from gateway.services.effects import Effects
from gateway.services.errands import Errand, ring_bells
from gateway.services.facts import Turn, facts_of
from gateway.store import callbacks as callback_rows
from gateway.store import conversations, legs
from gateway.store.database import Session
from gateway.store.legs import Leg, LegKind
from gateway.vault import Place
from ivr.engine import step
from ivr.events import CallEnded

_NOBODY = ("no_answer", "busy")


def leg_progress(runtime: Runtime, progress: LegProgress) -> None:
    """Take a status report; only a final one has an effect, and only the first final one."""
    if progress.status is LegStatus.UNDER_WAY:
        return
    now = runtime.clock.now()
    digest = runtime.vault.digest("sid", progress.sid)
    with runtime.database.write() as session:
        dialled_in = conversations.load(session, digest) if not progress.leg else None
        errands = _hung_up(session, runtime, digest)
        provider_copies.over(session, runtime, "call", progress.sid, now=now)
        named = progress.leg or (dialled_in and dialled_in.leg)  # who stays on the line dialled in herself
        leg = legs.get(session, named) if named else None
        if leg is not None and leg.kind is LegKind.LIVE:
            errands += staying.left(session, runtime, leg, now=now)
        if leg is not None and legs.end(session, leg.id, now=now):
            legs.say_result(session, leg.id, progress.status)
            spending.settle(session, runtime, leg, progress.status, progress.seconds)
            # a late report of an old call says nothing about the new one
            if not legs.newer_live(session, leg):
                errands += _leg_over(session, runtime, replace(leg, result=leg.result or progress.status))
        ours = bool(progress.leg) and (leg is None or leg.kind is not LegKind.LIVE)
        if conversations.end(session, digest) and not ours:
            spending.settle_arrival(session, runtime, seconds=progress.seconds, now=now)
    ring_bells(runtime, errands)


def _hung_up(session: Session, runtime: Runtime, digest: bytes) -> list[Errand]:
    """The script decides what hanging up means where the conversation stood."""
    there = conversations.load(session, digest)
    if there is None:
        return []
    now = runtime.clock.now()
    place = Place("conversations", "state", digest.hex())
    runtime, state = states.opened(runtime, place, there.state)
    if state is None or state.over:
        return []
    try:
        turn = (
            Turn.of_leg(session, runtime, there.leg, now)
            if there.leg
            else Turn.of_caller(session, runtime, None, None, now)
        )
        facts = facts_of(session, runtime, turn, frozenset())
    except Refused:
        return []
    ended = step(runtime.library.script, state, CallEnded((now - there.touched).total_seconds(), facts))
    return Effects(session, runtime, turn, None, "").perform(ended.actions)


def _leg_over(session: Session, runtime: Runtime, leg: Leg) -> list[Errand]:  # noqa: PLR0911 - one case a kind
    now = runtime.clock.now()
    why = "no_answer" if leg.result in (None, "completed", "canceled") else leg.result
    match leg.kind:
        case LegKind.COUNSELOR | LegKind.KEYPAD | LegKind.COLLEAGUE:
            return _counselor_line_free(session, runtime, leg)
        case LegKind.LIVE:
            return []  # all was done while its own result was still known
        case LegKind.RING_BACK:
            answered = leg.result not in (*_NOBODY, "failed")
            return ringing_back.over(session, runtime, leg.subject, answered=answered, now=now)
        case LegKind.CALLBACK:
            if leg.result != "opened":
                return bridging.caller_not_joined(
                    session, runtime, leg.subject, why=why or "no_answer", now=now
                )
            return bridging.talk_over(session, runtime, leg.subject, None, now=now)
        case LegKind.PROGRAMME:
            campaigns.over(session, leg, now=now)
        case LegKind.CONFIRM:
            if leg.result != "opened":
                turn = Turn(leg.kind, "", b"", now, leg=leg.id, subject=leg.subject)
                return outreach_calls.refused(session, runtime, turn, why or "no_answer")
    return []


def _counselor_line_free(session: Session, runtime: Runtime, leg: Leg) -> list[Errand]:
    now = runtime.clock.now()
    if leg.result == "no_answer" and leg.account:  # busy may be another of our own calls
        pool.not_answered(session, leg.account, now=now)
    if leg.kind is not LegKind.COUNSELOR:  # no request was taken on it
        if there := callback_rows.get_to_move(session, leg.subject):
            transferring.not_there(session, there, leg.account, now=now)
        return []
    several = pool.rang_one_of_several(session, leg.id)
    return bridging.counselor_left(
        session, runtime, leg.subject, leg.account, now=now, one_of_several=several
    )
