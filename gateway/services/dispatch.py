"""Doing what the outbox owes: each job claims its row, says whom it rings or moves a call, and how it went.

How a call is placed, at most once, is `placing`.
"""

from collections.abc import Callable
from datetime import timedelta

from gateway.errors import CarrierError
from gateway.logs import get
from gateway.queue import (
    CALLS,
    JOB_CAMPAIGN,
    JOB_END_CALL,
    JOB_FORGET,
    JOB_SEND_TEXT,
    JOBS,
)
from gateway.runtime import Runtime
from gateway.services import (
    callbacks,
    placing,
    sending,
    transferring,
    windows,
)
from gateway.services.dialling import Dialling, of_contact, of_counselor
from gateway.services.errands import ring_bells
from gateway.store import callbacks as callback_rows
from gateway.store import consents, legs, outbox, ring_backs
from gateway.store.callbacks import CallbackState
from gateway.store.database import Session
from gateway.store.legs import LegKind
from gateway.store.outbox import Duty
from gateway.vault import Place

_log = get(__name__)

STALE = timedelta(seconds=60)  # a worker that has been at a row for so long is taken for dead
RINGS_BEFORE_PARKED = 12
_PRESSING = frozenset(job for job, queue in JOBS.items() if queue == CALLS)
# Nobody may stay known, or go on ringing, for a long outage; and a campaign ends at its own time.
NEVER_PARKED = frozenset({JOB_FORGET, JOB_END_CALL, JOB_CAMPAIGN})


# --- the bell -----------------------------------------------------------------------------------------


def ring_due(runtime: Runtime, *, most: int = 200) -> int:
    """Ring for every due row nobody is at; may run twice at once, for the row's claim decides. Return how many."""
    now = runtime.clock.now()
    with runtime.database.read() as session:
        duties = outbox.due(session, now=now, stale=now - STALE, most=most)
        if len(duties) == most:  # a crowd of what may wait, before what somebody waits for
            pressing = outbox.due(session, now=now, stale=now - STALE, most=most, jobs=_PRESSING)
            there = {duty.id for duty in pressing}
            duties = [*pressing, *(duty for duty in duties if duty.id not in there)]
    dead = [duty.id for duty in duties if duty.taken is not None]
    if dead:  # a job of that id may still lie in Redis: ring with the next one
        with runtime.database.write() as session:
            outbox.freed(session, dead, stale=now - STALE)
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
            errands = placing.too_late(session, runtime, duty, now)
        elif duty.rings >= RINGS_BEFORE_PARKED and duty.job not in NEVER_PARKED:
            outbox.finish(session, duty.id, now=now, result="parked")
            _log.error("duty_parked", job=duty.job, id=duty.id)
            errands = placing.too_late(session, runtime, duty, now)
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

    placing.place(runtime, duty, whom)


def ring_pooled(runtime: Runtime, duty: Duty) -> None:
    """Ring one of several counselors for a request that nobody has taken yet."""

    def whom(session: Session) -> Dialling | None:
        callback = callback_rows.get(session, duty.subject)
        if callback is None or callback.state is not CallbackState.WAITING or not duty.account:
            return None
        return of_counselor(session, runtime, LegKind.COUNSELOR, callback.id, duty.account)

    placing.place(runtime, duty, whom)


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

    placing.place(runtime, duty, whom)


def ring_colleague(runtime: Runtime, duty: Duty) -> None:
    """Ring somebody who is asked to join a talk."""

    def whom(session: Session) -> Dialling | None:
        if duty.account is None or not _asked_to_join(session, runtime, duty):
            return None
        return of_counselor(session, runtime, LegKind.COLLEAGUE, duty.subject, duty.account)

    placing.place(runtime, duty, whom)


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
        placing.place(runtime, duty, whom)


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

    placing.place(runtime, duty, whom)


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
        placing.place(runtime, duty, whom)


def look_up(runtime: Runtime, duty: Duty) -> None:
    """Find out what became of a campaign's call whose worker never told."""
    placing.place(runtime, duty, lambda _session: None)


def move_call(runtime: Runtime, duty: Duty) -> None:
    """Make a live call come back and hear what happened."""
    _to_live_call(runtime, duty, lambda sid: runtime.carrier.move_call(sid, duty.subject))


def end_call(runtime: Runtime, duty: Duty) -> None:
    _to_live_call(runtime, duty, runtime.carrier.end_call)


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
