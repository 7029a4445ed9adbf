"""Staying on the line: her own call waits in the conference while those on shift are rung for her at once.

Her request is registered before, so that whatever becomes of the line an ordinary request remains. Her call is a leg
like those that we place: it takes a line, and ends with everything else that ends.
"""

from datetime import datetime, timedelta
from typing import Final

from gateway.errors import Refused
from gateway.queue import JOB_MOVE_CALL, JOB_RING_POOL, JOB_STOP_WAITING
from gateway.runtime import Runtime
from gateway.services import attending, bridging, callbacks, lines, priority, spending
from gateway.services import counselors as people
from gateway.services.errands import Errand, errand, ring_bells
from gateway.store import callbacks as rows
from gateway.store import contacts, legs, outbox
from gateway.store.callbacks import Callback, CallbackState
from gateway.store.counselors import Wish
from gateway.store.database import Session
from gateway.store.legs import Leg, LegKind
from gateway.store.outbox import Duty
from gateway.vault import Place

S = CallbackState
WAITS: Final = timedelta(minutes=3)
A_LITTLE_LONGER: Final = timedelta(seconds=15)  # somebody hears her two words at this moment
AFTER_HANGING_UP: Final = timedelta(minutes=2)  # who hangs up in a hurry is not rung in a hurry
NOT_FREE: Final = frozenset({S.CALLING_COUNSELOR, S.CALLING_CALLER, S.TALKING})
MET, NOBODY, LEFT = "opened", "nobody", "left"  # how it went, as the leg's result


def possible(session: Session, runtime: Runtime, number_index: bytes, *, now: datetime) -> bool:
    """Whether somebody can be rung for this caller now, and there are lines for both.

    Never beside a call about the same request: a forged number must not bring a stranger into a conversation.
    """
    if not runtime.switches.on("live") or lines.free(session, runtime, LegKind.LIVE) <= 0:
        return False
    if spending.capped(runtime.settings) and spending.used(session, runtime, now=now) >= spending.Share.NEW:
        return False
    contact = contacts.find(session, number_index)
    there = rows.open_of(session, contact) if contact else None
    if there is not None and (there.state in NOT_FREE or legs.staying(session, there.id)):
        return False
    callback = there.id if there else ""
    wish = priority.wish_of(there, now) if there else Wish()
    busy = [*legs.busy_accounts(session), *attending.not_to_be_rung(session, runtime, callback, now)]
    return bool(people.reachable(session, most=1, but=busy, wish=wish))


def begin(
    session: Session, runtime: Runtime, callback: str, *, sid: str, line_index: bytes, now: datetime
) -> tuple[str, list[Errand]]:
    """From here on this call is a leg of the request that was just asked. Return it, and what is owed.

    Raises `Refused("taken")` where a call about the request stands already.
    """
    there = callbacks.known(session, callback)
    if there.state in NOT_FREE or legs.staying(session, callback):
        raise Refused("taken")
    leg = runtime.new_id()
    legs.add(
        session, id=leg, kind=LegKind.LIVE, subject=callback, account=None, line_index=line_index, created=now
    )
    sealed = runtime.vault.seal_here(Place("legs", "sid", leg), sid.encode())
    legs.placed(session, leg, sid=sealed, sid_digest=runtime.vault.digest("sid", sid))
    rows.change(session, callback, room=runtime.new_id())  # whoever was in the one before is not in this
    callbacks.note(session, callback, there.state, "stays_on_the_line", None, now)
    at_once = [
        Errand(JOB_RING_POOL, duty) for duty in outbox.hasten(session, JOB_RING_POOL, callback, due=now)
    ]
    return leg, [*at_once, errand(session, runtime, JOB_STOP_WAITING, leg, due=now + WAITS, lives=WAITS)]


def joined(session: Session, callback: str, leg: str, *, now: datetime) -> None:
    """She is in the conference; a counselor who was faster waits there already."""
    legs.opened(session, leg)
    if bridging.caller_joined(session, callback, now=now):
        legs.say_result(session, leg, MET)


def left(session: Session, runtime: Runtime, her: Leg, *, now: datetime) -> list[Errand]:
    """She is in the conference no more. Before they talked: whoever is being rung for it, or waits there, is let go.

    Her request waits like any other, but nobody rings her in the next two minutes.
    """
    there = rows.get_to_move(session, her.subject)
    if there is None:
        return []
    if her.result == MET:
        return bridging.talk_over(session, runtime, her.subject, None, now=now)
    if her.result in (NOBODY, LEFT):
        return []
    legs.say_result(session, her.id, LEFT)
    if there.ended is not None or there.state not in (
        S.WAITING,
        S.CLAIMED,
        S.CALLING_COUNSELOR,
        S.CALLING_CALLER,
    ):
        return []
    return _as_any_other(session, runtime, there, now)


def _as_any_other(session: Session, runtime: Runtime, there: Callback, now: datetime) -> list[Errand]:
    quiet_until = max(there.not_before, now + AFTER_HANGING_UP)
    if quiet_until < there.expires:
        rows.change(session, there.id, not_before=quiet_until)
    if there.state is S.CALLING_CALLER:  # the counselor waits in the conference, and is told
        errands = [
            errand(session, runtime, JOB_MOVE_CALL, leg.id, due=now, lives=callbacks.RING_LIVES)
            for leg in legs.live_of(session, there.id)
            if leg.kind is LegKind.COUNSELOR
        ]
    else:
        errands = callbacks.hang_up(session, runtime, there.id, now=now, her_too=False)
    if there.state in (S.WAITING, S.CLAIMED):
        callbacks.note(session, there.id, there.state, "left_the_line", None, now)
    else:
        callbacks.moved(session, there, S.WAITING, why="left_the_line", account=there.claimed_by, now=now)
    return errands


def let_go(session: Session, runtime: Runtime, callback: str, *, now: datetime) -> list[Errand]:
    """Asked again meanwhile, in another call or by text: the newest ask counts, and its line alone."""
    her = legs.staying(session, callback)
    if her is None:
        return []
    errands = left(session, runtime, her, now=now)
    return [*errands, errand(session, runtime, JOB_MOVE_CALL, her.id, due=now, lives=callbacks.RING_LIVES)]


def stop_waiting(runtime: Runtime, duty: Duty) -> None:
    """The worker's job after three minutes: where nobody came she is told so, and the call ends."""
    now = runtime.clock.now()
    errands = []
    with runtime.database.write() as session:
        her = legs.get(session, duty.subject)
        there = rows.get_to_move(session, her.subject) if her else None
        if her is None or there is None or her.ended is not None or her.result is not None:
            outbox.finish(session, duty.id, now=now, result="over")
            return
        if there.state in NOT_FREE and duty.not_after > now + A_LITTLE_LONGER:
            outbox.again(session, duty.id, due=now + A_LITTLE_LONGER, count=False)
            return
        legs.say_result(session, her.id, NOBODY)
        outbox.finish(session, duty.id, now=now, result="nobody")
        errands.append(errand(session, runtime, JOB_MOVE_CALL, her.id, due=now, lives=callbacks.RING_LIVES))
    ring_bells(runtime, errands)


def flags(there: Callback, her: Leg) -> set[str]:
    """What is true of her who is back from the conference, or on her way there, in the script's words."""
    if her.result == MET:
        return {"talked"}
    waits = there.ended is None and there.contact is not None and there.wish == "hour"
    return ({"nobody_came"} if her.result == NOBODY else set()) | ({"still_waits"} if waits else set())
