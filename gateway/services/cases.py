"""Not my phone: a case that keeps no number, and is opened from any phone by its code and its own key."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.services import callbacks, forgetting, windows
from gateway.services.errands import Errand
from gateway.store import callbacks as rows
from gateway.store import case_codes
from gateway.store.callbacks import CallbackState
from gateway.store.database import Session

AT_ONE_PHONE: Final = 3
"""Cases that may ring one phone at once: more would be somebody who wants it to ring."""
GUESSES: Final = 2  # there are only five own numbers
SHUT: Final = timedelta(hours=6)


def fresh_code() -> str:
    """Six digits; that no open case has them is asked only where they are about to be given away."""
    return f"{secrets.randbelow(1_000_000):06d}"


def in_use(session: Session, runtime: Runtime, code: str) -> bool:
    return case_codes.find(session, _digest(runtime, code)) is not None


def open_one(
    session: Session,
    runtime: Runtime,
    *,
    own_key: str,
    handle: str,
    code: str,
    language: str,
    line_index: bytes,
    now: datetime,
) -> None:
    """Keep a request without a contact; nobody can be rung for it until its person asks from a phone."""
    callback = runtime.new_id()
    expires = now + callbacks.CODE_LIVES
    rows.add(
        session,
        id=callback, contact=None, handle=handle, state=CallbackState.WAITING, wish=callbacks.BY_CODE, own_keys=own_key,
        language=language, line_index=line_index, asked=now, room=runtime.new_id(), changed=now,
        by_code=True,
        **callbacks.times(windows.Life(expires, expires, repeats=0)),
    )  # fmt: skip
    rows.note_move(session, callback, state=CallbackState.WAITING, why="asked", account=None, now=now)
    case_codes.add(session, _digest(runtime, code), callback)


def found(session: Session, runtime: Runtime, code: str, own_key: str, now: datetime) -> bool:
    """Whether an open case has this code and own key; never while it is shut after too many guesses."""
    there = case_codes.find(session, _digest(runtime, code))
    if there is None or (there.shut_until is not None and there.shut_until > now):
        return False
    callback = rows.get(session, there.callback)
    return callback is not None and callback.ended is None and own_key in callback.own_keys


def guessed_wrong(session: Session, runtime: Runtime, code: str, now: datetime) -> None:
    """Count a wrong key; from the second on each shuts the case, longer every time: it sounds like no case at all."""
    digest = _digest(runtime, code)
    there = case_codes.find(session, digest)
    if there is not None and (there.shut_until is None or there.shut_until <= now):  # shut, nothing is tried
        further = there.guesses + 1 - GUESSES
        shut = min(now + SHUT * 4**further, now + callbacks.CODE_LIVES) if further >= 0 else None
        case_codes.guessed(session, digest, shut_until=shut)


def crowd_at(session: Session, runtime: Runtime, contact: str, code: str) -> bool:
    """Whether so many other cases borrowed this phone that one more could only be meant to make it ring."""
    there = case_codes.find(session, _digest(runtime, code))
    others = [one for one in rows.ringing_at(session, contact) if one.by_code]
    return sum(there is None or one.id != there.callback for one in others) >= AT_ONE_PHONE


def ring_here(
    session: Session,
    runtime: Runtime,
    contact: str,
    *,
    code: str,
    wish: str,
    line_index: bytes,
    now: datetime,
) -> tuple[str, list[Errand]]:
    """Ring this contact's phone for the case. Return the request that will be rung.

    What was asked from this phone itself stays as it is. Raises `Refused("gone")` where the case was closed
    meanwhile.
    """
    there = case_codes.find(session, _digest(runtime, code))
    callback = rows.get_to_move(session, there.callback) if there else None
    if callback is None or callback.ended is not None:
        raise Refused("gone")
    errands: list[Errand] = []
    if (
        callback.contact is not None and callback.contact != contact
    ):  # the phone of an earlier ring is not hers
        errands += callbacks.hang_up(session, runtime, callback.id, now=now)
        errands.append(forgetting.release(session, runtime, callback.contact, now=now))
    life = windows.life(wish, now, runtime.settings.timezone)
    # A note opens with the key of the contact that it was written for.
    note = {} if callback.contact == contact else {"note": None}
    rows.change(
        session, callback.id, contact=contact, wish=wish, line_index=line_index, asks=callback.asks + 1, attempts=0,
        redials=0, **note, **callbacks.times(life, callback.danger),
    )  # fmt: skip
    callbacks.on_again(session, callback, why="asked_by_code", now=now)
    errands += callbacks.calls_off(session, runtime, callback.id, now=now)
    return callback.id, errands


def _digest(runtime: Runtime, code: str) -> bytes:
    return runtime.vault.digest("case", code)
