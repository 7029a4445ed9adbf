"""Calls that we place: a committed row before anything is dialled, so that a crash leaves a trace to look up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Column,
    Index,
    LargeBinary,
    Row,
    String,
    Table,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
    update,
)

from gateway.store.database import Instant, Session, metadata


class LegKind(StrEnum):
    """Why we ring: these are also the script's starting points."""

    COUNSELOR = "counselor"
    COLLEAGUE = "colleague"  # asked to join a talk that another counselor has
    CALLBACK = "callback"
    RING_BACK = "rung_back"
    KEYPAD = "keypad"
    CONFIRM = "confirm"
    PROGRAMME = "programme"
    LIVE = "live"  # her own call, in which she stays on the line: the one kind that we do not place


class LegState(StrEnum):
    """How far a leg got. `placing` without a carrier's id after a crash is what has to be looked up."""

    PLACING = "placing"
    PLACED = "placed"
    OPENED = "opened"  # the right key was pressed
    OVER = "over"
    UNCERTAIN = "uncertain"


LIVE = (LegState.PLACING, LegState.PLACED, LegState.OPENED, LegState.UNCERTAIN)

legs = Table(
    "legs",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("subject", String(24), nullable=False),  # the callback, opt-in or recipient it is for
    Column("account", String(24)),  # the counselor who is rung
    Column("line_index", LargeBinary(16), nullable=False),
    Column("state", String(12), nullable=False),
    Column("sid_digest", LargeBinary(16)),
    Column("sid", LargeBinary),  # sealed
    Column("result", String(16)),  # how it ended: completed, busy, no_answer, machine, other_key …
    Column("created", Instant, nullable=False),
    Column("ended", Instant),
)
_live = legs.c.ended.is_(None)
Index("ix_legs_subject", legs.c.subject)
Index("ix_legs_live", legs.c.created, sqlite_where=_live, postgresql_where=_live)
# How many of which kind stand on which line, asked before each call, is read from this alone.
Index("ix_legs_standing", legs.c.kind, legs.c.line_index, sqlite_where=_live, postgresql_where=_live)
Index("ix_legs_ended", legs.c.ended)


@dataclass(frozen=True, slots=True)
class Leg:
    """One call of ours."""

    id: str
    kind: LegKind
    subject: str
    account: str | None
    line_index: bytes
    state: LegState
    sid: bytes | None
    sid_digest: bytes | None
    result: str | None
    created: datetime
    ended: datetime | None


_COLUMNS = tuple(legs.c[name] for name in Leg.__dataclass_fields__)

# What webhooks ask of a leg: built once, because building a statement costs more than running it.
_GET = select(*_COLUMNS).where(legs.c.id == bindparam("this"))
_STAYING = (
    select(*_COLUMNS)
    .where(legs.c.subject == bindparam("of"), legs.c.kind == LegKind.LIVE, _live, legs.c.result.is_(None))
    .limit(1)
)


def _leg(row: Row[Any]) -> Leg:
    values = row._asdict()
    return Leg(**{**values, "kind": LegKind(values["kind"]), "state": LegState(values["state"])})


def get(session: Session, leg: str) -> Leg | None:
    row = session.execute(_GET, {"this": leg}).one_or_none()
    return None if row is None else _leg(row)


def add(session: Session, **values: Any) -> None:
    session.execute(insert(legs).values(state=LegState.PLACING, **values))


