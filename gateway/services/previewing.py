"""That a person looked at what a searched handset shows, and found it fit: kept for exactly what was looked at."""

from dataclasses import dataclass
from datetime import datetime

from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.store import audit
from prompts import preview

_NAMES = "preview:"  # of the switches that keep it, before the fingerprint of what was looked at


@dataclass(frozen=True, slots=True)
class Looked:
    """Who found it fit, by the account's id, and when."""

    account: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SignOff:
    """`looked` is about what the running content shows; `earlier` about what it showed before it was changed."""

    fingerprint: str
    looked: Looked | None
    earlier: Looked | None


def standing(runtime: Runtime) -> SignOff:
    """Whether the running content's handsets were looked at. Raises `StoreDown`."""
    fingerprint = preview.fingerprint(runtime.library)
    with runtime.database.read() as session:
        kept = audit.turned(session, _NAMES)
    found = {name.removeprefix(_NAMES): Looked(account, at) for name, account, at in reversed(kept)}
    looked = found.pop(fingerprint, None)
    return SignOff(fingerprint, looked, next(reversed(found.values()), None))


def sign_off(runtime: Runtime, seen: str, *, account: str) -> None:
    """Keep that `account` found `seen`, a fingerprint, fit. Raises `Refused` where it is not what runs now."""
    if seen != preview.fingerprint(runtime.library):
        raise Refused("shown_changed")
    now = runtime.clock.now()
    with runtime.database.write() as session:
        audit.switch(session, f"{_NAMES}{seen}", account, now)
        audit.note(session, what="preview_fit", account=account, subject=seen, now=now)
