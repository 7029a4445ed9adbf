"""Accounts of the people who help: making and changing them, who may, their phones and shifts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy.exc import IntegrityError

from gateway.errors import BadNumber, Refused
from gateway.phone import Msisdn
from gateway.runtime import Runtime
from gateway.services import attending, factors, signing_in
from gateway.services.factors import wall_clock
from gateway.store import attendance, audit, counselors, invitations, sheets
from gateway.store import factors as kept
from gateway.store.counselors import Account, Reachable, Role, Wish
from gateway.store.database import Session
from gateway.vault import Place

AT_CONSOLE = timedelta(minutes=30)  # for so long after a page was asked for, a phone of theirs is theirs
CALLERS_COUNTRY: Final = "MM"
LONGEST_ALIAS: Final = 40


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a new account needs once: the secret to type, and the address that a code reader scans."""

    secret: str
    uri: str


# --- making accounts ----------------------------------------------------------------------------------


def add(
    runtime: Runtime, alias: str, role: Role, password: str, *, number: Msisdn | None, language: str = "my"
) -> Enrolment:
    """Make an account. Raises `Refused` for an alias in use, a short password or a number in use."""
    secret, hashed = factors.new_secret(), factors.hashed(password)
    account = runtime.new_id()
    values = fresh(runtime, account, secret, hashed, number) | {"language": language}
    try:
        with runtime.database.write() as session:
            counselors.add(session, **values, alias=alias, role=role)
            attending.welcome(session, account, role)
            audit.note(session, what="account_added", account=None, subject=account, now=runtime.clock.now())
    except IntegrityError:
        runtime.vault.destroy_keys(account)
        raise Refused("alias_or_number_in_use") from None
    return Enrolment(secret, factors.enrolment_uri(runtime, alias, secret))


def fresh(
    runtime: Runtime, account: str, secret: str, password_hash: str, number: Msisdn | None
) -> dict[str, Any]:
    """The values of a new account's row; its keys are in the keystore when this returns."""
    values = {
        "id": account,
        "password_hash": password_hash,
        "totp_secret": factors.sealed_secret(runtime, account, secret),
        "created": runtime.clock.now(),
    }
    new = runtime.vault.create_keys(account)
    if number is None:
        return values
    sealed = new.seal_number(Place("accounts", "number", account), number)
    return values | {"number_index": runtime.vault.index(number), "sealed_number": sealed}


def fit_alias(alias: str) -> str:
    """An invented name: short, printable, and nothing that could be a number. Raises `Refused("bad_alias")`."""
    alias = " ".join(alias.split())
    digits = sum(sign.isdigit() for sign in alias)
    if not alias or len(alias) > LONGEST_ALIAS or not alias.isprintable() or digits > 4:
        raise Refused("bad_alias")
    return alias


# --- changing them --------------------------------------------------------------------------------------


def may_change(by: Account | None, *roles: Role) -> None:
    """Raises `Refused("for_admins")` where an account that is no administrator touches one that is.

    `by` is None for the command line, which belongs to whoever runs the server.
    """
    if by is not None and by.role is not Role.ADMIN and Role.ADMIN in roles:
        raise Refused("for_admins")
    if by is not None and by.role not in {Role.ADMIN, Role.COORDINATOR}:
        raise Refused("for_coordinators_only")


def reset(runtime: Runtime, alias: str, password: str) -> Enrolment:
    """A new password and a new one-time-code secret; every session of the account ends.

    Passkeys and recovery codes go as well: each would open it to whoever has them.
    """
    hashed, secret = factors.hashed(password), factors.new_secret()
    with runtime.database.write() as session:
        account = known_in(session, alias)
        counselors.change(
            session,
            account.id,
            password_hash=hashed,
            totp_secret=factors.sealed_secret(runtime, account.id, secret),
            totp_step=0,
            unlock_hash=None,
        )
        kept.burn_passkeys(session, account.id)
        kept.burn_codes(session, account.id)
        out_everywhere(session, account.id)
        audit.note(session, what="account_reset", account=None, subject=account.id, now=runtime.clock.now())
    return Enrolment(secret, factors.enrolment_uri(runtime, alias, secret))


def change_role(runtime: Runtime, alias: str, role: Role, *, by: Account | None) -> None:
    """Another role, from the next sign-in on: every session of the account ends, and every invitation by or for it."""
    with runtime.database.write() as session:
        account = known_in(session, alias)
        may_change(by, account.role, role)
        if by is not None and by.id == account.id:
            raise Refused("own_account")
        shift = account.on_shift and role is not Role.AUDITOR
        counselors.change(session, account.id, role=role, on_shift=shift)
        counselors.close_sessions(session, account.id)
        invitations.burn_of_account(session, account.id)
        if role is Role.AUDITOR:
            sheets.burn(session, account.id)
        who = by.id if by else None
        audit.note(session, what=f"role_{role}", account=who, subject=account.id, now=runtime.clock.now())


