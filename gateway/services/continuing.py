"""What goes on with a case: kept open for another week, rung again as agreed, or handed to a colleague."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.services import callbacks, casework, transferring, windows
from gateway.services.errands import ring_bells
from gateway.store import audit, case_codes, contacts, continuing, counselors
from gateway.store import callbacks as rows
from gateway.store.callbacks import Callback, CallbackState
from gateway.store.counselors import Account, Role
from gateway.store.database import Session
from gateway.vault import Place

LONGEST_KEPT: Final = timedelta(days=90)
"""From the first talk on: then nobody's reason counts any more."""
LONGEST_REASON: Final = 300
ANSWER_WITHIN: Final = timedelta(minutes=10)
"""Of the colleague to whom a case was offered."""
WISHES: Final = tuple(windows.WINDOWS)
"""When somebody may be rung again who asked for it in the talk: never at once."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A closed case that is kept: until when, and why, where somebody said so; `last` when it cannot be longer."""

    until: datetime
    reason: str
    last: bool


# --- another week -------------------------------------------------------------------------------------


def renew(runtime: Runtime, callback: str, account: str, reason: str) -> datetime:
    """Keep a closed case a week from now, for a reason that is sealed. Return until when.

    By whoever talked to them, or a coordinator. Raises `Refused`: `no_reason`, `long_reason`, `kept_longest`,
    `taken`, `not_now`.
    """
    now = runtime.clock.now()
    reason = reason.strip()
    if not reason:
        raise Refused("no_reason")
    if len(reason) > LONGEST_REASON:
        raise Refused("long_reason")
    with runtime.database.write() as session:
        there, contact = _closed(session, callback, account)
        until = min(now + callbacks.KEPT, _end(session, there))
        if until <= now:
            raise Refused("kept_longest")
        sealed = runtime.vault.seal_note(contact, _place(callback), reason)
        continuing.renew(session, callback=callback, until=until, reason=sealed, account=account, at=now)
        callbacks.note(session, callback, there.state, "renewed", account, now)
        audit.note(session, what="renewed", account=account, subject=callback, now=now)
    return until


def kept(session: Session, runtime: Runtime, there: Callback) -> Kept | None:
    """How long a closed case is kept, or None for one that is open or has no person any more."""
    if there.state is not CallbackState.DONE or there.ended is None or there.contact is None:
        return None
    usual = there.ended + callbacks.KEPT
    renewal = continuing.renewal(session, there.id)
    last = min(runtime.clock.now() + callbacks.KEPT, _end(session, there))
    if renewal is None:
        return Kept(usual, "", last=last <= usual)
    until = max(usual, renewal.until)
    reason = runtime.vault.open_note(there.contact, _place(there.id), renewal.reason)
    return Kept(until, reason, last=last <= until)


def _end(session: Session, there: Callback) -> datetime:
    return (continuing.first_talk(session, there.id) or there.asked) + LONGEST_KEPT


def ring_again(runtime: Runtime, callback: str, account: str, wish: str) -> str:
    """Somebody asked, while they talked, to be rung again: a new request, with the words and own key that they know.

    Return its id. Raises `Refused`: `not_now`, `taken`, `asked_already`, `words_in_use`.
    """
    if wish not in WISHES:
        raise Refused("not_now")
    now = runtime.clock.now()
    with runtime.database.write() as session:
        there, contact = _closed(session, callback, account)
        if continuing.first_talk(session, callback) is None or _forbidden(session, contact):
            raise Refused("not_now")  # only they themselves can ask, and never after they said stop
        if not there.by_code and rows.open_of(session, contact) is not None:
            raise Refused("asked_already")
        if rows.handle_in_use(session, there.handle):
            raise Refused("words_in_use")
        note = casework.read_note(runtime, session, there)
        new = callbacks.ask(
            session, runtime, contact, wish=wish, own_key=there.own_keys, handle=there.handle,
            language=there.language, line_index=there.line_index, now=now, by_code=there.by_code,
        )  # fmt: skip
        case_codes.goes_on_as(session, callback, new)
        if note:
            casework.keep_note(session, runtime, new, contact, note)
        callbacks.note(session, new, CallbackState.WAITING, "asked_in_talk", account, now)
        audit.note(session, what="asked_in_talk", account=account, subject=new, now=now)
    return new


