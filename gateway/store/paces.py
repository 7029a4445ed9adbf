"""The pace at which all hosts together dial: one row, moved on by one atomic statement for each slice of calls.

It is the moment before which no further call may begin (a leaky bucket of depth one, known as GCRA), and how many
moments were taken so far. A moment is never given back; one that is used late moves on those nobody has taken yet.
"""

from dataclasses import dataclass
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
    Column("taken", BigInteger, nullable=False, server_default="0"),  # moments since the beginning
)
_US: Final = timedelta(microseconds=1)
_LOST: Final = 300_000_000  # a moment so far ahead was written by a clock that has been set back


@dataclass(frozen=True, slots=True)
class Moment:
    """When one call may begin, the how manieth of all."""

    at: datetime
    number: int


def reserve(
    session: Session, name: str, *, now: datetime, every: timedelta, count: int, ahead: timedelta
) -> Moment | None:
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
        .values(free_at=begins + count * step, taken=paces.c.taken + count)
        .returning(paces.c.free_at, paces.c.taken)
    )
    moved = session.execute(move).one_or_none()
    if moved is None:  # too far off, or the first call of all, perhaps on two hosts at once
        make = sqlite.insert if session.dialect.name == "sqlite" else postgresql.insert
        session.execute(make(paces).values(name=name, free_at=0).on_conflict_do_nothing())
        moved = session.execute(move).one_or_none()
    if moved is None:
        return None
    return Moment(EPOCH + (moved.free_at - count * step) * _US, moved.taken - count)


def leave_late(
    session: Session,
    name: str,
    moment: Moment,
    *,
    until: datetime,
    every: timedelta,
    most: int,
    span: timedelta,
) -> bool:
    """Let the call of this moment begin as late as `until`, and yet no more than `most` in any `span`.

    For that the call `most` places after it must begin a span later; so those moments that nobody has taken yet are
    put off where they would come too soon. False where that one was taken already: this call needs a new moment.
    """
    step, latest = every // _US, (until + span - EPOCH) // _US
    between = most - (paces.c.taken - moment.number)  # moments still to be taken before that one
    soonest = latest - between * step
    moved = session.execute(
        update(paces)
        .where(paces.c.name == name, between >= 0)
        .values(free_at=case((paces.c.free_at < soonest, soonest), else_=paces.c.free_at))
    )
    return moved.rowcount == 1


def free_at(session: Session, name: str) -> datetime | None:
    """When the next call may begin, as things stand."""
    found = session.execute(select(paces.c.free_at).where(paces.c.name == name)).scalar()
    return None if found is None else EPOCH + found * _US
