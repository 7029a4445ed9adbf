"""Texts of a person's thread and texts that we send: sealed bodies, how each stands, and counts without people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)

from gateway.store.contacts import contacts
from gateway.store.database import Instant, Session, metadata


class MessageKind(StrEnum):
    """Why a text is sent: an answer in a thread, or a programme that was asked for."""

    THREAD = "thread"
    PROGRAMME = "programme"


class MessageState(StrEnum):
    """How a text stands. `sending` without a provider's id after a crash is what has to be looked up."""

    RECEIVED = "received"  # hers
    DRAFT = "draft"  # a counselor's, not sent yet
    OWED = "owed"
    SENDING = "sending"
    UNCERTAIN = "uncertain"
    SENT = "sent"  # the provider took it
    DELIVERED = "delivered"
    FAILED = "failed"
    TOO_LATE = "too_late"  # it died unsent
    CANCELED = "canceled"


UNDER_WAY = (MessageState.SENDING, MessageState.UNCERTAIN)
WRITTEN = (MessageState.OWED, *UNDER_WAY)

messages = Table(
    "messages",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("contact", String(24), ForeignKey(contacts.c.id, ondelete="CASCADE"), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("subject", String(24), nullable=False),  # the case, or the recipient it is for
    Column("account", String(24)),  # who wrote it
    Column("line_index", LargeBinary(16), nullable=False),
    Column("display", String(8), nullable=False),
    Column("body", LargeBinary, nullable=False),  # sealed, always Unicode
    Column("parts", Integer, nullable=False),
    Column("state", String(12), nullable=False),
    Column("written", Instant, nullable=False),  # when it was written here, or arrived here
    Column("dated", Instant),  # when the provider had hers, where it said so
    Column("not_after", Instant, nullable=False),
    Column("tried", Instant),  # when the attempt that may have been made began
    Column("sid_digest", LargeBinary(16)),
    Column("changed", Instant, nullable=False),
)
Index("ix_messages_subject", messages.c.subject, messages.c.written)
Index("ix_messages_contact", messages.c.contact, messages.c.written)
Index("ix_messages_sid_digest", messages.c.sid_digest)
Index("ix_messages_written", messages.c.written)


@dataclass(frozen=True, slots=True)
class Message:
    """One text as stored; `body` opens with the contact's note key only."""

    id: str
    contact: str
    kind: MessageKind
    subject: str
    account: str | None
    line_index: bytes
    display: str
    body: bytes
    parts: int
    state: MessageState
    written: datetime
    dated: datetime | None
    not_after: datetime
    tried: datetime | None
    sid_digest: bytes | None
    changed: datetime


_COLUMNS = tuple(messages.c[name] for name in Message.__dataclass_fields__)


def _message(row: Row[Any]) -> Message:
    values = row._asdict()
    return Message(**{**values, "kind": MessageKind(values["kind"]), "state": MessageState(values["state"])})


def add(session: Session, **values: Any) -> None:
    session.execute(insert(messages).values(values))


def peek(session: Session, message: str) -> Message | None:
    row = session.execute(select(*_COLUMNS).where(messages.c.id == message)).one_or_none()
    return None if row is None else _message(row)


def get(session: Session, message: str) -> Message | None:
    """Read it and keep others from changing it until the transaction ends (SQLite has one writer anyway)."""
    row = session.execute(select(*_COLUMNS).where(messages.c.id == message).with_for_update()).one_or_none()
    return None if row is None else _message(row)


def get_in_turn(session: Session, message: str) -> Message | None:
    """Read it, and let nobody else begin a text to the same person until the transaction ends."""
    of = select(messages.c.contact).where(messages.c.id == message).scalar_subquery()
    session.execute(select(contacts.c.id).where(contacts.c.id == of).with_for_update())
    return get(session, message)


def of_sid(session: Session, sid_digest: bytes) -> str | None:
    """The message that has this provider's id."""
    return session.execute(select(messages.c.id).where(messages.c.sid_digest == sid_digest)).scalar()


def move(
    session: Session,
    message: str,
    *,
    from_: Sequence[MessageState],
    to: MessageState,
    now: datetime,
    **values: Any,
) -> bool:
    """One atomic statement: only a message in one of the states `from_` moves; False where it was not."""
    done = session.execute(
        update(messages)
        .where(messages.c.id == message, messages.c.state.in_(from_))
        .values(state=to, changed=now, **values)
    )
    return done.rowcount == 1


def keep_sid(session: Session, message: str, sid_digest: bytes) -> None:
    """The provider's id of it is known."""
    session.execute(update(messages).where(messages.c.id == message).values(sid_digest=sid_digest))


def of_subject(session: Session, subject: str, *, most: int) -> Sequence[Message]:
    """The last texts of a thread, the oldest of them first; no drafts."""
    rows = session.execute(
        select(*_COLUMNS)
        .where(messages.c.subject == subject, messages.c.state != MessageState.DRAFT)
        .order_by(messages.c.written.desc(), messages.c.id.desc())
        .limit(most)
    )
    return [_message(row) for row in reversed(rows.all())]


def count_of(session: Session, subject: str) -> int:
    """How many texts a thread has; no drafts."""
    query = select(func.count()).where(messages.c.subject == subject, messages.c.state != MessageState.DRAFT)
    return session.execute(query).scalar_one()


def draft_of(session: Session, subject: str) -> Message | None:
    """What somebody began to write in this thread."""
    row = session.execute(
        select(*_COLUMNS).where(messages.c.subject == subject, messages.c.state == MessageState.DRAFT)
    ).one_or_none()
    return None if row is None else _message(row)


def drop_draft(session: Session, subject: str) -> None:
    session.execute(
        delete(messages).where(messages.c.subject == subject, messages.c.state == MessageState.DRAFT)
    )


def last_received(session: Session, subject: str) -> Message | None:
    """Her newest text of this thread."""
    row = session.execute(
        select(*_COLUMNS)
        .where(messages.c.subject == subject, messages.c.state == MessageState.RECEIVED)
        .order_by(messages.c.written.desc(), messages.c.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else _message(row)


def last_is_hers(session: Session, subjects: Sequence[str]) -> Sequence[str]:
    """Those of these threads whose newest text is the person's."""
    mine = messages.alias()
    later = select(mine.c.id).where(
        mine.c.subject == messages.c.subject,
        mine.c.state.not_in((MessageState.RECEIVED, MessageState.DRAFT)),
        mine.c.written >= messages.c.written,
    )
    query = select(messages.c.subject).where(
        messages.c.subject.in_(subjects), messages.c.state == MessageState.RECEIVED, ~later.exists()
    )
    return session.execute(query.distinct()).scalars().all()


def before_it(session: Session, message: Message) -> bool:
    """Whether an earlier text to the same person is not sent yet: hers come in order, and one at a time."""
    query = select(messages.c.id).where(
        messages.c.contact == message.contact,
        messages.c.id != message.id,
        messages.c.state.in_(UNDER_WAY)
        | ((messages.c.state == MessageState.OWED) & (messages.c.written < message.written)),
    )
    return session.execute(query.limit(1)).first() is not None


def known_sids(session: Session, contact: str) -> set[bytes]:
    """The digests of the provider's ids of everything that was sent to this person."""
    query = select(messages.c.sid_digest).where(
        messages.c.contact == contact, messages.c.sid_digest.is_not(None)
    )
    return {digest for digest in session.execute(query).scalars() if digest}


def cancel_of(session: Session, contact: str, *, now: datetime) -> None:
    """What was not sent yet never leaves."""
    session.execute(
        update(messages)
        .where(messages.c.contact == contact, messages.c.state == MessageState.OWED)
        .values(state=MessageState.CANCELED, changed=now)
    )


def written_to(session: Session, contact: str) -> bool:
    """Whether a text to this person is still to leave, or to be looked up."""
    query = select(messages.c.id).where(messages.c.contact == contact, messages.c.state.in_(WRITTEN))
    return session.execute(query.limit(1)).first() is not None


def remove_of(session: Session, contact: str) -> None:
    """All but one that has to be looked up, which goes with the contact."""
    session.execute(delete(messages).where(messages.c.contact == contact, messages.c.state.not_in(UNDER_WAY)))


def drop_before(session: Session, kind: MessageKind, moment: datetime) -> int:
    """Those of that age; never one that is still to be sent or looked up."""
    return session.execute(
        delete(messages).where(
            messages.c.written < moment, messages.c.kind == kind, messages.c.state.not_in(WRITTEN)
        )
    ).rowcount


def counts(session: Session) -> dict[str, int]:
    found: dict[str, int] = dict(
        session.execute(select(messages.c.state, func.count()).group_by(messages.c.state)).all()
    )
    return {state.value: found.get(state.value, 0) for state in MessageState}
