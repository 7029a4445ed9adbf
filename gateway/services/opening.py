"""The hours in which somebody is meant to be there, and what a caller is told of them.

The calculus holds at any instant in any zone. A time that the zone's clock skips counts as if the clock had not been
changed yet; one that it shows twice is the first.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.services import windows
from gateway.store import attendance, audit, hours
from gateway.store.database import Session
from gateway.store.hours import Holiday, Hours, Span

_DAY = timedelta(days=1)
LOOKS_AHEAD = 60  # days: a house that is shut for longer does not know when it opens
LONGEST_NAME = 60
TOLD = frozenset(
    {"nobody_on_shift", "closed", "opens_today", "opens_tomorrow", "opens_later"}
    | {f"closed_{wish}" for wish in windows.WINDOWS}
)
"""The script's flags that `nobody` knows of."""


# --- what a caller is told ----------------------------------------------------------------------------


def nobody(session: Session, runtime: Runtime, now: datetime) -> set[str]:
    """What is true, in the script's flags, before somebody chooses when to be rung.

    `nobody_on_shift`; or `closed` where it does not open within the hour either, with when it does: `opens_today`,
    `opens_tomorrow` or `opens_later`. `closed_morning`, `closed_midday` and `closed_evening` where the
    next such window lies outside the hours.
    """
    zone = runtime.settings.timezone
    kept = hours.read(session)
    flags = set()
    for wish in windows.WINDOWS:
        life = windows.life(wish, now, zone)
        if not is_open_within(kept, life.not_before, life.expires, zone):
            flags.add(f"closed_{wish}")
    if attendance.there(session, now):
        return flags
    opens = opens_next(kept, now, zone)
    if opens is None:
        return flags | {"closed"}
    if opens < now + windows.HOUR_LIVES:
        return flags | {"nobody_on_shift"}
    days = (opens.astimezone(zone).date() - now.astimezone(zone).date()).days
    return flags | {"closed", {0: "opens_today", 1: "opens_tomorrow"}.get(days, "opens_later")}


# --- what a coordinator decides -----------------------------------------------------------------------


def kept(runtime: Runtime) -> Hours:
    with runtime.database.read() as session:
        return hours.read(session)


def set_week(runtime: Runtime, week: Sequence[Span | None], *, by: str) -> None:
    """The hours of the seven weekdays, from Monday on."""
    with runtime.database.write() as session:
        hours.set_week(session, week)
        audit.note(session, what="hours_changed", account=by, subject=None, now=runtime.clock.now())


def set_holiday(runtime: Runtime, holiday: Holiday, *, by: str) -> None:
    """A day that differs from its weekday; of two for one day the later word counts.

    Raises `Refused` for a day that is over or has no name.
    """
    now = runtime.clock.now()
    if not holiday.name or len(holiday.name) > LONGEST_NAME:
        raise Refused("no_name")
    if holiday.day < now.astimezone(runtime.settings.timezone).date():
        raise Refused("day_over")
    with runtime.database.write() as session:
        hours.set_holiday(session, holiday)
        audit.note(session, what="holiday_set", account=by, subject=None, now=now)


def remove_holiday(runtime: Runtime, day: date, *, by: str) -> None:
    with runtime.database.write() as session:
        hours.remove_holiday(session, day)
        audit.note(session, what="holiday_removed", account=by, subject=None, now=runtime.clock.now())


# --- the calculus -------------------------------------------------------------------------------------


def is_open(hours: Hours, now: datetime, zone: tzinfo) -> bool:
    return any(begins <= now < ends for begins, ends in _around(hours, now, zone))


def opens_next(hours: Hours, now: datetime, zone: tzinfo) -> datetime | None:
    """Now, where it is open; else when it opens, in UTC; None where that is not within sixty days."""
    if is_open(hours, now, zone):
        return now
    today = now.astimezone(zone).date()
    spans = (_span(hours, today + ahead * _DAY, zone) for ahead in range(-1, LOOKS_AHEAD + 1))
    return min((span[0] for span in spans if span and span[0] > now and span[1] > span[0]), default=None)


def closed_last(hours: Hours, now: datetime, zone: tzinfo) -> datetime | None:
    """When it closed, where it is closed now; None where it is open, or was not in the last two days."""
    around = list(_around(hours, now, zone))
    if any(begins <= now < ends for begins, ends in around):
        return None
    # An earlier span, which was not looked at, may have ended after those before this midnight.
    since = _instant(now.astimezone(zone).date() - 2 * _DAY, time(), zone)
    return max((ends for begins, ends in around if begins < ends and since <= ends <= now), default=None)


def is_open_within(hours: Hours, begins: datetime, ends: datetime, zone: tzinfo) -> bool:
    """Whether it is open at any moment from `begins` to before `ends`."""
    opens = opens_next(hours, begins, zone)
    return opens is not None and opens < ends


def _around(hours: Hours, now: datetime, zone: tzinfo) -> Iterator[tuple[datetime, datetime]]:
    """The spans that may hold now, or have ended a moment ago."""
    today = now.astimezone(zone).date()
    for back in range(4):
        span = _span(hours, today - back * _DAY, zone)
        if span:
            yield span


def _span(hours: Hours, day: date, zone: tzinfo) -> tuple[datetime, datetime] | None:
    """The hours that begin on that day, as instants."""
    span = hours.on(day)
    if span is None:
        return None
    last = day if span.closes > span.opens else day + _DAY
    return _instant(day, span.opens, zone), _instant(last, span.closes, zone)


def _instant(day: date, at: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)
