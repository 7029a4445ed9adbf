"""How things stand, in counts without identities; and why something is withheld just now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.errors import GatewayError
from gateway.runtime import Runtime
from gateway.services import windows
from gateway.store import callbacks, counselors, outbox, outreach


def status(runtime: Runtime) -> dict[str, Any]:
    """The form of `hotline status --json`."""
    with runtime.database.read() as session:
        return {
            "callbacks": callbacks.counts(session),
            "messages": {},
            "recipients": outreach.recipient_counts(session),
            "outbox": outbox.counts(session),
            "counselors": {"on_shift": counselors.on_shift(session)},
            "workers": runtime.queue.workers(),
        }


def ready(runtime: Runtime) -> bool:
    """Whether a request could be kept now: the database and the keystore answer, and there is sound to play."""
    try:
        with runtime.database.read() as session:
            callbacks.handle_in_use(session, "")
        runtime.vault.digest("health", "")
    except GatewayError:
        return False
    return runtime.voices.sound(runtime.library.languages[0], "greeting") is not None


@dataclass(frozen=True, slots=True)
class Withheld:
    """Something that does not happen now: `why` is a reason's key, `until` when it ends, `count` how many."""

    why: str
    count: int
    until: datetime | None = None


def withheld(runtime: Runtime) -> list[Withheld]:
    """What is withheld just now, for the demo's screen: nobody should wonder why a phone does not ring."""
    now = runtime.clock.now()
    settings = runtime.settings
    found = []
    if windows.quiet(now, settings.quiet_hours, settings.timezone):
        until = windows.after_quiet(now, settings.quiet_hours, settings.timezone)
        found.append(Withheld("quiet_hours", 0, until))
    with runtime.database.read() as session:
        if not counselors.on_shift(session):
            found.append(Withheld("nobody_on_shift", 0))
        later = [one for one in callbacks.waiting(session, most=200) if one.not_before > now]
        if later:
            found.append(Withheld("not_yet", len(later), min(one.not_before for one in later)))
        counts = callbacks.counts(session)
        found += [
            Withheld(state, counts[state])
            for state in ("expired", "withdrawn", "wrong_person")
            if counts[state]
        ]
        unconfirmed = outreach.provisional(session)
        if unconfirmed:
            found.append(Withheld("no_consent", unconfirmed))
    return found