def add_all(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    session.execute(insert(legs).values(state=LegState.PLACING), list(rows))


def placed_all(session: Session, placed: Sequence[tuple[str, bytes, bytes]]) -> None:
    """The same as `placed` for several: leg, sealed id, its digest."""
    if not placed:
        return
    unknown = or_(legs.c.state == LegState.PLACING, legs.c.state == LegState.UNCERTAIN)
    session.execute(
        update(legs)
        .where(legs.c.id == bindparam("leg"))
        .values(
            sid=bindparam("sealed"),
            sid_digest=bindparam("digest"),
            state=case((unknown, LegState.PLACED), else_=legs.c.state),
        ),
        [{"leg": leg, "sealed": sealed, "digest": digest} for leg, sealed, digest in placed],
    )


def placed(session: Session, leg: str, *, sid: bytes, sid_digest: bytes) -> None:
    """The carrier's id is known; a leg whose first webhook was faster keeps the state it has."""
    session.execute(update(legs).where(legs.c.id == leg).values(sid=sid, sid_digest=sid_digest))
    session.execute(
        update(legs)
        .where(legs.c.id == leg, legs.c.state.in_((LegState.PLACING, LegState.UNCERTAIN)))
        .values(state=LegState.PLACED)
    )


def opened(session: Session, leg: str) -> None:
    session.execute(update(legs).where(legs.c.id == leg, _live).values(state=LegState.OPENED))


def belongs_to(session: Session, leg: str, *, kind: LegKind, subject: str) -> None:
    """From here on the line is about something else: a counselor on a keypad took a request."""
    session.execute(update(legs).where(legs.c.id == leg).values(kind=kind, subject=subject))


def busy_accounts(session: Session) -> Sequence[str]:
    """Counselors who are being rung, or talk, just now."""
    query = select(legs.c.account).where(_live, legs.c.account.is_not(None))
    return [account for account in session.execute(query).scalars() if account]


def uncertain(session: Session, leg: str) -> None:
    session.execute(
        update(legs)
        .where(legs.c.id == leg, legs.c.state == LegState.PLACING)
        .values(state=LegState.UNCERTAIN)
    )


def say_result(session: Session, leg: str, result: str) -> None:
    """Note how it went; the first word counts (a machine's `completed` is still a machine)."""
    session.execute(update(legs).where(legs.c.id == leg, legs.c.result.is_(None)).values(result=result))


def end(session: Session, leg: str, *, now: datetime) -> bool:
    """True the first time only, however many status reports come."""
    over = {
        "state": LegState.OVER,
        "ended": now,
        "sid": None,
    }  # the provider's id is on the deletion list by now
    return session.execute(update(legs).where(legs.c.id == leg, _live).values(over)).rowcount == 1


def forget_ids_of_ended(session: Session) -> int:
    """Of calls that were over before the provider told us their id."""
    late = update(legs).where(legs.c.ended.is_not(None), legs.c.sid.is_not(None))
    return session.execute(late.values(sid=None)).rowcount


def live_of(session: Session, subject: str) -> Sequence[Leg]:
    rows = session.execute(select(*_COLUMNS).where(legs.c.subject == subject, _live).order_by(legs.c.created))
    return [_leg(row) for row in rows]


def staying(session: Session, subject: str) -> Leg | None:
    """The call in which she who asked stays on the line and has met nobody yet."""
    row = session.execute(_STAYING, {"of": subject}).one_or_none()
    return None if row is None else _leg(row)


def of_account(session: Session, account: str) -> Sequence[Leg]:
    """The calls with this counselor that stand."""
    rows = session.execute(select(*_COLUMNS).where(_live, legs.c.account == account))
    return [_leg(row) for row in rows]


def of(session: Session, subject: str) -> Sequence[Leg]:
    rows = session.execute(select(*_COLUMNS).where(legs.c.subject == subject).order_by(legs.c.created))
    return [_leg(row) for row in rows]


def live(session: Session) -> int:
    """How many calls of ours stand now."""
    return session.execute(select(func.count()).select_from(legs).where(_live)).scalar_one()


def live_ids(session: Session) -> Sequence[str]:
    return session.execute(select(legs.c.id).where(_live)).scalars().all()


def live_sids(session: Session) -> Sequence[tuple[str, bytes]]:
    """Calls that stand, with the carrier's sealed ids, where it is known."""
    rows = session.execute(select(legs.c.id, legs.c.sid).where(_live, legs.c.sid.is_not(None)))
    return [(row.id, row.sid) for row in rows]


def older_live(session: Session, moment: datetime, *, most: int) -> Sequence[Leg]:
    """Calls that should long be over: their end was never reported."""
    rows = session.execute(
        select(*_COLUMNS).where(_live, legs.c.created < moment).order_by(legs.c.created).limit(most)
    )
    return [_leg(row) for row in rows]


def remove_ended_of(session: Session, subject: str) -> None:
    """Those that are over; a call that stands must stay known, or it could not be ended."""
    session.execute(legs.delete().where(legs.c.subject == subject, legs.c.ended.is_not(None)))


def newer_live(session: Session, leg: Leg) -> bool:
    """Whether another call of this kind stands for the same subject, placed after this one."""
    query = select(legs.c.id).where(
        legs.c.subject == leg.subject, legs.c.kind == leg.kind, legs.c.id != leg.id, _live,
        legs.c.created >= leg.created,
    )  # fmt: skip
    if leg.account is not None:
        query = query.where(legs.c.account == leg.account)
    return session.execute(query.limit(1)).first() is not None


def live_lines(session: Session) -> dict[bytes, int]:
    """How many calls stand on each line now."""
    query = select(legs.c.line_index, func.count()).where(_live).group_by(legs.c.line_index)
    return {bytes(line): count for line, count in session.execute(query)}


def live_kinds(session: Session) -> dict[str, int]:
    """How many calls of each kind stand now."""
    query = select(legs.c.kind, func.count()).where(_live).group_by(legs.c.kind)
    return dict(session.execute(query).all())
