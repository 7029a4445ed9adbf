"""Accounts of the people who help: making them, signing in with two factors, shifts."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.exc import IntegrityError

from gateway.errors import Refused
from gateway.phone import Msisdn
from gateway.runtime import Runtime
from gateway.store import audit, counselors
from gateway.store.counselors import Account, Role
from gateway.store.database import Session
from gateway.vault import Place

SESSION_LIVES = timedelta(hours=8)
SEEN_EVERY = timedelta(minutes=1)
SHORTEST_PASSWORD = 12
_STEP = 30
_FREE_FAILURES = 3
_LONGEST_WAIT = timedelta(seconds=30)

_hasher = PasswordHasher()
# Verified where there is no such account, so that the answer takes as long as for a wrong password.
_NOBODY = _hasher.hash(secrets.token_hex(16))


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a new account needs once: the secret to type, and the address that a code reader scans."""

    secret: str
    uri: str


def _wall_clock() -> datetime:
    """Codes and sessions follow the real time, which the demo's clock leaves alone."""
    return datetime.now(UTC)


# --- making accounts ----------------------------------------------------------------------------------


def add(
    runtime: Runtime, alias: str, role: Role, password: str, *, number: Msisdn | None, language: str = "my"
) -> Enrolment:
    """Make an account. Raises `Refused` for an alias in use, a short password or a number in use."""
    if len(password) < SHORTEST_PASSWORD:
        raise Refused("short_password")
    account = runtime.new_id()
    new = runtime.vault.create_keys(account)
    secret = pyotp.random_base32()
    values = {
        "id": account,
        "alias": alias,
        "role": role,
        "password_hash": _hasher.hash(password),
        "totp_secret": runtime.vault.seal_here(_totp_place(account), secret.encode()),
        "language": language,
        "created": runtime.clock.now(),
    }
    if number is not None:
        values["number_index"] = runtime.vault.index(number)
        values["sealed_number"] = new.seal_number(Place("accounts", "number", account), number)
    try:
        with runtime.database.write() as session:
            counselors.add(session, **values)
            audit.note(session, what="account_added", account=None, subject=account, now=runtime.clock.now())
    except IntegrityError:
        runtime.vault.destroy_keys(account)
        raise Refused("alias_or_number_in_use") from None
    return Enrolment(secret, enrolment_uri(runtime, alias, secret))


def enrolment_uri(runtime: Runtime, alias: str, secret: str) -> str:
    """Under a neutral name: the code reader's screen is searched too."""
    return str(pyotp.TOTP(secret).provisioning_uri(name=alias, issuer_name=runtime.settings.issuer))


def reset(runtime: Runtime, alias: str, password: str) -> Enrolment:
    """A new password and a new one-time-code secret; every session of the account ends."""
    if len(password) < SHORTEST_PASSWORD:
        raise Refused("short_password")
    secret = pyotp.random_base32()
    with runtime.database.write() as session:
        account = _known(session, alias)
        counselors.change(
            session,
            account.id,
            password_hash=_hasher.hash(password),
            totp_secret=runtime.vault.seal_here(_totp_place(account.id), secret.encode()),
            totp_step=0,
            failures=0,
            wait_until=None,
        )
        counselors.close_sessions(session, account.id)
        audit.note(session, what="account_reset", account=None, subject=account.id, now=runtime.clock.now())
    return Enrolment(secret, enrolment_uri(runtime, alias, secret))


def disable(runtime: Runtime, alias: str, *, by: str | None = None) -> None:
    """Nobody signs in with it any more, and every session of it ends at once."""
    with runtime.database.write() as session:
        account = _known(session, alias)
        counselors.change(session, account.id, disabled=True, on_shift=False)
        counselors.close_sessions(session, account.id)
        audit.note(session, what="account_disabled", account=by, subject=account.id, now=runtime.clock.now())


def enable(runtime: Runtime, alias: str) -> None:
    """Undo `disable`; its sessions and its shift stay ended."""
    with runtime.database.write() as session:
        account = _known(session, alias)
        counselors.change(session, account.id, disabled=False)
        audit.note(session, what="account_enabled", account=None, subject=account.id, now=runtime.clock.now())


