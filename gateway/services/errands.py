"""What a transaction owes the outside world: outbox rows, and the bell that is rung for them after the commit."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.runtime import Runtime
from gateway.store import outbox
from gateway.store.database import Session


@dataclass(frozen=True, slots=True)
class Errand:
    """An outbox row that was written in this transaction, for the bell to be rung after the commit."""

    job: str
    id: str


def errand(
    session: Session,
    runtime: Runtime,
    job: str,
    subject: str,
    *,
    due: datetime,
    lives: timedelta,
    account: str | None = None,
) -> Errand:
    """Owe the outside world `job` for `subject`, from `due` on and no longer than `lives`."""
    duty = runtime.new_id()
    outbox.add(session, duty, job=job, subject=subject, due=due, not_after=due + lives, account=account)
    return Errand(job, duty)


def ring_bells(runtime: Runtime, errands: list[Errand]) -> None:
    """After the commit, best effort: what is lost here the clock rings again."""
    for one in errands:
        runtime.queue.put(one.job, one.id)
