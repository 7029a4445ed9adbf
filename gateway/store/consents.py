"""Who asked for programmes, by call or by text, and by what that becomes live; it ends by itself."""

from collections.abc import Sequence
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
    delete,
    false,
    func,
    insert,
    select,
    update,
)

from gateway.store.contacts import contacts
from gateway.store.database import Instant, Session, metadata


class Way(StrEnum):
    """How a programme comes to those who asked for it; also what a version is: sound, or one short text."""

    CALL = "call"
    TEXT = "text"


# Programmes by call: provisional until the one confirming call is answered with the own key.
consents = Table(
    "consents",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("contact", String(24), ForeignKey(contacts.c.id, ondelete="CASCADE"), nullable=False, unique=True),
    Column("way", String(8), nullable=False, server_default=Way.CALL),
    Column("own_key", String(8), nullable=False),
    Column("asked_key", String(8)),  # what opens the confirming call that is still to come
    Column("language", String(8), nullable=False),
    Column("topic", String(24)),  # only programmes about this; None for all
    Column("line_index", LargeBinary(16), nullable=False),
    Column("live", Boolean, nullable=False, server_default=false()),
    Column("asked", Instant, nullable=False),
    Column("until", Instant, nullable=False, index=True),
)

# An audience is read from this alone, a slice at a time, in the order of the ids. It holds `live` too, although that is
# true of all in it, for SQLite would look each row up.
Index(
    "ix_consents_audience",
    consents.c.way, consents.c.language, consents.c.id, consents.c.until, consents.c.asked, consents.c.topic,
    consents.c.live, sqlite_where=consents.c.live, postgresql_where=consents.c.live,
)  # fmt: skip

# Programmes by text: nothing but a code that was sent once, until exactly it is texted back.
text_opt_ins = Table(
    "text_opt_ins",
    metadata,
    Column("contact", String(24), ForeignKey(contacts.c.id, ondelete="CASCADE"), primary_key=True),
    Column("code", LargeBinary(16), nullable=False),  # a keyed hash
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("language", String(8), nullable=False),
    Column("line_index", LargeBinary(16), nullable=False),
    Column("until", Instant, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Consent:
    """A live one is for programmes; `asked_key` opens the confirming call of one that was asked for (again)."""

    id: str
    contact: str
    way: Way
    own_key: str
    asked_key: str | None
    language: str
    line_index: bytes
    live: bool
    until: datetime


_CONSENT = tuple(consents.c[name] for name in Consent.__dataclass_fields__)


def _consent(row: Row[Any]) -> Consent:
    values = row._asdict()
    return Consent(**{**values, "way": Way(values["way"])})


def ask(session: Session, *, contact: str, own_key: str, **values: Any) -> tuple[str, bool]:
    """Keep that calls were asked for; whatever is live stays so. Return its id and whether a call is to be owed.

    One that is asked for twice before its one confirming call was made gets no second call.
    """
    there = of_contact(session, contact)
    if there is None:
        row = {"contact": contact, "own_key": own_key, "asked_key": own_key, **values}
        session.execute(insert(consents).values(row))
        return values["id"], True
    session.execute(update(consents).where(consents.c.id == there.id).values(asked_key=own_key))
    return there.id, there.asked_key is None


def get(session: Session, consent_: str) -> Consent | None:
    row = session.execute(select(*_CONSENT).where(consents.c.id == consent_)).one_or_none()
    return None if row is None else _consent(row)


def of_contact(session: Session, contact: str) -> Consent | None:
    row = session.execute(select(*_CONSENT).where(consents.c.contact == contact)).one_or_none()
    return None if row is None else _consent(row)


def make_live(session: Session, consent_: str, *, until: datetime) -> None:
    """The confirming call was answered with the key that was asked for."""
    session.execute(
        update(consents)
        .where(consents.c.id == consent_, consents.c.asked_key.is_not(None))
        .values(live=True, way=Way.CALL, own_key=consents.c.asked_key, asked_key=None, until=until)
    )


def renew(session: Session, consent_: str, *, until: datetime) -> None:
    session.execute(update(consents).where(consents.c.id == consent_, consents.c.live).values(until=until))


def not_confirmed(session: Session, consent_: str) -> None:
    """What was asked for once more ends; what is live goes on as it was."""
    session.execute(update(consents).where(consents.c.id == consent_).values(asked_key=None))


def end(session: Session, contact: str) -> None:
    """Gone at once, whichever way."""
    session.execute(delete(consents).where(consents.c.contact == contact))
    session.execute(delete(text_opt_ins).where(text_opt_ins.c.contact == contact))


def over(session: Session, now: datetime, *, most: int) -> Sequence[Consent]:
    """Those that ended, but for one that somebody, such as another clock, is at just now."""
    query = select(*_CONSENT).where(consents.c.until <= now).limit(most).with_for_update(skip_locked=True)
    rows = session.execute(query)
    return [_consent(row) for row in rows]


@dataclass(frozen=True, slots=True)
class TextOptIn:
    """Texts were asked for, and a code was sent for it."""

    contact: str
    code: bytes
    tries: int
    language: str
    line_index: bytes
    until: datetime


_OPT_IN = tuple(text_opt_ins.c[name] for name in TextOptIn.__dataclass_fields__)


def ask_texts(session: Session, **values: Any) -> None:
    session.execute(insert(text_opt_ins).values(values))


def text_opt_in(session: Session, contact: str) -> TextOptIn | None:
    row = session.execute(select(*_OPT_IN).where(text_opt_ins.c.contact == contact)).one_or_none()
    return None if row is None else TextOptIn(*row)


def count_try(session: Session, contact: str) -> None:
    query = update(text_opt_ins).where(text_opt_ins.c.contact == contact)
    session.execute(query.values(tries=text_opt_ins.c.tries + 1))


def drop_text_opt_in(session: Session, contact: str) -> None:
    session.execute(delete(text_opt_ins).where(text_opt_ins.c.contact == contact))


def text_opt_ins_over(session: Session, now: datetime, *, most: int) -> Sequence[TextOptIn]:
    query = select(*_OPT_IN).where(text_opt_ins.c.until <= now).limit(most)
    return [TextOptIn(*row) for row in session.execute(query.with_for_update(skip_locked=True))]


def confirm_texts(session: Session, id_: str, there: TextOptIn, *, asked: datetime, until: datetime) -> None:
    """The code came back: texts from now on, and calls no more."""
    session.execute(delete(consents).where(consents.c.contact == there.contact))
    drop_text_opt_in(session, there.contact)
    session.execute(
        insert(consents).values(
            id=id_, contact=there.contact, way=Way.TEXT, own_key="", language=there.language,
            line_index=there.line_index, live=True, asked=asked, until=until,
        )
    )  # fmt: skip


def provisional(session: Session) -> int:
    """How many asked for programmes and have not confirmed it yet."""
    calls = session.execute(select(func.count()).select_from(consents).where(~consents.c.live))
    texts = session.execute(select(func.count()).select_from(text_opt_ins))
    return int(calls.scalar_one()) + int(texts.scalar_one())
