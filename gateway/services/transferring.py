"""Bringing a colleague into a talk (feature `transfer`), who may then stay with her while the first one leaves.

An offer stands beside the case, as for handing it over; the colleague's call is a leg of the same request, and joins
the same conference. The case is whose it was until its counselor leaves while the colleague is there.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from gateway.errors import Refused
from gateway.queue import JOB_END_CALL, JOB_MOVE_CALL, JOB_RING_COLLEAGUE, JOB_RING_KEYPAD, JOB_RING_POOLED
from gateway.runtime import Runtime
from gateway.services import attending, callbacks, lines, priority
from gateway.services import counselors as people
from gateway.services.errands import Errand, errand, ring_bells
from gateway.store import audit, continuing, legs, outbox
from gateway.store import callbacks as rows
from gateway.store.callbacks import Callback, CallbackState
from gateway.store.counselors import Reachable, Wish
from gateway.store.database import Session
from gateway.store.legs import Leg, LegKind

FEATURE: Final = "transfer"
RUNG_FOR: Final = timedelta(minutes=1)
ANSWER_WITHIN: Final = timedelta(minutes=3)
LONGEST: Final = timedelta(hours=2)  # no talk is so long
MOST: Final = 30
BESIDE: Final = "beside"  # the colleague is in the talk, as the leg's result


def joinable(
    session: Session, runtime: Runtime, there: Callback, account: str, *, wish: Wish | None = None
) -> Sequence[Reachable]:
    """Who may be rung to join this talk: on shift, free, and proved by the console or by a sheet."""
    but = [
        account,
        *legs.busy_accounts(session),
        *outbox.accounts_owed(session, JOB_RING_POOLED),
        *outbox.accounts_owed(session, JOB_RING_KEYPAD),
        *attending.not_to_be_rung(session, runtime, there.id, runtime.clock.now()),
    ]
    return people.reachable(session, most=MOST, but=but, wish=wish or Wish())


def ask(runtime: Runtime, callback: str, account: str, taker: str = "") -> None:
    """Have a colleague rung, `taker` or whoever suits her wish. Nothing changes for the talk until they join.

    Raises `Refused`: `taken`, `not_now`, `no_taker`, `no_line`.
    """
    now = runtime.clock.now()
    with runtime.database.write() as session:
        there = callbacks.known(session, callback)
        if there.claimed_by != account:
            raise Refused("taken")
        talks = there.state is CallbackState.TALKING and runtime.switches.on(FEATURE)
        if not talks or continuing.offered(session, callback, now):
            raise Refused("not_now")
        wish = None if taker else priority.wish_of(there, now)
        for one in joinable(session, runtime, there, account, wish=wish):
            if taker in {"", one.account}:
                break
        else:
            raise Refused("no_taker")
        if lines.free(session, runtime, LegKind.COLLEAGUE) <= 0:
            raise Refused("no_line")
        continuing.offer(
            session, callback=callback, giver=account, taker=one.account, until=now + ANSWER_WITHIN
        )
        callbacks.note(session, callback, there.state, "asked_to_join", account, now)
        audit.note(session, what="offered", account=account, subject=callback, now=now)
        job = JOB_RING_COLLEAGUE if one.at_console else JOB_RING_KEYPAD
        bell = errand(session, runtime, job, callback, due=now, lives=RUNG_FOR, account=one.account)
    ring_bells(runtime, [bell])


def asked(session: Session, callback: str, account: str | None, *, now: datetime) -> bool:
    """Whether this account is asked to join this talk, and it still is one."""
    there, offer = rows.get(session, callback), continuing.offered(session, callback, now)
    if there is None or offer is None or there.state is not CallbackState.TALKING:
        return False
    return offer.taker == account and offer.giver == there.claimed_by


def joins(session: Session, callback: str, account: str, leg: str, *, now: datetime) -> None:
    """The colleague is in the conference from here on. Raises `Refused("taken")` where nobody waits for it any more."""
    there = callbacks.known(session, callback)
    if not asked(session, callback, account, now=now):
        raise Refused("taken")
    legs.say_result(session, leg, BESIDE)
    continuing.offer(session, callback=callback, giver=there.claimed_by, taker=account, until=now + LONGEST)
    callbacks.note(session, callback, there.state, "colleague_joined", account, now)


def not_there(session: Session, there: Callback, account: str | None, *, now: datetime) -> None:
    """Whoever was asked said no, did not answer, or has left again: the talk is as it was before."""
    offer = continuing.offered(session, there.id, now)
    if offer is None or offer.taker != account or there.state is not CallbackState.TALKING:
        return
    were = any(leg.account == account and leg.result == BESIDE for leg in legs.of(session, there.id))
    continuing.end_offer(session, there.id)
    callbacks.note(session, there.id, there.state, "colleague_left" if were else "not_joined", account, now)


def passed_on(session: Session, there: Callback, *, now: datetime) -> bool:
    """Its counselor leaves: where a colleague is in the talk the case is theirs from now on, and the talk goes on."""
    guest = beside(session, there.id, now=now)
    if guest is None:
        return False
    rows.change(session, there.id, claimed_by=guest.account)
    continuing.end_offer(session, there.id)
    legs.belongs_to(session, guest.id, kind=LegKind.COUNSELOR, subject=there.id)
    callbacks.note(session, there.id, there.state, "passed_on", guest.account, now)
    audit.note(session, what="taken_over", account=guest.account, subject=there.id, now=now)
    return True


def beside(session: Session, callback: str, *, now: datetime) -> Leg | None:
    """The line of the colleague who is in this talk."""
    offer = continuing.offered(session, callback, now)
    for leg in legs.live_of(session, callback) if offer else ():
        if offer and leg.account == offer.taker and leg.kind is LegKind.COLLEAGUE and leg.result == BESIDE:
            return leg
    return None


def everybody_leaves(
    session: Session, runtime: Runtime, there: Callback, *, she_is_there: bool, now: datetime
) -> list[Errand]:
    """The talk is over: nobody is rung for it any more, and she is not left alone in a conference that does not end."""
    errands = stop_ringing(session, runtime, there.id, now=now)
    continuing.end_offer(session, there.id)
    if (
        she_is_there and FEATURE in runtime.settings.features
    ):  # switched off meanwhile, this talk is still such a one
        errands += [
            errand(session, runtime, JOB_MOVE_CALL, leg.id, due=now, lives=callbacks.RING_LIVES)
            for leg in legs.live_of(session, there.id)
            if leg.kind in (LegKind.CALLBACK, LegKind.LIVE)
        ]
    return errands


def stop_ringing(session: Session, runtime: Runtime, callback: str, *, now: datetime) -> list[Errand]:
    """End the calls to whoever was asked and is not in the talk."""
    return [
        errand(session, runtime, JOB_END_CALL, leg.id, due=now, lives=callbacks.RING_LIVES)
        for leg in legs.live_of(session, callback)
        if leg.kind in (LegKind.COLLEAGUE, LegKind.KEYPAD) and leg.result != BESIDE
    ]
