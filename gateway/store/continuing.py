"""What goes on with a case: kept open for another week, or offered to a colleague."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, LargeBinary, String, Table, delete, func, select

from gateway.store.callbacks import CallbackState, callbacks, moves
from gateway.store.database import Instant, Session, metadata, upsert

# A closed case that somebody had a reason to keep longer than the usual week.
renewals = Table(
    "renewals",
    metadata,
    Column("callback", String(24), ForeignKey(callbacks.c.id, ondelete="CASCADE"), primary_key=True),
    Column("until", Instant, nullable=False),
    Column("reason", LargeBinary, nullable=False),  # sealed under the contact's own key
    Column("account", String(24), nullable=False),
    Column("at", Instant, nullable=False),
)

# A taken case that its counselor would like a certain colleague to have: it stays hers until that one says yes.
handovers = Table(
    "handovers",
    metadata,
    Column("callback", String(24), ForeignKey(callbacks.c.id, ondelete="CASCADE"), primary_key=True),
    Column("giver", String(24), nullable=False),
    Column("taker", String(24), nullable=False, index=True),
    Column("until", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Renewal:
    """Until when a case is kept; `reason` is sealed."""

    callback: str
    until: datetime
    reason: bytes
    account: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Handover:
    """An offer of one case by one colleague to another; past `until` it is nothing."""

    callback: str
    giver: str
    taker: str
    until: datetime


_RENEWAL = tuple(renewals.c[name] for name in Renewal.__dataclass_fields__)
_HANDOVER = tuple(handovers.c[name] for name in Handover.__dataclass_fields__)


def renew(session: Session, **values: Any) -> None:
    """Keep a case until then; a later renewal takes the place of the one before."""
    upsert(session, renewals, ("callback",), values)


def renewal(session: Session, callback: str) -> Renewal | None:
    row = session.execute(select(*_RENEWAL).where(renewals.c.callback == callback)).one_or_none()
    return None if row is None else Renewal(*row)


def end_renewal(session: Session, callback: str) -> None:
    session.execute(delete(renewals).where(renewals.c.callback == callback))


def kept_past(session: Session, callback: str, now: datetime) -> bool:
    """Whether somebody keeps this closed case open still."""
    query = select(renewals.c.callback).where(renewals.c.callback == callback, renewals.c.until > now)
    return session.execute(query).first() is not None


def over(session: Session, *, ended_before: datetime, now: datetime, most: int) -> Sequence[tuple[str, str]]:
    """Closed cases, and their people, that are kept longer than the usual time and any renewal allow."""
    kept = select(renewals.c.callback).where(renewals.c.callback == callbacks.c.id, renewals.c.until > now)
    query = (
        select(callbacks.c.id, callbacks.c.contact)
        .where(callbacks.c.ended < ended_before, callbacks.c.contact.is_not(None), ~kept.exists())
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return [(row.id, row.contact) for row in session.execute(query)]


def kept(
    session: Session, *, account: str | None, since: datetime, now: datetime, most: int
) -> Sequence[str]:
    """Closed cases that are kept: of one account, or of everybody; those whose time ends first stand first."""
    query = (
        select(callbacks.c.id)
        .outerjoin(renewals, renewals.c.callback == callbacks.c.id)
        .where(
            callbacks.c.state == CallbackState.DONE,
            callbacks.c.contact.is_not(None),
            (callbacks.c.ended > since) | (renewals.c.until > now),
        )
        .order_by(callbacks.c.ended, callbacks.c.id)
        .limit(most)
    )
    if account is not None:
        query = query.where(callbacks.c.claimed_by == account)
    return session.execute(query).scalars().all()


def first_talk(session: Session, callback: str) -> datetime | None:
    """When they first talked in this case."""
    query = select(func.min(moves.c.at)).where(
        moves.c.callback == callback, moves.c.state == CallbackState.TALKING
    )
    found: datetime | None = session.execute(query).scalar()
    return found


def offer(session: Session, **values: Any) -> None:
    """One offer a case: a newer takes the place of the one before."""
    upsert(session, handovers, ("callback",), values)


def offered(session: Session, callback: str, now: datetime) -> Handover | None:
    """The offer that stands for this case."""
    query = select(*_HANDOVER).where(handovers.c.callback == callback, handovers.c.until > now)
    row = session.execute(query).one_or_none()
    return None if row is None else Handover(*row)


def offered_to(session: Session, account: str, now: datetime) -> Sequence[str]:
    """Cases of colleagues, who still have charge of them, that this account is asked to have, or whose talk to join."""
    query = (
        select(handovers.c.callback)
        .join(callbacks, callbacks.c.id == handovers.c.callback)
        .where(
            handovers.c.taker == account,
            handovers.c.until > now,
            callbacks.c.state.in_((CallbackState.CLAIMED, CallbackState.TALKING)),
            callbacks.c.claimed_by == handovers.c.giver,
        )
        .order_by(handovers.c.until)
    )
    return session.execute(query).scalars().all()


def end_offer(session: Session, callback: str) -> None:
    session.execute(delete(handovers).where(handovers.c.callback == callback))


def latest(session: Session) -> int:
    """A number that grows with everything that happens to any case; it says nothing else."""
    return int(session.execute(select(func.coalesce(func.max(moves.c.id), 0))).scalar_one())
