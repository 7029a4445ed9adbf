"""Who is there: since when, until when with a pause, why no longer, and how much a day may bring."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, bindparam, func, select, update

from gateway.store.callbacks import moves
from gateway.store.counselors import accounts
from gateway.store.database import Instant, Session, metadata, upsert

attendance = Table(
    "attendance",
    metadata,
    Column("account", String(24), ForeignKey(accounts.c.id, ondelete="CASCADE"), primary_key=True),
    Column("since", Instant),  # on shift since then
    Column("paused_until", Instant),
    Column("off_why", String(16), nullable=False, server_default=""),  # who or what else ended the shift
    Column("daily_cap", Integer),  # requests a day; NULL for as many as there are
)
Index("ix_attendance_since", attendance.c.since)


@dataclass(frozen=True, slots=True)
class Attendance:
    """How it stands with one account. `off_why` is a reason's key, empty where the shift ended by their own hand."""

    since: datetime | None = None
    paused_until: datetime | None = None
    off_why: str = ""
    daily_cap: int | None = None

    def paused(self, now: datetime) -> bool:
        return self.paused_until is not None and self.paused_until > now


NEVER_HERE: Final = Attendance()
_COLUMNS = tuple(attendance.c[name] for name in Attendance.__dataclass_fields__)
_THERE = (
    select(func.count())
    .select_from(accounts.outerjoin(attendance, attendance.c.account == accounts.c.id))
    .where(
        accounts.c.on_shift,
        ~accounts.c.disabled,
        func.coalesce(attendance.c.paused_until, 0) <= bindparam("now", type_=Instant),
    )
)


def of(session: Session, account: str) -> Attendance:
    row = session.execute(select(*_COLUMNS).where(attendance.c.account == account)).one_or_none()
    return NEVER_HERE if row is None else Attendance(*row)


def of_everyone(session: Session) -> Mapping[str, Attendance]:
    rows = session.execute(select(attendance.c.account, *_COLUMNS))
    return {row.account: Attendance(*row[1:]) for row in rows}


def there(session: Session, now: datetime) -> int:
    """How many are on shift; whoever has a pause just now is not there."""
    return session.execute(_THERE, {"now": now}).scalar_one()


def begin(session: Session, account: str, now: datetime) -> None:
    """On shift from now on; who is already goes on, without a pause."""
    on = accounts.c.id == account, ~accounts.c.disabled, ~accounts.c.on_shift
    began = session.execute(update(accounts).where(*on).values(on_shift=True, missed_rings=0)).rowcount == 1
    _keep(session, account, paused_until=None, off_why="", **({"since": now} if began else {}))


def end(session: Session, account: str, why: str = "") -> bool:
    """Off shift; `why` is kept where it was not their own doing. False where they were not on shift."""
    on = accounts.c.id == account, accounts.c.on_shift
    ended = session.execute(update(accounts).where(*on).values(on_shift=False, missed_rings=0)).rowcount == 1
    if ended:
        _keep(session, account, since=None, paused_until=None, off_why=why)
    return ended


def pause(session: Session, account: str, until: datetime | None) -> None:
    """Not there until then; None ends the pause."""
    _keep(session, account, paused_until=until)


def set_cap(session: Session, account: str, cap: int | None) -> None:
    _keep(session, account, daily_cap=cap)


def paused(session: Session, now: datetime) -> Sequence[str]:
    """The accounts that have a pause just now."""
    return (
        session.execute(select(attendance.c.account).where(attendance.c.paused_until > now)).scalars().all()
    )


def here_since(session: Session, moment: datetime) -> Sequence[str]:
    """Who has been on shift since before then."""
    query = (
        select(accounts.c.id)
        .join_from(accounts, attendance)
        .where(accounts.c.on_shift, attendance.c.since < moment)
    )
    return session.execute(query).scalars().all()


# --- how much a day may bring -------------------------------------------------------------------------


def cap_of(session: Session, account: str) -> int | None:
    """How many requests a day; the account's row is held, so that of two claims at once each counts the other."""
    session.execute(select(accounts.c.id).where(accounts.c.id == account).with_for_update())
    return of(session, account).daily_cap


def taken_since(session: Session, account: str, moment: datetime, *, but: str = "") -> int:
    """How many requests other than `but` this account took since then; one taken twice counts once."""
    query = select(func.count(moves.c.callback.distinct())).where(
        moves.c.account == account, moves.c.at >= moment, moves.c.why == "claimed", moves.c.callback != but
    )
    return session.execute(query).scalar_one()


def full(session: Session, moment: datetime) -> Sequence[str]:
    """Accounts on shift that have taken since then as many as a day may bring."""
    capped = select(accounts.c.id, attendance.c.daily_cap).join_from(accounts, attendance)
    rows = session.execute(capped.where(accounts.c.on_shift, attendance.c.daily_cap.is_not(None))).all()
    return [row.id for row in rows if taken_since(session, row.id, moment) >= row.daily_cap]


def _keep(session: Session, account: str, **values: Any) -> None:
    upsert(session, attendance, ("account",), {"account": account, **values})
