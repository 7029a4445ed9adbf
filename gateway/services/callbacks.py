"""Callback requests: the moves that are allowed, and everything that moves one.

Functions take the open session of their caller's transaction; what must happen outside is returned to, or
committed by, that caller as outbox rows (`Errand`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.errors import Refused
from gateway.queue import JOB_END_CALL, JOB_FORGET, JOB_MOVE_CALL, JOB_RING_CALLER, JOB_RING_COUNSELOR
from gateway.runtime import Runtime
from gateway.services import windows
from gateway.store import audit, callbacks, counselors, legs, outbox
from gateway.store.callbacks import Callback, CallbackState
from gateway.store.counselors import Role
from gateway.store.database import Session
from gateway.store.legs import LegKind
from gateway.vault import Place

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
        {S.CLAIMED, S.WAITING, S.CALLING_CALLER, S.NOT_SAFE, S.WITHDRAWN, S.FORGOTTEN}
    ),
    S.CALLING_CALLER: frozenset(
        {
            S.TALKING, S.CLAIMED, S.WAITING, S.NO_ANSWER, S.NOT_SAFE, S.WRONG_PERSON,
            S.WITHDRAWN, S.FORGOTTEN, S.EXPIRED,
        }
    ),
    S.TALKING: frozenset({S.CLAIMED, S.DONE, S.NOT_SAFE, S.WITHDRAWN, S.FORGOTTEN}),
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
LEASE = timedelta(minutes=20)
AFTER_TALK = timedelta(minutes=30)  # for the outcome and the note
ATTEMPTS = 3
SPACING = {"busy": timedelta(minutes=5)}
USUAL_SPACING = timedelta(minutes=15)
TRY_AGAIN = frozenset({"busy", "no_answer", "failed", "machine", "later"})
UNCERTAIN_LIVES = timedelta(days=3)  # for a coordinator to look at, after its time
RING_LIVES = timedelta(
    minutes=2
)  # a counselor's "call" that could not be dialled by then is no longer wanted
KEPT = timedelta(days=7)  # a closed case
NO_HURRY = timedelta(days=400)  # forgetting never dies of age


@dataclass(frozen=True, slots=True)
class Errand:
    """An outbox row that was written in this transaction, for the bell to be rung after the commit."""

    job: str
    id: str


def errand(
    session: Session,
    runtime: Runtime,
    job: str,
    subject: str,
    *,
    due: datetime,
    lives: timedelta,
    account: str | None = None,
) -> Errand:
    """Owe the outside world `job` for `subject`, from `due` on and no longer than `lives`."""
    duty = runtime.new_id()
    outbox.add(session, duty, job=job, subject=subject, due=due, not_after=due + lives, account=account)
    return Errand(job, duty)


def ring_bells(runtime: Runtime, errands: list[Errand]) -> None:
    """After the commit, best effort: what is lost here the clock rings again."""
    for one in errands:
        runtime.queue.put(one.job, one.id)


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
) -> str:
    """Register a request, or add to the contact's open one. Return its id."""
    life = windows.life(wish, now, runtime.settings.timezone)
    there = callbacks.open_of(session, contact)
    if there is None:
        new = runtime.new_id()
        callbacks.add(
            session,
            id=new, contact=contact, handle=handle, state=S.WAITING, wish=wish, own_keys=own_key,
            language=language, line_index=line_index, asked=now, not_before=life.not_before,
            expires=life.expires, repeats=life.repeats, room=runtime.new_id(), changed=now,
        )  # fmt: skip
        _note(session, new, S.WAITING, "asked", None, now)
        return new
    # The newest ask counts alone: a number can be forged, and whoever asks again must not be shown, or open, more
    # than was asked for now. A text, which chooses no key, never takes a chosen one away.
    callbacks.change(
        session, there.id, handle=handle, own_keys=own_key or there.own_keys, asks=there.asks + 1, note=None,
        line_index=line_index, wish=wish, not_before=life.not_before, expires=life.expires,
        repeats=life.repeats, attempts=0,
    )  # fmt: skip
    _note(session, there.id, there.state, "asked_again", None, now)
    return there.id


