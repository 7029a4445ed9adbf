"""The lock: sessions end, nobody is dialled, nothing new is kept; the line goes on with information. Reversible.

By hand, or by itself when no coordinator gave a sign of life for longer than was set. It destroys nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gateway.errors import Refused
from gateway.logs import get
from gateway.queue import JOB_DELETE_COPIES, JOB_END_CALL, JOB_FORGET
from gateway.runtime import HALT, RUNS, Runtime
from gateway.services import factors, signing_in
from gateway.services.errands import errand, ring_bells
from gateway.store import audit, counselors, legs
from gateway.store.counselors import Account, Role
from gateway.store.database import Session

WHILE_HALTED: Final = frozenset({JOB_END_CALL, JOB_FORGET, JOB_DELETE_COPIES})
"""What workers still do: nothing that reaches a person."""
LOOK_AGAIN: Final = timedelta(seconds=15)
BY_HAND: Final = "by_hand"
NO_SIGN_OF_LIFE: Final = "no_sign_of_life"
_LIFE: Final = "life"
_WARNED_FROM: Final = 0.75  # of the time
_NOTED_EVERY: Final = timedelta(minutes=5)

_log = get(__name__)


def lock(runtime: Runtime, *, by: Account | None) -> None:
    """Everything that reaches people or shows something stops at once; whoever is in a call is hung up on."""
    now = runtime.clock.now()
    with runtime.database.write() as session:
        _halt(session, runtime, BY_HAND, now)
        audit.note(session, what="locked", account=by.id if by else None, subject=None, now=now)
        errands = [
            errand(session, runtime, JOB_END_CALL, leg, due=now, lives=timedelta(minutes=10))
            for leg in legs.live_ids(session)
        ]
    runtime.switches.forget()
    ring_bells(runtime, errands)


def unlock(runtime: Runtime, *, by: Account, code: str) -> None:
    """As an admin with a fresh code. Raises `Refused("second_factor")`, `Refused("for_admins")`."""
    if by.role is not Role.ADMIN:
        raise Refused("for_admins")
    check_second_factor(runtime, by, code)
    unlock_here(runtime, by=by)


def unlock_here(runtime: Runtime, *, by: Account | None = None) -> None:
    """From a command: whoever has the keys of the installation needs no account."""
    now = runtime.clock.now()
    with runtime.database.write() as session:
        audit.switch(session, HALT, RUNS, now)
        audit.switch(session, _LIFE, "sign", now)
        audit.note(session, what="unlocked", account=by.id if by else None, subject=None, now=now)
    runtime.switches.forget()


def check_second_factor(runtime: Runtime, account: Account, code: str) -> None:
    """Raises `Refused("second_factor")` unless the code is right and was never used.

    Whoever holds an open session and guesses waits as at the door: a few minutes of tries would destroy everything.
    """
    now, lane = factors.wall_clock(), ("stop", account.id)
    with runtime.database.write() as session:
        known = counselors.credentials_of(session, account.id)
        may = signing_in.slow_down(session, runtime, *lane, now, longest=signing_in.LONGEST_SECOND_WAIT)
        right = may and known is not None and factors.use(session, runtime, known, factors.digits(code), now)
        if right:
            signing_in.forgive(session, runtime, *lane)
    if not right:
        raise Refused("second_factor")


def is_locked(session: Session) -> bool:
    """As it stands in this transaction: nothing is begun after a lock by who read the switch a moment before it."""
    return audit.switched(session).get(HALT, RUNS) != RUNS


def _halt(session: Session, runtime: Runtime, why: str, now: datetime) -> None:
    del runtime
    audit.switch(session, HALT, why, now)
    counselors.close_all_sessions(session)


# --- the dead-man switch ------------------------------------------------------------------------------


def sign_of_life(runtime: Runtime, account: Account) -> None:
    """Whatever a coordinator does at the console."""
    if runtime.settings.dead_man is None or account.role not in (Role.COORDINATOR, Role.ADMIN):
        return
    now = runtime.clock.now()
    with runtime.database.read() as session:
        last = _last_sign(session)
    if last is None or now - last > _NOTED_EVERY:
        with runtime.database.write() as session:
            audit.switch(session, _LIFE, "sign", now)


@dataclass(frozen=True, slots=True)
class Watch:
    """When the hotline locks itself unless a coordinator is seen; `warn` from three quarters of the time on."""

    locks_at: datetime
    warn: bool


def watch(runtime: Runtime) -> Watch | None:
    """None where the switch is off."""
    after = runtime.settings.dead_man
    if after is None:
        return None
    now = runtime.clock.now()
    with runtime.database.read() as session:
        last = _last_sign(session)
    began = last or now
    return Watch(began + after, warn=now - began >= after * _WARNED_FROM)


def look(runtime: Runtime) -> None:
    """The clock's: begin to count, warn, and lock when the time is over."""
    seen = watch(runtime)
    if seen is None:
        _count_anew(runtime)
    if seen is None or runtime.switches.halted:
        return
    now = runtime.clock.now()
    with runtime.database.write() as session:
        last = _last_sign(session)
        if last is None:
            audit.switch(session, _LIFE, "begun", now)
        elif seen.locks_at <= now:
            _halt(session, runtime, NO_SIGN_OF_LIFE, now)
            audit.note(session, what="locked_itself", account=None, subject=None, now=now)
    runtime.switches.forget()
    if seen.locks_at <= now:
        _log.error("locked_itself")
    elif seen.warn:
        _log.warning("locks_soon")


def _count_anew(runtime: Runtime) -> None:
    """The switch is off: when it is on again, the time begins then, and not at a sign of months ago."""
    with runtime.database.read() as session:
        counted = _last_sign(session) is not None
    if counted:
        with runtime.database.write() as session:
            audit.drop_switch(session, _LIFE)


def _last_sign(session: Session) -> datetime | None:
    return next((changed for name, _, changed in audit.turned(session, _LIFE) if name == _LIFE), None)
