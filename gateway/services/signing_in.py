"""Signing in with two factors, what a session is and when it is locked, and guessing that keeps no owner out."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.services import factors
from gateway.services.factors import wall_clock
from gateway.store import audit, counselors, guesses
from gateway.store.counselors import Account, Credentials, SignedIn
from gateway.store.database import Session

SESSION_LIVES: Final = timedelta(hours=8)
IDLE: Final = timedelta(minutes=5)  # then the short code is asked for
SEEN_EVERY: Final = timedelta(seconds=20)
KNOWN_FOR: Final = timedelta(days=180)
WRONG_UNLOCKS: Final = 5  # then it takes both factors
FREE_FAILURES: Final = 3
LONGEST_WAIT: Final = timedelta(seconds=30)
LONGEST_SECOND_WAIT: Final = timedelta(minutes=15)
_GUESSES_KEPT: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Visit:
    """Who is there, and whether the page stays shut until the short code is typed."""

    account: Account
    digest: bytes
    locked: bool


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a try comes from: the browser's own lasting random token, a network, and what kind of device.

    Only keyed hashes of the first two are kept, the second for a day; the third is plain words.
    """

    client: str = ""
    network: str = ""
    device: str = ""


# --- signing in -----------------------------------------------------------------------------------------


def sign_in(
    runtime: Runtime,
    alias: str,
    password: str,
    code: str,
    origin: Origin = Origin(),
) -> str:
    """Check both factors and open a session. Return its token; the database keeps only a keyed hash of it.

    Tries wait, half a minute at most, for the failures of their own lane: a browser that signed in before has one
    of its own, and so has each network. Who has the password and guesses at the second factor waits longer. In a
    lane that others keep waiting a recovery code is let through, and is used up by that: guessing keeps no owner
    out. Raises `Refused("sign_in")` whatever was wrong, after the same work; or `Refused("busy")` before any.
    """
    now, code = wall_clock(), factors.digits(code)
    with runtime.database.read() as session:
        known = counselors.credentials(session, alias)
        ours = client_digest(runtime, known.id if known else "", origin.client)
        own = counselors.knows_client(session, ours)
        lane = _lane(runtime, alias, f"client {origin.client}" if own else f"network {origin.network}")
        waits = _waits(guesses.waits_until(session, lane), now)
        has_code = factors.is_recovery_code(session, runtime, known.id if known else "", code)
    possible = known is not None and not known.disabled and (has_code or not waits)
    kept = known.password_hash if known and possible else None
    right = factors.matches(kept, password, known=own or has_code)
    spent = waits and has_code and _spend(runtime, known, code)
    if waits and not spent:
        raise Refused("sign_in")
    token = secrets.token_urlsafe(32)
    with runtime.database.write() as session:
        # Counted before it is looked at, so that of many at once each one knows of those before it.
        failures, until = guesses.count(session, lane, now)
        guesses.drop_before(session, now - _GUESSES_KEPT)
        if spent or not _waits(until, now):
            second = spent or (known and right and _second(session, runtime, known, code, own=own, now=now))
            if known and right and second:
                guesses.clear(session, lane)
                open_session(session, runtime, token, known.id, ours if origin.client else b"", origin, now)
                return token
            _put_off(session, lane, failures, LONGEST_WAIT, now)
    raise Refused("sign_in")


def _spend(runtime: Runtime, known: Credentials | None, code: str) -> bool:
    """Use up a recovery code, whatever comes of the password: who found one guesses once for each."""
    with runtime.database.write() as session:
        return factors.use_recovery_code(session, runtime, known.id if known else "", code)


def _second(
    session: Session, runtime: Runtime, known: Credentials, code: str, *, own: bool, now: datetime
) -> bool:
    """The second factor; whoever comes from an unknown browser with the right password shares one lane.

    A recovery code is too long to be guessed, and needs none.
    """
    if own or len(code) == factors.RECOVERY_LENGTH:
        return factors.use(session, runtime, known, code, now)
    lane = _lane(runtime, known.id, "second factor")
    failures, until = guesses.count(session, lane, now)
    if _waits(until, now):
        return False
    if factors.use(session, runtime, known, code, now):
        guesses.clear(session, lane)
        return True
    _put_off(session, lane, failures, LONGEST_SECOND_WAIT, now)
    return False


def open_session(
    session: Session, runtime: Runtime, token: str, account: str, client: bytes, origin: Origin, now: datetime
) -> None:
    """Somebody has shown who they are: from here on their browser is known."""
    counselors.open_session(
        session,
        digest(runtime, token),
        account=account,
        device=origin.device[:40],
        now=now,
        expires=now + SESSION_LIVES,
    )
    counselors.forget_clients_before(session, now - KNOWN_FOR)
    if client:
        counselors.know_client(session, account, client, now)
    audit.note(session, what="sign_in", account=account, subject=None, now=runtime.clock.now())


