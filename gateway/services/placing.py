"""Placing one call: its leg is committed before it is dialled, so that a crash leaves one to be looked up.

A duty places at most one call, and the leg has the duty's own id: it is never dialled again.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from gateway.carriers.base import LegStatus
from gateway.errors import CarrierError, Refused
from gateway.logs import get
from gateway.phone import Msisdn
from gateway.queue import (
    JOB_CONFIRM,
    JOB_END_CALL,
    JOB_RING_BACK,
    JOB_RING_CALLER,
    JOB_RING_COLLEAGUE,
    JOB_RING_COUNSELOR,
    JOB_RING_KEYPAD,
    JOB_RING_POOLED,
    JOB_SEND_TEXT,
)
from gateway.runtime import Runtime
from gateway.services import (
    bridging,
    campaigns,
    halting,
    lines,
    outreach_calls,
    ringing_back,
    sending,
    spending,
    transferring,
)
from gateway.services.dialling import Dialling, behind, opened
from gateway.services.errands import Errand, errand, ring_bells
from gateway.services.facts import Turn
from gateway.store import callbacks as callback_rows
from gateway.store import consents, legs, outbox, ring_backs
from gateway.store.database import Session
from gateway.store.legs import Leg, LegKind, LegState
from gateway.store.outbox import Duty
from gateway.store.paces import Moment
from gateway.vault import Place

_log = get(__name__)

RING_SECONDS = {
    LegKind.COUNSELOR: 25,
    LegKind.COLLEAGUE: 25,
    LegKind.CALLBACK: 40,
    LegKind.RING_BACK: 30,
    LegKind.KEYPAD: 30,
    LegKind.CONFIRM: 30,
}
TALK_SECONDS = 3600
LOOK_UP_AFTER = timedelta(seconds=20)
GIVEN_UP_AFTER = timedelta(minutes=3)  # the provider knows of no such call: it was never placed
NO_LINE_FREE = timedelta(seconds=5)
NOT_YET = timedelta(seconds=1)  # others have the next moments
TOO_MUCH_SPENT = timedelta(minutes=2)
AFTER_REFUSAL = timedelta(seconds=20)
RING_BACK_SECONDS = 900


def place(runtime: Runtime, duty: Duty, whom: Callable[[Session], Dialling | None]) -> None:
    """Commit the leg, dial, commit what the carrier said. Never twice for one duty."""
    with runtime.database.read() as session:
        first = whom(session) if legs.get(session, duty.id) is None else None
    # Opened before anything is written: a keystore that is away for a moment must not cost the attempt.
    number = opened(first)
    if first and number and not first.may_be(runtime, number):
        number = None
    now = runtime.clock.now()
    moment: Moment | None = None
    with runtime.database.write() as session:
        leg = legs.get(session, duty.id)
        dialling = whom(session)
        if leg is None and halting.is_locked(session):
            outbox.again(session, duty.id, due=now + halting.LOOK_AGAIN, count=False)
            return
        if leg is None:
            if dialling is None or number is None:
                outbox.finish(session, duty.id, now=now, result="not_wanted")
                errands = _not_wanted(session, runtime, duty, now)
            elif not _has_a_line(session, runtime, dialling):
                outbox.again(session, duty.id, due=now + NO_LINE_FREE, count=False)
                return
            elif (moment := lines.moments(session, runtime)) is None:
                outbox.again(session, duty.id, due=now + NOT_YET, count=False)
                return
            elif not _affordable(session, runtime, dialling, now):
                errands = _closed(session, runtime, duty, dialling.kind, now)
                dialling = None
            else:
                _begin(session, runtime, duty, dialling, now)
    if leg is not None:
        _look_up(runtime, duty, leg)
    elif dialling is not None and number is not None and moment is not None:
        _dial(runtime, duty, dialling, number, moment)
    else:
        ring_bells(runtime, errands)


def _has_a_line(session: Session, runtime: Runtime, dialling: Dialling) -> bool:
    """Whether a line is free, and the caller's phone does not ring, or may ring, by an earlier call for this."""
    if dialling.kind is LegKind.CALLBACK and _at_her_phone(session, dialling.subject):
        return False
    return lines.free(session, runtime, dialling.kind) > 0


def _at_her_phone(session: Session, callback: str) -> bool:
    """Whether a call stands between us and the phone of this request, for it or for another that rings there."""
    there = callback_rows.get(session, callback)
    if there is None or there.contact is None:
        return False
    standing = [
        leg
        for one in callback_rows.ringing_at(session, there.contact)
        for leg in legs.live_of(session, one.id)
    ]
    return any(
        leg.kind is LegKind.CALLBACK or (leg.kind is LegKind.LIVE and leg.subject != callback)
        for leg in standing
    )


