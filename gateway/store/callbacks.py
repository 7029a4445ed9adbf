"""Callback requests: who asked to be rung, when it is safe, who is at it, and how it stands."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    and_,
    bindparam,
    false,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
    update,
)

from gateway.store.contacts import contacts
from gateway.store.counselors import Account
from gateway.store.database import Instant, Session, metadata


class CallbackState(StrEnum):
    """How a request stands; `services.callbacks` holds the moves that are allowed."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    CALLING_COUNSELOR = "calling_counselor"
    CALLING_CALLER = "calling_caller"
    TALKING = "talking"
    DONE = "done"
    NO_ANSWER = "no_answer"
    NOT_SAFE = "not_safe"
    WRONG_PERSON = "wrong_person"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    UNCERTAIN = "uncertain"
    FORGOTTEN = "forgotten"


HOUR = "hour"
"""The wish of somebody who wants to be rung as soon as somebody is there."""
BY_TEXT = "text"
"""The wish of somebody who texted and did not ask to be rung."""

ENDED = (
    CallbackState.DONE,
    CallbackState.NO_ANSWER,
    CallbackState.NOT_SAFE,
    CallbackState.WRONG_PERSON,
    CallbackState.WITHDRAWN,
    CallbackState.EXPIRED,
    CallbackState.FORGOTTEN,
)

