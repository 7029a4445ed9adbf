"""Somebody within minutes: several counselors on shift are rung, and the first right key takes the request."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from gateway.queue import JOB_RING_KEYPAD, JOB_RING_POOL, JOB_RING_POOLED
from gateway.runtime import Runtime
from gateway.services import callbacks, windows
from gateway.services import counselors as people
from gateway.services.errands import Errand, errand, ring_bells
from gateway.store import audit, counselors, legs, outbox
from gateway.store import callbacks as rows
from gateway.store.callbacks import CallbackState
from gateway.store.counselors import Reachable
from gateway.store.database import Session
from gateway.store.legs import LegKind
from gateway.store.outbox import Duty

AT_ONCE: Final = 10
HEAD_START: Final = timedelta(seconds=60)  # for whoever looks at the console just now
NO_PATTERN: Final = (
    120  # seconds, at most, so that asking and ringing do not follow each other like clockwork
)
LOOK_AGAIN: Final = timedelta(seconds=30)
SAME_ONE_AGAIN: Final = timedelta(minutes=5)
MISSED: Final = 2  # unanswered rings in a row, and nobody is there


def asked(session: Session, runtime: Runtime, callback: str, *, wish: str, now: datetime) -> list[Errand]:
    """Owe a request for within the hour the ringing of those on shift."""
    if wish != windows.HOUR:
        return []
    if outbox.owed(session, JOB_RING_POOL, callback):
        outbox.extend(session, JOB_RING_POOL, callback, not_after=now + windows.HOUR_LIVES)
        return []
    pause = (
        timedelta() if runtime.settings.mode == "demo" else timedelta(seconds=secrets.randbelow(NO_PATTERN))
    )
    due = now + HEAD_START + pause
    return [
        errand(
            session, runtime, JOB_RING_POOL, callback, due=due, lives=windows.HOUR_LIVES - HEAD_START - pause
        )
    ]


def ring(runtime: Runtime, duty: Duty) -> None:
    """Choose who is rung now, and look again a little later for as long as nobody has taken it."""
    now = runtime.clock.now()
    errands: list[Errand] = []
    with runtime.database.write() as session:
        there = rows.get(session, duty.subject)
        if there is None or there.ended is not None or there.wish != windows.HOUR:
            outbox.finish(session, duty.id, now=now, result="not_wanted")
            return
        if there.state is CallbackState.WAITING and not callbacks.withheld(there, now):
            room = runtime.settings.calls_at_once - legs.live(session) - 1  # one line is the caller's
            recently = [
                leg.account
                for leg in legs.of(session, there.id)
                if leg.account and leg.created > now - SAME_ONE_AGAIN
            ]
            busy = [*legs.busy_accounts(session), *outbox.accounts_owed(session, JOB_RING_POOLED)]
            keypads = legs.accounts_since(session, LegKind.KEYPAD, now - SAME_ONE_AGAIN)
            chosen = people.reachable(
                session, most=max(0, min(AT_ONCE, room)), but=[*recently, *busy, *keypads]
            )
            errands = [
                _ring_one(session, runtime, there.id, one, now)
                for one in chosen
                if not outbox.owed(session, JOB_RING_KEYPAD, one.account)
            ]
        outbox.again(session, duty.id, due=now + LOOK_AGAIN, count=False)
    ring_bells(runtime, errands)


def _ring_one(session: Session, runtime: Runtime, callback: str, one: Reachable, now: datetime) -> Errand:
    """Whom the console does not know just now is rung as if they had rung us: a phone alone opens nothing."""
    if one.at_console:
        job, subject = JOB_RING_POOLED, callback
    else:
        job, subject = JOB_RING_KEYPAD, one.account
    return errand(session, runtime, job, subject, due=now, lives=LOOK_AGAIN, account=one.account)


def not_answered(session: Session, account: str, *, now: datetime) -> None:
    """A ring that nobody answered; after two in a row the account goes off shift, and the audit says so."""
    if counselors.missed_ring(session, account) >= MISSED:
        counselors.change(session, account, on_shift=False, missed_rings=0)
        audit.note(session, what="off_shift_two_missed_rings", account=None, subject=account, now=now)
