"""Forgetting: keys first, then rows; by request, and by itself as soon as nothing needs a number any more."""

from datetime import datetime
from typing import Protocol

from gateway.queue import JOB_FORGET
from gateway.runtime import Runtime
from gateway.services import callbacks
from gateway.services.callbacks import Errand, errand
from gateway.store import callbacks as callback_rows
from gateway.store import contacts, legs, outbox, outreach, ring_backs
from gateway.store.callbacks import CallbackState
from gateway.store.database import Session
from gateway.store.outbox import Duty


class OfNumber(Protocol):
    """What can be done about everything of one number."""

    def __call__(
        self, session: Session, runtime: Runtime, number_index: bytes, *, now: datetime
    ) -> list[Errand]: ...


def forget(session: Session, runtime: Runtime, number_index: bytes, *, now: datetime) -> list[Errand]:
    """End everything about this number in this transaction; the worker destroys the keys at once after."""
    contacts.drop_preferences(session, number_index)
    contact = contacts.find(session, number_index)
    if contact is None:
        return []
    errands = callbacks.end_for(session, runtime, contact, to=CallbackState.FORGOTTEN, now=now)
    for callback in callback_rows.all_of(session, contact):
        callback_rows.change(session, callback, state=CallbackState.FORGOTTEN, note=None, contact=None)
    ring_backs.remove_of(session, contact)
    outreach.end_consent(session, contact)
    return [*errands, release(session, runtime, contact, now=now)]


def stop(session: Session, runtime: Runtime, number_index: bytes, *, now: datetime) -> list[Errand]:
    """Never ring or text this number again until it asks; what was queued for it ends at once."""
    contacts.forbid(session, number_index, now)
    contact = contacts.find(session, number_index)
    if contact is None:
        return []
    errands = callbacks.end_for(session, runtime, contact, to=CallbackState.WITHDRAWN, now=now)
    outreach.end_consent(session, contact)
    ring_backs.remove_of(session, contact)
    return [*errands, release(session, runtime, contact, now=now)]


def withdraw(session: Session, runtime: Runtime, number_index: bytes, *, now: datetime) -> list[Errand]:
    """Take back whatever was asked from this phone."""
    contact = contacts.find(session, number_index)
    if contact is None:
        return []
    errands = callbacks.end_for(session, runtime, contact, to=CallbackState.WITHDRAWN, now=now)
    outreach.end_consent(session, contact)
    ring_backs.remove_of(session, contact)
    return [*errands, release(session, runtime, contact, now=now)]


def release(session: Session, runtime: Runtime, contact: str, *, now: datetime) -> Errand:
    """Ask the worker to forget the contact, if nothing needs it by then."""
    return errand(session, runtime, JOB_FORGET, contact, due=now, lives=callbacks.NO_HURRY)


def forget_if_idle(runtime: Runtime, contact: str) -> str:
    """Destroy a contact's keys, then its row, unless something open or just closed still needs them.

    Safe to run twice: destroyed keys stay destroyed, and a row that is gone is gone.
    """
    now = runtime.clock.now()
    with runtime.database.read() as session:
        if _needed(session, contact, now):
            return "still_needed"
    # The keys go before the rows: a crash between leaves a row nobody can open, which the next run removes.
    runtime.vault.destroy_keys(contact)
    with runtime.database.write() as session:
        for callback in callback_rows.all_of(session, contact):
            callback_rows.change(session, callback, note=None, contact=None)
            legs.remove_of(session, callback)
        contacts.remove(session, contact)
    return "forgotten"


def _needed(session: Session, contact: str, now: datetime) -> bool:
    if callback_rows.open_of(session, contact) or outreach.consent_of(session, contact):
        return True
    if ring_backs.of_contact(session, contact):
        return True
    for callback in callback_rows.all_of(session, contact):
        there = callback_rows.get(session, callback)
        if there and there.state is CallbackState.DONE and there.ended and there.ended > now - callbacks.KEPT:
            return True
    return False


def run(runtime: Runtime, duty: Duty) -> None:
    """The worker's job for one contact."""
    result = forget_if_idle(runtime, duty.subject)
    with runtime.database.write() as session:
        outbox.finish(session, duty.id, now=runtime.clock.now(), result=result)