def slow_down(
    session: Session,
    runtime: Runtime,
    what: str,
    source: str,
    now: datetime,
    *,
    longest: timedelta = LONGEST_WAIT,
) -> bool:
    """Count a try at something else that can be guessed, from one source. Return whether it may be looked at."""
    lane = _lane(runtime, what, source)
    failures, until = guesses.count(session, lane, now)
    if _waits(until, now):
        return False
    _put_off(session, lane, failures, longest, now)
    return True


def forgive(session: Session, runtime: Runtime, what: str, source: str) -> None:
    """It was right: the tries before it count no more."""
    guesses.clear(session, _lane(runtime, what, source))


def current_code(runtime: Runtime, alias: str) -> str | None:
    """The code that a person's reader shows now: only ever in the demo, whose accounts are nobody's."""
    if runtime.settings.mode != "demo":
        return None
    with runtime.database.read() as session:
        known = counselors.credentials(session, alias)
    if known is None:
        return None
    secret = factors.opened_secret(runtime, known.id, known.totp_secret)
    return factors.code_after(secret, known.totp_step, wall_clock())


# --- sessions -------------------------------------------------------------------------------------------


def who(runtime: Runtime, token: str, *, by_hand: bool = True) -> Visit | None:
    """Who has this session; a page that only looks again by itself (`by_hand` false) keeps nobody signed in."""
    now = wall_clock()
    ours = digest(runtime, token)
    with runtime.database.read() as session:
        found = counselors.session_of(session, ours, now=now)
    if found is None:
        return None
    account, seen = found
    locked = now - seen > IDLE
    if by_hand and not locked and now - seen > SEEN_EVERY:
        with runtime.database.write() as session:
            counselors.touch_session(session, ours, now)
    return Visit(account, ours, locked)


def unlock(runtime: Runtime, visit: Visit, code: str) -> None:
    """Go on after idle minutes, with the short code, or with a reader's where none was chosen.

    Raises `Refused`: `unlock`, `busy`; after five wrong ones in a row the session is over.
    """
    now = wall_clock()
    account = visit.account.id
    with runtime.database.read() as session:
        known = counselors.credentials_of(session, account)
    short = known.unlock_hash if known else None
    right = short is not None and factors.unlocks(runtime, account, short, code)
    with runtime.database.write() as session:
        wrong = counselors.wrong_unlock(session, visit.digest)
        if known and short is None:
            right = factors.use(session, runtime, known, factors.digits(code), now)
        if right and 0 < wrong <= WRONG_UNLOCKS:
            counselors.touch_session(session, visit.digest, now)
            return
        if wrong >= WRONG_UNLOCKS:
            counselors.close_session(session, visit.digest)
            audit.note(session, what="unlock_failed", account=account, subject=None, now=runtime.clock.now())
    raise Refused("unlock")


def has_unlock_code(runtime: Runtime, account: Account) -> bool:
    with runtime.database.read() as session:
        known = counselors.credentials_of(session, account.id)
    return known is not None and known.unlock_hash is not None


def sessions(runtime: Runtime, account: Account) -> Sequence[SignedIn]:
    """Where this account is signed in."""
    with runtime.database.read() as session:
        return counselors.sessions_of(session, account.id, now=wall_clock())


def end_session(runtime: Runtime, account: Account, one: str, *, by: Account) -> None:
    """End one session of an account, named by its digest in hex; raises `Refused("gone")`."""
    try:
        named = bytes.fromhex(one)
    except ValueError:
        raise Refused("gone") from None
    with runtime.database.write() as session:
        if not counselors.close_session(session, named, account=account.id):
            raise Refused("gone")
        audit.note(session, what="session_ended", account=by.id, subject=account.id, now=runtime.clock.now())


def sign_out(runtime: Runtime, token: str) -> None:
    with runtime.database.write() as session:
        counselors.close_session(session, digest(runtime, token))


# --- lanes ----------------------------------------------------------------------------------------------


def digest(runtime: Runtime, token: str) -> bytes:
    return runtime.vault.digest("session", token)


def client_digest(runtime: Runtime, account: str, client: str) -> bytes:
    return runtime.vault.digest("client", f"{account} {client}")


def _lane(runtime: Runtime, whose: str, way: str) -> bytes:
    return runtime.vault.digest("lane", f"{whose}\n{way}")


def _waits(until: datetime | None, now: datetime) -> bool:
    return until is not None and until > now


def _put_off(session: Session, lane: bytes, failures: int, longest: timedelta, now: datetime) -> None:
    if failures > FREE_FAILURES:
        guesses.put_off(session, lane, now + min(timedelta(seconds=2 ** min(failures, 12)), longest))
