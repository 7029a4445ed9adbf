"""What the outside world still owes us to be asked: a committed row for each thing a worker has to do."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Index,
    Integer,
    String,
    Table,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from gateway.store.database import Instant, Session, metadata

outbox = Table(
    "outbox",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("job", String(32), nullable=False),
    Column("subject", String(24), nullable=False),
    Column("account", String(24)),  # whom it concerns besides, where several duties have one subject
    Column("due", Instant, nullable=False),
    Column("not_after", Instant, nullable=False),
    Column("rings", Integer, nullable=False, server_default="0"),
    Column("taken", Instant),
    Column("done", Instant),
    Column("result", String(32)),
)
Index(
    "ix_outbox_due",
    outbox.c.due,
    sqlite_where=outbox.c.done.is_(None),
    postgresql_where=outbox.c.done.is_(None),
)
Index("ix_outbox_subject", outbox.c.subject)


@dataclass(frozen=True, slots=True)
class Duty:
    """One row: do `job` for `subject`, not after `not_after`. `taken` is set while a worker is at it."""

    id: str
    job: str
    subject: str
    account: str | None
    due: datetime
    not_after: datetime
    rings: int
    taken: datetime | None


_COLUMNS = (
    outbox.c.id, outbox.c.job, outbox.c.subject, outbox.c.account, outbox.c.due, outbox.c.not_after,
    outbox.c.rings, outbox.c.taken,
)  # fmt: skip
# What a turn owes: built once, because building a statement costs more than running it.
_ADD = insert(outbox)
_then = bindparam("then", type_=Instant)
_SOONER = case((outbox.c.due > _then, _then), else_=outbox.c.due)
_MOVED = (
    update(outbox)
    .where(outbox.c.subject == bindparam("of"), outbox.c.job == bindparam("what"), outbox.c.done.is_(None))
    .values(due=_SOONER, not_after=bindparam("until"))
)


def add(
    session: Session,
    duty: str,
    *,
    job: str,
    subject: str,
    due: datetime,
    not_after: datetime,
    account: str | None = None,
) -> None:
    row = {"id": duty, "job": job, "subject": subject, "due": due, "not_after": not_after}
    session.execute(_ADD, row | {"account": account})


def add_all(
    session: Session, job: str, subjects: Mapping[str, str], *, due: datetime, not_after: datetime
) -> None:
    """Owe `job` for several subjects, given by the duties' ids."""
    session.execute(
        insert(outbox).values(job=job, due=due, not_after=not_after),
        [{"id": duty, "subject": subject} for duty, subject in subjects.items()],
    )


def remove(session: Session, duties: Sequence[str]) -> None:
    """What was owed in case something went wrong, which it did not."""
    if duties:
        session.execute(delete(outbox).where(outbox.c.id.in_(duties)))


def hasten(session: Session, job: str, subject: str, *, due: datetime) -> Sequence[str]:
    """What is owed for later is owed now. Return the duties' ids."""
    waiting = (outbox.c.subject == subject, outbox.c.job == job, outbox.c.done.is_(None))
    moved = update(outbox).where(*waiting, outbox.c.due > due).values(due=due)
    return session.execute(moved.returning(outbox.c.id)).scalars().all()


def any_due(session: Session, jobs: Sequence[str], *, now: datetime) -> bool:
    """Whether one of these jobs is due and no worker is at it."""
    query = select(outbox.c.id).where(
        outbox.c.done.is_(None), outbox.c.due <= now, outbox.c.taken.is_(None), outbox.c.job.in_(jobs)
    )
    return session.execute(query.limit(1)).first() is not None


def owed(session: Session, job: str, subject: str, *, before: datetime | None = None) -> bool:
    """Whether this is owed already; and due `before` then, where that is asked."""
    query = select(outbox.c.id).where(
        outbox.c.subject == subject,
        outbox.c.job == job,
        outbox.c.done.is_(None),
        true() if before is None else outbox.c.due <= before,
    )
    return session.execute(query.limit(1)).first() is not None


def owed_any(session: Session, jobs: Sequence[str], subject: str) -> bool:
    return any(owed(session, job, subject) for job in jobs)


def moved(session: Session, job: str, subject: str, *, due: datetime, not_after: datetime) -> bool:
    """What is owed already is owed until then, and no later than `due`. False where nothing is owed."""
    done = session.execute(_MOVED, {"of": subject, "what": job, "then": due, "until": not_after})
    return done.rowcount > 0


def accounts_owed(session: Session, job: str) -> Sequence[str]:
    """Whom such a job is owed for."""
    query = select(outbox.c.account).where(
        outbox.c.job == job, outbox.c.done.is_(None), outbox.c.account.is_not(None)
    )
    return [account for account in session.execute(query).scalars() if account]


def get(session: Session, duty: str) -> Duty | None:
    """A duty, done or not."""
    row = session.execute(select(*_COLUMNS).where(outbox.c.id == duty)).one_or_none()
    return None if row is None else _duty(row)


def take(session: Session, duty: str, *, now: datetime, stale: datetime) -> Duty | None:
    """Claim the row for this worker: None where it is done, not due, or another worker is at it since `stale`."""
    taken = session.execute(
        update(outbox)
        .where(
            outbox.c.id == duty,
            outbox.c.done.is_(None),
            outbox.c.due <= now,
            or_(outbox.c.taken.is_(None), outbox.c.taken < stale),
        )
        .values(taken=now)
        .returning(*_COLUMNS)
    ).one_or_none()
    return None if taken is None else _duty(taken)


def finish(session: Session, duty: str, *, now: datetime, result: str) -> None:
    session.execute(update(outbox).where(outbox.c.id == duty).values(done=now, taken=None, result=result))


def again(session: Session, duty: str, *, due: datetime, count: bool = True) -> None:
    """Not done: due again then, which is the only retry there is. `count` where that was a failure."""
    rings = outbox.c.rings + (1 if count else 0)
    session.execute(update(outbox).where(outbox.c.id == duty).values(due=due, taken=None, rings=rings))


def due(
    session: Session, *, now: datetime, stale: datetime, most: int, jobs: Collection[str] | None = None
) -> Sequence[Duty]:
    """The rows to ring for now, of these `jobs` or of any, the longest waiting first."""
    query = select(*_COLUMNS).where(
        outbox.c.done.is_(None),
        outbox.c.due <= now,
        or_(outbox.c.taken.is_(None), outbox.c.taken < stale),
    )
    if jobs is not None:
        query = query.where(outbox.c.job.in_(jobs))
    return [_duty(row) for row in session.execute(query.order_by(outbox.c.due).limit(most))]


def freed(session: Session, duties: Sequence[str], *, stale: datetime) -> None:
    """Take them from workers that died with them in hand; counted once for each, however long no other comes.

    The next job's id differs, so that a lost one does not block it.
    """
    session.execute(
        update(outbox)
        .where(outbox.c.id.in_(duties), outbox.c.done.is_(None), outbox.c.taken < stale)
        .values(taken=None, rings=outbox.c.rings + 1)
    )


def counts(session: Session) -> dict[str, int]:
    """How many wait, and how many were done or given up in the rows still kept."""
    waiting = func.sum(outbox.c.done.is_(None).cast(Integer))
    row = session.execute(select(waiting, func.count())).one()
    return {"waiting": int(row[0] or 0), "done": int(row[1]) - int(row[0] or 0)}


def _duty(row: Any) -> Duty:
    return Duty(**row._asdict())
