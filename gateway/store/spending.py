"""What was spent, in one row for each hour, kind and campaign; kept in the transaction of what costs it."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import BigInteger, Column, String, Table, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.database import Instant, Session, metadata

HOUR: Final = timedelta(hours=1)

# Money is counted in ten-thousandths, as prices are given: whole numbers add up to the same on every database.
spending = Table(
    "spending",
    metadata,
    Column("hour", Instant, primary_key=True),
    Column("kind", String(12), primary_key=True),
    Column("campaign", String(24), primary_key=True),  # empty for what no campaign costs
    Column("spent", BigInteger, nullable=False),
)
_TURN: Final = 0x5045_4E44  # the advisory lock of whoever asks and spends


def _add(dialect: str) -> sqlite.Insert | postgresql.Insert:
    make = sqlite.insert if dialect == "sqlite" else postgresql.insert
    row = make(spending).values({column.key: bindparam(column.key) for column in spending.c})
    changed = {"spent": spending.c.spent + row.excluded.spent}
    return row.on_conflict_do_update(index_elements=["hour", "kind", "campaign"], set_=changed)


_ADD: Final = {dialect: _add(dialect) for dialect in ("sqlite", "postgresql")}
"""Built once, because building a statement costs more than running it."""


def in_turn(session: Session) -> None:
    """Let nobody else ask what is left until this transaction ends: two who ask at once would both be told yes.

    SQLite's writers are one after another anyway.
    """
    if session.dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_TURN)))


def add(session: Session, *, moment: datetime, kind: str, campaign: str, spent: int) -> None:
    """Add to the row of that hour; `spent` may be less than nothing, where it was put too high before."""
    hour = moment.replace(minute=0, second=0, microsecond=0)
    row = {"hour": hour, "kind": kind, "campaign": campaign, "spent": spent}
    session.execute(_ADD[session.dialect.name], row)


def since(session: Session, moment: datetime) -> int:
    """Everything spent in the hours that began then or later."""
    query = select(func.coalesce(func.sum(spending.c.spent), 0)).where(spending.c.hour >= moment)
    return int(session.execute(query).scalar_one())


def by_kind(session: Session, moment: datetime) -> dict[str, int]:
    query = select(spending.c.kind, func.sum(spending.c.spent)).where(spending.c.hour >= moment)
    return {kind: int(spent) for kind, spent in session.execute(query.group_by(spending.c.kind))}


def of_campaign(session: Session, campaign: str) -> int:
    query = select(func.coalesce(func.sum(spending.c.spent), 0)).where(spending.c.campaign == campaign)
    return int(session.execute(query).scalar_one())