def _forbidden(session: Session, contact: str) -> bool:
    number = contacts.sealed_number(session, contact)
    return number is None or contacts.is_forbidden(session, number[0])


def _closed(session: Session, callback: str, account: str) -> tuple[Callback, str]:
    """A closed case that may be gone on with by this account, and its contact."""
    there = callbacks.known(session, callback)
    if there.claimed_by != account and not _leads(counselors.get(session, account)):
        raise Refused("taken")
    if there.state is not CallbackState.DONE or there.contact is None:
        raise Refused("not_now")
    return there, there.contact


def _leads(person: Account | None) -> bool:
    return person is not None and person.role in (Role.COORDINATOR, Role.ADMIN)


def _place(callback: str) -> Place:
    return Place("renewals", "reason", callback)


# --- to a colleague -----------------------------------------------------------------------------------


def takers(session: Session, account: str) -> list[Account]:
    """To whom one may hand a case: those on shift, and coordinators."""
    return [
        one
        for one in counselors.everyone(session)
        if one.id != account and not one.disabled and (one.on_shift or _leads(one))
    ]


def offer(runtime: Runtime, callback: str, account: str, taker: str) -> None:
    """Offer one's own case to a colleague. It stays one's own until they say yes, and for at least as long.

    Raises `Refused`: `taken`, `not_now`, `no_taker`.
    """
    now = runtime.clock.now()
    until = now + ANSWER_WITHIN
    with runtime.database.write() as session:
        there = _held(session, callback, account)
        if taker not in {one.id for one in takers(session, account)}:
            raise Refused("no_taker")
        continuing.offer(session, callback=callback, giver=account, taker=taker, until=until)
        rows.change(session, callback, lease_until=max(there.lease_until or until, until))
        callbacks.note(session, callback, there.state, "offered", account, now)
        audit.note(session, what="offered", account=account, subject=callback, now=now)


def take_over(runtime: Runtime, callback: str, account: str) -> None:
    """Say yes: the case is this account's from now on. Raises `Refused("offer_over")`."""
    now = runtime.clock.now()
    with runtime.database.write() as session:
        there = callbacks.known(session, callback)
        offered = continuing.offered(session, callback, now)
        if (
            offered is None
            or offered.taker != account
            or there.state is not CallbackState.CLAIMED
            or there.claimed_by != offered.giver
        ):
            raise Refused("offer_over")
        lease = callbacks.AFTER_TALK if there.reached else callbacks.LEASE
        rows.change(session, callback, claimed_by=account, lease_until=now + lease)
        continuing.end_offer(session, callback)
        callbacks.note(session, callback, there.state, "taken_over", account, now)
        audit.note(session, what="taken_over", account=account, subject=callback, now=now)


def end_offer(runtime: Runtime, callback: str, account: str) -> None:
    """Say no, or take one's own offer back: the case stays where it is. Raises `Refused("offer_over")`."""
    now = runtime.clock.now()
    with runtime.database.write() as session:
        there = callbacks.known(session, callback)
        offered = continuing.offered(session, callback, now)
        if offered is None or account not in (offered.giver, offered.taker):
            raise Refused("offer_over")
        if transferring.beside(session, callback, now=now):
            raise Refused("not_now")
        continuing.end_offer(session, callback)
        callbacks.note(session, callback, there.state, "offer_ended", account, now)
        errands = (
            transferring.stop_ringing(session, runtime, callback, now=now)
            if there.state is CallbackState.TALKING
            else []
        )
    ring_bells(runtime, errands)


def _held(session: Session, callback: str, account: str) -> Callback:
    """One's own case, not in a call."""
    there = callbacks.known(session, callback)
    if there.claimed_by != account:
        raise Refused("taken")
    if there.state is not CallbackState.CLAIMED:
        raise Refused("in_a_call" if there.ended is None else "not_now")
    return there