def calls_off(session: Session, runtime: Runtime, callback: str, *, now: datetime) -> list[Errand]:
    """After asking again: her phone does not go on ringing for a time that she has just moved."""
    there = _known(session, callback)
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
    """Withdraw or forget the contact's open request, ending calls that stand."""
    there = callbacks.open_of(session, contact)
    if there is None:
        return []
    _moved(session, there, to, why=to.value, account=None, now=now)
    return hang_up(session, runtime, there.id, now=now)


def hang_up(session: Session, runtime: Runtime, callback: str, *, now: datetime) -> list[Errand]:
    """End every call of this request that stands."""
    return [
        errand(session, runtime, JOB_END_CALL, leg.id, due=now, lives=timedelta(minutes=10))
        for leg in legs.live_of(session, callback)
    ]


# --- the counselor's side -----------------------------------------------------------------------------


def claim(runtime: Runtime, callback: str, account: str) -> None:
    """Take a request for `LEASE`: a waiting one, or, as a coordinator, one that was handed up.

    Raises `Refused("taken")` where another was faster, `Refused("for_coordinators")`.
    """
    now = runtime.clock.now()
    with runtime.database.write() as session:
        there = _known(session, callback)
        person = counselors.get(session, account)
        if person is not None and person.disabled:
            raise Refused("no_such_account")
        leads = person is not None and person.role in (Role.COORDINATOR, Role.ADMIN)
        if there.state is S.UNCERTAIN and not leads:
            raise Refused("for_coordinators")
        if there.expires <= now:
            raise Refused("expired")
        if not callbacks.claim(
            session, callback, account=account, now=now, lease_until=now + LEASE, uncertain=leads
        ):
            raise Refused("taken")
        _note(session, callback, S.CLAIMED, "claimed", account, now)
        audit.note(session, what="claim", account=account, subject=callback, now=now)
        errands = hang_up(session, runtime, callback, now=now)  # others of the pool who are being rung for it
    ring_bells(runtime, errands)


def release(runtime: Runtime, callback: str, account: str) -> None:
    """Give a claimed request back to the queue."""
    now = runtime.clock.now()
    with runtime.database.write() as session:
        there = _mine(session, callback, account, (S.CLAIMED,))
        _moved(session, there, S.WAITING, why="given_back", account=account, now=now)


def call(runtime: Runtime, callback: str, account: str) -> None:
    """Have the worker ring the counselor, then the caller. Raises `Refused` with why not now."""
    now = runtime.clock.now()
    with runtime.database.write() as session:
        there = _mine(session, callback, account, (S.CLAIMED,))
        why = withheld(there, now)
        if why:
            raise Refused(why)
        person = counselors.get(session, account)
        if person is None or not person.has_phone:
            raise Refused("no_phone")
        _moved(session, there, S.CALLING_COUNSELOR, why="call", account=account, now=now)
        bell = errand(
            session, runtime, JOB_RING_COUNSELOR, callback, due=now, lives=RING_LIVES, account=account
        )
        audit.note(session, what="call", account=account, subject=callback, now=now)
    ring_bells(runtime, [bell])


def withheld(callback: Callback, now: datetime) -> str:
    """Why this request may not be rung now, as a wording's key; empty where it may."""
    if callback.expires <= now:
        return "expired"
    if callback.not_before > now:
        return "not_yet"
    if callback.contact is None:
        return "no_phone_yet" if callback.wish == BY_CODE else "forgotten"
    return ""


OUTCOMES = {
    "done": S.DONE,
    "no_answer": S.NO_ANSWER,
    "not_safe": S.NOT_SAFE,
    "wrong_person": S.WRONG_PERSON,
    "later": S.WAITING,
}


