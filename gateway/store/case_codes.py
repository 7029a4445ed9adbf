"""Cases that keep no number: found again by a code and the person's own key."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table, insert, select, update

from gateway.store.callbacks import callbacks
from gateway.store.database import Instant, Session, metadata

case_codes = Table(
    "case_codes",
    metadata,
    Column("digest", LargeBinary(16), primary_key=True),  # keyed: six digits are few
    Column(
        "callback", String(24), ForeignKey(callbacks.c.id, ondelete="CASCADE"), nullable=False, unique=True
    ),
    Column("guesses", Integer, nullable=False, server_default="0"),
    Column("shut_until", Instant),
)


@dataclass(frozen=True, slots=True)
class CaseCode:
    """`shut_until` is set after too many wrong own keys; until then even the right one is unknown."""

    callback: str
    guesses: int
    shut_until: datetime | None


def add(session: Session, digest: bytes, callback: str) -> None:
    session.execute(insert(case_codes).values(digest=digest, callback=callback))


def find(session: Session, digest: bytes) -> CaseCode | None:
    row = session.execute(
        select(case_codes.c.callback, case_codes.c.guesses, case_codes.c.shut_until).where(
            case_codes.c.digest == digest
        )
    ).one_or_none()
    return None if row is None else CaseCode(*row)


def of(session: Session, callback: str) -> bool:
    """Whether this request is found by a code."""
    query = select(case_codes.c.digest).where(case_codes.c.callback == callback)
    return session.execute(query).first() is not None


def goes_on_as(session: Session, callback: str, new: str) -> None:
    """The code of a closed case finds the one that follows it."""
    session.execute(update(case_codes).where(case_codes.c.callback == callback).values(callback=new))


def guessed(session: Session, digest: bytes, *, shut_until: datetime | None) -> None:
    session.execute(
        update(case_codes)
        .where(case_codes.c.digest == digest)
        .values(guesses=case_codes.c.guesses + 1, shut_until=shut_until)
    )
