"""The plan of shifts: who is to be there from when to when, and how far the clock has got with each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, String, Table, delete, insert, select, update

from gateway.store.counselors import accounts
from gateway.store.database import Instant, Session, metadata

shifts = Table(
    "shifts",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("account", String(24), ForeignKey(accounts.c.id, ondelete="CASCADE"), nullable=False),
    Column("begins", Instant, nullable=False),
    Column("ends", Instant, nullable=False),
    Column("began", Instant),  # when the clock saw it begin
    Column("ended", Instant),
)
_unfinished = shifts.c.ended.is_(None)
Index("ix_shifts_unfinished", shifts.c.begins, sqlite_where=_unfinished, postgresql_where=_unfinished)
Index("ix_shifts_account_begins", shifts.c.account, shifts.c.begins)
Index("ix_shifts_ends", shifts.c.ends)


@dataclass(frozen=True, slots=True)
class Shift:
    """One planned shift; `alias` is whose."""

    id: str
    account: str
    alias: str
    begins: datetime
    ends: datetime
    began: datetime | None


_QUERY = select(
    shifts.c.id, shifts.c.account, accounts.c.alias, shifts.c.begins, shifts.c.ends, shifts.c.began
).join_from(shifts, accounts, shifts.c.account == accounts.c.id)


def _shift(row: Any) -> Shift:
    return Shift(*row)


def add(session: Session, shift: str, *, account: str, begins: datetime, ends: datetime) -> None:
    session.execute(insert(shifts).values(id=shift, account=account, begins=begins, ends=ends))


def get(session: Session, shift: str) -> Shift | None:
    row = session.execute(_QUERY.where(shifts.c.id == shift)).one_or_none()
    return None if row is None else _shift(row)


def remove(session: Session, shift: str) -> None:
    session.execute(delete(shifts).where(shifts.c.id == shift))


def between(
    session: Session, begins: datetime, ends: datetime, *, account: str | None = None
) -> Sequence[Shift]:
    """The shifts of which some part lies between the two, in their order; with `account` only theirs."""
    query = _QUERY.where(shifts.c.ends > begins, shifts.c.begins < ends)
    if account is not None:
        query = query.where(shifts.c.account == account)
    return [_shift(row) for row in session.execute(query.order_by(shifts.c.begins, accounts.c.alias))]


def to_begin(session: Session, now: datetime) -> Sequence[Shift]:
    """Those whose time has come and of which the clock has not seen the beginning."""
    query = _QUERY.where(_unfinished, shifts.c.begins <= now, shifts.c.began.is_(None))
    return [_shift(row) for row in session.execute(query)]


def to_end(session: Session, now: datetime) -> Sequence[Shift]:
    """Those that began, whose time is over and of which the clock has not seen the end."""
    query = _QUERY.where(_unfinished, shifts.c.began.is_not(None), shifts.c.ends <= now)
    return [_shift(row) for row in session.execute(query)]


def begun(session: Session, shift: str, now: datetime) -> bool:
    """True the first time only, however many clocks look."""
    done = session.execute(
        update(shifts).where(shifts.c.id == shift, shifts.c.began.is_(None)).values(began=now)
    )
    return done.rowcount == 1


def ended(session: Session, shift: str, now: datetime) -> None:
    session.execute(update(shifts).where(shifts.c.id == shift).values(ended=now))


def overlaps(session: Session, account: str, begins: datetime, ends: datetime) -> bool:
    """Whether this account is planned for some of that time already."""
    query = select(shifts.c.id).where(
        shifts.c.account == account, shifts.c.begins < ends, shifts.c.ends > begins
    )
    return session.execute(query.limit(1)).first() is not None


def drop_before(session: Session, moment: datetime) -> None:
    """Plans of long ago: who was there when is nobody's business any more."""
    session.execute(delete(shifts).where(shifts.c.ends < moment))