def _begin(session: Session, runtime: Runtime, duty: Duty, dialling: Dialling, now: datetime) -> None:
    legs.add(
        session,
        id=duty.id,
        kind=dialling.kind,
        subject=dialling.subject,
        account=dialling.account,
        line_index=runtime.vault.index(dialling.line),
        created=now,
    )
    campaign = spending.campaign_of(session, dialling.kind, dialling.subject)
    spending.note_call(session, runtime, kind=dialling.kind, campaign=campaign, now=now)
    if dialling.kind is LegKind.RING_BACK:
        ring_backs.count_attempt(session, dialling.subject)


def _affordable(session: Session, runtime: Runtime, dialling: Dialling, now: datetime) -> bool:
    """Whether this call fits under the caps; a counselor's, only together with the caller's that follows it."""
    calls, urgent = 1, False
    if dialling.kind is LegKind.COUNSELOR:
        callback = callback_rows.get(session, dialling.subject)
        calls, urgent = 2, callback is not None and callback.danger is not None
    share = spending.share_of(dialling.kind, urgent=urgent)
    return spending.allows(session, runtime, calls=calls, share=share, now=now)


def _closed(session: Session, runtime: Runtime, duty: Duty, kind: LegKind, now: datetime) -> list[Errand]:
    """Too much was spent: what nobody waits for at this moment is put off, the others are told."""
    _log.warning("too_much_spent", kind=kind)
    if kind in (LegKind.PROGRAMME, LegKind.CONFIRM, LegKind.RING_BACK):
        outbox.again(session, duty.id, due=now + TOO_MUCH_SPENT, count=False)
        return []
    outbox.finish(session, duty.id, now=now, result="closed")
    return _gone_wrong(session, runtime, kind, duty, now)


def _not_wanted(session: Session, runtime: Runtime, duty: Duty, now: datetime) -> list[Errand]:
    """Who was to be rung may not be any more: the counselor who waits is told."""
    kinds = {JOB_RING_CALLER: LegKind.CALLBACK, JOB_RING_COLLEAGUE: LegKind.COLLEAGUE}
    kind = kinds.get(duty.job)
    return _gone_wrong(session, runtime, kind, duty, now) if kind else []


def _dial(runtime: Runtime, duty: Duty, dialling: Dialling, number: Msisdn, moment: Moment) -> None:
    try:
        sid = runtime.carrier.place_call(
            to=number,
            line=dialling.line,
            leg=duty.id,
            detect_machine=dialling.detect_machine,
            ring_seconds=RING_SECONDS[dialling.kind],
            talk_seconds=RING_BACK_SECONDS if dialling.kind is LegKind.RING_BACK else TALK_SECONDS,
            begins=lambda: lines.Pacer(runtime).wait(moment),
        )
    except CarrierError as error:
        if error.uncertain:
            with runtime.database.write() as session:
                legs.uncertain(session, duty.id)
                outbox.again(session, duty.id, due=runtime.clock.now() + LOOK_UP_AFTER)
            return
        _never_placed(runtime, duty, dialling.kind, retry=error.retry)
    else:
        _placed(runtime, duty, sid)


def _look_up(runtime: Runtime, duty: Duty, leg: Leg) -> None:
    """An earlier worker may have dialled: ask the provider, and never dial this leg again."""
    if leg.state is not LegState.PLACING and leg.state is not LegState.UNCERTAIN:
        with runtime.database.write() as session:
            outbox.finish(session, duty.id, now=runtime.clock.now(), result="placed")
        return
    with runtime.database.read() as session:
        number = opened(behind(session, runtime, leg))
    if number is None:  # forgotten meanwhile: there is nothing left to ask by
        _never_placed(runtime, duty, leg.kind, retry=False)
        return
    line = runtime.our_lines.get(leg.line_index, runtime.settings.numbers[0])
    found = runtime.carrier.find_calls(to=number, line=line, since=leg.created - LOOK_UP_AFTER)
    if found:
        _placed(runtime, duty, found[0][0])
    elif runtime.clock.now() - leg.created < GIVEN_UP_AFTER:
        with runtime.database.write() as session:
            legs.uncertain(session, leg.id)
            outbox.again(session, duty.id, due=runtime.clock.now() + LOOK_UP_AFTER)
    else:  # nobody was rung: what it was for is still owed
        _never_placed(runtime, duty, leg.kind, retry=True)


