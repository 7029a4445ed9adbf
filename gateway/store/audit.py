"""Who did what to which opaque id, in hour buckets; and switches that people turn (features, the lock)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, Integer, String, Table, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.database import Instant, Session, metadata

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("hour", Instant, nullable=False, index=True),
    Column("account", String(24)),
    Column("what", String(40), nullable=False),
    Column("subject", String(24)),
)

switches = Table(
    "switches",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", String(40), nullable=False),
    Column("changed", Instant, nullable=False),
)


def note(session: Session, *, what: str, account: str | None, subject: str | None, now: datetime) -> None:
    hour = now.replace(minute=0, second=0, microsecond=0)
    session.execute(insert(audit).values(hour=hour, account=account, what=what, subject=subject))


def latest(session: Session, *, most: int) -> Sequence[tuple[datetime, str | None, str, str | None]]:
    query = select(audit.c.hour, audit.c.account, audit.c.what, audit.c.subject).order_by(audit.c.id.desc())
    return [tuple(row) for row in session.execute(query.limit(most))]


def note_once(session: Session, *, what: str, account: str, subject: str, now: datetime) -> bool:
    """Note what may happen many times an hour, such as looking at a page, once. Return whether it was new."""
    if noted(session, what=what, account=account, subject=subject, now=now):
        return False
    note(session, what=what, account=account, subject=subject, now=now)
    return True


def noted(session: Session, *, what: str, account: str, subject: str, now: datetime) -> bool:
    """Whether this was noted in the present hour."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    query = select(audit.c.id).where(
        audit.c.hour == hour, audit.c.account == account, audit.c.what == what, audit.c.subject == subject
    )
    return session.execute(query.limit(1)).one_or_none() is not None


def of_account(
    session: Session, account: str, *, most: int
) -> Sequence[tuple[datetime, str | None, str, str | None]]:
    """What this account did, and what was done to it, the latest first."""
    query = select(audit.c.hour, audit.c.account, audit.c.what, audit.c.subject)
    query = query.where((audit.c.account == account) | (audit.c.subject == account))
    return [tuple(row) for row in session.execute(query.order_by(audit.c.id.desc()).limit(most))]


def subjects_of(session: Session, account: str) -> Sequence[tuple[str, str, datetime, datetime]]:
    """What this account did to what: (what, subject, first, last hour), the latest first."""
    first, last = func.min(audit.c.hour), func.max(audit.c.hour)
    query = select(audit.c.what, audit.c.subject, first, last).where(
        audit.c.account == account, audit.c.subject.is_not(None)
    )
    query = query.group_by(audit.c.what, audit.c.subject).order_by(last.desc(), audit.c.subject)
    return [tuple(row) for row in session.execute(query)]


def drop_before(session: Session, moment: datetime) -> int:
    return session.execute(audit.delete().where(audit.c.hour < moment)).rowcount


def switch(session: Session, name: str, value: str, now: datetime) -> None:
    make = sqlite.insert if session.dialect.name == "sqlite" else postgresql.insert
    statement = make(switches).values(name=name, value=value, changed=now)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=("name",), set_={"value": statement.excluded.value, "changed": now}
        )
    )


def drop_switch(session: Session, name: str) -> None:
    session.execute(switches.delete().where(switches.c.name == name))


def switched(session: Session) -> dict[str, str]:
    """Every switch that was ever turned, by name."""
    return dict(session.execute(select(switches.c.name, switches.c.value)).all())


def turned(session: Session, beginning: str) -> Sequence[tuple[str, str, datetime]]:
    """Name, value and time of every switch whose name begins so, the latest first."""
    query = select(switches.c.name, switches.c.value, switches.c.changed)
    query = query.where(switches.c.name.startswith(beginning, autoescape=True))
    return [tuple(row) for row in session.execute(query.order_by(switches.c.changed.desc()))]
