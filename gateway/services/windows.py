"""When it is safe to ring: windows in the caller's words, quiet hours, and how long a request lives."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from gateway.store import callbacks as rows

HOUR = rows.HOUR
WINDOWS = {
    "morning": (time(7), time(11)),
    "midday": (time(11), time(15)),
    "evening": (time(17), time(20)),
}
HOUR_LIVES = timedelta(minutes=45)


@dataclass(frozen=True, slots=True)
class Life:
    """Ring not before, never after; `repeats` further windows may follow an unanswered one."""

    not_before: datetime
    expires: datetime
    repeats: int


def life(wish: str, now: datetime, zone: tzinfo) -> Life:
    """How long a request for `wish` lives when asked `now`."""
    if wish == HOUR:
        return Life(now, now + HOUR_LIVES, repeats=0)
    start, end = WINDOWS[wish]
    begins, ends = _window(now, zone, start, end)
    if ends <= now:
        begins, ends = _next_day(begins, ends, zone)
    return Life(max(begins, now), ends, repeats=1)


def repeated(wish: str, expires: datetime, zone: tzinfo) -> Life:
    """The same window a day after the one that ended at `expires`."""
    start, end = WINDOWS[wish]
    begins, ends = _next_day(*_window(expires, zone, start, end), zone)
    return Life(begins, ends, repeats=0)


def quiet(now: datetime, hours: tuple[time, time] | None, zone: tzinfo) -> bool:
    """Whether nobody may be rung now who did not ask for this very hour."""
    if hours is None:
        return False
    start, end = hours
    local = now.astimezone(zone).time()
    return start <= local < end if start <= end else local >= start or local < end


def after_quiet(now: datetime, hours: tuple[time, time] | None, zone: tzinfo) -> datetime:
    """Now, or the end of the quiet hours where they hold now."""
    if hours is None or not quiet(now, hours, zone):
        return now
    local = now.astimezone(zone)
    end = datetime.combine(local.date(), hours[1], zone)
    return end if end > now else datetime.combine(local.date() + timedelta(days=1), hours[1], zone)


def _window(now: datetime, zone: tzinfo, start: time, end: time) -> tuple[datetime, datetime]:
    day = now.astimezone(zone).date()
    return datetime.combine(day, start, zone), datetime.combine(day, end, zone)


def _next_day(begins: datetime, ends: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    day = begins.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(day, begins.time(), zone), datetime.combine(day, ends.time(), zone)
