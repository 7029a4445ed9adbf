"""Being there: on and off shift by hand, by plan and by the clock, pauses, and how much a day may bring."""

from datetime import UTC, datetime, time, timedelta
from typing import Final

from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.services import opening
from gateway.store import attendance, audit, counselors, hours, legs, refusals, shifts
from gateway.store.attendance import Attendance
from gateway.store.counselors import Role
from gateway.store.database import Session

PAUSE: Final = timedelta(minutes=15)
NEW_ACCOUNTS: Final = 4  # requests a day, until a coordinator says otherwise
MOST_A_DAY: Final = 99

PLAN_OVER, CLOSED, LONG, MISSED, SHEET = "plan_over", "closed", "long", "missed", "sheet"
"""Who or what ended a shift that its counselor did not end; the console and the keypad say so."""


def of(runtime: Runtime, account: str) -> Attendance:
    with runtime.database.read() as session:
        return attendance.of(session, account)


def pause(runtime: Runtime, account: str, *, on: bool) -> None:
    """Not rung and not counted as there for a quarter of an hour, or there again at once."""
    now = runtime.clock.now()
    with runtime.database.write() as session:
        there = counselors.get(session, account)
        if there is None or not there.on_shift:
            raise Refused("not_on_shift")
        attendance.pause(session, account, now + PAUSE if on else None)


def off(session: Session, account: str, why: str, *, now: datetime) -> None:
    """Off shift by another hand than their own; the audit says so, and the counselor is told."""
    if attendance.end(session, account, why):
        audit.note(session, what=f"off_shift_{why}", account=None, subject=account, now=now)


# --- what the clock does ------------------------------------------------------------------------------


def tick(runtime: Runtime) -> None:
    """Begin and end shifts whose time has come, but end none during a call. Every few seconds; twice does no harm."""
    now = runtime.clock.now()
    with runtime.database.write() as session:
        for shift in shifts.to_begin(session, now):
            if shifts.begun(session, shift.id, now) and shift.ends > now:
                _begin(session, shift.account, now)
        busy = frozenset(legs.busy_accounts(session))
        for shift in shifts.to_end(session, now):
            if shift.account not in busy:
                shifts.ended(session, shift.id, now)
                if not shifts.between(session, now, now + timedelta(seconds=1), account=shift.account):
                    off(session, shift.account, PLAN_OVER, now=now)
        closed = opening.closed_last(hours.read(session), now, runtime.settings.timezone)
        longest = now - runtime.settings.longest_shift
        for moment, why in ((closed, CLOSED), (longest, LONG)):
            for account in attendance.here_since(session, moment) if moment else ():
                if account not in busy:
                    off(session, account, why, now=now)


def _begin(session: Session, account: str, now: datetime) -> None:
    there = counselors.get(session, account)
    if there is not None and there.has_phone and not there.disabled:
        attendance.begin(session, account, now)
        audit.note(session, what="shift_began", account=None, subject=account, now=now)


# --- who may take what --------------------------------------------------------------------------------


def today(runtime: Runtime, now: datetime) -> datetime:
    """When this day began on the hotline's clock."""
    zone = runtime.settings.timezone
    return datetime.combine(now.astimezone(zone).date(), time(), zone).astimezone(UTC)


def why_not(session: Session, runtime: Runtime, callback: str, account: str, *, now: datetime) -> str:
    """Why this account may not take this request now, as a reason's key; empty where it may.

    Asked in the transaction that takes it: the account's row is held until that is over.
    """
    if refusals.has(session, callback, account):
        return "refused_before"
    cap = attendance.cap_of(session, account)
    if cap is None:
        return ""
    taken = attendance.taken_since(session, account, today(runtime, now), but=callback)
    return "enough_today" if taken >= cap else ""


def may_not(session: Session, runtime: Runtime, callback: str, account: str, *, now: datetime) -> str:
    """The same for a page, which holds nothing: what was true a moment ago."""
    if refusals.has(session, callback, account):
        return "refused_before"
    return "enough_today" if enough(session, runtime, account, now) else ""


def enough(session: Session, runtime: Runtime, account: str, now: datetime) -> bool:
    """Whether this account has taken as many today as a day may bring."""
    return has_enough(session, runtime, account, attendance.of(session, account), now)


def has_enough(session: Session, runtime: Runtime, account: str, there: Attendance, now: datetime) -> bool:
    """The same where the attendance was read already."""
    cap = there.daily_cap
    return cap is not None and attendance.taken_since(session, account, today(runtime, now)) >= cap


def not_to_be_rung(session: Session, runtime: Runtime, callback: str, now: datetime) -> list[str]:
    """Accounts that are on shift and must not be rung for this request."""
    return [
        *refusals.of_request(session, callback),
        *attendance.paused(session, now),
        *attendance.full(session, today(runtime, now)),
    ]


def welcome(session: Session, account: str, role: Role) -> None:
    """A new counselor begins with few requests a day; whoever leads has no limit."""
    attendance.set_cap(session, account, NEW_ACCOUNTS if role is Role.COUNSELOR else None)


def caps(runtime: Runtime) -> dict[str, int | None]:
    """How many requests a day each account may take that was ever on shift or has a limit."""
    with runtime.database.read() as session:
        return {account: one.daily_cap for account, one in attendance.of_everyone(session).items()}


def set_cap(runtime: Runtime, alias: str, cap: int | None, *, by: str | None) -> None:
    """How many requests a day this account may take; None for as many as there are."""
    if cap is not None and not 1 <= cap <= MOST_A_DAY:
        raise Refused("no_such_cap")
    with runtime.database.write() as session:
        there = counselors.by_alias(session, alias)
        if there is None:
            raise Refused("no_such_account")
        attendance.set_cap(session, there.id, cap)
        audit.note(session, what="daily_cap", account=by, subject=there.id, now=runtime.clock.now())
