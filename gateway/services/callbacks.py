"""Callback requests: the moves that are allowed, and everything that moves one.

Functions take the open session of their caller's transaction; what must happen outside is returned to, or
committed by, that caller as outbox rows (`Errand`).
"""

import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from gateway.errors import Refused
from gateway.queue import JOB_END_CALL, JOB_FORGET, JOB_RING_POOL
from gateway.runtime import Runtime
from gateway.services import priority, windows
from gateway.services.errands import Errand, errand
from gateway.store import callbacks, case_codes, continuing, legs, outbox
from gateway.store.callbacks import Callback, CallbackState
from gateway.store.database import Session
from gateway.store.legs import LegKind

S = CallbackState

# From each state, where a request may go. Drawn in docs/callbacks.md.
ALLOWED: dict[CallbackState, frozenset[CallbackState]] = {
    S.WAITING: frozenset({S.CLAIMED, S.WITHDRAWN, S.EXPIRED, S.FORGOTTEN, S.NO_ANSWER}),
    S.CLAIMED: frozenset(
        {
            S.WAITING, S.CALLING_COUNSELOR, S.DONE, S.NO_ANSWER, S.NOT_SAFE, S.WRONG_PERSON,
            S.WITHDRAWN, S.EXPIRED, S.FORGOTTEN, S.UNCERTAIN,
        }
    ),
    S.CALLING_COUNSELOR: frozenset(
        {S.CLAIMED, S.WAITING, S.CALLING_CALLER, S.NOT_SAFE, S.WITHDRAWN, S.FORGOTTEN, S.UNCERTAIN}
    ),
    S.CALLING_CALLER: frozenset(
        {
            S.TALKING, S.CLAIMED, S.WAITING, S.NO_ANSWER, S.NOT_SAFE, S.WRONG_PERSON,
            S.WITHDRAWN, S.FORGOTTEN, S.EXPIRED, S.UNCERTAIN,
        }
    ),
    S.TALKING: frozenset(
        {S.CLAIMED, S.WAITING, S.UNCERTAIN, S.DONE, S.NOT_SAFE, S.WITHDRAWN, S.FORGOTTEN}
    ),
    S.UNCERTAIN: frozenset({S.CLAIMED, S.WAITING, S.DONE, S.EXPIRED, S.WITHDRAWN, S.FORGOTTEN}),
    S.DONE: frozenset({S.FORGOTTEN}),
    S.NO_ANSWER: frozenset({S.FORGOTTEN}),
    S.NOT_SAFE: frozenset({S.FORGOTTEN}),
    S.WRONG_PERSON: frozenset({S.FORGOTTEN}),
    S.WITHDRAWN: frozenset({S.FORGOTTEN}),
    S.EXPIRED: frozenset({S.FORGOTTEN}),
    S.FORGOTTEN: frozenset(),
}  # fmt: skip

BY_CODE = "code"  # the wish of a case that keeps no number and waits for its person to ring again
BY_TEXT = callbacks.BY_TEXT  # of somebody who texted and did not ask to be rung: nobody rings her
LEASE = timedelta(minutes=20)
AFTER_NOT_SAFE = timedelta(minutes=5)
AFTER_TALK = timedelta(minutes=30)  # for the outcome and the note
ATTEMPTS = 3
SPACING = {"busy": timedelta(minutes=5)}
USUAL_SPACING = timedelta(minutes=15)
LETS_GO = frozenset({S.NO_ANSWER, S.WRONG_PERSON, S.EXPIRED})
TRY_AGAIN = frozenset({"busy", "no_answer", "failed", "machine", "later"})
CODE_LIVES = timedelta(days=7)  # of a case by code, from when it was asked: so she was told
UNCERTAIN_LIVES = timedelta(days=3)  # for a coordinator to look at, after its time
RING_LIVES = timedelta(
    minutes=2
)  # a counselor's "call" that could not be dialled by then is no longer wanted
KEPT = timedelta(days=7)  # a closed case
NO_HURRY = timedelta(days=400)  # forgetting never dies of age
NO_PATTERN: Final = (
    120  # seconds, at most, so that asking and ringing do not follow each other like clockwork
)


# --- asking and taking back ---------------------------------------------------------------------------


def ask(
    session: Session,
    runtime: Runtime,
    contact: str,
    *,
    wish: str,
    own_key: str,
    handle: str,
    language: str,
    line_index: bytes,
    now: datetime,
    by_code: bool = False,
) -> str:
    """Register a request, or add to the contact's open one; `by_code` is always one of its own. Return its id."""
    life = windows.life(wish, now, runtime.settings.timezone)
    there = None if by_code else callbacks.open_of(session, contact)
    if there is None:
        new = runtime.new_id()
        callbacks.add(
            session,
            id=new, contact=contact, handle=handle, state=S.WAITING, wish=wish, own_keys=own_key,
            language=language, line_index=line_index, asked=now, room=runtime.new_id(), changed=now,
            by_code=by_code, **times(life),
        )  # fmt: skip
        note(session, new, S.WAITING, "asked", None, now)
        return new
    # The newest ask counts alone: a number can be forged, and whoever asks again must not be shown, or open, more
    # than was asked for now. A text, which chooses no key, never takes a chosen one away; nor does asking again
    # take back that she is in danger.
    callbacks.change(
        session, there.id, handle=handle, own_keys=own_key or there.own_keys, asks=there.asks + 1, note=None,
        line_index=line_index, wish=wish, attempts=0, redials=0, **times(life, there.danger),
    )  # fmt: skip
    on_again(session, there, why="asked_again", now=now)
    return there.id