def record_outcome(runtime: Runtime, callback: str, account: str, *, outcome: str, note: str = "") -> None:
    """Close a claimed request, or send it back to wait with `later`; a note is sealed under the contact's key.

    `not_safe` ends calls at any moment, also while the phones still ring.
    """
    now = runtime.clock.now()
    to = OUTCOMES[outcome]
    ringing = (S.CALLING_COUNSELOR, S.CALLING_CALLER) if to is S.NOT_SAFE else ()
    with runtime.database.write() as session:
        there = _mine(session, callback, account, (S.CLAIMED, S.TALKING, *ringing))
        if there.state is S.TALKING and to is S.WAITING:
            raise Refused("in_a_call")
        if note.strip() and there.contact:
            sealed = runtime.vault.seal_note(there.contact, _note_place(callback), note.strip())
            callbacks.change(session, callback, note=sealed)
        errands = hang_up(session, runtime, callback, now=now) if there.state is not S.CLAIMED else []
        errands += outcome_in(session, runtime, there, account, outcome=outcome, now=now)
    ring_bells(runtime, errands)


def outcome_in(
    session: Session, runtime: Runtime, there: Callback, account: str, *, outcome: str, now: datetime
) -> list[Errand]:
    """Record how it went in the caller's transaction."""
    audit.note(session, what=f"outcome_{outcome}", account=account, subject=there.id, now=now)
    to = OUTCOMES[outcome]
    if there.reached and there.asks > there.reached and to is not S.NOT_SAFE:
        # She asked again after they were joined, and was told that it is registered: that stands.
        callbacks.change(session, there.id, reached=0, attempts=0)
        _moved(session, there, S.WAITING, why="asked_again", account=account, now=now)
        return []
    if to is S.WAITING:
        return _wait_again(session, runtime, there, now, why="later", after=timedelta(hours=1))
    return _ended(session, runtime, there, to, why="outcome", account=account, now=now)


def to_coordinator(session: Session, there: Callback, *, account: str, now: datetime) -> None:
    """The counselor hands it up: nobody is rung from it until a coordinator has taken it."""
    _moved(session, there, S.UNCERTAIN, why="to_coordinator", account=account, now=now)


def read_note(runtime: Runtime, session: Session, callback: Callback) -> str:
    """The note, or nothing where there is none or it was forgotten."""
    sealed = callbacks.sealed_note(session, callback.id)
    if sealed is None or callback.contact is None:
        return ""
    return runtime.vault.open_note(callback.contact, _note_place(callback.id), sealed)


def to_counselor(session: Session, callback: str, *, account: str, now: datetime) -> None:
    """A claimed request whose counselor is on the line already."""
    _moved(session, _known(session, callback), S.CALLING_COUNSELOR, why="call", account=account, now=now)


def counselor_here(
    session: Session, runtime: Runtime, callback: str, leg: str, account: str, *, now: datetime
) -> list[Errand]:
    """A counselor pressed the right key. Of several who are rung the first one wins, by one atomic statement.

    The others' calls end. Raises `Refused("taken")` for whoever was not first.
    """
    there = _known(session, callback)
    if there.claimed_by == account:
        if there.state is S.CLAIMED:  # taken in the console while this phone rang for it
            to_counselor(session, callback, account=account, now=now)
        return []
    if not callbacks.claim(session, callback, account=account, now=now, lease_until=now + LEASE):
        raise Refused("taken")
    _note(session, callback, S.CLAIMED, "claimed", account, now)
    to_counselor(session, callback, account=account, now=now)
    return [
        errand(session, runtime, JOB_END_CALL, other.id, due=now, lives=timedelta(minutes=10))
        for other in legs.live_of(session, callback)
        if other.id != leg
    ]


# --- what the calls report ----------------------------------------------------------------------------


def counselor_ready(session: Session, runtime: Runtime, callback: str, *, now: datetime) -> list[Errand]:
    """The counselor waits in the conference: now the caller is rung, unless her time is over."""
    there = _known(session, callback)
    if there.state is not S.CALLING_COUNSELOR:
        return []
    _moved(session, there, S.CALLING_CALLER, why="counselor_ready", account=there.claimed_by, now=now)
    return [errand(session, runtime, JOB_RING_CALLER, callback, due=now, lives=RING_LIVES)]