def set_shift(runtime: Runtime, alias: str, *, on: bool, by: str | None = None) -> None:
    with runtime.database.write() as session:
        account = _known(session, alias)
        if on and not account.has_phone:
            raise Refused("no_phone")
        counselors.change(session, account.id, on_shift=on)
        what = "shift_on" if on else "shift_off"
        audit.note(session, what=what, account=by, subject=account.id, now=runtime.clock.now())


def known(runtime: Runtime, alias: str) -> Account:
    """The account of that alias. Raises `Refused("no_such_account")`."""
    with runtime.database.read() as session:
        return _known(session, alias)


def everyone(runtime: Runtime) -> list[Account]:
    with runtime.database.read() as session:
        return list(counselors.everyone(session))


# --- signing in ---------------------------------------------------------------------------------------


def sign_in(runtime: Runtime, alias: str, password: str, code: str) -> str:
    """Check both factors and open a session. Return its token; the database keeps only a keyed hash of it.

    Raises `Refused("sign_in")` whatever was wrong, after the same work; `Refused("wait")` while an account
    that was guessed at waits, half a minute at most, so that nobody can lock another out for long.
    """
    now = _wall_clock()
    with runtime.database.read() as session:
        known = counselors.credentials(session, alias)
    if known and known.wait_until and known.wait_until > now:
        raise Refused("wait")
    right = _password_is(known.password_hash if known else _NOBODY, password)
    if known is None or known.disabled:
        raise Refused("sign_in")
    step = _step_of(runtime, known, code, now) if right else None
    token = secrets.token_urlsafe(32)
    with runtime.database.write() as session:
        if step is None or not counselors.use_code(session, known.id, step):
            failures = known.failures + 1
            slow = timedelta(seconds=2 ** min(failures, 10)) if failures > _FREE_FAILURES else timedelta()
            counselors.change(session, known.id, failures=failures, wait_until=now + min(slow, _LONGEST_WAIT))
        else:
            counselors.open_session(
                session, _digest(runtime, token), account=known.id, now=now, expires=now + SESSION_LIVES
            )
            audit.note(session, what="sign_in", account=known.id, subject=None, now=runtime.clock.now())
            return token
    raise Refused("sign_in")


def who(runtime: Runtime, token: str) -> Account | None:
    """The account of a session's token, or None."""
    now = _wall_clock()
    digest = _digest(runtime, token)
    with runtime.database.read() as session:
        found = counselors.session_of(session, digest, now=now)
    if found is None:
        return None
    account, seen = found
    if now - seen > SEEN_EVERY:
        with runtime.database.write() as session:
            counselors.touch_session(session, digest, now)
    return account


def sign_out(runtime: Runtime, token: str) -> None:
    with runtime.database.write() as session:
        counselors.close_session(session, _digest(runtime, token))


def current_code(runtime: Runtime, alias: str) -> str | None:
    """The code that a person's reader shows now: only ever in the demo, whose accounts are nobody's."""
    if runtime.settings.mode != "demo":
        return None
    with runtime.database.read() as session:
        known = counselors.credentials(session, alias)
    if known is None:
        return None
    secret = runtime.vault.open_here(_totp_place(known.id), known.totp_secret).decode()
    step = max(int(_wall_clock().timestamp()) // _STEP, known.totp_step + 1)  # the used one works no more
    return str(pyotp.TOTP(secret).generate_otp(step))


def _step_of(runtime: Runtime, known: counselors.Credentials, code: str, now: datetime) -> int | None:
    """The time step whose code this is, one before or after now for clocks that differ; None for none."""
    if not (code.isascii() and code.isdigit()):
        return None
    secret = runtime.vault.open_here(_totp_place(known.id), known.totp_secret).decode()
    totp = pyotp.TOTP(secret)
    here = int(now.timestamp()) // _STEP
    for step in (here, here - 1, here + 1):
        if secrets.compare_digest(totp.generate_otp(step), code):
            return step
    return None


def _password_is(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def _digest(runtime: Runtime, token: str) -> bytes:
    return runtime.vault.digest("session", token)


def _totp_place(account: str) -> Place:
    return Place("accounts", "totp_secret", account)


def _known(session: Session, alias: str) -> Account:
    account = counselors.by_alias(session, alias)
    if account is None:
        raise Refused("no_such_account")
    return account