def _placed(runtime: Runtime, duty: Duty, sid: str) -> None:
    sealed = runtime.vault.seal_here(Place("legs", "sid", duty.id), sid.encode())
    now = runtime.clock.now()
    with runtime.database.write() as session:
        legs.placed(session, duty.id, sid=sealed, sid_digest=runtime.vault.digest("sid", sid))
        outbox.finish(session, duty.id, now=now, result="placed")
        leg = legs.get(session, duty.id)
        errands = []
        if leg is not None and leg.ended is None and not _wanted(session, leg, now):
            lives = timedelta(minutes=10)
            errands.append(errand(session, runtime, JOB_END_CALL, leg.id, due=now, lives=lives))
    ring_bells(runtime, errands)


def _wanted(session: Session, leg: Leg, now: datetime) -> bool:  # noqa: PLR0911 - one case a kind
    """Whether a call that was just placed is still wanted: stopped, withdrawn or canceled meanwhile it is not."""
    if leg.kind is LegKind.LIVE or leg.subject == leg.account:  # hers, or of a counselor who rang us
        return True
    match leg.kind:
        case LegKind.CALLBACK | LegKind.COUNSELOR | LegKind.KEYPAD | LegKind.COLLEAGUE:
            callback = callback_rows.get(session, leg.subject)
            if callback is None or callback.ended is not None:
                return False
            if leg.kind is LegKind.CALLBACK or callback.claimed_by in (None, leg.account):
                return True
            return transferring.asked(session, callback.id, leg.account, now=now)
        case LegKind.RING_BACK:
            return ring_backs.get(session, leg.subject) is not None
        case LegKind.CONFIRM:
            return consents.get(session, leg.subject) is not None
        case LegKind.PROGRAMME:
            return campaigns.wanted(session, leg.subject)


def _never_placed(runtime: Runtime, duty: Duty, kind: LegKind, *, retry: bool) -> None:
    """Certainly not dialled: with `retry` a new duty tries again, else the request learns of it."""
    now = runtime.clock.now()
    with runtime.database.write() as session:
        leg = legs.get(session, duty.id)
        if leg is not None and legs.end(session, duty.id, now=now):
            spending.settle(session, runtime, leg, LegStatus.FAILED, None)
        legs.say_result(session, duty.id, "failed")
        outbox.finish(session, duty.id, now=now, result="refused")
        errands: list[Errand] = []
        left = duty.not_after - now - AFTER_REFUSAL
        if kind is LegKind.PROGRAMME:
            campaigns.not_dialled(session, duty.subject, None, due=now, now=now)
        elif retry and left > timedelta():
            due = now + AFTER_REFUSAL
            errand(session, runtime, duty.job, duty.subject, due=due, lives=left, account=duty.account)
        else:
            errands = _gone_wrong(session, runtime, kind, duty, now)
    ring_bells(runtime, errands)


def too_late(session: Session, runtime: Runtime, duty: Duty, now: datetime) -> list[Errand]:
    kinds = {
        JOB_RING_COUNSELOR: LegKind.COUNSELOR,
        JOB_RING_POOLED: LegKind.COUNSELOR,
        JOB_RING_COLLEAGUE: LegKind.COLLEAGUE,
        JOB_RING_KEYPAD: LegKind.KEYPAD,
        JOB_RING_BACK: LegKind.RING_BACK,
        JOB_RING_CALLER: LegKind.CALLBACK,
        JOB_CONFIRM: LegKind.CONFIRM,
    }
    legs.end(session, duty.id, now=now)
    if duty.job == JOB_SEND_TEXT:
        sending.too_late(session, duty.subject, now=now)
    kind = kinds.get(duty.job)
    return _gone_wrong(session, runtime, kind, duty, now) if kind else []


def _gone_wrong(  # noqa: PLR0911 - one case a kind
    session: Session, runtime: Runtime, kind: LegKind, duty: Duty, now: datetime
) -> list[Errand]:
    subject, account = duty.subject, duty.account
    try:
        match kind:
            case LegKind.COUNSELOR:
                return bridging.counselor_left(session, runtime, subject, account, now=now)
            case LegKind.COLLEAGUE | LegKind.KEYPAD:
                if (there := callback_rows.get_to_move(session, subject)) is not None:
                    transferring.not_there(session, there, account, now=now)
                return []
            case LegKind.LIVE:
                return []
            case LegKind.RING_BACK:
                return ringing_back.over(session, runtime, subject, answered=False, now=now)
            case LegKind.CALLBACK:
                return bridging.caller_not_joined(session, runtime, subject, why="failed", now=now)
            case LegKind.CONFIRM | LegKind.PROGRAMME:
                turn = Turn(kind=kind, language="", line_index=b"", now=now, subject=subject)
                return outreach_calls.refused(session, runtime, turn, "failed")
    except Refused:
        return []
