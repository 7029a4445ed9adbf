"""What the calls of a bridge report: the counselor waits, the caller has joined, or somebody has left.

Whoever leaves a talk to which a colleague was brought leaves it to the colleague (`transferring`).
"""

from datetime import datetime, timedelta

from gateway.errors import Refused
from gateway.queue import JOB_END_CALL, JOB_MOVE_CALL, JOB_RING_CALLER
from gateway.runtime import Runtime
from gateway.services import attending, callbacks, casework, transferring
from gateway.services.errands import Errand, errand
from gateway.store import callbacks as rows
from gateway.store import legs, outbox
from gateway.store.callbacks import CallbackState
from gateway.store.database import Session
from gateway.store.legs import LegKind, LegState

S = CallbackState
GOES_BACK = frozenset({"give_back", "refuse"})
NOT_THERE = frozenset({"left", "silent"})


def counselor_here(
    session: Session, runtime: Runtime, callback: str, leg: str, account: str, *, now: datetime
) -> list[Errand]:
    """A counselor pressed the right key. Of several who are rung the first one wins, by one atomic statement.

    The others' calls end. Raises `Refused("taken")` for whoever was not first.
    """
    there = callbacks.known(session, callback)
    if there.claimed_by == account:
        if there.state is S.CLAIMED:  # taken in the console while this phone rang for it
            casework.to_counselor(session, callback, account=account, now=now)
        return []
    if attending.why_not(session, runtime, callback, account, now=now) or not rows.claim(
        session, callback, account=account, now=now, lease_until=now + callbacks.LEASE
    ):
        raise Refused("taken")
    callbacks.note(session, callback, S.CLAIMED, "claimed", account, now)
    casework.to_counselor(session, callback, account=account, now=now)
    return [
        errand(session, runtime, JOB_END_CALL, other.id, due=now, lives=timedelta(minutes=10))
        for other in legs.live_of(session, callback)
        if other.id != leg and other.kind is not LegKind.LIVE
    ]


def counselor_ready(
    session: Session, runtime: Runtime, callback: str, *, account: str, now: datetime
) -> list[Errand]:
    """The counselor waits in the conference: now the caller is rung, unless her time is over, or she is there.

    Raises `Refused("gone")` where the case is not theirs any more, as on a line that could not be ended.
    """
    there = callbacks.known(session, callback)
    if there.claimed_by != account:
        raise Refused("gone")
    if there.state is not S.CALLING_COUNSELOR:
        return []
    callbacks.moved(
        session, there, S.CALLING_CALLER, why="counselor_ready", account=there.claimed_by, now=now
    )
    if (her := legs.staying(session, callback)) is not None:
        if her.state is LegState.OPENED and caller_joined(session, callback, now=now):
            legs.say_result(session, her.id, "opened")
        return []  # else she is still being told to wait, and joins by herself
    until = now + callbacks.RING_LIVES
    if outbox.moved(session, JOB_RING_CALLER, callback, due=now, not_after=until):
        return []  # owed since a counselor who left meanwhile: her phone rings once
    return [errand(session, runtime, JOB_RING_CALLER, callback, due=now, lives=callbacks.RING_LIVES)]


def ring_again(
    session: Session, runtime: Runtime, callback: str, *, account: str, now: datetime
) -> list[Errand]:
    """The line dropped and the counselor is still there: her phone rings once more, with the same gate."""
    there = callbacks.known(session, callback)
    if there.claimed_by != account:
        raise Refused("gone")
    if there.state is not S.CLAIMED or callbacks.withheld(there, now):
        raise Refused("not_now")
    casework.redial(session, there)
    casework.to_counselor(session, callback, account=account, now=now)
    return counselor_ready(session, runtime, callback, account=account, now=now)


def may_ring_again(there: rows.Callback, now: datetime) -> bool:
    """Whether they were joined, and the one further try is left within her time."""
    joined = there.state in (S.TALKING, S.CLAIMED) and there.reached > 0
    return joined and not there.redials and not callbacks.withheld(there, now)


def counselor_declined(
    session: Session, callback: str, account: str, *, why: str, now: datetime, one_of_several: bool = False
) -> None:
    """Before the caller was rung: `give_back` and `refuse` return it to the queue, else it stays claimed.

    Of several who were rung for it, whoever wins and then says nothing or hangs up leaves it to the others.
    """
    there = callbacks.known(session, callback)
    if there.claimed_by == account and there.state is S.CALLING_COUNSELOR:
        goes_back = GOES_BACK | NOT_THERE if one_of_several else GOES_BACK
        to = S.WAITING if why in goes_back or legs.staying(session, callback) else S.CLAIMED
        callbacks.moved(session, there, to, why=f"counselor_{why}", account=there.claimed_by, now=now)


