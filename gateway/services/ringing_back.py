"""A missed call costs the caller nothing: it is rejected, and the number is rung back with the main menu.

Rings that are minutes apart are one. A number that said stop is not rung back: a ring proves nothing about who
holds the phone, and only asking in words or by key lifts a stop.
"""

import secrets
from datetime import datetime, timedelta
from typing import Final

from gateway.queue import JOB_RING_BACK
from gateway.runtime import Runtime
from gateway.services import forgetting, windows
from gateway.services.errands import Errand, errand
from gateway.store import legs, ring_backs
from gateway.store.database import Session

LIVES: Final = timedelta(minutes=30)
WITHIN: Final = timedelta(minutes=10)
ATTEMPTS: Final = 2
BETWEEN: Final = timedelta(minutes=8)


def asked(
    session: Session, runtime: Runtime, contact: str, *, line_index: bytes, now: datetime
) -> list[Errand]:
    """Owe this contact one ring, unless one is owed already."""
    if ring_backs.of_contact(session, contact) is not None:
        return []
    settings = runtime.settings
    due = windows.after_quiet(now + _pause(runtime), settings.quiet_hours, settings.timezone)
    if due - now > LIVES:  # the quiet hours would make it a ring that nobody remembers asking for
        return [forgetting.release(session, runtime, contact, now=now)]
    ring_back = runtime.new_id()
    ring_backs.add(
        session, id=ring_back, contact=contact, line_index=line_index, asked=now, expires=now + LIVES
    )
    return [errand(session, runtime, JOB_RING_BACK, ring_back, due=due, lives=LIVES)]


def over(
    session: Session, runtime: Runtime, ring_back: str, *, answered: bool, now: datetime
) -> list[Errand]:
    """The call back has ended: a second try within its life where nobody answered, else it is done."""
    there = ring_backs.get(session, ring_back)
    if there is None:
        return []
    due = now + BETWEEN
    if not answered and there.attempts < ATTEMPTS and due < there.expires:
        return [errand(session, runtime, JOB_RING_BACK, ring_back, due=due, lives=there.expires - due)]
    ring_backs.remove(session, ring_back)
    return [forgetting.release(session, runtime, there.contact, now=now)]


def expire(session: Session, runtime: Runtime, *, now: datetime, most: int) -> list[Errand]:
    """Rings that were never answered in time: forgotten."""
    errands = []
    for there in ring_backs.past(session, now, most=most):
        if legs.live_of(session, there.id):  # she is in the call: what she asks there must find her
            continue
        ring_backs.remove(session, there.id)
        errands.append(forgetting.release(session, runtime, there.contact, now=now))
    return errands


def _pause(runtime: Runtime) -> timedelta:
    """A random delay, so that rings and answers show no pattern; none in the demo, where nobody should wait."""
    if runtime.settings.mode == "demo":
        return timedelta()
    return timedelta(seconds=secrets.randbelow(int(WITHIN.total_seconds())))
