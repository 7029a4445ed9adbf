"""Somebody within minutes: several counselors on shift are rung, and the first right key takes the request.

Each urgent request has a duty of its own that looks who can be rung, again and again. Where several wait for the same
counselor, whoever stands first has them rung; and who stands far behind looks more rarely, and all of them after any
other duty (`queue.LOOKS`), so that a crowd that nobody can serve just now keeps the workers from nothing else.
"""

import secrets
from datetime import datetime, timedelta
from typing import Final

from gateway.queue import JOB_RING_KEYPAD, JOB_RING_POOL, JOB_RING_POOLED
from gateway.runtime import Runtime
from gateway.services import attending, callbacks, priority, windows
from gateway.services import counselors as people
from gateway.services.errands import Errand, errand, ring_bells
from gateway.store import callbacks as rows
from gateway.store import counselors, legs, outbox, refusals
from gateway.store.callbacks import Callback, CallbackState
from gateway.store.counselors import Reachable
from gateway.store.database import Session
from gateway.store.outbox import Duty

AT_ONCE: Final = 10
HEAD_START: Final = timedelta(seconds=60)  # for whoever looks at the console just now
LOOK_AGAIN: Final = timedelta(seconds=30)
LOOK_AGAIN_BEHIND: Final = timedelta(minutes=5)  # at most, for who stands far behind
AT_THE_HEAD: Final = 10  # look every half minute; the next so many every minute, and so on
BEFORE_IT: Final = 5  # who stand before a request and may want the same counselor
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
            errands = [
                _ring_one(session, runtime, there.id, one, now)
                for one in _chosen(session, runtime, there, now)
                if not outbox.owed(session, JOB_RING_KEYPAD, one.account)
            ]
        outbox.again(session, duty.id, due=now + _pause(session, there, now), count=False)
    ring_bells(runtime, errands)


def _chosen(session: Session, runtime: Runtime, there: Callback, now: datetime) -> list[Reachable]:
    """Whom to ring for this request now."""
    on_the_line = legs.staying(session, there.id)
    hers = 0 if on_the_line else 1  # a line for the caller, unless she is on it
    room = runtime.settings.calls_at_once - legs.live(session) - hers
    but = [
        *_rung_lately(session, there.id, now),
        *legs.busy_accounts(session),
        *outbox.accounts_owed(session, JOB_RING_POOLED),
        *outbox.accounts_owed(session, JOB_RING_KEYPAD),
        *attending.not_to_be_rung(session, runtime, there.id, now),
    ]
    most = max(0, min(AT_ONCE, room))
    found = people.reachable(session, most=most, but=but, wish=priority.wish_of(there, now))
    if on_the_line:
        return list(found)
    return [one for one in found if not _comes_first(session, there, one.account, now)]


def _rung_lately(session: Session, callback: str, now: datetime) -> list[str]:
    found = legs.of(session, callback)
    return [leg.account for leg in found if leg.account and leg.created > now - SAME_ONE_AGAIN]


def _comes_first(session: Session, there: Callback, account: str, now: datetime) -> bool:
    """Whether somebody who stands before this one is about to have that counselor rung."""
    person = counselors.get(session, account)
    if person is None:
        return False
    but = [*refusals.of_account(session, account)]
    for _ in range(BEFORE_IT):
        first = rows.due(
            session, now, person=person, last_chance=priority.last_chance(now), but=but, urgent=True
        )
        if first is None or first.rank >= there.rank:
            return False
        about_to = outbox.owed(session, JOB_RING_POOL, first.id, before=now + LOOK_AGAIN)
        if about_to and account not in _rung_lately(session, first.id, now):
            return True
        but.append(first.id)
    return False


def _pause(session: Session, there: Callback, now: datetime) -> timedelta:
    """Until it looks again: the longer, the more stand before it."""
    longest = LOOK_AGAIN_BEHIND // LOOK_AGAIN
    before = rows.urgent_before(session, there.rank, now, most=AT_THE_HEAD * longest)
    return LOOK_AGAIN * min(1 + before // AT_THE_HEAD, longest)


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
