"""Forgetting: by request, and by itself as soon as nothing needs a number any more.

The provider's ids of her calls and texts are on the deletion list before (`provider_copies`), so nothing of hers is
needed for that afterwards.
"""

from datetime import datetime, timedelta
from typing import Protocol

from gateway.errors import Refused
from gateway.phone import Msisdn
from gateway.queue import JOB_FORGET
from gateway.runtime import Runtime
from gateway.services import callbacks, campaigns
from gateway.services.errands import Errand, errand, ring_bells
from gateway.store import audit, consents, contacts, continuing, legs, messages, outbox, ring_backs
from gateway.store import callbacks as callback_rows
from gateway.store import campaigns as recipients
from gateway.store.callbacks import Callback, CallbackState
from gateway.store.database import Session
from gateway.store.outbox import Duty

AFTER_THE_CALL = timedelta(seconds=10)
KEPT_OUT = timedelta(days=365)
"""For so long a keyed hash of the number stays, so that nobody contacts it by a forged request or a mistake."""


class OfNumber(Protocol):
    """What can be done about everything of one number."""

    def __call__(
        self, session: Session, runtime: Runtime, number_index: bytes, *, now: datetime
    ) -> list[Errand]: ...


def forget(
    session: Session, runtime: Runtime, number_index: bytes, *, now: datetime, keep_out: bool = True
) -> list[Errand]:
    """End everything about this number in this transaction; the worker destroys the keys at once after.

    `keep_out`: of the number nothing remains but its keyed hash among those not to be contacted, for a year.
    """
    contacts.drop_preferences(session, number_index)
    contacts.allow(session, number_index)
    if keep_out:
        contacts.forbid(session, number_index, now, until=now + KEPT_OUT)
    contact = contacts.find(session, number_index)
    if contact is None:
        return []
    errands = _end_all(session, runtime, contact, to=CallbackState.FORGOTTEN, now=now)
    for callback in callback_rows.all_of(session, contact):
        callback_rows.change(session, callback, state=CallbackState.FORGOTTEN)
        let_go(session, callback)
        legs.remove_ended_of(session, callback)
    messages.remove_of(session, contact)
    return errands


def forget_now(runtime: Runtime, number: Msisdn, *, keep_out: bool) -> str:
    """Forget without waiting for a worker. Return `nothing`, `forgotten`, or `in_a_call` where a worker ends it."""
    index, now = runtime.vault.index(number), runtime.clock.now()
    with runtime.database.write() as session:
        contact = contacts.find(session, index)
        errands = forget(session, runtime, index, now=now, keep_out=keep_out)
    ring_bells(runtime, errands)
    return "nothing" if contact is None else forget_if_idle(runtime, contact)


def forget_case(runtime: Runtime, callback: str, account: str, *, keep_out: bool) -> None:
    """As its counselor: everything about the person of this request. Raises `Refused`."""
    now = runtime.clock.now()
    with runtime.database.write() as session:
        there = callbacks.known(session, callback)
        if there.claimed_by != account:
            raise Refused("taken")
        sealed = contacts.sealed_number(session, there.contact) if there.contact else None
        if sealed is None:
            raise Refused("forgotten")
        if there.by_code:
            errands = _forget_code(session, runtime, there, now=now)
        else:
            errands = forget(session, runtime, sealed[0], now=now, keep_out=keep_out)
        audit.note(session, what="forget", account=account, subject=callback, now=now)
    ring_bells(runtime, errands)


def _forget_code(session: Session, runtime: Runtime, there: Callback, *, now: datetime) -> list[Errand]:
    """Of a case by code only itself: what its phone's owner asked for is not its person's to destroy."""
    errands = callbacks.hang_up(session, runtime, there.id, now=now)
    callbacks.moved(session, there, CallbackState.FORGOTTEN, why="forgotten", account=None, now=now)
    let_go(session, there.id)
    legs.remove_ended_of(session, there.id)
    return [*errands, release(session, runtime, there.contact, now=now)] if there.contact else errands


