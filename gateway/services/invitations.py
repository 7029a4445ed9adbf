"""Joining by invitation: a code made by a coordinator, handed over by a safe way, good once and for two days."""

import base64
import json
import secrets
from binascii import Error as NotBase64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.exc import IntegrityError

from gateway.errors import BadSeal, Refused
from gateway.phone import Msisdn
from gateway.runtime import Runtime
from gateway.services import attending, counselors, factors, signing_in
from gateway.services.factors import wall_clock
from gateway.services.signing_in import Origin
from gateway.store import audit, invitations, sheets
from gateway.store import counselors as accounts
from gateway.store import factors as kept
from gateway.store.counselors import Account, Role
from gateway.store.database import Session
from gateway.store.invitations import Invitation
from gateway.vault import Place

LIVES: Final = timedelta(hours=48)
WRONG_CODES: Final = 5  # then the invitation is burnt: somebody guesses at it
_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that is read as something else
_SELECTOR, _LENGTH = 4, 12


@dataclass(frozen=True, slots=True)
class Joining:
    """What the invited person needs for the page: `sealed` carries the secret from one page to the next."""

    alias: str
    role: Role
    anew: bool
    secret: str
    uri: str
    sealed: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What the invited person typed. `unlock` may be empty; `number` None for none, or for the one that is kept."""

    password: str
    again: str
    code: str
    unlock: str
    number: Msisdn | None
    language: str


@dataclass(frozen=True, slots=True)
class Joined:
    """The token of the first session, and the recovery codes, which are shown once."""

    token: str
    recovery: list[str]


# --- making one -----------------------------------------------------------------------------------------


def invite(runtime: Runtime, alias: str, role: Role, *, by: Account | None) -> str:
    """The code for a new account, shown once. Raises `Refused`."""
    alias = counselors.fit_alias(alias)
    counselors.may_change(by, role)
    with runtime.database.write() as session:
        if accounts.by_alias(session, alias):
            raise Refused("alias_or_number_in_use")
        return _made(session, runtime, alias, role, None, by)


def invite_anew(runtime: Runtime, alias: str, *, by: Account | None) -> str:
    """The code by which somebody who lost password or reader begins anew; until it is used nothing changes."""
    with runtime.database.write() as session:
        account = counselors.known_in(session, alias)
        counselors.may_change(by, account.role)
        return _made(session, runtime, alias, account.role, account.id, by)


def open_now(runtime: Runtime) -> Sequence[Invitation]:
    with runtime.database.read() as session:
        return invitations.open_now(session, now=wall_clock())


def withdraw(runtime: Runtime, selector: str, *, by: Account) -> None:
    """Raises `Refused("gone")`."""
    with runtime.database.write() as session:
        there = invitations.get(session, selector, now=wall_clock())
        if there is None:
            raise Refused("gone")
        counselors.may_change(by, there.role)
        invitations.burn(session, selector)
        audit.note(session, what="invitation_withdrawn", account=by.id, subject=None, now=runtime.clock.now())


def _made(
    session: Session, runtime: Runtime, alias: str, role: Role, account: str | None, by: Account | None
) -> str:
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    who, now = (by.id if by else None), wall_clock()
    invitations.drop_before(session, now)
    invitations.add(
        session, Invitation(code[:_SELECTOR], _digest(runtime, code), alias, role, account, who, now + LIVES)
    )
    audit.note(session, what="invited", account=who, subject=account, now=runtime.clock.now())
    return "-".join(code[at : at + 4] for at in range(0, _LENGTH, 4))


# --- using it -------------------------------------------------------------------------------------------


def look(runtime: Runtime, code: str, origin: Origin) -> Joining:
    """Begin to join with a code. Raises `Refused("invitation")` for whatever is wrong with it.

    Guesses wait by network, and five wrong endings burn the invitation that they begin like. What is right is
    too long to be guessed and never waits: somebody else's guesses from the same network keep nobody out.
    """
    code = "".join(sign for sign in code.upper() if sign.isalnum())
    digest, now = _digest(runtime, code), wall_clock()
    with runtime.database.write() as session:
        there = invitations.get(session, code[:_SELECTOR], now=now)
        right = there is not None and secrets.compare_digest(there.digest, digest)
        may = right or signing_in.slow_down(session, runtime, "join", origin.network, now)
        if there is not None and may and not right:
            _count_wrong(session, runtime, there)
    if there is None or not right:
        raise Refused("invitation")
    return _joining(runtime, there, factors.new_secret())


def _count_wrong(session: Session, runtime: Runtime, there: Invitation) -> None:
    if invitations.count_wrong(session, there.selector) >= WRONG_CODES:
        invitations.burn(session, there.selector)
        audit.note(session, what="invitation_burnt", account=None, subject=None, now=runtime.clock.now())


def again(runtime: Runtime, sealed: str) -> Joining:
    """The same page once more, with the same secret. Raises `Refused("invitation")` where it is used or over."""
    there, secret = _opened(runtime, sealed)
    return _joining(runtime, there, secret)


def join(runtime: Runtime, sealed: str, answers: Answers, origin: Origin) -> Joined:
    """Make the account, or begin anew, and sign in; the code is burnt. Raises `Refused`, with nothing done."""
    there, secret = _opened(runtime, sealed)
    if answers.password != answers.again:
        raise Refused("passwords_differ")
    hashed, now = factors.hashed(answers.password), wall_clock()
    step = factors.step_of(secret, factors.digits(answers.code), now)
    if step is None:
        raise Refused("first_code")
    if answers.number is not None:
        counselors.one_more_number(runtime, there.selector)
    account = there.account or runtime.new_id()
    unlock = factors.unlock_hash(runtime, account, answers.unlock) if answers.unlock.strip() else None
    values = {"language": answers.language, "totp_step": step, "unlock_hash": unlock}
    values |= _new_values(runtime, there, account, secret, hashed, answers.number)
    token = secrets.token_urlsafe(32)
    try:
        recovery = _written(runtime, there, account, values, token, origin)
    except (IntegrityError, Refused) as error:
        if there.account is None:
            runtime.vault.destroy_keys(account)
        raise error if isinstance(error, Refused) else Refused("alias_or_number_in_use") from None
    if there.account and answers.number:
        counselors.set_phone(runtime, counselors.of_id(runtime, account), answers.number, by=None)
    return Joined(token, recovery)


def _new_values(
    runtime: Runtime, there: Invitation, account: str, secret: str, hashed: str, number: Msisdn | None
) -> dict[str, object]:
    if there.account is None:
        return counselors.fresh(runtime, account, secret, hashed, number)
    return {"password_hash": hashed, "totp_secret": factors.sealed_secret(runtime, account, secret)}


def _written(
    runtime: Runtime, there: Invitation, account: str, values: dict[str, object], token: str, origin: Origin
) -> list[str]:
    """All of it in one transaction. Return the recovery codes."""
    client = signing_in.client_digest(runtime, account, origin.client) if origin.client else b""
    with runtime.database.write() as session:
        if not invitations.burn(session, there.selector):
            raise Refused("invitation")
        _write(session, there, account, values)
        audit.note(session, what="joined", account=account, subject=account, now=runtime.clock.now())
        signing_in.open_session(session, runtime, token, account, client, origin, wall_clock())
        return factors.new_recovery_codes(session, runtime, account)


def _write(session: Session, there: Invitation, account: str, values: dict[str, object]) -> None:
    if there.account is None:
        accounts.add(session, **values, alias=there.alias, role=there.role)
        attending.welcome(session, account, there.role)
        return
    accounts.change(session, account, **values)
    counselors.out_everywhere(session, account)
    kept.burn_passkeys(session, account)
    sheets.burn(session, account)


# --- from one page to the next --------------------------------------------------------------------------


def _joining(runtime: Runtime, there: Invitation, secret: str) -> Joining:
    plain = json.dumps([there.selector, there.digest.hex(), secret]).encode()
    sealed = base64.b64encode(runtime.vault.seal_here(_place(), plain)).decode()
    uri = factors.enrolment_uri(runtime, there.alias, secret)
    return Joining(there.alias, there.role, there.account is not None, secret, uri, sealed)


def _opened(runtime: Runtime, sealed: str) -> tuple[Invitation, str]:
    try:
        raw = base64.b64decode(sealed.encode(), validate=True)
        selector, digest, secret = json.loads(runtime.vault.open_here(_place(), raw))
    except (NotBase64, BadSeal, ValueError):
        raise Refused("invitation") from None
    with runtime.database.read() as session:
        there = invitations.get(session, selector, now=wall_clock())
    if there is None or there.digest.hex() != digest:
        raise Refused("invitation")
    return there, secret


def _place() -> Place:
    return Place("invitations", "joining", "page")


def _digest(runtime: Runtime, code: str) -> bytes:
    return runtime.vault.digest("invitation", code)