def end_sessions(runtime: Runtime, alias: str, *, by: Account | None) -> None:
    with runtime.database.write() as session:
        account = known_in(session, alias)
        if by is None or by.id != account.id:
            may_change(by, account.role)
        counselors.close_sessions(session, account.id)
        who = by.id if by else None
        audit.note(session, what="sessions_ended", account=who, subject=account.id, now=runtime.clock.now())


def out_everywhere(session: Session, account: str) -> None:
    """No session goes on, and no browser is known any more."""
    counselors.close_sessions(session, account)
    counselors.forget_clients(session, account)


# --- phones ---------------------------------------------------------------------------------------------


def phone(typed: str, *, accepted: bool) -> Msisdn | None:
    """A counselor's number as typed, None for nothing.

    Raises `Refused("bad_number")`, and `Refused("number_at_home")` for one in the callers' own country, whose
    operators see that the hotline rings it, unless that was `accepted`.
    """
    if not typed.strip():
        return None
    try:
        number = Msisdn.parse(typed)
    except BadNumber:
        raise Refused("bad_number") from None
    if number.region == CALLERS_COUNTRY and not accepted:
        raise Refused("number_at_home")
    return number


def one_more_number(runtime: Runtime, whose: str) -> None:
    """Count a number that somebody gives as their own. Raises `Refused("too_many_numbers")`.

    That one is in use tells who helps here: whoever came in to find that out must not try a list of suspects.
    """
    now = wall_clock()
    with runtime.database.write() as session:
        may = signing_in.slow_down(
            session, runtime, "number", whose, now, longest=signing_in.LONGEST_SECOND_WAIT
        )
    if not may:
        raise Refused("too_many_numbers")


def set_phone(runtime: Runtime, account: Account, number: Msisdn | None, *, by: Account | None) -> None:
    """Another number, or none. In steps, so that at worst no number is left, never one that cannot be opened."""
    with runtime.database.write() as session:
        none = {"number_index": None, "sealed_number": None}
        counselors.change(session, account.id, on_shift=account.on_shift and number is not None, **none)
        what = "phone_changed" if number else "phone_removed"
        who = by.id if by else None
        audit.note(session, what=what, account=who, subject=account.id, now=runtime.clock.now())
    runtime.vault.destroy_keys(account.id)
    new = runtime.vault.create_keys(account.id)
    if number is None:
        return
    sealed = new.seal_number(Place("accounts", "number", account.id), number)
    try:
        with runtime.database.write() as session:
            index = runtime.vault.index(number)
            counselors.change(session, account.id, number_index=index, sealed_number=sealed)
    except IntegrityError:
        raise Refused("alias_or_number_in_use") from None


def describe(runtime: Runtime, alias: str, *, speaks: Sequence[str], woman: bool, by: Account | None) -> None:
    """Say whom this person can help: in which languages (none named: any), and whether she is a woman.

    Raises `Refused("no_such_language")` where a language is not one of the hotline's.
    """
    if not set(speaks) <= set(runtime.settings.languages):
        raise Refused("no_such_language")
    with runtime.database.write() as session:
        account = known_in(session, alias)
        may_change(by, account.role)
        counselors.change(session, account.id, speaks=",".join(sorted(speaks)), woman=woman)
        now = runtime.clock.now()
        audit.note(
            session, what="account_described", account=by.id if by else None, subject=account.id, now=now
        )


# --- who is there ---------------------------------------------------------------------------------------


def set_shift(runtime: Runtime, alias: str, *, on: bool, by: str | None = None) -> None:
    with runtime.database.write() as session:
        account = known_in(session, alias)
        if on and not account.has_phone:
            raise Refused("no_phone")
        now = runtime.clock.now()
        if on:
            attendance.begin(session, account.id, now)
        else:
            attendance.end(session, account.id)
        what = "shift_on" if on else "shift_off"
        audit.note(session, what=what, account=by, subject=account.id, now=now)


def known(runtime: Runtime, alias: str) -> Account:
    """The account of that alias. Raises `Refused("no_such_account")`."""
    with runtime.database.read() as session:
        return known_in(session, alias)


def known_in(session: Session, alias: str) -> Account:
    account = counselors.by_alias(session, alias)
    if account is None:
        raise Refused("no_such_account")
    return account


def of_id(runtime: Runtime, account: str) -> Account:
    """The account of that id. Raises `Refused("no_such_account")`."""
    with runtime.database.read() as session:
        found = counselors.get(session, account)
    if found is None:
        raise Refused("no_such_account")
    return found


def everyone(runtime: Runtime) -> list[Account]:
    with runtime.database.read() as session:
        return list(counselors.everyone(session))


def reachable(session: Session, *, most: int, but: Sequence[str], wish: Wish) -> Sequence[Reachable]:
    """Who may be rung for a request: a phone alone proves nothing, so only with the console or a sheet beside it."""
    now = wall_clock()
    return counselors.reachable(
        session, now=now, seen=now - AT_CONSOLE, sheets=sheets.holders(session), most=most, but=but, wish=wish
    )
