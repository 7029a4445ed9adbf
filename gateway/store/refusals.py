"""Requests that a counselor does not want to ring for; what the reason is, is nobody's business."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, ForeignKey, String, Table, select

from gateway.store.callbacks import callbacks
from gateway.store.counselors import accounts
from gateway.store.database import Instant, Session, metadata, upsert

refusals = Table(
    "refusals",
    metadata,
    Column("callback", String(24), ForeignKey(callbacks.c.id, ondelete="CASCADE"), primary_key=True),
    Column(
        "account", String(24), ForeignKey(accounts.c.id, ondelete="CASCADE"), primary_key=True, index=True
    ),
    Column("at", Instant, nullable=False),
)


def add(session: Session, callback: str, account: str, *, now: datetime) -> None:
    upsert(session, refusals, ("callback", "account"), {"callback": callback, "account": account, "at": now})


def has(session: Session, callback: str, account: str) -> bool:
    query = select(refusals.c.at).where(refusals.c.callback == callback, refusals.c.account == account)
    return session.execute(query).first() is not None


def of_request(session: Session, callback: str) -> Sequence[str]:
    """The accounts that do not want it."""
    return session.execute(select(refusals.c.account).where(refusals.c.callback == callback)).scalars().all()


def of_account(session: Session, account: str) -> frozenset[str]:
    """The requests that this account does not want."""
    query = (
        select(refusals.c.callback)
        .join_from(refusals, callbacks)
        .where(refusals.c.account == account, callbacks.c.ended.is_(None))
    )
    return frozenset(session.execute(query).scalars())
