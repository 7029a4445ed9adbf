"""Failed tries to get in, by lane: a keyed hash of what was typed and from where, known account or not."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Integer, LargeBinary, Table, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.database import Instant, Session, metadata

guesses = Table(
    "guesses",
    metadata,
    Column("lane", LargeBinary(16), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("wait_until", Instant),
    Column("seen", Instant, nullable=False, index=True),
)


def waits_until(session: Session, lane: bytes) -> datetime | None:
    """Until when tries in this lane do not count."""
    until: datetime | None = session.execute(
        select(guesses.c.wait_until).where(guesses.c.lane == lane)
    ).scalar()
    return until


def count(session: Session, lane: bytes, now: datetime) -> tuple[int, datetime | None]:
    """Count a try. Return how many in a row, and until when the lane waits.

    One atomic statement: its row is held until the transaction ends, so that of ten at once each sees the last.
    """
    make: Any = sqlite.insert if session.dialect.name == "sqlite" else postgresql.insert
    statement = make(guesses).values(lane=lane, failures=1, seen=now)
    row = session.execute(
        statement.on_conflict_do_update(
            index_elements=("lane",), set_={"failures": guesses.c.failures + 1, "seen": now}
        ).returning(guesses.c.failures, guesses.c.wait_until)
    ).one()
    return row.failures, row.wait_until


def put_off(session: Session, lane: bytes, until: datetime) -> None:
    session.execute(update(guesses).where(guesses.c.lane == lane).values(wait_until=until))


def clear(session: Session, lane: bytes) -> None:
    session.execute(delete(guesses).where(guesses.c.lane == lane))


def drop_before(session: Session, moment: datetime) -> None:
    session.execute(delete(guesses).where(guesses.c.seen < moment))
