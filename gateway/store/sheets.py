"""Counselors' sheets: numbered codes to type on a keypad, each good once and only in its turn."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)

from gateway.store.counselors import accounts
from gateway.store.database import Instant, Session, metadata

sheet_codes = Table(
    "sheet_codes",
    metadata,
    Column("account", String(24), ForeignKey(accounts.c.id, ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("digest", LargeBinary(16), nullable=False),
    Column("used", Instant),
)


def renew(session: Session, account: str, digests: Sequence[bytes]) -> None:
    """A fresh sheet; the old one works no more."""
    burn(session, account)
    session.execute(
        insert(sheet_codes),
        [
            {"account": account, "number": number, "digest": one}
            for number, one in enumerate(digests, start=1)
        ],
    )


def burn(session: Session, account: str) -> None:
    session.execute(delete(sheet_codes).where(sheet_codes.c.account == account))


def next_code(session: Session, account: str) -> tuple[int, bytes] | None:
    """Number and digest of the one code that works now, or None where the sheet is used up."""
    row = session.execute(
        select(sheet_codes.c.number, sheet_codes.c.digest)
        .where(sheet_codes.c.account == account, sheet_codes.c.used.is_(None))
        .order_by(sheet_codes.c.number)
        .limit(1)
    ).one_or_none()
    return None if row is None else (row.number, row.digest)


def use(session: Session, account: str, number: int, now: datetime) -> bool:
    """One atomic statement: of two at once exactly one is the first."""
    done = session.execute(
        update(sheet_codes)
        .where(sheet_codes.c.account == account, sheet_codes.c.number == number, sheet_codes.c.used.is_(None))
        .values(used=now)
    )
    return done.rowcount == 1


def holders(session: Session) -> Sequence[str]:
    """The accounts that have a code left."""
    query = select(sheet_codes.c.account).where(sheet_codes.c.used.is_(None)).distinct()
    return session.execute(query).scalars().all()


def left(session: Session, account: str) -> int:
    query = (
        select(func.count())
        .select_from(sheet_codes)
        .where(sheet_codes.c.account == account, sheet_codes.c.used.is_(None))
    )
    return session.execute(query).scalar_one()