def stop(session: Session, runtime: Runtime, number_index: bytes, *, now: datetime) -> list[Errand]:
    """Do not ring or text this number until it asks, for a year at least; what was queued for it ends at once.

    After the year nothing is known of it, and who does not ask is never contacted.
    """
    contacts.forbid(session, number_index, now, until=now + KEPT_OUT)
    return withdraw(session, runtime, number_index, now=now)


def withdraw(session: Session, runtime: Runtime, number_index: bytes, *, now: datetime) -> list[Errand]:
    """Take back whatever was asked from this phone."""
    contact = contacts.find(session, number_index)
    if contact is None:
        return []
    return _end_all(session, runtime, contact, to=CallbackState.WITHDRAWN, now=now)


def _end_all(
    session: Session, runtime: Runtime, contact: str, *, to: CallbackState, now: datetime
) -> list[Errand]:
    """End every request, consent and ring of this contact, and every call that stands for any of them."""
    errands = []
    for subject in _subjects(session, contact):
        errands += callbacks.hang_up(session, runtime, subject, now=now)
    errands += callbacks.end_for(session, runtime, contact, to=to, now=now)
    campaigns.consent_ended(session, contact, "stopped", now=now)
    ring_backs.remove_of(session, contact)
    messages.cancel_of(session, contact, now=now)
    for callback in callback_rows.all_of(session, contact):  # who stops or withdraws is not kept for longer
        continuing.end_renewal(session, callback)
    return [*errands, release(session, runtime, contact, now=now)]


def _subjects(session: Session, contact: str) -> list[str]:
    """What calls to this contact may be about, besides its open request."""
    ring_back = ring_backs.of_contact(session, contact)
    consent = consents.of_contact(session, contact)
    sent = [one.id for one in recipients.of_consent(session, consent.id) if one.calling] if consent else []
    return [*([ring_back.id] if ring_back else []), *([consent.id] if consent else []), *sent]


def release(session: Session, runtime: Runtime, contact: str, *, now: datetime) -> Errand:
    """Ask the worker to forget the contact, if nothing needs it by then."""
    return errand(session, runtime, JOB_FORGET, contact, due=now, lives=callbacks.NO_HURRY)


def let_go(session: Session, callback: str) -> None:
    """From here on this request is nobody's."""
    callback_rows.change(session, callback, note=None, contact=None)
    continuing.end_renewal(session, callback)


def forget_if_idle(runtime: Runtime, contact: str) -> str:
    """Destroy a contact's keys and rows, unless something open or just closed still needs them.

    The rows go first, in one transaction with the last look at what needs them, so that nobody can ask in between
    and be told that it is registered. Then the keys; killed before, the next run finds no row and destroys them.
    """
    with runtime.database.write() as session:
        if contacts.sealed_number(session, contact) is not None:
            if any(legs.live_of(session, one) for one in callback_rows.all_of(session, contact)):
                return "in_a_call"
            if messages.written_to(session, contact):
                return "in_a_call"  # so to speak: a text to her is on its way
            if _needed(session, contact, runtime.clock.now()):
                return "still_needed"
            for callback in callback_rows.all_of(session, contact):
                let_go(session, callback)
                legs.remove_ended_of(session, callback)
            contacts.remove(session, contact)
    runtime.vault.destroy_keys(contact)
    return "forgotten"


def _needed(session: Session, contact: str, now: datetime) -> bool:
    if callback_rows.ringing_at(session, contact) or consents.of_contact(session, contact):
        return True
    if consents.text_opt_in(session, contact):
        return True
    if ring_backs.of_contact(session, contact):
        return True
    for callback in callback_rows.all_of(session, contact):
        there = callback_rows.get(session, callback)
        if there and there.state is CallbackState.DONE and there.ended and there.ended > now - callbacks.KEPT:
            return True
        if continuing.kept_past(session, callback, now):
            return True
    return False


def run(runtime: Runtime, duty: Duty) -> None:
    """The worker's job for one contact."""
    result = forget_if_idle(runtime, duty.subject)
    now = runtime.clock.now()
    with runtime.database.write() as session:
        if result == "in_a_call":
            outbox.again(session, duty.id, due=now + AFTER_THE_CALL, count=False)
        else:
            outbox.finish(session, duty.id, now=now, result=result)
