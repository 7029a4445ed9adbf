"""Who is next, and why: danger today first, then whose time ends first; everybody can see the reason.

The order is one column (`rank`), written whenever a request's times change, so that the queue is read from an
index however long it is. It needs no ageing: a request that waits comes nearer to its end than a newer one.
"""

from datetime import datetime, timedelta
from typing import Final

from gateway.store.callbacks import Callback
from gateway.store.counselors import Wish

DANGER_FIRST: Final = timedelta(days=30)  # longer than any request lives: before everybody who did not say so
DANGER_LASTS: Final = timedelta(hours=24)
ESCALATED_BEFORE: Final = timedelta(minutes=15)  # of the end: coordinators are told, and anybody may be rung
SOON: Final = timedelta(minutes=30)


def rank(*, expires: datetime, danger: datetime | None) -> datetime:
    """Where a request stands; the earliest is next."""
    return expires - DANGER_FIRST if danger else expires


def last_chance(now: datetime) -> datetime:
    """Whose time ends before this is offered to anybody, whatever was wished."""
    return now + ESCALATED_BEFORE


def wish_of(there: Callback, now: datetime) -> Wish:
    """Whom she would talk with; near the end of her time anybody is better than nobody."""
    if there.expires <= last_chance(now):
        return Wish()
    return Wish(language=there.language, woman=there.woman)


def why(there: Callback, now: datetime) -> tuple[str, ...]:
    """Why it stands where it stands, as keys of the console's words; the weightiest first."""
    reasons = []
    if there.danger and now < there.danger + DANGER_LASTS:
        reasons.append("danger")
    if there.escalated:
        reasons.append("escalated")
    if there.expires - now <= SOON:
        reasons.append("ends_soon")
    elif not there.danger:
        reasons.append("ends_first")
    if there.flagged:
        reasons.append("flagged")
    return tuple(reasons)
