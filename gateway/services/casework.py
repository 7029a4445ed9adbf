"""The counselor's side of a request: taking it, having it rung, saying how it went."""

from datetime import datetime, timedelta

from gateway.errors import Refused
from gateway.queue import JOB_RING_COUNSELOR
from gateway.runtime import Runtime
from gateway.services import attending, callbacks
from gateway.services.errands import Errand, errand, ring_bells
from gateway.store import attendance, audit, counselors, refusals
from gateway.store import callbacks as rows
from gateway.store.callbacks import Callback, CallbackState
from gateway.store.counselors import Role
from gateway.store.database import Session
from gateway.vault import Place

S = CallbackState
CALLING = (S.CALLING_COUNSELOR, S.CALLING_CALLER, S.TALKING)


def claim(runtime: Runtime, callback: str, account: str) -> None:
    """Take a request for `callbacks.LEASE`: a waiting one, or, as a coordinator, one that was handed up.

    Whoever has it already has it: a form is sent again where the answer was lost, or by a second tab.
    Raises `Refused("taken")` where another was faster, `Refused("for_coordinators")`, `Refused("refused_before")`, and
    `Refused("enough_today")` where this account has taken as many today as a day may bring.
    """
    now = runtime.clock.now()
    with runtime.database.write() as session:
        there = callbacks.known(session, callback)
        person = counselors.get(session, account)
        if person is not None and person.disabled:
            raise Refused("no_such_account")
        if _has(there, account):
            return
        leads = person is not None and person.role in (Role.COORDINATOR, Role.ADMIN)
        if there.state is S.UNCERTAIN and not leads:
            raise Refused("for_coordinators")
        why = (
            "expired"  # but how a talk went can be said afterwards
            if there.expires <= now and not there.reached
            else attending.why_not(session, runtime, callback, account, now=now)
        )
        if why:
            raise Refused(why)
        if not rows.claim(
            session, callback, account=account, now=now, lease_until=now + callbacks.LEASE, uncertain=leads
        ):
            raise Refused("taken")
        callbacks.note(session, callback, S.CLAIMED, "claimed", account, now)
        audit.note(session, what="claim", account=account, subject=callback, now=now)
        errands = callbacks.hang_up(
            session, runtime, callback, now=now, her_too=False
        )  # others of the pool who are being rung for it
    ring_bells(runtime, errands)


def release(runtime: Runtime, callback: str, account: str) -> None:
    """Give a claimed request back to the queue."""
    now = runtime.clock.now()
    with runtime.database.write() as session:
        there = _mine(session, callback, account, (S.CLAIMED,))
        callbacks.moved(session, there, S.WAITING, why="given_back", account=account, now=now)


def refuse(runtime: Runtime, callback: str, account: str) -> None:
    """Never offered to, nor rung for by this account again; whoever has it gives it back. No reason is asked."""
    now = runtime.clock.now()
    with runtime.database.write() as session:
        there = callbacks.known(session, callback)
        if there.claimed_by == account:
            there = _mine(session, callback, account, (S.CLAIMED,))
            callbacks.moved(session, there, S.WAITING, why="refused", account=account, now=now)
        elif there.state is not S.WAITING:
            raise Refused("not_now")
        refusals.add(session, callback, account, now=now)
        audit.note(session, what="refuse", account=account, subject=callback, now=now)


def call(runtime: Runtime, callback: str, account: str) -> None:
    """Have the worker ring the counselor, then the caller. Raises `Refused` with why not now."""
    now = runtime.clock.now()
    with runtime.database.write() as session:
        there = _mine(session, callback, account, (S.CLAIMED,))
        why = callbacks.withheld(there, now)
        if why:
            raise Refused(why)
        if there.reached:
            redial(session, there)
        person = counselors.get(session, account)
        if person is None or not person.has_phone:
            raise Refused("no_phone")
        callbacks.moved(session, there, S.CALLING_COUNSELOR, why="call", account=account, now=now)
        bell = errand(
            session,
            runtime,
            JOB_RING_COUNSELOR,
            callback,
            due=now,
            lives=callbacks.RING_LIVES,
            account=account,
        )
        audit.note(session, what="call", account=account, subject=callback, now=now)
    ring_bells(runtime, [bell])


OUTCOMES = {
    "done": S.DONE,
    "no_answer": S.NO_ANSWER,
    "not_safe": S.NOT_SAFE,
    "wrong_person": S.WRONG_PERSON,
    "later": S.WAITING,
}


def record_outcome(runtime: Runtime, callback: str, account: str, *, outcome: str, note: str = "") -> None:
    """Close a claimed request, or send it back to wait with `later`; a note is sealed under the contact's key.

    `not_safe` (ringing would endanger her) ends calls at any moment, also while the phones still ring.
    """
    now = runtime.clock.now()
    to = OUTCOMES[outcome]
    ringing = (S.CALLING_COUNSELOR, S.CALLING_CALLER) if to is S.NOT_SAFE else ()
    with runtime.database.write() as session:
        there = _mine(session, callback, account, (S.CLAIMED, S.TALKING, *ringing))
        if there.state is S.TALKING and to is S.WAITING:
            raise Refused("in_a_call")
        if note.strip() and there.contact:
            keep_note(session, runtime, callback, there.contact, note.strip())
        errands = (
            callbacks.hang_up(session, runtime, callback, now=now) if there.state is not S.CLAIMED else []
        )
        errands += outcome_in(session, runtime, there, account, outcome=outcome, now=now)
    ring_bells(runtime, errands)


