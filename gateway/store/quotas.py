"""How often in an hour something was done for people whom nobody knows: exact, in the transaction that does it."""

from datetime import datetime

from sqlalchemy import Column, Integer, LargeBinary, String, Table, bindparam
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

# Built once, because building a statement costs more than running it.
_ONE_MORE = {
    dialect: insert(quotas)
    .values(count=1, **{name: bindparam(name) for name in ("began", "name", "key")})
    .on_conflict_do_update(index_elements=["began", "name", "key"], set_={"count": quotas.c.count + 1})
    .returning(quotas.c.count)
    for dialect, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}


def count(session: Session, name: str, key: bytes, *, began: datetime) -> int:
    """Count one more in the time that began then, and tell how many there are with it."""
    one_more = session.execute(_ONE_MORE[session.dialect.name], {"began": began, "name": name, "key": key})
    return int(one_more.scalar_one())