callbacks = Table(
    "callbacks",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("contact", String(24), ForeignKey(contacts.c.id, ondelete="SET NULL")),
    Column("handle", String(40), nullable=False),
    Column("state", String(20), nullable=False),
    Column("wish", String(10), nullable=False),
    Column("own_keys", String(8), nullable=False),
    Column("language", String(8), nullable=False),
    Column("line_index", LargeBinary(16), nullable=False),  # which of our public numbers was contacted
    Column("asks", Integer, nullable=False, server_default="1"),
    Column("asked", Instant, nullable=False),
    Column("not_before", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    Column("repeats", Integer, nullable=False),  # further windows that may follow an unanswered one
    Column("rank", Instant, nullable=False),  # the earliest stands first: `services.priority`
    Column("danger", Instant),  # when she said that she is in danger
    Column("woman", Boolean, nullable=False, server_default=false()),  # wishes to talk with a woman
    Column("by_code", Boolean, nullable=False, server_default=false()),  # its phone is borrowed
    Column("escalated", Instant),  # since when coordinators are told that its time ends
    Column("flagged", Boolean, nullable=False, server_default=false()),  # a counselor ended it: not safe
    Column("redials", Integer, nullable=False, server_default="0"),  # after a line that dropped
    Column("claimed_by", String(24)),
    Column("lease_until", Instant),
    Column("room", String(24), nullable=False),  # opaque name of the conference
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("reached", Integer, nullable=False, server_default="0"),
    Column("note", LargeBinary),
    Column("ended", Instant),
    Column("changed", Instant, nullable=False),
)
_open = callbacks.c.ended.is_(None)
# Written out, for a planner that sees a parameter cannot tell that a partial index holds what is asked.
_waiting = and_(_open, callbacks.c.state == literal_column(f"'{CallbackState.WAITING}'"))
Index("ix_callbacks_rank", callbacks.c.rank, sqlite_where=_waiting, postgresql_where=_waiting)
Index("ix_callbacks_not_before", callbacks.c.not_before, sqlite_where=_waiting, postgresql_where=_waiting)
# For whom people are rung instead of waiting until somebody looks: `services.pool.urgent` says the same.
_urgent = or_(callbacks.c.wish == HOUR, callbacks.c.danger.is_not(None), callbacks.c.escalated.is_not(None))
_uncertain = and_(_open, callbacks.c.state == literal_column(f"'{CallbackState.UNCERTAIN}'"))
Index("ix_callbacks_uncertain", callbacks.c.not_before, sqlite_where=_uncertain, postgresql_where=_uncertain)
Index("ix_callbacks_expires", callbacks.c.expires, sqlite_where=_open, postgresql_where=_open)
# One open request per contact, held by the database itself; those by code are requests of their own.
_own = and_(_open, callbacks.c.by_code.is_(false()))
Index("uq_callbacks_open_contact", callbacks.c.contact, unique=True, sqlite_where=_own, postgresql_where=_own)
_known = callbacks.c.contact.is_not(None)
Index("ix_callbacks_contact", callbacks.c.contact, sqlite_where=_known, postgresql_where=_known)
Index("uq_callbacks_open_handle", callbacks.c.handle, unique=True, sqlite_where=_open, postgresql_where=_open)
Index("ix_callbacks_claimed_by", callbacks.c.claimed_by, sqlite_where=_open, postgresql_where=_open)
# Partial, or SQLite would look for the open ones here and sort them all.
_ended = callbacks.c.ended.is_not(None)
Index("ix_callbacks_ended", callbacks.c.ended, sqlite_where=_ended, postgresql_where=_ended)

moves = Table(
    "callback_moves",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column(
        "callback", String(24), ForeignKey(callbacks.c.id, ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("at", Instant, nullable=False),
    Column("state", String(20), nullable=False),
    Column("why", String(32), nullable=False),
    Column("account", String(24)),
)
_by_somebody = moves.c.account.is_not(None)
Index(
    "ix_callback_moves_account",
    moves.c.account,
    moves.c.at,
    sqlite_where=_by_somebody,
    postgresql_where=_by_somebody,
)


@dataclass(frozen=True, slots=True)
class Callback:
    """One request as stored, without its note."""

    id: str
    contact: str | None
    handle: str
    state: CallbackState
    wish: str
    own_keys: str
    language: str
    line_index: bytes
    asks: int
    asked: datetime
    not_before: datetime
    expires: datetime
    repeats: int
    rank: datetime
    danger: datetime | None
    woman: bool
    by_code: bool
    escalated: datetime | None
    flagged: bool
    redials: int
    claimed_by: str | None
    lease_until: datetime | None
    room: str
    attempts: int
    reached: int
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class Moved:
    """One entry of a request's history."""

    at: datetime
    state: str
    why: str
    account: str | None


_COLUMNS = tuple(callbacks.c[name] for name in Callback.__dataclass_fields__)

# What calls and asking run: built once, because building a statement costs more than running it.
_GET = select(*_COLUMNS).where(callbacks.c.id == bindparam("this"))
_GET_TO_MOVE = _GET.with_for_update()
_OPEN_OF = select(*_COLUMNS).where(callbacks.c.contact == bindparam("contact"), _own).with_for_update()
_HANDLE = select(callbacks.c.id).where(callbacks.c.handle == bindparam("handle"), _open)
_ADD = insert(callbacks)
_NOTE_MOVE = insert(moves)


def _callback(row: Row[Any]) -> Callback:
    values = row._asdict()
    return Callback(**{**values, "state": CallbackState(values["state"])})


def get(session: Session, callback: str) -> Callback | None:
    row = session.execute(_GET, {"this": callback}).one_or_none()
    return None if row is None else _callback(row)


def get_to_move(session: Session, callback: str) -> Callback | None:
    """Read it and keep others from changing it until the transaction ends (SQLite has one writer anyway)."""
    row = session.execute(_GET_TO_MOVE, {"this": callback}).one_or_none()
    return None if row is None else _callback(row)


def open_of(session: Session, contact: str) -> Callback | None:
    """The contact's one open request, or None; others cannot change it until the transaction ends."""
    row = session.execute(_OPEN_OF, {"contact": contact}).one_or_none()
    return None if row is None else _callback(row)


def ringing_at(session: Session, contact: str) -> Sequence[Callback]:
    """Every open request that rings this contact's phone: its own, and those by code that borrowed it."""
    query = select(*_COLUMNS).where(callbacks.c.contact == contact, _open)
    return [_callback(row) for row in session.execute(query)]


def all_of(session: Session, contact: str) -> Sequence[str]:
    return session.execute(select(callbacks.c.id).where(callbacks.c.contact == contact)).scalars().all()


def handle_in_use(session: Session, handle: str) -> bool:
    return session.execute(_HANDLE, {"handle": handle}).first() is not None


def handles_of(session: Session, ids: Sequence[str]) -> dict[str, str]:
    """The two words of those of these requests that are still kept."""
    query = select(callbacks.c.id, callbacks.c.handle).where(callbacks.c.id.in_(ids))
    return dict(session.execute(query).all())


def handles(session: Session) -> set[str]:
    """Every handle in use."""
    return set(session.execute(select(callbacks.c.handle).where(_open)).scalars())


def add(session: Session, **values: Any) -> None:
    session.execute(_ADD, values)


def change(session: Session, callback: str, **values: Any) -> None:
    session.execute(update(callbacks).where(callbacks.c.id == callback).values(values))


def move(
    session: Session,
    callback: str,
    *,
    from_: Sequence[CallbackState],
    to: CallbackState,
    now: datetime,
    **values: Any,
) -> bool:
    """One atomic statement: only a request in one of the states `from_` moves; False where it was not."""
    ended = {"ended": now} if to in ENDED else {}
    done = session.execute(
        update(callbacks)
        .where(callbacks.c.id == callback, callbacks.c.state.in_(from_))
        .values(state=to, changed=now, **ended, **values)
    )
    return done.rowcount == 1


def claim(
    session: Session,
    callback: str,
    *,
    account: str,
    now: datetime,
    lease_until: datetime,
    uncertain: bool = False,
) -> bool:
    """One atomic statement: of two at once exactly one wins. With `uncertain` it may be an uncertain one too."""
    return move(
        session,
        callback,
        from_=(CallbackState.WAITING, CallbackState.UNCERTAIN) if uncertain else (CallbackState.WAITING,),
        to=CallbackState.CLAIMED,
        now=now,
        claimed_by=account,
        lease_until=lease_until,
    )


def note_move(
    session: Session, callback: str, *, state: CallbackState, why: str, account: str | None, now: datetime
) -> None:
    session.execute(
        _NOTE_MOVE, {"callback": callback, "at": now, "state": state, "why": why, "account": account}
    )


def history(session: Session, callback: str) -> Sequence[Moved]:
    rows = session.execute(
        select(moves.c.at, moves.c.state, moves.c.why, moves.c.account)
        .where(moves.c.callback == callback)
        .order_by(moves.c.id)
    )
    return [Moved(*row) for row in rows]


def last_why(session: Session, callback: str) -> str:
    """What happened to it last."""
    query = select(moves.c.why).where(moves.c.callback == callback).order_by(moves.c.id.desc()).limit(1)
    return session.execute(query).scalar() or ""


def waiting(session: Session, *, most: int) -> Sequence[Callback]:
    """Requests nobody is at and somebody can be rung for, in the order in which they are to be served."""
    rows = session.execute(
        select(*_COLUMNS)
        .where(_waiting, callbacks.c.contact.is_not(None))
        .order_by(callbacks.c.rank)
        .limit(most)
    )
    return [_callback(row) for row in rows]


def due(
    session: Session,
    now: datetime,
    *,
    person: Account,
    last_chance: datetime,
    but: Collection[str] = (),
    urgent: bool = False,
) -> Callback | None:
    """The first request that may be rung now and suits `person`; any suits whose time ends before `last_chance`.

    With `urgent` only of those for which people are rung.
    """
    ringable = and_(
        _waiting,
        callbacks.c.contact.is_not(None),
        callbacks.c.wish != BY_TEXT,
        callbacks.c.not_before <= now,
        callbacks.c.expires > now,
    )
    if session.execute(select(callbacks.c.id).where(ringable).limit(1)).first() is None:
        return None  # found by `not_before`: the next query would read all who wait for their window
    speaks = callbacks.c.language.in_(person.speaks) if person.speaks else true()
    suits = speaks if person.woman else and_(callbacks.c.woman.is_(False), speaks)
    row = session.execute(
        select(*_COLUMNS)
        .where(
            ringable,
            or_(suits, callbacks.c.expires <= last_chance),
            callbacks.c.id.not_in(but),
            _urgent if urgent else true(),
        )
        .order_by(callbacks.c.rank)
        .limit(1)
    ).one_or_none()
    return None if row is None else _callback(row)


def urgent_before(session: Session, rank: datetime, now: datetime, *, most: int) -> int:
    """How many for whom people are rung now stand before this rank; counted up to `most`."""
    before = (
        select(callbacks.c.id)
        .where(_waiting, callbacks.c.rank < rank, callbacks.c.not_before <= now, _urgent)
        .limit(most)
        .subquery()
    )
    return int(session.execute(select(func.count()).select_from(before)).scalar_one())


def dying(session: Session, *, before: datetime, now: datetime, most: int) -> Sequence[Callback]:
    """Requests that wait while their time ends `before`, and of which no coordinator was told yet."""
    rows = session.execute(
        select(*_COLUMNS)
        .where(
            _open,
            callbacks.c.expires <= before,
            callbacks.c.expires > now,
            callbacks.c.not_before <= now,
            callbacks.c.state == CallbackState.WAITING,
            callbacks.c.contact.is_not(None),
            callbacks.c.escalated.is_(None),
        )
        .order_by(callbacks.c.expires)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return [_callback(row) for row in rows]


def of_handle(session: Session, handle: str) -> Callback | None:
    """The open request of this handle, kept from others until the transaction ends."""
    query = select(*_COLUMNS).where(_open, callbacks.c.handle == handle).with_for_update()
    row = session.execute(query).one_or_none()
    return None if row is None else _callback(row)


def in_calls(session: Session, *, most: int) -> Sequence[Callback]:
    """Requests in a call, or said to be."""
    states = (CallbackState.CALLING_COUNSELOR, CallbackState.CALLING_CALLER, CallbackState.TALKING)
    rows = session.execute(select(*_COLUMNS).where(_open, callbacks.c.state.in_(states)).limit(most))
    return [_callback(row) for row in rows]


def uncertain(session: Session, *, most: int) -> Sequence[Callback]:
    """Requests of which nobody said how they went; the oldest first."""
    rows = session.execute(select(*_COLUMNS).where(_uncertain).order_by(callbacks.c.not_before).limit(most))
    return [_callback(row) for row in rows]


def of_account(session: Session, account: str) -> Sequence[Callback]:
    """What this account has claimed and not finished."""
    rows = session.execute(
        select(*_COLUMNS).where(callbacks.c.claimed_by == account, _open).order_by(callbacks.c.asked)
    )
    return [_callback(row) for row in rows]


def past(session: Session, now: datetime, *, most: int) -> Sequence[Callback]:
    """Open requests whose time is over, but for those that somebody, such as another clock, is at just now."""
    rows = session.execute(
        select(*_COLUMNS)
        .where(_open, callbacks.c.expires <= now)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return [_callback(row) for row in rows]


def leases_over(session: Session, now: datetime, *, most: int) -> Sequence[Callback]:
    """Claims that ran out; never one that is in a call, nor one that somebody is at just now."""
    rows = session.execute(
        select(*_COLUMNS)
        .where(_open, callbacks.c.state == CallbackState.CLAIMED, callbacks.c.lease_until <= now)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return [_callback(row) for row in rows]


def sealed_note(session: Session, callback: str) -> bytes | None:
    return session.execute(select(callbacks.c.note).where(callbacks.c.id == callback)).scalar()


def ended_before(session: Session, moment: datetime, *, most: int, known: bool = False) -> Sequence[Callback]:
    """Closed ones of that age, but for those that somebody, such as another clock, is at just now."""
    rows = session.execute(
        select(*_COLUMNS)
        .where(callbacks.c.ended < moment, callbacks.c.contact.is_not(None) if known else true())
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return [_callback(row) for row in rows]


def remove(session: Session, callback: str) -> None:
    session.execute(moves.delete().where(moves.c.callback == callback))
    session.execute(callbacks.delete().where(callbacks.c.id == callback))


def counts(session: Session) -> dict[str, int]:
    found: dict[str, int] = dict(
        session.execute(select(callbacks.c.state, func.count()).group_by(callbacks.c.state)).all()
    )
    return {state.value: found.get(state.value, 0) for state in CallbackState}
