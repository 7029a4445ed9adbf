"""Shifts: one's own and the plan of the week; how much a day may bring; opening hours and days that differ."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from flask import abort, flash, request
from flask.typing import ResponseReturnValue

from gateway.console import typed, words
from gateway.console.frame import page
from gateway.console.gates import COORDINATORS, go, me
from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.services import attending, counselors, opening, shifts
from gateway.store.counselors import Role
from gateway.store.hours import Holiday, Span
from gateway.store.shifts import Shift

_FARTHEST = timedelta(days=730)  # weeks that are shown


@dataclass(frozen=True, slots=True)
class Row:
    """A shift in words."""

    id: str
    alias: str
    day: str
    begins: str
    ends: str
    over: bool


@dataclass(frozen=True)
class Shifts:
    runtime: Runtime

    def page(self) -> ResponseReturnValue:
        now = _now(self.runtime)
        monday = _week(now)
        leads = me().role in COORDINATORS
        planned = shifts.in_week(self.runtime, monday) if leads else ()
        there = attending.of(self.runtime, me().id)
        return page(
            "shifts",
            there=there,
            paused_until=words.at(there.paused_until, now)
            if there.paused(now) and there.paused_until
            else "",
            own=[_row(one, now) for one in shifts.own(self.runtime, me().id)],
            leads=leads,
            planned=[_row(one, now) for one in planned],
            monday=monday,
            week=words.days(monday, monday + timedelta(days=6)),
            earlier=monday - shifts.WEEK,
            later=monday + shifts.WEEK,
            people=[one for one in counselors.everyone(self.runtime) if not one.disabled] if leads else [],
            caps=attending.caps(self.runtime) if leads else {},
            helpers=Role.COUNSELOR,
            most_a_day=attending.MOST_A_DAY,
            longest=words.span(self.runtime.settings.longest_shift),
            given=request.form,
            today=now.date(),
        )

    def page_without(self, shift: str) -> ResponseReturnValue:  # noqa: ARG002 - the one that is not there
        return self.page()

    def pause(self) -> ResponseReturnValue:
        on = request.form.get("on") == "1"
        attending.pause(self.runtime, me().id, on=on)
        flash("pause_on" if on else "pause_off")
        return go("shifts")

    def plan(self) -> ResponseReturnValue:
        day, begins, ends = _day("day"), _time("begins"), _time("ends")
        if day is None or begins is None or ends is None:
            raise Refused("no_time")
        shifts.plan(self.runtime, request.form.get("alias", ""), day, begins, ends, by=me().id)
        flash("shift_planned")
        return go("shifts", week=shifts.week_of(day).isoformat())

    def remove(self, shift: str) -> ResponseReturnValue:
        shifts.remove(self.runtime, shift, by=me().id)
        flash("shift_removed")
        return go("shifts", week=_week(_now(self.runtime)).isoformat())

    def repeat(self) -> ResponseReturnValue:
        monday = _week(_now(self.runtime))
        made = shifts.repeat_week(self.runtime, monday, by=me().id)
        flash("week_repeated" if made else "nothing_to_repeat")
        return go("shifts", week=(monday + shifts.WEEK).isoformat())

    def cap(self) -> ResponseReturnValue:
        given = request.form.get("cap", "").strip()
        if given and not (given.isascii() and given.isdecimal() and len(given) <= 3):
            raise Refused("no_such_cap")
        attending.set_cap(
            self.runtime, request.form.get("alias", ""), int(given) if given else None, by=me().id
        )
        flash("cap_set")
        return go("shifts")


@dataclass(frozen=True)
class Hours:
    runtime: Runtime

    def page(self) -> ResponseReturnValue:
        kept = opening.kept(self.runtime)
        now = _now(self.runtime)
        opens = opening.opens_next(kept, now, self.runtime.settings.timezone)
        return page(
            "hours",
            week=list(zip(words.WEEKDAYS, kept.week, strict=True)),
            holidays=[
                (one.day, words.day(_noon(one.day, now), now), one.name, _said(one.span))
                for one in kept.holidays.values()
                if one.day >= now.date()
            ],
            said=_said,
            leads=me().role in COORDINATORS,
            open_now=opens == now,
            opens=words.at(opens, now) if opens and opens != now else "",
            longest_name=opening.LONGEST_NAME,
            given=request.form,
            today=now.date(),
        )

    def page_without(self, day: str) -> ResponseReturnValue:  # noqa: ARG002 - the one that is not there
        return self.page()

    def set_week(self) -> ResponseReturnValue:
        opening.set_week(self.runtime, [_span(f"{weekday}-") for weekday in range(7)], by=me().id)
        flash("hours_set")
        return go("hours")

    def set_holiday(self) -> ResponseReturnValue:
        day = _day("day")
        if day is None:
            raise Refused("no_time")
        name = " ".join(request.form.get("name", "").split())
        opening.set_holiday(self.runtime, Holiday(day, name, _span("")), by=me().id)
        flash("holiday_set")
        return go("hours")

    def remove_holiday(self, day: str) -> ResponseReturnValue:
        found = typed.day(day)
        if found is None:
            abort(404)
        opening.remove_holiday(self.runtime, found, by=me().id)
        flash("holiday_removed")
        return go("hours")


def _now(runtime: Runtime) -> datetime:
    return runtime.clock.now().astimezone(runtime.settings.timezone)


def _noon(day: date, now: datetime) -> datetime:
    return datetime.combine(day, time(12), now.tzinfo)


def _week(now: datetime) -> date:
    """The Monday of the week that was asked for, or else of this one."""
    day = typed.day(request.values.get("week", "")) or now.date()
    return shifts.week_of(day if abs(day - now.date()) < _FARTHEST else now.date())


def _row(shift: Shift, now: datetime) -> Row:
    begins, ends = (one.astimezone(now.tzinfo) for one in (shift.begins, shift.ends))
    weekday = words.tell(words.WEEKDAYS[begins.weekday()])
    return Row(
        shift.id,
        shift.alias,
        f"{weekday} {words.day(begins, now)}",
        f"{begins:%H:%M}",
        f"{ends:%H:%M}",
        shift.ends <= now,
    )


def _said(span: Span | None) -> str:
    """Hours in words."""
    if span is None:
        return words.tell("closed")
    if span.opens == span.closes == time():
        return words.tell("all day")
    return f"{span.opens:%H:%M}–{span.closes:%H:%M}"


def _span(prefix: str) -> Span | None:
    """What a form says of one day: `all` day, `closed`, or from when to when."""
    how = request.form.get(f"{prefix}how")
    if how == "closed":
        return None
    if how == "all":
        return Span(time(), time())
    opens, closes = _time(f"{prefix}opens"), _time(f"{prefix}closes")
    if opens is None or closes is None:
        raise Refused("no_time")
    return Span(opens, closes)


def _time(name: str) -> time | None:
    """Hours and minutes, as browsers send them."""
    try:
        return time.fromisoformat(request.form.get(name, "")).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        return None


def _day(name: str) -> date | None:
    return typed.day(request.form.get(name, ""))
