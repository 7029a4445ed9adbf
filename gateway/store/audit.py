"""Who did what to which opaque id, in hour buckets; and switches that people turn (features, the lock)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, Integer, String, Table, insert, select
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


def switched(session: Session) -> dict[str, str]:
    """Every switch that was ever turned, by name."""
    return dict(session.execute(select(switches.c.name, switches.c.value)).all())


def turned(session: Session, beginning: str) -> Sequence[tuple[str, str, datetime]]:
    """Name, value and time of every switch whose name begins so, the latest first."""
    query = select(switches.c.name, switches.c.value, switches.c.changed)
    query = query.where(switches.c.name.startswith(beginning, autoescape=True))
    return [tuple(row) for row in session.execute(query.order_by(switches.c.changed.desc()))]
