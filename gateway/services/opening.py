"""The hours in which somebody is meant to be there: at any instant, in any zone, holidays and clock changes included.

A time that the zone's clock skips counts as the same span after midnight would; one that it shows twice is the first.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from gateway.store.hours import Hours

_DAY = timedelta(days=1)
LOOKS_AHEAD = 60  # days: a house that is shut for longer does not know when it opens


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
    """When it closed, of the last days, where it is closed now; None where it is open, or was not at all."""
    around = list(_around(hours, now, zone))
    if any(begins <= now < ends for begins, ends in around):
        return None
    return max((ends for begins, ends in around if begins < ends <= now), default=None)


def is_open_within(hours: Hours, begins: datetime, ends: datetime, zone: tzinfo) -> bool:
    """Whether it is open at any moment from `begins` to before `ends`."""
    opens = opens_next(hours, begins, zone)
    return opens is not None and opens < ends


def _around(hours: Hours, now: datetime, zone: tzinfo) -> Iterator[tuple[datetime, datetime]]:
    """The spans that may hold now, or have ended a moment ago."""
    today = now.astimezone(zone).date()
    for back in (2, 1, 0):
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
