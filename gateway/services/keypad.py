"""A counselor with nothing but a keypad: rung back on the registered number, known by the next code of a sheet."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from gateway.errors import Refused
from gateway.queue import JOB_RING_KEYPAD
from gateway.runtime import Runtime
from gateway.services import attending, callbacks, casework, priority
from gateway.services.errands import Errand, errand
from gateway.store import audit, counselors, legs, outbox, refusals, sheets
from gateway.store import callbacks as rows
from gateway.store.callbacks import CallbackState
from gateway.store.counselors import Account, Role
from gateway.store.database import Session
from gateway.store.legs import LegKind

CODES: Final = 20
CODE_LENGTH: Final = 6
RING_LIVES: Final = timedelta(minutes=5)
WRONG_CODES: Final = 6  # then the sheet is burnt: somebody else has the phone


def fresh_sheet(runtime: Runtime, account: Account) -> list[str]:
    """Twenty new codes, shown once; the old sheet works no more."""
    codes = [f"{secrets.randbelow(1_000_000):06d}" for _ in range(CODES)]
    with runtime.database.write() as session:
        sheets.renew(session, account.id, [_digest(runtime, account.id, code) for code in codes])
        counselors.change(session, account.id, wrong_codes=0)
        now = runtime.clock.now()
        audit.note(session, what="sheet_renewed", account=None, subject=account.id, now=now)
    return codes


def rang(session: Session, runtime: Runtime, number_index: bytes, *, now: datetime) -> list[Errand]:
    """Somebody rang a counselors' number: if it is an account's, its registered number is rung back."""
    account = counselors.of_number(session, number_index)
    if account is None or account.disabled or account.role is Role.AUDITOR:
        return []
    if outbox.owed(session, JOB_RING_KEYPAD, account.id):
        return []
    return [errand(session, runtime, JOB_RING_KEYPAD, account.id, due=now, lives=RING_LIVES)]


def code_is_right(session: Session, runtime: Runtime, account: str, code: str) -> bool:
    """Whether this is the next code of the sheet; an earlier or a later one is not."""
    expected = sheets.next_code(session, account)
    return expected is not None and secrets.compare_digest(expected[1], _digest(runtime, account, code))


def use_code(session: Session, runtime: Runtime, account: str, code: str, *, now: datetime) -> None:
    """Raises `Refused("taken")` where the code was used a moment ago, for the next one is not what was typed."""
    expected = sheets.next_code(session, account)
    typed = _digest(runtime, account, code)
    if (
        expected is None
        or not secrets.compare_digest(expected[1], typed)
        or not sheets.use(session, account, expected[0], now)
    ):
        raise Refused("taken")
    counselors.change(session, account, wrong_codes=0, missed_rings=0)


def wrong_code(session: Session, account: str, *, now: datetime) -> None:
    """Count it; after a few the sheet is burnt, and the account goes off shift."""
    if counselors.count_wrong_code(session, account) >= WRONG_CODES:
        sheets.burn(session, account)
        attending.off(session, account, attending.SHEET, now=now)
        audit.note(session, what="sheet_burnt", account=account, subject=account, now=now)


def next_case(session: Session, runtime: Runtime, person: Account, now: datetime) -> rows.Callback | None:
    """What is next on the keypad: one's own request, where the line was cut; else the first that may be rung now."""
    for own in rows.of_account(session, person.id):
        if own.state is CallbackState.CLAIMED and (own.reached or not callbacks.withheld(own, now)):
            return own
    if attending.enough(session, runtime, person.id, now):
        return None
    refused = refusals.of_account(session, person.id)
    return rows.due(session, now, person=person, last_chance=priority.last_chance(now), but=refused)


def take_next(session: Session, runtime: Runtime, account: str, leg: str, *, now: datetime) -> None:
    """Claim what is next for the counselor on this line; from here on the line belongs to that request."""
    person = counselors.get(session, account)
    there = next_case(session, runtime, person, now) if person else None
    if there is None:
        raise Refused("taken")
    if there.claimed_by != account:
        if attending.why_not(session, runtime, there.id, account, now=now) or not rows.claim(
            session, there.id, account=account, now=now, lease_until=now + callbacks.LEASE
        ):
            raise Refused("taken")
        callbacks.note(session, there.id, CallbackState.CLAIMED, "claimed", account, now)
        audit.note(session, what="claim", account=account, subject=there.id, now=now)
    if not there.reached:  # where they talked already, only the outcome is asked for
        casework.to_counselor(session, there.id, account=account, now=now)
    legs.belongs_to(session, leg, kind=LegKind.COUNSELOR, subject=there.id)


def record(
    session: Session, runtime: Runtime, callback: str, account: str, how: str, *, now: datetime
) -> list[Errand]:
    """The outcome said by keys; `coordinator` gives the case back for a coordinator to look at.

    Where the request has gone on meanwhile (not reached: it waits again) there is nothing to record.
    """
    there = rows.get_to_move(session, callback)
    if there is None or there.claimed_by != account or there.state is not CallbackState.CLAIMED:
        return []
    if how == "coordinator":
        casework.to_coordinator(session, there, account=account, now=now)
        return []
    if how == "not_safe":
        return casework.unsafe_in(session, runtime, there, account, now=now)
    return casework.outcome_in(session, runtime, there, account, outcome=how, now=now)


def _digest(runtime: Runtime, account: str, code: str) -> bytes:
    return runtime.vault.digest("sheet", f"{account} {code}")
