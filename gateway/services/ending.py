"""Ending an account, and the switch for one whose person was captured: what it held, and what it had seen."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gateway.queue import JOB_END_CALL
from gateway.runtime import Runtime
from gateway.services import bridging, callbacks, counselors, factors
from gateway.services.errands import Errand, errand, ring_bells
from gateway.store import audit, invitations, legs, sheets
from gateway.store import callbacks as requests
from gateway.store import counselors as accounts
from gateway.store import factors as kept
from gateway.store.callbacks import CallbackState
from gateway.store.counselors import Account
from gateway.store.database import Session

OPENING: Final = frozenset(
    {"case_opened", "claim", "call", "taken_over"}
)  # what shows a request to whoever does it


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that an account opened or worked on: its id, its two words while they are kept, and when."""

    case: str
    handle: str | None
    first: datetime
    last: datetime


def disable(runtime: Runtime, alias: str, *, by: Account | None = None) -> None:
    """No sign-in, session, sheet, call, case or invitation is left to it. `enable` gives back the sign-in."""
    _end(runtime, alias, by=by, what="account_disabled", captured=False)


def captured(runtime: Runtime, alias: str, *, by: Account | None = None) -> list[Seen]:
    """For somebody in the adversary's hands: `disable`, and all that could open a way back is burnt.

    Passkeys, recovery codes, short code and password. Return what it had seen.
    """
    account = _end(runtime, alias, by=by, what="account_captured", captured=True)
    return seen(runtime, account)


def enable(runtime: Runtime, alias: str, *, by: Account | None = None) -> None:
    """Undo `disable`; its sessions, its shift and its sheet stay ended. One that was captured begins anew."""
    with runtime.database.write() as session:
        account = counselors.known_in(session, alias)
        counselors.may_change(by, account.role)
        accounts.change(session, account.id, disabled=False)
        _note(session, runtime, "account_enabled", by, account)


def seen(runtime: Runtime, account: Account) -> list[Seen]:
    """Which requests this account opened or moved, as far back as the audit goes; the latest first."""
    with runtime.database.read() as session:
        found = audit.subjects_of(session, account.id)
        handles = requests.handles_of(session, [subject for _, subject, _, _ in found])
    cases: dict[str, Seen] = {}
    for what, subject, first, last in found:
        if subject in handles or what in OPENING or what.startswith("outcome_"):
            one = cases.get(subject) or Seen(subject, handles.get(subject), first, last)
            cases[subject] = Seen(subject, one.handle, min(first, one.first), max(last, one.last))
    return sorted(cases.values(), key=lambda one: one.last, reverse=True)


def _end(runtime: Runtime, alias: str, *, by: Account | None, what: str, captured: bool) -> Account:
    now = runtime.clock.now()
    # What nobody knows: with it gone a known password opens nothing, should the account be enabled again.
    unknown = factors.nobodys() if captured else ""
    with runtime.database.write() as session:
        account = counselors.known_in(session, alias)
        counselors.may_change(by, account.role)
        accounts.change(session, account.id, disabled=True, on_shift=False)
        counselors.out_everywhere(session, account.id)
        sheets.burn(session, account.id)
        invitations.burn_of_account(session, account.id)  # or whoever is sent away comes back by one
        if captured:
            accounts.change(session, account.id, password_hash=unknown, unlock_hash=None)
            kept.burn_codes(session, account.id)
            kept.burn_passkeys(session, account.id)
        errands = _let_go(session, runtime, account.id, now)
        _note(session, runtime, what, by, account)
    ring_bells(runtime, errands)
    return account


def _let_go(session: Session, runtime: Runtime, account: str, now: datetime) -> list[Errand]:
    """End its calls, and give back what it claimed; whom it talked to is left to a coordinator."""
    errands: list[Errand] = []
    for one in requests.of_account(session, account):
        ended = bridging.counselor_left(session, runtime, one.id, account, now=now)
        whole = (
            one.state is CallbackState.TALKING or not ended
        )  # else she who waits on the line goes on waiting
        errands += callbacks.hang_up(session, runtime, one.id, now=now) if whole else ended
        there = requests.get_to_move(session, one.id)
        if there is not None and there.claimed_by == account:
            callbacks.lease_over(session, there, now=now, why="account_ended")
    lives = timedelta(minutes=10)
    for leg in legs.of_account(session, account):  # rung for what others have, or brought into their talk
        errands.append(errand(session, runtime, JOB_END_CALL, leg.id, due=now, lives=lives))
    return errands


def _note(session: Session, runtime: Runtime, what: str, by: Account | None, account: Account) -> None:
    who = by.id if by else None
    audit.note(session, what=what, account=who, subject=account.id, now=runtime.clock.now())
