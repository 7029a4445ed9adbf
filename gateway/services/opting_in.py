"""Opting in to programmes: nothing is live before one call is answered with the key, or one code comes back."""

import hmac
from datetime import datetime, timedelta
from typing import Final

from gateway.queue import JOB_CONFIRM
from gateway.runtime import Runtime
from gateway.services import forgetting, windows
from gateway.services.errands import Errand, errand
from gateway.store import consents, contacts, legs
from gateway.store.consents import Consent, Way
from gateway.store.database import Session

LIVES: Final = timedelta(days=30)
LAST_DAYS: Final = timedelta(days=7)
"""In these a programme's call asks whether it shall go on."""
CONFIRM_LIVES: Final = timedelta(hours=24)
ENGAGED: Final = timedelta(seconds=30)
ENGAGED_TRIES: Final = 6
PROVISIONAL: Final = timedelta(days=2)
TRIES: Final = 3
"""Of a code: then it is worth nothing, whoever guesses."""


# --- by call ------------------------------------------------------------------------------------------


def by_call(
    session: Session,
    runtime: Runtime,
    contact: str,
    *,
    own_key: str,
    language: str,
    line_index: bytes,
    now: datetime,
) -> list[Errand]:
    """Calls are asked for: owe the one neutral call that confirms it, unless it is owed already."""
    id_, owed = consents.ask(
        session,
        id=runtime.new_id(),
        contact=contact,
        own_key=own_key,
        language=language,
        line_index=line_index,
        asked=now,
        until=now + PROVISIONAL,
    )
    if not owed:
        return []
    settings = runtime.settings
    due = windows.after_quiet(now, settings.quiet_hours, settings.timezone)
    return [errand(session, runtime, JOB_CONFIRM, id_, due=due, lives=CONFIRM_LIVES)]


def confirmed(session: Session, consent: str, *, now: datetime) -> None:
    """The confirming call was answered with the own key."""
    consents.make_live(session, consent, until=now + LIVES)


def engaged(session: Session, runtime: Runtime, consent: str, *, now: datetime) -> list[Errand]:
    """Her phone was engaged, perhaps by the very call in which she asked: nobody was rung yet, so a little later."""
    tries = sum(leg.result == "busy" for leg in legs.of(session, consent))
    if tries >= ENGAGED_TRIES:
        return not_confirmed(session, runtime, consent, now=now)
    return [errand(session, runtime, JOB_CONFIRM, consent, due=now + ENGAGED, lives=CONFIRM_LIVES)]


def not_confirmed(session: Session, runtime: Runtime, consent: str, *, now: datetime) -> list[Errand]:
    """Anything else: what was asked for ends; what was live before goes on as it was."""
    there = consents.get(session, consent)
    if there is None or there.asked_key is None:
        return []
    if there.live:
        consents.not_confirmed(session, consent)
        return []
    consents.end(session, there.contact)
    return [forgetting.release(session, runtime, there.contact, now=now)]


def ends_soon(consent: Consent, now: datetime) -> bool:
    return consent.live and consent.way is Way.CALL and consent.until - now <= LAST_DAYS


def renew(session: Session, consent: str, *, now: datetime) -> None:
    """Her own key, pressed once more in a call: the only thing that makes it last longer."""
    consents.renew(session, consent, until=now + LIVES)


# --- by text ------------------------------------------------------------------------------------------


def texts_open(session: Session, number_index: bytes) -> bool:
    """Whether a code may be sent to this number: one at a time, for anybody can ask in its name."""
    contact = contacts.find(session, number_index)
    return contact is None or consents.text_opt_in(session, contact) is None


def by_text(
    session: Session,
    runtime: Runtime,
    contact: str,
    *,
    code: str,
    language: str,
    line_index: bytes,
    now: datetime,
) -> None:
    """Texts are asked for; the code rides back in the answer, and only a keyed hash of it is kept."""
    consents.ask_texts(
        session,
        contact=contact,
        code=_digest(runtime, contact, code),
        language=language,
        line_index=line_index,
        until=now + CONFIRM_LIVES,
    )


def code_is_right(
    session: Session, runtime: Runtime, number_index: bytes, text: str, *, now: datetime
) -> bool:
    """Whether this is the code that was sent to this number. A wrong one of its length counts as a try."""
    contact = contacts.find(session, number_index)
    there = consents.text_opt_in(session, contact) if contact else None
    if there is None or there.tries >= TRIES or there.until <= now:
        return False
    if hmac.compare_digest(there.code, _digest(runtime, there.contact, text)):
        return True
    consents.count_try(session, there.contact)
    return False


def texts_confirmed(session: Session, runtime: Runtime, number_index: bytes, *, now: datetime) -> None:
    """The code came back from the number that it was sent to."""
    contact = contacts.find(session, number_index)
    there = consents.text_opt_in(session, contact) if contact else None
    if there is not None:
        consents.confirm_texts(session, runtime.new_id(), there, asked=now, until=now + LIVES)


def _digest(runtime: Runtime, contact: str, code: str) -> bytes:
    return runtime.vault.digest("text_code", f"{contact} {code}")
