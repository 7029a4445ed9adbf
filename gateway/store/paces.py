"""The pace at which all hosts together dial: one row, moved on by one atomic statement for each call.

It is the moment before which no further call may begin (a leaky bucket of depth one, known as GCRA).
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import BigInteger, Column, String, Table, case, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.database import EPOCH, Session, metadata

paces = Table(
    "paces",
    metadata,
    Column("name", String(16), primary_key=True),
    Column(
        "free_at", BigInteger, nullable=False
    ),  # microseconds since 1970: a call a millisecond is too coarse
)
_US: Final = timedelta(microseconds=1)
_LOST: Final = 300_000_000  # a moment so far ahead was written by a clock that has been set back


def reserve(
    session: Session, name: str, *, now: datetime, every: timedelta, count: int, ahead: timedelta
) -> datetime | None:
    """Take `count` moments that are `every` apart. Return the first, or None where it is further off than `ahead`.

    Nobody else is given these moments; whoever cannot use one lets it pass.
    """
    moment, step, reach = (now - EPOCH) // _US, every // _US, ahead // _US
    begins = case(
        (paces.c.free_at > moment + _LOST, literal(moment, BigInteger)),
        (paces.c.free_at > moment, paces.c.free_at),
        else_=literal(moment, BigInteger),
    )
    free = (paces.c.free_at <= moment + reach) | (paces.c.free_at > moment + _LOST)
    move = (
        update(paces)
        .where(paces.c.name == name, free)
        .values(free_at=begins + count * step)
        .returning(paces.c.free_at)
    )
    moved = session.execute(move).scalar()
    if moved is None:  # too far off, or the first call of all, perhaps on two hosts at once
        make = sqlite.insert if session.dialect.name == "sqlite" else postgresql.insert
        session.execute(make(paces).values(name=name, free_at=0).on_conflict_do_nothing())
        moved = session.execute(move).scalar()
    return None if moved is None else EPOCH + (moved - count * step) * _US


def free_at(session: Session, name: str) -> datetime | None:
    """When the next call may begin, as things stand."""
    found = session.execute(select(paces.c.free_at).where(paces.c.name == name)).scalar()
    return None if found is None else EPOCH + found * _US
