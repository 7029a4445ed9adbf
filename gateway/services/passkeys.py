"""Passkeys: a key in a phone or computer that opens with its owner's finger or code, and counts for both factors."""

import base64
import hmac
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from gateway.environment import is_loopback
from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.services import signing_in
from gateway.services.factors import wall_clock
from gateway.services.signing_in import Origin
from gateway.store import audit
from gateway.store import counselors as accounts
from gateway.store import factors as kept
from gateway.store.counselors import Account
from gateway.store.database import Session
from gateway.store.factors import Passkey

CHALLENGE_LIVES: Final = timedelta(minutes=5)
MOST: Final = 5
LONGEST: Final = 16_000  # characters of what a browser answers
_TIME, _RANDOM = 8, 16  # bytes of a challenge before its keyed hash


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a browser answered, with the challenge and the origin that it says it answered to."""

    given: dict[str, Any]
    credential: bytes
    challenge: bytes
    origin: str


def places(runtime: Runtime) -> dict[str, str]:
    """The addresses at which passkeys work here, each with the name that they are bound to.

    Browsers know no passkeys for an address of digits, so a demo's works under `localhost`.
    """
    url = urlsplit(runtime.settings.console_url)
    found = {f"{url.scheme}://{url.netloc}": url.hostname or ""}
    if is_loopback(runtime.settings.console_url):
        found |= {f"{url.scheme}://localhost:{url.port}": "localhost"}
    return found


def challenge(runtime: Runtime, account: str = "") -> bytes:
    """A fresh one: for signing in, or for the new passkey of this account. Nothing is kept of it."""
    head = int(wall_clock().timestamp()).to_bytes(_TIME) + secrets.token_bytes(_RANDOM)
    return head + _mac(runtime, head, account)


def register(runtime: Runtime, account: Account, answer: str, device: str) -> None:
    """Keep a new passkey. Raises `Refused("passkey")` for whatever is wrong with it."""
    from webauthn import verify_registration_response  # noqa: PLC0415 - a third of a second, for few

    asked = _read(runtime, answer, account.id)
    found = _verified(
        verify_registration_response,
        credential=asked.given,
        expected_challenge=asked.challenge,
        expected_rp_id=places(runtime).get(asked.origin, ""),
        expected_origin=asked.origin,
        require_user_verification=True,
    )
    now = wall_clock()
    with runtime.database.write() as session:
        credential = _credential(runtime, found.credential_id)
        full = len(kept.passkeys_of(session, account.id)) >= MOST
        if not _first(session, runtime, asked, now) or full or kept.passkey(session, credential):
            raise Refused("passkey")
        kept.add_passkey(
            session,
            id=runtime.new_id(),
            account=account.id,
            credential=credential,
            public_key=found.credential_public_key,
            sign_count=found.sign_count,
            device=device[:40],
            made=now,
        )
        _note(session, runtime, "passkey_added", account)


def sign_in(runtime: Runtime, answer: str, origin: Origin) -> str:
    """Open a session for whoever holds a passkey and opened it. Return its token; raises `Refused("passkey")`."""
    from webauthn import verify_authentication_response  # noqa: PLC0415 - as above

    asked = _read(runtime, answer, "")
    with runtime.database.read() as session:
        there = kept.passkey(session, _credential(runtime, asked.credential))
        account = accounts.get(session, there.account) if there else None
    if there is None or account is None or account.disabled:
        raise Refused("passkey")
    found = _verified(
        verify_authentication_response,
        credential=asked.given,
        expected_challenge=asked.challenge,
        expected_rp_id=places(runtime).get(asked.origin, ""),
        expected_origin=asked.origin,
        credential_public_key=there.public_key,
        credential_current_sign_count=there.sign_count,
        require_user_verification=True,
    )
    token, now = secrets.token_urlsafe(32), wall_clock()
    with runtime.database.write() as session:
        # Written where it still is: it may have been removed, or burnt with its account, meanwhile.
        used = kept.passkey_used(session, there, found.new_sign_count, now)
        if not _first(session, runtime, asked, now) or not used:
            raise Refused("passkey")
        client = signing_in.client_digest(runtime, account.id, origin.client) if origin.client else b""
        signing_in.open_session(session, runtime, token, account.id, client, origin, now)
    return token


def of_account(runtime: Runtime, account: Account) -> Sequence[Passkey]:
    with runtime.database.read() as session:
        return kept.passkeys_of(session, account.id)


def remove(runtime: Runtime, account: Account, passkey: str) -> None:
    """Raises `Refused("gone")`."""
    with runtime.database.write() as session:
        if not kept.remove_passkey(session, account.id, passkey):
            raise Refused("gone")
        _note(session, runtime, "passkey_removed", account)


# --- what a browser answers -----------------------------------------------------------------------------


def _read(runtime: Runtime, answer: str, account: str) -> _Answer:
    """Read an answer to a challenge of ours that is not over. Raises `Refused("passkey")`."""
    try:
        given = json.loads(answer[:LONGEST])
        client = json.loads(_bytes(given["response"]["clientDataJSON"]))
        asked = _Answer(given, _bytes(given["rawId"]), _bytes(client["challenge"]), str(client["origin"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Refused("passkey") from None
    head, mac = asked.challenge[: _TIME + _RANDOM], asked.challenge[_TIME + _RANDOM :]
    age = wall_clock().timestamp() - int.from_bytes(head[:_TIME])
    if not hmac.compare_digest(mac, _mac(runtime, head, account)):
        raise Refused("passkey")
    if not 0 <= age + 1 <= CHALLENGE_LIVES.total_seconds() or asked.origin not in places(runtime):
        raise Refused("passkey")
    return asked


def _verified(verify: Callable[..., Any], **given: Any) -> Any:
    try:
        return verify(**given)
    except Exception:  # noqa: BLE001 - whatever a stranger's bytes did to the parser, the answer is the same
        raise Refused("passkey") from None


def _first(session: Session, runtime: Runtime, asked: _Answer, now: datetime) -> bool:
    """Whether this challenge was never answered before."""
    used = runtime.vault.digest("challenge used", asked.challenge.hex())
    return kept.answer_once(session, used, expires=now + CHALLENGE_LIVES, now=now)


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _credential(runtime: Runtime, credential: bytes) -> bytes:
    return runtime.vault.digest("passkey", credential.hex())


def _mac(runtime: Runtime, head: bytes, account: str) -> bytes:
    return runtime.vault.digest("challenge", f"{head.hex()} {account}")


def _note(session: Session, runtime: Runtime, what: str, account: Account) -> None:
    audit.note(session, what=what, account=account.id, subject=account.id, now=runtime.clock.now())