def outcome_in(
    session: Session, runtime: Runtime, there: Callback, account: str, *, outcome: str, now: datetime
) -> list[Errand]:
    """Record how it went in the caller's transaction."""
    audit.note(session, what=f"outcome_{outcome}", account=account, subject=there.id, now=now)
    to = OUTCOMES[outcome]
    if callbacks.asked_since(there) and to is not S.NOT_SAFE:
        callbacks.moved(session, there, S.WAITING, why="asked_again", account=account, now=now)
        return []
    if to is S.WAITING:
        return callbacks.wait_again(session, runtime, there, now, why="later", after=timedelta(hours=1))
    return callbacks.ended(session, runtime, there, to, why="outcome", account=account, now=now)


def redial(session: Session, there: Callback) -> None:
    """They were joined and the line dropped: one more try. Raises `Refused("redialled")` after that one."""
    if there.redials:
        raise Refused("redialled")
    rows.change(session, there.id, redials=1)


def i_am_not_safe(runtime: Runtime, callback: str, account: str) -> None:
    """The counselor's way out at any moment: every call ends neutrally, the case returns, nobody rings them.

    Never refused: pressed again, after key 7, or when the case has gone on, their own calls end all the same.
    """
    now = runtime.clock.now()
    with runtime.database.write() as session:
        there = callbacks.known(session, callback)
        if _has(there, account):
            errands = unsafe_in(session, runtime, there, account, now=now)
        else:
            attendance.end(session, account)
            errands = callbacks.hang_up(session, runtime, callback, now=now, only=account)
    ring_bells(runtime, errands)


def unsafe_in(
    session: Session, runtime: Runtime, there: Callback, account: str, *, now: datetime
) -> list[Errand]:
    """The same in the caller's transaction. She is rung by somebody else, but not at this very moment."""
    audit.note(session, what="not_safe", account=account, subject=there.id, now=now)
    attendance.end(session, account)
    errands = callbacks.hang_up(session, runtime, there.id, now=now)
    quiet_until = max(there.not_before, now + callbacks.AFTER_NOT_SAFE)
    if quiet_until < there.expires:
        rows.change(session, there.id, flagged=True, not_before=quiet_until)
        callbacks.moved(session, there, S.WAITING, why="counselor_not_safe", account=account, now=now)
    else:  # too little of her time is left: a coordinator decides
        rows.change(session, there.id, flagged=True)
        callbacks.moved(session, there, S.UNCERTAIN, why="counselor_not_safe", account=account, now=now)
    return errands


def to_coordinator(session: Session, there: Callback, *, account: str, now: datetime) -> None:
    """The counselor hands it up: nobody is rung from it until a coordinator has taken it."""
    to = S.WAITING if callbacks.asked_since(there) else S.UNCERTAIN
    callbacks.moved(session, there, to, why="to_coordinator", account=account, now=now)


def read_note(runtime: Runtime, session: Session, callback: Callback) -> str:
    """The note, or nothing where there is none or it was forgotten."""
    sealed = rows.sealed_note(session, callback.id)
    if sealed is None or callback.contact is None:
        return ""
    return runtime.vault.open_note(callback.contact, _note_place(callback.id), sealed)


def write_note(runtime: Runtime, callback: str, account: str, note: str) -> None:
    """Keep a note on one's own case before it is closed, so that a colleague who takes over finds it."""
    with runtime.database.write() as session:
        there = _mine(
            session, callback, account, (S.CLAIMED, S.CALLING_COUNSELOR, S.CALLING_CALLER, S.TALKING)
        )
        if there.contact:
            keep_note(session, runtime, callback, there.contact, note.strip())


def keep_note(session: Session, runtime: Runtime, callback: str, contact: str, note: str) -> None:
    """Seal it under the contact's own key, in the place of the one before."""
    rows.change(session, callback, note=runtime.vault.seal_note(contact, _note_place(callback), note))


def to_counselor(session: Session, callback: str, *, account: str, now: datetime) -> None:
    """A claimed request whose counselor is on the line already."""
    callbacks.moved(
        session, callbacks.known(session, callback), S.CALLING_COUNSELOR, why="call", account=account, now=now
    )


def _note_place(callback: str) -> Place:
    return Place("callbacks", "note", callback)


def _has(there: Callback, account: str) -> bool:
    """Whether this account has charge of it, or talks with the caller just now."""
    return there.claimed_by == account and there.state in (S.CLAIMED, *CALLING)


def _mine(session: Session, callback: str, account: str, states: tuple[CallbackState, ...]) -> Callback:
    there = callbacks.known(session, callback)
    if there.claimed_by != account or there.state not in states:
        raise Refused("taken" if there.claimed_by != account else "not_now")
    return there


def opened_before(session: Session, callback: str, account: str, *, now: datetime) -> bool:
    """Whether it is noted for this hour that this account looked at the request as a whole."""
    return audit.noted(session, what="case_opened", account=account, subject=callback, now=now)


def note_opened(runtime: Runtime, callback: str, account: str) -> None:
    """Once an hour: should the account be captured, it must be known what it had seen."""
    with runtime.database.write() as session:
        audit.note_once(
            session, what="case_opened", account=account, subject=callback, now=runtime.clock.now()
        )
