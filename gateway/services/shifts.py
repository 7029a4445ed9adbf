"""The plan of shifts by week: coordinators make it, and the clock keeps it (`attending.tick`)."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.store import audit, counselors, shifts
from gateway.store.shifts import Shift

WEEK: Final = timedelta(days=7)
FARTHEST: Final = timedelta(days=370)
OWN_AHEAD: Final = timedelta(days=60)


def week_of(day: date) -> date:
    """The Monday of that day's week."""
    return day - timedelta(days=day.weekday())


def in_week(runtime: Runtime, monday: date) -> Sequence[Shift]:
    """Everybody's shifts that begin in that week, in their order."""
    begins, ends = _instant(runtime, monday, time()), _instant(runtime, monday + WEEK, time())
    with runtime.database.read() as session:
        return [one for one in shifts.between(session, begins, ends) if one.begins >= begins]


def own(runtime: Runtime, account: str) -> Sequence[Shift]:
    """One's own shifts that are not over."""
    now = runtime.clock.now()
    with runtime.database.read() as session:
        return shifts.between(session, now, now + OWN_AHEAD, account=account)


def plan(runtime: Runtime, alias: str, day: date, begins: time, ends: time, *, by: str) -> None:
    """Plan a shift; where it does not end later than it begins, it ends the next day.

    Raises `Refused` for one that is over, too long or too far away, overlaps another of the same person, or belongs to
    somebody who cannot be rung.
    """
    now = runtime.clock.now()
    first = _instant(runtime, day, begins)
    last = _instant(runtime, day if ends > begins else day + timedelta(days=1), ends)
    if last <= now or first > now + FARTHEST:
        raise Refused("day_over" if last <= now else "far_away")
    if last - first > runtime.settings.longest_shift:
        raise Refused("shift_too_long")
    with runtime.database.write() as session:
        there = counselors.by_alias(session, alias)
        if there is None or there.disabled:
            raise Refused("no_such_account")
        if not there.has_phone:
            raise Refused("they_have_no_phone")
        if shifts.overlaps(session, there.id, first, last):
            raise Refused("planned_already")
        shifts.add(session, runtime.new_id(), account=there.id, begins=first, ends=last)
        audit.note(session, what="shift_planned", account=by, subject=there.id, now=now)


def remove(runtime: Runtime, shift: str, *, by: str) -> None:
    """Take a shift out of the plan; who is on shift just now stays until they go off."""
    with runtime.database.write() as session:
        there = shifts.get(session, shift)
        if there is None:
            raise Refused("gone_shift")
        shifts.remove(session, shift)
        audit.note(session, what="shift_removed", account=by, subject=there.account, now=runtime.clock.now())


def repeat_week(runtime: Runtime, monday: date, *, by: str) -> int:
    """The same a week later, at the same times on the wall's clock; what is planned there stays. Return how many."""
    now = runtime.clock.now()
    zone = runtime.settings.timezone
    begins, ends = _instant(runtime, monday, time()), _instant(runtime, monday + WEEK, time())
    made = 0
    with runtime.database.write() as session:
        alive = {one.id for one in counselors.everyone(session) if one.has_phone and not one.disabled}
        for shift in shifts.between(session, begins, ends):
            if shift.begins < begins or shift.account not in alive:
                continue
            first, last = (
                _instant(runtime, local.date() + WEEK, local.time())
                for local in (shift.begins.astimezone(zone), shift.ends.astimezone(zone))
            )
            if last > now and not shifts.overlaps(session, shift.account, first, last):
                shifts.add(session, runtime.new_id(), account=shift.account, begins=first, ends=last)
                made += 1
        audit.note(session, what="week_repeated", account=by, subject=None, now=now)
    return made


def _instant(runtime: Runtime, day: date, at: time) -> datetime:
    return datetime.combine(day, at, runtime.settings.timezone).astimezone(UTC)
