"""Where each call stands; rows are gone soon after the line is free."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Integer, LargeBinary, String, Table, bindparam, delete, insert, select, update

from gateway.store.database import Instant, Session, metadata

conversations = Table(
    "conversations",
    metadata,
    Column("sid_digest", LargeBinary(16), primary_key=True),
    Column("leg", String(24)),
    Column("step", Integer, nullable=False),
    Column("state", LargeBinary, nullable=False),  # sealed: a state holds what was chosen
    Column("touched", Instant, nullable=False, index=True),
)


# Every turn runs these: built once, because building a statement costs more than running it.
_this = conversations.c.sid_digest == bindparam("sid")
_LOAD = (
    select(conversations.c.leg, conversations.c.step, conversations.c.state, conversations.c.touched)
    .where(_this)
    .with_for_update()
)
_BEGIN = insert(conversations)
_GO_ON = update(conversations).where(_this)


@dataclass(frozen=True, slots=True)
class Conversation:
    """`step` is the number of the answer that left last, at `touched`; `leg` is None for calls dialled in."""

    leg: str | None
    step: int
    state: bytes
    touched: datetime


def load(session: Session, sid_digest: bytes) -> Conversation | None:
    """Read it to go on from it: two events of one call at once are taken one after the other."""
    row = session.execute(_LOAD, {"sid": sid_digest}).one_or_none()
    return None if row is None else Conversation(*row)


def begin(
    session: Session, sid_digest: bytes, *, leg: str | None, step: int, state: bytes, now: datetime
) -> None:
    values = {"sid_digest": sid_digest, "leg": leg, "step": step, "state": state, "touched": now}
    session.execute(_BEGIN, values)


def go_on(session: Session, sid_digest: bytes, *, step: int, state: bytes, now: datetime) -> None:
    session.execute(_GO_ON, {"sid": sid_digest, "step": step, "state": state, "touched": now})


def belongs_to(session: Session, sid_digest: bytes, leg: str) -> None:
    """From here on this call, which was dialled in, is a leg."""
    session.execute(update(conversations).where(conversations.c.sid_digest == sid_digest).values(leg=leg))


def end(session: Session, sid_digest: bytes) -> bool:
    """True the first time only."""
    done = session.execute(delete(conversations).where(conversations.c.sid_digest == sid_digest))
    return done.rowcount == 1


def drop_before(session: Session, moment: datetime) -> int:
    return session.execute(delete(conversations).where(conversations.c.touched < moment)).rowcount