def on_again(session: Session, there: Callback, *, why: str, now: datetime) -> None:
    """Asked again: what had been left to a coordinator waits for everybody, for it was said that it is registered."""
    if there.state is S.UNCERTAIN:
        moved(session, there, S.WAITING, why=why, account=None, now=now)
    else:
        note(session, there.id, there.state, why, None, now)


def asked_since(there: Callback) -> bool:
    """Whether they asked again after they were joined, and were told that it is registered: that stands."""
    return 0 < there.reached < there.asks


def times(life: windows.Life, danger: datetime | None = None) -> dict[str, Any]:
    """The columns that say when it may be rung and where it stands."""
    rank = priority.rank(expires=life.expires, danger=danger)
    return {
        "not_before": life.not_before,
        "expires": life.expires,
        "repeats": life.repeats,
        "rank": rank,
        "escalated": None,
    }


def add_wish(session: Session, handle: str, *, what: str, now: datetime) -> Callback | None:
    """What she adds in the call in which she asked, by the handle she has just been told: danger, or a woman.

    Return the request; None where it is over already.
    """
    there = callbacks.of_handle(session, handle)
    if there is None:
        return None
    if what == "danger":
        rank = priority.rank(expires=there.expires, danger=now)
        callbacks.change(session, there.id, danger=there.danger or now, rank=rank)
    else:
        callbacks.change(session, there.id, woman=True)
    note(session, there.id, there.state, f"wishes_{what}", None, now)
    return callbacks.get(session, there.id)


def calls_off(session: Session, runtime: Runtime, callback: str, *, now: datetime) -> list[Errand]:
    """After asking again: her phone does not go on ringing for a time that she has just moved."""
    there = known(session, callback)
    if there.state is not S.CALLING_CALLER or there.not_before <= now:
        return []
    return [
        errand(session, runtime, JOB_END_CALL, leg.id, due=now, lives=timedelta(minutes=10))
        for leg in legs.live_of(session, callback)
        if leg.kind is LegKind.CALLBACK
    ]


def end_for(
    session: Session, runtime: Runtime, contact: str, *, to: CallbackState, now: datetime
) -> list[Errand]:
    """Withdraw or forget the contact's open request, ending calls that stand.

    A case by code only borrowed this phone: it is not rung here any more, and goes on without one.
    """
    errands = []
    for there in callbacks.ringing_at(session, contact):
        errands += hang_up(session, runtime, there.id, now=now)
        if there.by_code:
            errands += without_phone(session, runtime, there, why="phone_left_it", account=None, now=now)
        else:
            moved(session, there, to, why=to.value, account=None, now=now)
    return errands


def without_phone(
    session: Session, runtime: Runtime, there: Callback, *, why: str, account: str | None, now: datetime
) -> list[Errand]:
    """A case by code lets go of the phone that it borrowed, and waits for its person to ring again with the code."""
    if there.state is S.WAITING:
        note(session, there.id, there.state, why, account, now)
    else:
        moved(session, there, S.WAITING, why=why, account=account, now=now)
    expires = there.asked + CODE_LIVES
    callbacks.change(
        session, there.id, contact=None, wish=BY_CODE, note=None, attempts=0, redials=0,
        **times(windows.Life(expires, expires, repeats=0), there.danger),
    )  # fmt: skip
    if there.contact is None:
        return []
    return [errand(session, runtime, JOB_FORGET, there.contact, due=now, lives=NO_HURRY)]


def hang_up(
    session: Session, runtime: Runtime, callback: str, *, now: datetime, her_too: bool = True, only: str = ""
) -> list[Errand]:
    """End every call of this request that stands, or those to `only` this account.

    Without `her_too` she who stays on the line goes on waiting.
    """
    return [
        errand(session, runtime, JOB_END_CALL, leg.id, due=now, lives=timedelta(minutes=10))
        for leg in legs.live_of(session, callback)
        if (her_too or leg.kind is not LegKind.LIVE) and only in ("", leg.account)
    ]


def withheld(callback: Callback, now: datetime) -> str:
    """Why this request may not be rung now, as a wording's key; empty where it may."""
    if callback.expires <= now:
        return "expired"
    if callback.not_before > now:
        return "not_yet"
    if callback.contact is None:
        return "no_phone_yet" if callback.wish == BY_CODE else "forgotten"
    return "by_text" if callback.wish == BY_TEXT else ""


# --- what time does -----------------------------------------------------------------------------------


