"""When somebody is meant to be there: opening hours of each weekday, and days that differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from sqlalchemy import Column, Date, Integer, String, Table, delete, insert, select

from gateway.store.database import Session, metadata, upsert

# A weekday without a row is open all day. Minutes since midnight; both NULL where nobody is there on that day.
opening_hours = Table(
    "opening_hours",
    metadata,
    Column("weekday", Integer, primary_key=True, autoincrement=False),  # 0 is Monday
    Column("opens", Integer),
    Column("closes", Integer),
)

holidays = Table(
    "holidays",
    metadata,
    Column("day", Date, primary_key=True),
    Column("name", String(60), nullable=False),
    Column("opens", Integer),
    Column("closes", Integer),
)

# Asked whenever somebody chooses when to be rung: built once, because building a statement costs more than running it.
_WEEK = select(opening_hours.c.weekday, opening_hours.c.opens, opening_hours.c.closes)
_HOLIDAYS = select(holidays.c.day, holidays.c.name, holidays.c.opens, holidays.c.closes).order_by(
    holidays.c.day
)


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when on the wall's clock; where it does not close later than it opens, it closes the next day."""

    opens: time
    closes: time


ALL_DAY = Span(time(0), time(0))


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day that differs from its weekday; without a span nobody is there."""

    day: date
    name: str
    span: Span | None


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours of the seven weekdays from Monday on, and the days that differ."""

    week: tuple[Span | None, ...]
    holidays: Mapping[date, Holiday]

    def on(self, day: date) -> Span | None:
        """The hours that begin on that day; None where none do."""
        differs = self.holidays.get(day)
        return self.week[day.weekday()] if differs is None else differs.span


ALWAYS = Hours((ALL_DAY,) * 7, {})


def read(session: Session) -> Hours:
    """All of it: seven rows at most, and the holidays that somebody wrote down."""
    week = {row.weekday: _span(row.opens, row.closes) for row in session.execute(_WEEK)}
    return Hours(
        tuple(week.get(weekday, ALL_DAY) for weekday in range(7)),
        {one.day: one for one in every_holiday(session)},
    )


def every_holiday(session: Session) -> Sequence[Holiday]:
    """The days that differ, in their order."""
    rows = session.execute(_HOLIDAYS)
    return [Holiday(row.day, row.name, _span(row.opens, row.closes)) for row in rows]


def set_week(session: Session, week: Sequence[Span | None]) -> None:
    session.execute(delete(opening_hours))
    rows = [{"weekday": weekday, **_minutes(span)} for weekday, span in enumerate(week) if span != ALL_DAY]
    if rows:
        session.execute(insert(opening_hours), rows)


def set_holiday(session: Session, holiday: Holiday) -> None:
    values = {"day": holiday.day, "name": holiday.name, **_minutes(holiday.span)}
    upsert(session, holidays, ("day",), values)


def remove_holiday(session: Session, day: date) -> None:
    session.execute(delete(holidays).where(holidays.c.day == day))


def drop_holidays_before(session: Session, day: date) -> None:
    session.execute(delete(holidays).where(holidays.c.day < day))


def _minutes(span: Span | None) -> dict[str, Any]:
    if span is None:
        return {"opens": None, "closes": None}
    return {name: at.hour * 60 + at.minute for name, at in (("opens", span.opens), ("closes", span.closes))}


def _span(opens: int | None, closes: int | None) -> Span | None:
    if opens is None or closes is None:
        return None
    return Span(time(opens // 60, opens % 60), time(closes // 60, closes % 60))
