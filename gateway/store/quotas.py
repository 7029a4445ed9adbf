"""How often in an hour something was done for people whom nobody knows: exact, in the transaction that does it."""

from datetime import datetime

from sqlalchemy import Column, Integer, LargeBinary, String, Table
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.database import Instant, Session, metadata

# `key` is what is counted apart: a block of numbers or a number, as a keyed hash; empty for everybody.
quotas = Table(
    "quotas",
    metadata,
    Column("began", Instant, primary_key=True),
    Column("name", String(24), primary_key=True),
    Column("key", LargeBinary(16), primary_key=True),
    Column("count", Integer, nullable=False),
)


def count(session: Session, name: str, key: bytes, *, began: datetime) -> int:
    """Count one more in the time that began then, and tell how many there are with it."""
    make = sqlite.insert if session.dialect.name == "sqlite" else postgresql.insert
    row = make(quotas).values(began=began, name=name, key=key, count=1)
    one_more = row.on_conflict_do_update(
        index_elements=["began", "name", "key"], set_={"count": quotas.c.count + 1}
    )
    return int(session.execute(one_more.returning(quotas.c.count)).scalar_one())