def counselor_declined(session: Session, callback: str, account: str, *, why: str, now: datetime) -> None:
    """Before the caller was rung: `give_back` returns it to the queue, anything else leaves it claimed."""
    there = _known(session, callback)
    if there.claimed_by == account and there.state is S.CALLING_COUNSELOR:
        to = S.WAITING if why == "give_back" else S.CLAIMED
        _moved(session, there, to, why=f"counselor_{why}", account=there.claimed_by, now=now)


def caller_joined(session: Session, callback: str, *, now: datetime) -> bool:
    """The right key was pressed: they talk now. False where the counselor has gone meanwhile."""
    there = _known(session, callback)
    if there.state is not S.CALLING_CALLER:
        return False
    _moved(session, there, S.TALKING, why="joined", account=there.claimed_by, now=now)
    callbacks.change(session, callback, reached=there.asks)
    return True


def caller_not_joined(
    session: Session, runtime: Runtime, callback: str, *, why: str, now: datetime
) -> list[Errand]:
    """The caller's call came to nothing: the waiting counselor is told, and the request waits or ends."""
    there = _known(session, callback)
    if there.state is not S.CALLING_CALLER:
        return []
    errands = [
        errand(session, runtime, JOB_MOVE_CALL, leg.id, due=now, lives=RING_LIVES)
        for leg in legs.live_of(session, callback)
        if leg.kind is LegKind.COUNSELOR
    ]
    if why == "wrong_person":
        return errands + _ended(session, runtime, there, S.WRONG_PERSON, why=why, account=None, now=now)
    if why not in TRY_AGAIN:  # somebody answered, and did not give the right answer: it ends here
        return errands + _ended(
            session, runtime, there, S.NO_ANSWER, why=f"caller_{why}", account=None, now=now
        )
    after = timedelta(hours=1) if why == "later" else SPACING.get(why, USUAL_SPACING)
    return errands + _wait_again(session, runtime, there, now, why=f"caller_{why}", after=after)


def counselor_left(
    session: Session, runtime: Runtime, callback: str, account: str | None, *, now: datetime
) -> list[Errand]:
    """The counselor's line is free: whatever was being dialled for it ends, and the request returns.

    The line of somebody whose request it is not (another of the pool was first) changes nothing.
    """
    there = _known(session, callback)
    if there.claimed_by != account:
        return []
    if there.state is S.TALKING:
        talk_over(session, callback, now=now)
    if there.state in (S.CALLING_COUNSELOR, S.CALLING_CALLER):
        _moved(session, there, S.CLAIMED, why="counselor_left", account=there.claimed_by, now=now)
        return hang_up(session, runtime, callback, now=now)
    return []


def talk_over(session: Session, callback: str, *, now: datetime) -> None:
    """One of the two left (the conference ends the other's call): the counselor is asked for the outcome."""
    there = _known(session, callback)
    if there.state is S.TALKING:
        _moved(session, there, S.CLAIMED, why="talked", account=there.claimed_by, now=now)
        callbacks.change(session, callback, lease_until=now + AFTER_TALK)


# --- what time does -----------------------------------------------------------------------------------


def expire(session: Session, runtime: Runtime, there: Callback, *, now: datetime) -> list[Errand]:
    """Its time is over: a repeat in the next day's window where one is left, else it dies. Never in a call."""
    if there.state in (S.CALLING_COUNSELOR, S.CALLING_CALLER, S.TALKING):
        return []
    if there.reached and there.state is S.CLAIMED:
        return []  # they talked: the lease, not the window, decides
    if there.state is S.UNCERTAIN and now < there.expires + UNCERTAIN_LIVES:
        return []
    if there.repeats and there.state in (S.WAITING, S.CLAIMED):
        life = windows.repeated(there.wish, there.expires, runtime.settings.timezone)
        if life.expires > now:
            _repeat(session, there, life)
            if there.state is S.CLAIMED:
                _moved(session, there, S.WAITING, why="next_window", account=None, now=now)
            else:
                _note(session, there.id, S.WAITING, "next_window", None, now)
            return []
    return _ended(session, runtime, there, S.EXPIRED, why="expired", account=None, now=now)