def caller_joined(session: Session, callback: str, *, now: datetime) -> bool:
    """The right key was pressed: they talk now. False where the counselor has gone meanwhile."""
    there = callbacks.known(session, callback)
    if there.state is not S.CALLING_CALLER:
        return False
    callbacks.moved(session, there, S.TALKING, why="joined", account=there.claimed_by, now=now)
    rows.change(session, callback, reached=there.asks)
    return True


def caller_not_joined(
    session: Session, runtime: Runtime, callback: str, *, why: str, now: datetime
) -> list[Errand]:
    """The caller's call came to nothing: the waiting counselor is told, and the request waits or ends."""
    there = callbacks.known(session, callback)
    if there.state is not S.CALLING_CALLER:
        return []
    errands = [
        errand(session, runtime, JOB_MOVE_CALL, leg.id, due=now, lives=callbacks.RING_LIVES)
        for leg in legs.live_of(session, callback)
        if leg.kind is LegKind.COUNSELOR
    ]
    if why == "wrong_person":
        return errands + callbacks.ended(
            session, runtime, there, S.WRONG_PERSON, why=why, account=None, now=now
        )
    shared = there.contact is not None and len(rows.ringing_at(session, there.contact)) > 1
    if why not in callbacks.TRY_AGAIN and there.not_before <= now and not shared:
        # Somebody answered, and did not give the right answer: it ends here, unless it was moved meanwhile. Where
        # another waits at the same phone it may have been that one, with a number of her own that is as right.
        return errands + callbacks.ended(
            session, runtime, there, S.NO_ANSWER, why=f"caller_{why}", account=None, now=now
        )
    after = timedelta(hours=1) if why == "later" else callbacks.SPACING.get(why, callbacks.USUAL_SPACING)
    return errands + callbacks.wait_again(session, runtime, there, now, why=f"caller_{why}", after=after)


def counselor_left(
    session: Session,
    runtime: Runtime,
    callback: str,
    account: str | None,
    *,
    now: datetime,
    one_of_several: bool = False,
) -> list[Errand]:
    """The counselor's line is free: whatever was being dialled for it ends, and the request returns.

    The line of somebody whose request it is not (another of the pool was first) changes nothing. Before the caller was
    rung, whoever was `one_of_several` leaves it to the others.
    """
    there = callbacks.known(session, callback)
    if there.claimed_by != account:
        transferring.not_there(session, there, account, now=now)
        return []
    if there.state is S.TALKING:
        return talk_over(session, runtime, callback, account, now=now)
    if there.state in (S.CALLING_COUNSELOR, S.CALLING_CALLER):
        to = S.WAITING if one_of_several and there.state is S.CALLING_COUNSELOR else S.CLAIMED
        if legs.staying(session, callback):  # she waits on the line: for whoever else is there
            to = S.WAITING
        callbacks.moved(session, there, to, why="counselor_left", account=there.claimed_by, now=now)
        return callbacks.hang_up(session, runtime, callback, now=now, her_too=False)
    return []


def talk_over(
    session: Session, runtime: Runtime, callback: str, left: str | None, *, now: datetime
) -> list[Errand]:
    """Somebody left the talk: an account, or (None) she herself. The counselor is then asked for the outcome.

    Where a colleague is in the talk too, it goes on with the one of the two who stays.
    """
    there = callbacks.known(session, callback)
    if left is not None and left != there.claimed_by:
        transferring.not_there(session, there, left, now=now)
        return []
    if there.state is not S.TALKING or (left and transferring.passed_on(session, there, now=now)):
        return []
    callbacks.moved(session, there, S.CLAIMED, why="talked", account=there.claimed_by, now=now)
    rows.change(session, callback, lease_until=now + callbacks.AFTER_TALK)
    return transferring.everybody_leaves(session, runtime, there, she_is_there=left is not None, now=now)


def stuck(session: Session, runtime: Runtime, there: rows.Callback, *, now: datetime) -> list[Errand]:
    """A call state without any call or any that is owed: its end was lost. A counselor may go on, or a coordinator."""
    if there.state in (S.CALLING_COUNSELOR, S.CALLING_CALLER):
        callbacks.moved(session, there, S.CLAIMED, why="lost_call", account=there.claimed_by, now=now)
        return []
    return talk_over(session, runtime, there.id, None, now=now)
