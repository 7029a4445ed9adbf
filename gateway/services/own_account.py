"""What people do with their own account: password, reader, recovery codes, short code, phone, passkeys."""

import base64
from binascii import Error as NotBase64
from dataclasses import dataclass

from gateway.errors import BadSeal, Refused
from gateway.phone import Msisdn
from gateway.runtime import Runtime
from gateway.services import counselors, factors
from gateway.services.factors import wall_clock
from gateway.services.signing_in import forgive, slow_down
from gateway.store import audit
from gateway.store import counselors as accounts
from gateway.store import factors as kept
from gateway.store.counselors import Account
from gateway.store.database import Session
from gateway.vault import Place


@dataclass(frozen=True, slots=True)
class NewReader:
    """A secret that counts once its first code was typed; `sealed` carries it from one page to the next."""

    secret: str
    uri: str
    sealed: str


def confirm(runtime: Runtime, account: Account, password: str) -> None:
    """The password once more, before anything that would open the account to another.

    Raises `Refused`: `password`, `busy`; guessing here waits as it does at the door.
    """
    now = wall_clock()
    with runtime.database.write() as session:
        may = slow_down(session, runtime, "confirm", account.id, now)
        known = accounts.credentials_of(session, account.id)
    if not factors.matches(known.password_hash if known and may else None, password):
        raise Refused("password")
    with runtime.database.write() as session:
        forgive(session, runtime, "confirm", account.id)


def change_password(runtime: Runtime, account: Account, new: str, again: str) -> None:
    """Every session ends, this one too."""
    if new != again:
        raise Refused("passwords_differ")
    hashed = factors.hashed(new)
    with runtime.database.write() as session:
        accounts.change(session, account.id, password_hash=hashed)
        counselors.out_everywhere(session, account.id)
        _note(session, runtime, "password_changed", account)


def new_reader(runtime: Runtime, account: Account, sealed: str = "") -> NewReader:
    """A new secret for a code reader, or the one of the page before; the old one works until it is confirmed."""
    secret = _opened(runtime, account, sealed) if sealed else factors.new_secret()
    raw = runtime.vault.seal_here(_place(account), secret.encode())
    uri = factors.enrolment_uri(runtime, account.alias, secret)
    return NewReader(secret, uri, base64.b64encode(raw).decode())


def confirm_reader(runtime: Runtime, account: Account, sealed: str, code: str) -> None:
    """From here on only the new reader's codes count. Every session ends. Raises `Refused("first_code")`."""
    secret = _opened(runtime, account, sealed)
    step = factors.step_of(secret, factors.digits(code), wall_clock())
    if step is None:
        raise Refused("first_code")
    sealed_secret = factors.sealed_secret(runtime, account.id, secret)
    with runtime.database.write() as session:
        accounts.change(session, account.id, totp_secret=sealed_secret, totp_step=step)
        counselors.out_everywhere(session, account.id)
        _note(session, runtime, "reader_changed", account)


def new_recovery_codes(runtime: Runtime, account: Account) -> list[str]:
    with runtime.database.write() as session:
        _note(session, runtime, "recovery_codes_made", account)
        return factors.new_recovery_codes(session, runtime, account.id)


def recovery_codes_left(runtime: Runtime, account: Account) -> int:
    with runtime.database.read() as session:
        return kept.codes_left(session, account.id)


def set_unlock_code(runtime: Runtime, account: Account, code: str) -> None:
    """Raises `Refused("unlock_code")`."""
    hashed = factors.unlock_hash(runtime, account.id, code)
    with runtime.database.write() as session:
        accounts.change(session, account.id, unlock_hash=hashed)
        _note(session, runtime, "unlock_code_set", account)


def set_phone(runtime: Runtime, account: Account, number: Msisdn | None) -> None:
    """Raises `Refused`: `too_many_numbers`, `alias_or_number_in_use`."""
    if number is not None:
        counselors.one_more_number(runtime, account.id)
    counselors.set_phone(runtime, account, number, by=account)


def _opened(runtime: Runtime, account: Account, sealed: str) -> str:
    try:
        raw = base64.b64decode(sealed.encode(), validate=True)
        return runtime.vault.open_here(_place(account), raw).decode()
    except (NotBase64, BadSeal, ValueError):
        raise Refused("first_code") from None


def _place(account: Account) -> Place:
    return Place("accounts", "new_reader", account.id)


def _note(session: Session, runtime: Runtime, what: str, account: Account) -> None:
    audit.note(session, what=what, account=account.id, subject=account.id, now=runtime.clock.now())
