"""Doing what the outbox owes: each job claims its row, dials or moves a call, and says how it went.

A duty places at most one call: the leg has the duty's own id and is committed before anything is dialled, so
that a crash in between leaves a leg to be looked up, never dialled again.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from gateway.carriers.base import LegStatus
from gateway.errors import CarrierError, Refused
from gateway.logs import get
from gateway.phone import Msisdn
from gateway.queue import (
    JOB_CAMPAIGN,
    JOB_CONFIRM,
    JOB_END_CALL,
    JOB_FORGET,
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
    callbacks,
    campaigns,
    halting,
    lines,
    outreach_calls,
    ringing_back,
    sending,
    spending,
    transferring,
    windows,
)
from gateway.services.dialling import Dialling, behind, of_contact, of_counselor, opened
from gateway.services.errands import Errand, errand, ring_bells
from gateway.services.facts import Turn
from gateway.store import callbacks as callback_rows
from gateway.store import consents, legs, outbox, ring_backs
from gateway.store.callbacks import CallbackState
from gateway.store.database import Session
from gateway.store.legs import Leg, LegKind, LegState
from gateway.store.outbox import Duty
from gateway.store.paces import Moment
from gateway.vault import Place

_log = get(__name__)

STALE = timedelta(seconds=60)  # a worker that has been at a row for so long is taken for dead
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
RINGS_BEFORE_PARKED = 12
# Nobody may stay known, or go on ringing, for a long outage; and a campaign ends at its own time.
NEVER_PARKED = frozenset({JOB_FORGET, JOB_END_CALL, JOB_CAMPAIGN})
RING_BACK_SECONDS = 900


# --- the bell -----------------------------------------------------------------------------------------


def ring_due(runtime: Runtime, *, most: int = 200) -> int:
    """Ring for every due row nobody is at; may run twice at once, for the row's claim decides. Return how many."""
    now = runtime.clock.now()
    with runtime.database.read() as session:
        duties = outbox.due(session, now=now, stale=now - STALE, most=most)
    dead = [duty.id for duty in duties if duty.taken is not None]
    if dead:  # a job of that id may still lie in Redis: ring with the next one
        with runtime.database.write() as session:
            outbox.rung(session, dead)
    for duty in duties:
        ring = duty.rings + 1 if duty.taken is not None else duty.rings
        runtime.queue.put(duty.job, duty.id, ring=ring)
    return len(duties)


def take(runtime: Runtime, duty_id: str) -> Duty | None:
    """Claim a duty for this worker; one that is too late dies here, and one that never succeeds is parked."""
    now = runtime.clock.now()
    with runtime.database.write() as session:
        duty = outbox.take(session, duty_id, now=now, stale=now - STALE)
        if duty is None:
            return None
        if legs.get(session, duty.id) is not None:
            return duty  # it may have been dialled: that is looked up, however late it is
        if duty.job == JOB_SEND_TEXT and sending.under_way(session, duty.subject):
            return duty
        if duty.not_after <= now:
            outbox.finish(session, duty.id, now=now, result="too_late")
            errands = _too_late(session, runtime, duty, now)
        elif duty.rings >= RINGS_BEFORE_PARKED and duty.job not in NEVER_PARKED:
            outbox.finish(session, duty.id, now=now, result="parked")
            _log.error("duty_parked", job=duty.job, id=duty.id)
            errands = _too_late(session, runtime, duty, now)
        else:
            return duty
    ring_bells(runtime, errands)
    return None


def finish(runtime: Runtime, duty: Duty, result: str) -> None:
    with runtime.database.write() as session:
        outbox.finish(session, duty.id, now=runtime.clock.now(), result=result)


def again(runtime: Runtime, duty: Duty, after: timedelta, *, count: bool = True) -> None:
    with runtime.database.write() as session:
        outbox.again(session, duty.id, due=runtime.clock.now() + after, count=count)


# --- the jobs -----------------------------------------------------------------------------------------


def ring_counselor(runtime: Runtime, duty: Duty) -> None:
    def whom(session: Session) -> Dialling | None:
        callback = callback_rows.get(session, duty.subject)
        if (
            callback is None
            or callback.state is not CallbackState.CALLING_COUNSELOR
            or not duty.account
            or callback.claimed_by != duty.account
        ):
            return None
        return of_counselor(session, runtime, LegKind.COUNSELOR, callback.id, duty.account)

    _place(runtime, duty, whom)


def ring_pooled(runtime: Runtime, duty: Duty) -> None:
    """Ring one of several counselors for a request that nobody has taken yet."""

    def whom(session: Session) -> Dialling | None:
        callback = callback_rows.get(session, duty.subject)
        if callback is None or callback.state is not CallbackState.WAITING or not duty.account:
            return None
        return of_counselor(session, runtime, LegKind.COUNSELOR, callback.id, duty.account)

    _place(runtime, duty, whom)


