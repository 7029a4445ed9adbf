"""People by their number's keyed index: the sealed number, what they prefer, and who must not be contacted."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BindParameter,
    Column,
    LargeBinary,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.database import Instant, Session, metadata, upsert

contacts = Table(
    "contacts",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("number_index", LargeBinary(16), nullable=False, unique=True),
    Column("sealed_number", LargeBinary, nullable=False),
    Column("created", Instant, nullable=False),
)

preferences = Table(
    "preferences",
    metadata,
    Column("number_index", LargeBinary(16), primary_key=True),
    Column("language", String(8)),
    Column("display", String(8)),
    Column("chosen", Instant, nullable=False, index=True),
)

# Stopped by themselves or by the carrier's word. No number: the index is enough.
forbidden = Table(
    "forbidden",
    metadata,
    Column("number_index", LargeBinary(16), primary_key=True),
    Column("since", Instant, nullable=False),
    Column("until", Instant, index=True),  # None on an operator's list, which has no end
)

# Whom an operator's list forbids to contact, for whatever reason: what comes from that number lifts nothing, for
# it can be forged.
listed = Table(
    "do_not_contact",
    metadata,
    Column("number_index", LargeBinary(16), primary_key=True),
    sqlite_with_rowid=False,
)

# A texter's last half hour (what was asked to be repeated) and last neutral line. Gone by age.
texters = Table(
    "texters",
    metadata,
    Column("number_index", LargeBinary(16), primary_key=True),
    Column("asked", String(32), nullable=False),
    Column("at", Instant, nullable=False, index=True),
    Column("neutral_at", Instant),
)

# What webhooks ask of a number: built once, because building a statement costs more than running it.
_number: BindParameter[bytes] = bindparam("number")
_FIND = select(contacts.c.id).where(contacts.c.number_index == _number)
_PREFERENCE = select(preferences.c.language, preferences.c.display).where(
    preferences.c.number_index == _number
)
_IS_LISTED = select(listed.c.number_index).where(listed.c.number_index == _number)
_ADD = insert(contacts)
_ALLOW = delete(forbidden).where(forbidden.c.number_index == _number)
_TEXTER = select(texters.c.asked, texters.c.at, texters.c.neutral_at).where(texters.c.number_index == _number)


def find(session: Session, number_index: bytes) -> str | None:
    """The contact's id, or None."""
    return session.execute(_FIND, {"number": number_index}).scalar()


def add(session: Session, contact: str, number_index: bytes, sealed_number: bytes, now: datetime) -> None:
    row = {"id": contact, "number_index": number_index, "sealed_number": sealed_number, "created": now}
    session.execute(_ADD, row)


def sealed_number(session: Session, contact: str) -> tuple[bytes, bytes] | None:
    """The number's index and seal, or None where the contact was forgotten."""
    row = session.execute(
        select(contacts.c.number_index, contacts.c.sealed_number).where(contacts.c.id == contact)
    ).one_or_none()
    return None if row is None else (row.number_index, row.sealed_number)


def everyone(session: Session) -> Sequence[str]:
    """Every contact's id: for emptying the demo, and for sweeping keys nobody needs."""
    return session.execute(select(contacts.c.id)).scalars().all()


def remove(session: Session, contact: str) -> None:
    session.execute(delete(contacts).where(contacts.c.id == contact))


def preference(session: Session, number_index: bytes) -> tuple[str | None, str | None]:
    """The remembered language and display, None where not chosen."""
    row = session.execute(_PREFERENCE, {"number": number_index}).one_or_none()
    return (None, None) if row is None else (row.language, row.display)


def prefer(
    session: Session,
    number_index: bytes,
    *,
    now: datetime,
    language: str | None = None,
    display: str | None = None,
) -> None:
    chosen = {name: value for name, value in (("language", language), ("display", display)) if value}
    changed = {**chosen, "chosen": now}
    done = session.execute(
        update(preferences).where(preferences.c.number_index == number_index).values(changed)
    )
    if not done.rowcount:
        session.execute(insert(preferences).values(number_index=number_index, **changed))


def drop_preferences(session: Session, number_index: bytes) -> None:
    session.execute(delete(preferences).where(preferences.c.number_index == number_index))
    session.execute(delete(texters).where(texters.c.number_index == number_index))


def forbid(session: Session, number_index: bytes, now: datetime, *, until: datetime | None = None) -> None:
    """Never contact this number again until it asks, or until that day; what is forbidden already stays so."""
    make = sqlite.insert if session.dialect.name == "sqlite" else postgresql.insert
    row = {"number_index": number_index, "since": now, "until": until}
    session.execute(make(forbidden).values(row).on_conflict_do_nothing())


def allow(session: Session, number_index: bytes) -> None:
    """The person asked again: that lifts an earlier stop."""
    session.execute(_ALLOW, {"number": number_index})


def is_forbidden(session: Session, number_index: bytes) -> bool:
    """Stopped by herself, or on an operator's list."""
    return bool(forbidden_among(session, [number_index]))


def is_listed(session: Session, number_index: bytes) -> bool:
    """On an operator's list: asking lifts nothing."""
    return session.execute(_IS_LISTED, {"number": number_index}).first() is not None


def forbidden_among(session: Session, numbers: Sequence[bytes]) -> frozenset[bytes]:
    """Which of these must not be contacted."""
    if not numbers:
        return frozenset()
    stopped = select(forbidden.c.number_index).where(forbidden.c.number_index.in_(numbers))
    on_list = select(listed.c.number_index).where(listed.c.number_index.in_(numbers))
    return frozenset(bytes(index) for index in session.execute(union_all(stopped, on_list)).scalars())


def list_all(session: Session, numbers: Sequence[bytes]) -> int:
    """Put these on the operators' list. Return how many were not on it."""
    if session.dialect.name == "sqlite":
        rows = [{"number_index": index} for index in sorted(numbers)]
        statement = sqlite.insert(listed).on_conflict_do_nothing()
        return session.execute(statement, rows).rowcount if rows else 0
    given = func.unnest(bindparam("given", list(numbers), ARRAY(LargeBinary))).column_valued("given")
    chosen = postgresql.insert(listed).from_select(["number_index"], select(given))
    return session.execute(chosen.on_conflict_do_nothing()).rowcount


def unlist(session: Session, numbers: Sequence[bytes]) -> int:
    """Take these off the operators' list. Return how many were on it; what a person stopped stays stopped."""
    return session.execute(delete(listed).where(listed.c.number_index.in_(numbers))).rowcount


def how_many_listed(session: Session) -> int:
    return session.execute(select(func.count()).select_from(listed)).scalar_one()


def texter(session: Session, number_index: bytes) -> tuple[str, datetime, datetime | None] | None:
    """What was asked to be repeated, when the last text came, and when the last neutral line was sent."""
    row = session.execute(_TEXTER, {"number": number_index}).one_or_none()
    return None if row is None else (row.asked, row.at, row.neutral_at)


def keep_texter(
    session: Session, number_index: bytes, *, asked: str, at: datetime, neutral_at: datetime | None
) -> None:
    values = {"number_index": number_index, "asked": asked, "at": at, "neutral_at": neutral_at}
    upsert(session, texters, ("number_index",), values)