def expire(session: Session, runtime: Runtime, there: Callback, *, now: datetime) -> list[Errand]:
    """Its time is over: a repeat in the next day's window where one is left, else it dies. Never in a call."""
    if there.state in (S.CALLING_COUNSELOR, S.CALLING_CALLER, S.TALKING):
        return []
    if there.reached and there.state is S.CLAIMED:
        return []  # they talked: the lease, not the window, decides
    if there.repeats and not there.reached:
        life = windows.repeated(there.wish, there.expires, runtime.settings.timezone)
        if life.expires > now:
            _repeat(session, runtime, there, life)
            if there.state is S.WAITING:
                note(session, there.id, S.WAITING, "next_window", None, now)
            else:
                moved(session, there, S.WAITING, why="next_window", account=None, now=now)
            return []
    if there.state is S.UNCERTAIN and now < there.expires + UNCERTAIN_LIVES:
        return []
    return ended(session, runtime, there, S.EXPIRED, why="expired", account=None, now=now)


def escalate(session: Session, there: Callback, *, now: datetime) -> None:
    """Its time ends soon and nobody has taken it: from now on the coordinators see it first."""
    callbacks.change(session, there.id, escalated=now)
    note(session, there.id, there.state, "escalated", None, now)


def lease_over(session: Session, there: Callback, *, now: datetime, why: str = "lease_over") -> None:
    """A claim ran out: back to the queue with its history, or `uncertain` where they had talked already."""
    to = S.UNCERTAIN if there.reached and not asked_since(there) else S.WAITING
    moved(session, there, to, why=why, account=there.claimed_by, now=now)


def wait_again(
    session: Session, runtime: Runtime, there: Callback, now: datetime, *, why: str, after: timedelta
) -> list[Errand]:
    """Wait for a next attempt: later in this window, in the next day's, or never."""
    attempts = there.attempts + 1
    due = max(now + after, there.not_before)  # never before a time that was chosen meanwhile
    if due >= there.expires and not there.repeats:  # her time is short: sooner is better than never
        due = max(now + USUAL_SPACING, there.not_before)
    if attempts < ATTEMPTS and due < there.expires:
        callbacks.change(session, there.id, attempts=attempts, not_before=due)
        moved(session, there, S.WAITING, why=why, account=there.claimed_by, now=now)
        return []
    if there.repeats:
        life = windows.repeated(there.wish, there.expires, runtime.settings.timezone)
        _repeat(session, runtime, there, life)
        moved(session, there, S.WAITING, why=why, account=there.claimed_by, now=now)
        return []
    return ended(session, runtime, there, S.NO_ANSWER, why=why, account=there.claimed_by, now=now)


def _repeat(session: Session, runtime: Runtime, there: Callback, life: windows.Life) -> None:
    """Wait for the next day's window; who is in danger is rung for again as soon as it begins."""
    callbacks.change(session, there.id, attempts=0, redials=0, **{**times(life, there.danger), "repeats": 0})
    due, ends = life.not_before + timedelta(seconds=secrets.randbelow(NO_PATTERN)), life.expires
    if there.danger and not outbox.moved(session, JOB_RING_POOL, there.id, due=due, not_after=ends):
        errand(session, runtime, JOB_RING_POOL, there.id, due=due, lives=ends - due)


def ended(
    session: Session,
    runtime: Runtime,
    there: Callback,
    to: CallbackState,
    *,
    why: str,
    account: str | None,
    now: datetime,
) -> list[Errand]:
    """End it. What is done is kept a week for those who talked; of anything else the number goes at once.

    Where the person of a case by code was not reached, only the borrowed phone is let go while her code lives.
    """
    if (
        to in LETS_GO
        and there.contact
        and now < there.asked + CODE_LIVES
        and case_codes.of(session, there.id)
    ):
        return without_phone(session, runtime, there, why=why, account=account, now=now)
    moved(session, there, to, why=why, account=account, now=now)
    if there.contact is None or to is S.DONE:
        return []
    return [errand(session, runtime, JOB_FORGET, there.contact, due=now, lives=NO_HURRY)]


def moved(
    session: Session, there: Callback, to: CallbackState, *, why: str, account: str | None, now: datetime
) -> None:
    """Move it and write its history. Raises `Refused("taken")` where it is no longer as it was read."""
    if to not in ALLOWED[there.state]:
        raise Refused("not_now")
    values: dict[str, Any] = {}
    if to in (S.WAITING, S.CALLING_COUNSELOR):  # to whom it was offered before is asked no more
        continuing.end_offer(session, there.id)
    match to:
        case S.WAITING:  # whoever takes it next has not talked with her
            values = {"claimed_by": None, "lease_until": None, "reached": 0}
        case S.UNCERTAIN:
            values = {"claimed_by": None, "lease_until": None}
        case S.CLAIMED:
            values = {"lease_until": now + LEASE}
    if not callbacks.move(session, there.id, from_=(there.state,), to=to, now=now, **values):
        raise Refused("taken")
    note(session, there.id, to, why, account, now)


def note(
    session: Session, callback: str, state: CallbackState, why: str, account: str | None, now: datetime
) -> None:
    callbacks.note_move(session, callback, state=state, why=why, account=account, now=now)


def known(session: Session, callback: str) -> Callback:
    there = callbacks.get_to_move(session, callback)
    if there is None:
        raise Refused("gone")
    return there
