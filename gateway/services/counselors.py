"""Accounts of the people who help: making them, signing in with two factors, shifts."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.exc import IntegrityError

from gateway.errors import Refused
from gateway.phone import Msisdn
from gateway.runtime import Runtime
from gateway.services import bridging, callbacks
from gateway.services.errands import Errand, ring_bells
from gateway.store import audit, counselors, sheets
from gateway.store import callbacks as requests
from gateway.store.counselors import Account, Reachable, Role
from gateway.store.database import Session
from gateway.vault import Place

SESSION_LIVES = timedelta(hours=8)
SEEN_EVERY = timedelta(minutes=1)
AT_CONSOLE = timedelta(minutes=30)  # for so long after a page was asked for, a phone of theirs is theirs
KNOWN_FOR = timedelta(days=180)
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
        counselors.forget_clients(session, account.id)
        audit.note(session, what="account_reset", account=None, subject=account.id, now=runtime.clock.now())
    return Enrolment(secret, enrolment_uri(runtime, alias, secret))


def disable(runtime: Runtime, alias: str, *, by: str | None = None) -> None:
    """For somebody who was captured: no sign-in, no session, no sheet, no call and no case is left to it."""
    now = runtime.clock.now()
    with runtime.database.write() as session:
        account = _known(session, alias)
        counselors.change(session, account.id, disabled=True, on_shift=False)
        counselors.close_sessions(session, account.id)
        counselors.forget_clients(session, account.id)
        sheets.burn(session, account.id)
        errands = _let_go(session, runtime, account.id, now)
        audit.note(session, what="account_disabled", account=by, subject=account.id, now=now)
    ring_bells(runtime, errands)


def _let_go(session: Session, runtime: Runtime, account: str, now: datetime) -> list[Errand]:
    """End its calls, and give back what it claimed; whom it talked to is left to a coordinator."""
    errands: list[Errand] = []
    for one in requests.of_account(session, account):
        ended = bridging.counselor_left(session, runtime, one.id, account, now=now)
        errands += ended or callbacks.hang_up(session, runtime, one.id, now=now)
        there = requests.get_to_move(session, one.id)
        if there is not None and there.claimed_by == account:
            callbacks.lease_over(session, there, now=now, why="account_ended")
    return errands


def enable(runtime: Runtime, alias: str) -> None:
    """Undo `disable`; its sessions, its shift and its sheet stay ended."""
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


def reachable(session: Session, *, most: int, but: Sequence[str]) -> Sequence[Reachable]:
    """Who may be rung for a request: a phone alone proves nothing, so only with the console or a sheet beside it."""
    now = _wall_clock()
    return counselors.reachable(
        session, now=now, seen=now - AT_CONSOLE, sheets=sheets.holders(session), most=most, but=but
    )


# --- signing in ---------------------------------------------------------------------------------------


def sign_in(runtime: Runtime, alias: str, password: str, code: str, client: str = "") -> str:
    """Check both factors and open a session. Return its token; the database keeps only a keyed hash of it.

    `client` is the browser's own lasting random token. Tries wait, half a minute at most, for the failures of their
    own client where it signed in before, and else for those of all unknown ones: guessing keeps no owner out.
    Raises `Refused("sign_in")` whatever was wrong, after the same work, also while the tries wait.
    """
    now = _wall_clock()
    with runtime.database.read() as session:
        known = counselors.credentials(session, alias)
        ours = _client_digest(runtime, known.id, client) if known else b""
        waits = known is not None and _waits(session, known.id, ours, now)
    open_to_try = known is not None and not known.disabled and not waits
    right = _password_is(known.password_hash if known and open_to_try else _NOBODY, password)
    if known is None or not open_to_try:
        raise Refused("sign_in")
    step = _step_of(runtime, known, code, now) if right else None
    token = secrets.token_urlsafe(32)
    with runtime.database.write() as session:
        # Counted before it is looked at, so that of many at once each one knows of those before it.
        failures = counselors.count_failure(session, known.id, ours)
        waits = _waits(session, known.id, ours, now)
        if not waits and step is not None and counselors.use_code(session, known.id, step):
            counselors.open_session(
                session, _digest(runtime, token), account=known.id, now=now, expires=now + SESSION_LIVES
            )
            counselors.forget_clients_before(session, now - KNOWN_FOR)
            if client:
                counselors.know_client(session, known.id, ours, now)
            audit.note(session, what="sign_in", account=known.id, subject=None, now=runtime.clock.now())
            return token
        if not waits and failures > _FREE_FAILURES:
            slow = timedelta(seconds=2 ** min(failures, 10))
            counselors.put_off(session, known.id, ours, now + min(slow, _LONGEST_WAIT))
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


def _waits(session: Session, account: str, client: bytes, now: datetime) -> bool:
    until = counselors.waits_until(session, account, client)
    return until is not None and until > now


def _digest(runtime: Runtime, token: str) -> bytes:
    return runtime.vault.digest("session", token)


def _client_digest(runtime: Runtime, account: str, client: str) -> bytes:
    return runtime.vault.digest("client", f"{account} {client}")


def _totp_place(account: str) -> Place:
    return Place("accounts", "totp_secret", account)


def _known(session: Session, alias: str) -> Account:
    account = counselors.by_alias(session, alias)
    if account is None:
        raise Refused("no_such_account")
    return account