def ring_keypad(runtime: Runtime, duty: Duty) -> None:
    """Ring the registered number of a counselor with a sheet: back after a ring, or for a request that waits."""

    def whom(session: Session) -> Dialling | None:
        if duty.account is None:
            return of_counselor(session, runtime, LegKind.KEYPAD, duty.subject, duty.subject)
        callback = callback_rows.get(session, duty.subject)
        if callback is None:
            return None
        if callback.state is not CallbackState.WAITING and not _asked_to_join(session, runtime, duty):
            return None
        return of_counselor(session, runtime, LegKind.KEYPAD, callback.id, duty.account)

    _place(runtime, duty, whom)


def ring_colleague(runtime: Runtime, duty: Duty) -> None:
    """Ring somebody who is asked to join a talk."""

    def whom(session: Session) -> Dialling | None:
        if duty.account is None or not _asked_to_join(session, runtime, duty):
            return None
        return of_counselor(session, runtime, LegKind.COLLEAGUE, duty.subject, duty.account)

    _place(runtime, duty, whom)


def _asked_to_join(session: Session, runtime: Runtime, duty: Duty) -> bool:
    return transferring.asked(session, duty.subject, duty.account, now=runtime.clock.now())


def ring_back(runtime: Runtime, duty: Duty) -> None:
    """Ring back a number whose ring was rejected."""

    def whom(session: Session) -> Dialling | None:
        owed = ring_backs.get(session, duty.subject)
        if owed is None or owed.expires <= runtime.clock.now():
            return None
        return of_contact(session, runtime, LegKind.RING_BACK, owed.id, owed.contact, owed.line_index)

    if not _quiet(runtime, duty):
        _place(runtime, duty, whom)


def ring_caller(runtime: Runtime, duty: Duty) -> None:
    def whom(session: Session) -> Dialling | None:
        callback = callback_rows.get(session, duty.subject)
        if callback is None or callback.state is not CallbackState.CALLING_CALLER or callback.contact is None:
            return None
        if callbacks.withheld(callback, runtime.clock.now()):
            return None
        return of_contact(
            session, runtime, LegKind.CALLBACK, callback.id, callback.contact, callback.line_index
        )

    _place(runtime, duty, whom)


def confirm(runtime: Runtime, duty: Duty) -> None:
    """The one neutral contact attempt that an opt-in allows."""

    def whom(session: Session) -> Dialling | None:
        consent = consents.get(session, duty.subject)
        if consent is None or consent.asked_key is None or consent.until <= runtime.clock.now():
            return None
        others = [leg for leg in legs.of(session, consent.id) if leg.id != duty.id and leg.result != "busy"]
        if not consent.live and any(leg.sid_digest is not None for leg in others):
            return None  # exactly one attempt
        return of_contact(session, runtime, LegKind.CONFIRM, consent.id, consent.contact, consent.line_index)

    if not _quiet(runtime, duty):
        _place(runtime, duty, whom)


def look_up(runtime: Runtime, duty: Duty) -> None:
    """Find out what became of a campaign's call whose worker never told."""
    _place(runtime, duty, lambda _session: None)


def move_call(runtime: Runtime, duty: Duty) -> None:
    """Make a live call come back and hear what happened."""
    _to_live_call(runtime, duty, lambda sid: runtime.carrier.move_call(sid, duty.subject))


def end_call(runtime: Runtime, duty: Duty) -> None:
    _to_live_call(runtime, duty, runtime.carrier.end_call)


# --- placing one call ---------------------------------------------------------------------------------


def _place(runtime: Runtime, duty: Duty, whom: Callable[[Session], Dialling | None]) -> None:
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
        finish(runtime, duty, "placed")
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


def _too_late(session: Session, runtime: Runtime, duty: Duty, now: datetime) -> list[Errand]:
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


def _quiet(runtime: Runtime, duty: Duty) -> bool:
    """In quiet hours nobody is rung who did not ask for this very hour: put off to their end."""
    settings = runtime.settings
    now = runtime.clock.now()
    due = windows.after_quiet(now, settings.quiet_hours, settings.timezone)
    if due <= now:
        return False
    with runtime.database.write() as session:
        outbox.again(session, duty.id, due=due, count=False)
    return True


def _to_live_call(runtime: Runtime, duty: Duty, do: Callable[[str], None]) -> None:
    with runtime.database.read() as session:
        leg = legs.get(session, duty.subject)
    if leg is None or leg.ended is not None:
        finish(runtime, duty, "over")
        return
    if leg.sid is None:  # being dialled at this moment: its id is not known yet
        again(runtime, duty, timedelta(seconds=2))
        return
    try:
        do(runtime.vault.open_here(Place("legs", "sid", leg.id), leg.sid).decode())
    except CarrierError as error:
        if not (error.retry or error.uncertain):
            finish(runtime, duty, "refused")
            return
        again(runtime, duty, timedelta(seconds=3))  # ending or moving twice does no harm
        return
    finish(runtime, duty, "done")