def lease_over(session: Session, there: Callback, *, now: datetime, why: str = "lease_over") -> None:
    """A claim ran out: back to the queue with its history, or `uncertain` where they had talked already."""
    to = S.UNCERTAIN if there.reached else S.WAITING
    _moved(session, there, to, why=why, account=there.claimed_by, now=now)


def stuck(session: Session, there: Callback, *, now: datetime) -> None:
    """A call state without any call or any that is owed: its end was lost. A counselor may go on, or a coordinator."""
    if there.state in (S.CALLING_COUNSELOR, S.CALLING_CALLER):
        _moved(session, there, S.CLAIMED, why="lost_call", account=there.claimed_by, now=now)
    elif there.state is S.TALKING:
        talk_over(session, there.id, now=now)


def _wait_again(
    session: Session, runtime: Runtime, there: Callback, now: datetime, *, why: str, after: timedelta
) -> list[Errand]:
    """Wait for a next attempt: later in this window, in the next day's, or never."""
    attempts = there.attempts + 1
    due = now + after
    if due >= there.expires and not there.repeats:  # her time is short: sooner is better than never
        due = now + USUAL_SPACING
    if attempts < ATTEMPTS and due < there.expires:
        callbacks.change(session, there.id, attempts=attempts, not_before=due, reached=0)
        _moved(session, there, S.WAITING, why=why, account=there.claimed_by, now=now)
        return []
    if there.repeats:
        life = windows.repeated(there.wish, there.expires, runtime.settings.timezone)
        _repeat(session, there, life)
        _moved(session, there, S.WAITING, why=why, account=there.claimed_by, now=now)
        return []
    return _ended(session, runtime, there, S.NO_ANSWER, why=why, account=there.claimed_by, now=now)


def _repeat(session: Session, there: Callback, life: windows.Life) -> None:
    callbacks.change(
        session, there.id, not_before=life.not_before, expires=life.expires, repeats=0, attempts=0, reached=0
    )


def _ended(
    session: Session,
    runtime: Runtime,
    there: Callback,
    to: CallbackState,
    *,
    why: str,
    account: str | None,
    now: datetime,
) -> list[Errand]:
    """End it. What is done is kept a week for those who talked; of anything else the number goes at once."""
    _moved(session, there, to, why=why, account=account, now=now)
    if there.contact is None or to is S.DONE:
        return []
    return [errand(session, runtime, JOB_FORGET, there.contact, due=now, lives=NO_HURRY)]


def _moved(
    session: Session, there: Callback, to: CallbackState, *, why: str, account: str | None, now: datetime
) -> None:
    """Move it and write its history. Raises `Refused("taken")` where it is no longer as it was read."""
    if to not in ALLOWED[there.state]:
        raise Refused("not_now")
    values: dict[str, datetime | None] = (
        {"claimed_by": None, "lease_until": None} if to in (S.WAITING, S.UNCERTAIN) else {}
    )
    if to is S.CLAIMED:
        values = {"lease_until": now + LEASE}
    if not callbacks.move(session, there.id, from_=(there.state,), to=to, now=now, **values):
        raise Refused("taken")
    _note(session, there.id, to, why, account, now)


def _note(
    session: Session, callback: str, state: CallbackState, why: str, account: str | None, now: datetime
) -> None:
    callbacks.note_move(session, callback, state=state, why=why, account=account, now=now)


def _note_place(callback: str) -> Place:
    return Place("callbacks", "note", callback)


def _known(session: Session, callback: str) -> Callback:
    there = callbacks.get_to_move(session, callback)
    if there is None:
        raise Refused("gone")
    return there


def _mine(session: Session, callback: str, account: str, states: tuple[CallbackState, ...]) -> Callback:
    there = _known(session, callback)
    if there.claimed_by != account or there.state not in states:
        raise Refused("taken" if there.claimed_by != account else "not_now")
    return there
