"""What shows who somebody is: password, a reader's one-time code, recovery codes, the short unlock code."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Final

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.store import counselors, factors
from gateway.store.database import Session
from gateway.vault import Place

SHORTEST_PASSWORD: Final = 12
RECOVERY_CODES: Final = 10
RECOVERY_LENGTH: Final = 10  # digits, so that any keyboard types them; a reader's code has six
_STEP: Final = 30
_BURMESE: Final = str.maketrans("၀၁၂၃၄၅၆၇၈၉", "0123456789")

HASHER = PasswordHasher()
PLACES: Final = 3  # of the web's four threads: one is left for whoever calls, whatever is tried at the door
PATIENCE: Final = 3.0  # seconds


class Turns:
    """Passwords are looked at one at a time in a process, for each takes 64 MB and every processor.

    One more may wait meanwhile, and beside that one somebody who has shown already that they belong here, who
    is next then. Whoever finds no place is told so at once.
    """

    def __init__(self) -> None:
        self._ended = threading.Condition()
        self.inside = self._known = 0  # all of them; and of those who wait the known
        self._taken = False

    @contextmanager
    def take(self, *, known: bool) -> Iterator[None]:
        """Raises `Refused("busy")`, with nothing done."""
        with self._ended:
            if self.inside >= PLACES - (not known):
                raise Refused("busy")
            self.inside += 1
            self._known += known
            came = self._ended.wait_for(lambda: not self._taken and (known or not self._known), PATIENCE)
            self._known -= known
            self._taken = self._taken or came
            if not came:
                self._leave()
                raise Refused("busy")
        try:
            yield
        finally:
            with self._ended:
                self._taken = False
                self._leave()

    def _leave(self) -> None:
        self.inside -= 1
        self._ended.notify_all()


TURNS: Final = Turns()


def wall_clock() -> datetime:
    """Codes and sessions follow the real time, which the demo's clock leaves alone."""
    return datetime.now(UTC)


def digits(typed: str) -> str:
    """What was typed as a code, without spaces, in the digits that we compare."""
    return "".join(typed.split()).translate(_BURMESE).replace("-", "")


# --- passwords ------------------------------------------------------------------------------------------


def hashed(password: str) -> str:
    """Raises `Refused`: `short_password`, `busy`."""
    if len(password) < SHORTEST_PASSWORD:
        raise Refused("short_password")
    return _hashed(password)


@cache
def nobodys() -> str:
    """A hash that no password has, as dear to try as any."""
    return HASHER.hash(secrets.token_hex(16))


def matches(kept: str | None, typed: str, *, known: bool = True) -> bool:
    """Whether this is it; None, where there is nothing to compare with, takes the same work.

    `known` are those who have shown already that they belong here. Raises `Refused("busy")`.
    """
    with TURNS.take(known=known):
        nobody = nobodys()
        try:
            return HASHER.verify(kept or nobody, typed) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def _hashed(secret: str) -> str:
    with TURNS.take(known=True):
        return HASHER.hash(secret)


# --- the codes of a reader ------------------------------------------------------------------------------


def new_secret() -> str:
    return str(pyotp.random_base32())


def enrolment_uri(runtime: Runtime, alias: str, secret: str) -> str:
    """Under a neutral name: the code reader's screen is searched too."""
    return str(pyotp.TOTP(secret).provisioning_uri(name=alias, issuer_name=runtime.settings.issuer))


def sealed_secret(runtime: Runtime, account: str, secret: str) -> bytes:
    return runtime.vault.seal_here(_totp_place(account), secret.encode())


def opened_secret(runtime: Runtime, account: str, sealed: bytes) -> str:
    return runtime.vault.open_here(_totp_place(account), sealed).decode()


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step whose code this is, one before or after now for clocks that differ; None for none."""
    if not (code.isascii() and code.isdigit()):
        return None
    totp = pyotp.TOTP(secret)
    here = int(now.timestamp()) // _STEP
    for step in (here, here - 1, here + 1):
        if secrets.compare_digest(totp.generate_otp(step), code):
            return step
    return None


def code_after(secret: str, used: int, now: datetime) -> str:
    """The code that works next."""
    step = max(int(now.timestamp()) // _STEP, used + 1)  # the used one works no more
    return str(pyotp.TOTP(secret).generate_otp(step))


def use(session: Session, runtime: Runtime, known: counselors.Credentials, code: str, now: datetime) -> bool:
    """Use up a reader's code or a recovery code; each works once."""
    if len(code) == RECOVERY_LENGTH:
        return use_recovery_code(session, runtime, known.id, code)
    step = step_of(opened_secret(runtime, known.id, known.totp_secret), code, now)
    return step is not None and counselors.use_code(session, known.id, step)


def is_recovery_code(session: Session, runtime: Runtime, account: str, code: str) -> bool:
    """Whether this would work, and does so still afterwards."""
    return len(code) == RECOVERY_LENGTH and factors.has_code(
        session, account, _recovery_digest(runtime, account, code)
    )


def use_recovery_code(session: Session, runtime: Runtime, account: str, code: str) -> bool:
    return factors.use_code(session, account, _recovery_digest(runtime, account, code))


# --- recovery codes -------------------------------------------------------------------------------------


def new_recovery_codes(session: Session, runtime: Runtime, account: str) -> list[str]:
    """Ten codes, to be shown once; the old ones work no more."""
    codes = [f"{secrets.randbelow(10**RECOVERY_LENGTH):0{RECOVERY_LENGTH}}" for _ in range(RECOVERY_CODES)]
    factors.renew_codes(session, account, [_recovery_digest(runtime, account, code) for code in codes])
    return codes


def _recovery_digest(runtime: Runtime, account: str, code: str) -> bytes:
    return runtime.vault.digest("recovery", f"{account} {code}")


# --- the short code after five idle minutes -------------------------------------------------------------


def unlock_hash(runtime: Runtime, account: str, code: str) -> str:
    """Raises `Refused`: `busy`; `unlock_code` where it is not four to six digits, or one digit only.

    So short a code is keyed before it is hashed: without the keystore all of them cannot be tried.
    """
    code = digits(code)
    if not (4 <= len(code) <= 6 and code.isascii() and code.isdigit() and len(set(code)) > 1):
        raise Refused("unlock_code")
    return _hashed(_keyed_unlock(runtime, account, code))


def unlocks(runtime: Runtime, account: str, kept: str, code: str) -> bool:
    return matches(kept, _keyed_unlock(runtime, account, digits(code)))


def _keyed_unlock(runtime: Runtime, account: str, code: str) -> str:
    return runtime.vault.digest("unlock", f"{account} {code}").hex()


def _totp_place(account: str) -> Place:
    return Place("accounts", "totp_secret", account)
