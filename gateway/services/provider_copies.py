"""What the provider keeps of calls and texts is deleted there soon after they are over, with tries over weeks.

Ids stand on a list that every process adds to and only a worker reads; the list names no person and no request. So
forgetting somebody needs nothing of it: what was hers is on it already, like everybody's.
"""

from datetime import datetime, timedelta
from typing import Final, Literal, assert_never

from gateway.errors import BadSeal, CarrierError
from gateway.queue import JOB_DELETE_COPIES
from gateway.runtime import Runtime
from gateway.services.errands import Errand, errand
from gateway.store import outbox
from gateway.store import provider_copies as copies
from gateway.store.database import Session
from gateway.store.outbox import Duty
from gateway.vault import Place

Kind = Literal["call", "text"]

AFTER_THE_END: Final = timedelta(minutes=2)
"""Reports come late and out of order, and what is not finished yet cannot be deleted."""
UNREPORTED: Final = timedelta(hours=6)
"""A call whose end is never reported is over by then."""
SLICE: Final = 40
FIRST_PAUSE: Final = timedelta(minutes=5)
LONGEST_PAUSE: Final = timedelta(hours=12)
TRIED_FOR: Final = timedelta(days=30)
GIVEN_UP_KEPT: Final = timedelta(days=30)
_SUBJECT: Final = "copies"
_LIVES: Final = timedelta(days=1)


def began(session: Session, runtime: Runtime, kind: Kind, sid: str, *, now: datetime) -> None:
    """List what has only begun: deleted even if nobody ever reports its end."""
    _list(session, runtime, kind, sid, now=now, due=now + UNREPORTED)


def over(session: Session, runtime: Runtime, kind: Kind, sid: str, *, now: datetime) -> None:
    """List what is over."""
    _list(session, runtime, kind, sid, now=now, due=now + AFTER_THE_END)


def _list(session: Session, runtime: Runtime, kind: Kind, sid: str, *, now: datetime, due: datetime) -> None:
    digest = runtime.vault.digest("copy", sid)
    sealed = runtime.vault.list_for_deletion(_place(digest), sid)
    copies.add(session, digest, kind=kind, sealed=sealed, added=now, due=due)


def _place(digest: bytes) -> Place:
    return Place("provider_copies", "sealed", digest.hex())


def owe(session: Session, runtime: Runtime, *, now: datetime) -> list[Errand]:
    """Owe a worker the next slice, where something is due and nobody is at it."""
    if not copies.is_due(session, now) or outbox.owed(session, JOB_DELETE_COPIES, _SUBJECT):
        return []
    return [errand(session, runtime, JOB_DELETE_COPIES, _SUBJECT, due=now, lives=_LIVES)]


def run(runtime: Runtime, duty: Duty) -> None:
    """The worker's job: delete a slice; what is refused is tried again, later and later, and given up at last."""
    now = runtime.clock.now()
    with runtime.database.read() as session:
        some = copies.due(session, now, most=SLICE)
    for one in some:
        _delete(runtime, one, now)
    with runtime.database.write() as session:
        if copies.is_due(session, now):
            outbox.again(session, duty.id, due=now, count=False)
        else:
            outbox.finish(session, duty.id, now=now, result="deleted")


def _delete(runtime: Runtime, one: copies.Copy, now: datetime) -> None:
    try:
        sid = runtime.vault.open_for_deletion(_place(one.digest), one.sealed)
        _at_provider(runtime, "call" if one.kind == "call" else "text", sid)
    except BadSeal:  # of an installation that was before: nobody can ever read it
        deleted, last = False, True
    except CarrierError:
        deleted, last = False, now - one.added > TRIED_FOR
    else:
        deleted, last = True, True
    with runtime.database.write() as session:
        if deleted:
            copies.deleted(session, one.digest)
        elif last:
            copies.give_up(session, one.digest, now)
        else:
            pause = min(FIRST_PAUSE * 2 ** min(one.attempts, 10), LONGEST_PAUSE)
            copies.again(session, one.digest, due=now + pause)


def _at_provider(runtime: Runtime, kind: Kind, sid: str) -> None:
    match kind:
        case "call":
            runtime.carrier.forget_call(sid)
        case "text":
            runtime.carrier.forget_text(sid)
        case _:
            assert_never(kind)


def counts(runtime: Runtime) -> dict[str, int]:
    """Copies that wait, that were refused and are tried again, and that were given up."""
    with runtime.database.read() as session:
        return copies.counts(session)
