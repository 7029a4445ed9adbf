"""Somebody within minutes: several counselors on shift are rung, and the first right key takes the request."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from gateway.queue import JOB_RING_KEYPAD, JOB_RING_POOL, JOB_RING_POOLED
from gateway.runtime import Runtime
from gateway.services import attending, callbacks, priority, windows
from gateway.services import counselors as people
from gateway.services.errands import Errand, errand, ring_bells
from gateway.store import callbacks as rows
from gateway.store import counselors, legs, outbox
from gateway.store.callbacks import Callback, CallbackState
from gateway.store.counselors import Reachable
from gateway.store.database import Session
from gateway.store.outbox import Duty

AT_ONCE: Final = 10
HEAD_START: Final = timedelta(seconds=60)  # for whoever looks at the console just now
LOOK_AGAIN: Final = timedelta(seconds=30)
SAME_ONE_AGAIN: Final = timedelta(minutes=5)
MISSED: Final = 2  # unanswered rings in a row, and nobody is there


def asked(session: Session, runtime: Runtime, callback: str, *, now: datetime) -> list[Errand]:
    """Owe a request that is urgent the ringing of those on shift, for as long as it may be rung."""
    there = rows.get(session, callback)
    if there is None or not urgent(there):
        return []
    begins = max(now, there.not_before) + HEAD_START
    pause = 0 if runtime.settings.mode == "demo" else secrets.randbelow(callbacks.NO_PATTERN)
    due = min(begins + timedelta(seconds=pause), max(now, there.expires - LOOK_AGAIN))
    if outbox.moved(session, JOB_RING_POOL, callback, due=due, not_after=there.expires):
        return []
    return [errand(session, runtime, JOB_RING_POOL, callback, due=due, lives=there.expires - due)]


def urgent(there: Callback) -> bool:
    """Whether somebody is rung for it, instead of waiting until somebody looks."""
    return there.wish == windows.HOUR or there.danger is not None or there.escalated is not None


def escalate(session: Session, runtime: Runtime, *, now: datetime, most: int) -> list[Errand]:
    """Requests whose time ends soon and that nobody took: coordinators see them first, and people are rung."""
    errands = []
    for there in rows.dying(session, before=priority.last_chance(now), now=now, most=most):
        callbacks.escalate(session, there, now=now)
        errands += asked(session, runtime, there.id, now=now)
    return errands


def ring(runtime: Runtime, duty: Duty) -> None:
    """Choose who is rung now, and look again a little later for as long as nobody has taken it."""
    now = runtime.clock.now()
    errands: list[Errand] = []
    with runtime.database.write() as session:
        there = rows.get(session, duty.subject)
        if there is None or there.ended is not None or not urgent(there):
            outbox.finish(session, duty.id, now=now, result="not_wanted")
            return
        if there.state is CallbackState.WAITING and not callbacks.withheld(there, now):
            hers = 0 if legs.staying(session, there.id) else 1  # a line for the caller, unless she is on it
            room = runtime.settings.calls_at_once - legs.live(session) - hers
            recently = [
                leg.account
                for leg in legs.of(session, there.id)
                if leg.account and leg.created > now - SAME_ONE_AGAIN
            ]
            busy = [
                *legs.busy_accounts(session),
                *outbox.accounts_owed(session, JOB_RING_POOLED),
                *outbox.accounts_owed(session, JOB_RING_KEYPAD),
            ]
            not_for_it = attending.not_to_be_rung(session, runtime, there.id, now)
            chosen = people.reachable(
                session,
                most=max(0, min(AT_ONCE, room)),
                but=[*recently, *busy, *not_for_it],
                wish=priority.wish_of(there, now),
            )
            errands = [
                _ring_one(session, runtime, there.id, one, now)
                for one in chosen
                if not outbox.owed(session, JOB_RING_KEYPAD, one.account)
            ]
        outbox.again(session, duty.id, due=now + LOOK_AGAIN, count=False)
    ring_bells(runtime, errands)


def _ring_one(session: Session, runtime: Runtime, callback: str, one: Reachable, now: datetime) -> Errand:
    """Whom the console does not know just now types the next code of a sheet: a phone alone opens nothing."""
    job = JOB_RING_POOLED if one.at_console else JOB_RING_KEYPAD
    return errand(session, runtime, job, callback, due=now, lives=LOOK_AGAIN, account=one.account)


def rang_one_of_several(session: Session, leg: str) -> bool:
    """Whether this leg was one of the pool's: who hangs up before the caller is rung leaves it to the others."""
    duty = outbox.get(session, leg)
    return duty is not None and duty.job in (JOB_RING_POOLED, JOB_RING_KEYPAD) and duty.account is not None


def not_answered(session: Session, account: str, *, now: datetime) -> None:
    """A ring that nobody answered; after two in a row the account goes off shift, and the audit says so."""
    if counselors.missed_ring(session, account) >= MISSED:
        attending.off(session, account, attending.MISSED, now=now)
