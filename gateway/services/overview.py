"""How things stand, in counts without identities; and why something is withheld just now."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from gateway.carriers.base import Finding
from gateway.errors import GatewayError, SettingsError
from gateway.queue import SEALED
from gateway.runtime import Runtime
from gateway.services import halting, opening, results, spending, windows
from gateway.store import attendance, callbacks, consents, hours, messages, outbox
from prompts.check import review


def status(runtime: Runtime) -> dict[str, Any]:
    """The form of `hotline status --json`."""
    with runtime.database.read() as session:
        return {
            "callbacks": callbacks.counts(session),
            "messages": messages.counts(session),
            "recipients": results.over_all(session),
            "outbox": outbox.counts(session),
            "counselors": {"on_shift": attendance.there(session, runtime.clock.now())},
            "workers": runtime.queue.workers(),
            "withheld": {
                "locked": int(runtime.switches.halted),
                "waiting_for_root_key": int(runtime.queue.beats(SEALED)),
            },
        }


def alarms(runtime: Runtime) -> dict[str, int]:
    """What a person should look at, as yes or no and a rounded share: nothing here counts people."""
    now = runtime.clock.now()
    with runtime.database.read() as session:
        used = spending.used(session, runtime, now=now)
        return {
            "nobody_on_shift": int(not attendance.there(session, now)),
            "spent_percent": round(used / 5) * 5,
        }


def refuse_drafts(runtime: Runtime) -> None:
    """Stop a production start with wordings that nobody has reviewed, unless that was expressly accepted.

    Raises `SettingsError`: what people hear in danger is a setting too.
    """
    settings = runtime.settings
    if settings.mode != "production" or settings.accept_drafts:
        return
    drafts = sum(len(one.drafts) for one in review(runtime.library).values())
    if drafts:
        fault = (
            f"HOTLINE_ACCEPT_DRAFTS: {drafts} wordings are drafts that no two people have reviewed "
            "(hotline check --review lists them); set it to yes only if you accept that"
        )
        raise SettingsError((fault,))


def ready(runtime: Runtime) -> bool:
    """Whether a request could be kept now: the database and the keystore answer, and there is sound to play."""
    try:
        with runtime.database.read() as session:
            callbacks.handle_in_use(session, "")
        runtime.vault.digest("health", "")
    except GatewayError:
        return False
    return runtime.sound(runtime.library.languages[0], "greeting") is not None


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
        if not attendance.there(session, now):
            found.append(Withheld("nobody_on_shift", 0))
        opens = opening.opens_next(hours.read(session), now, settings.timezone)
        if opens != now:
            found.append(Withheld("outside_hours", 0, opens))
        later = [one for one in callbacks.waiting(session, most=200) if one.not_before > now]
        if later:
            found.append(Withheld("not_yet", len(later), min(one.not_before for one in later)))
        counts = callbacks.counts(session)
        found += [
            Withheld(state, counts[state])
            for state in ("expired", "withdrawn", "wrong_person")
            if counts[state]
        ]
        unconfirmed = consents.provisional(session)
        if unconfirmed:
            found.append(Withheld("no_consent", unconfirmed))
    return found


def diagnose(runtime: Runtime) -> list[Finding]:
    """Look at every live dependency."""
    looked = (_database, _keystore, _root_key, _lock, _redis, _workers, _clock, _sound, _wordings)
    return [look(runtime) for look in looked]


def _database(runtime: Runtime) -> Finding:
    try:
        with runtime.database.read() as session:
            callbacks.handle_in_use(session, "")
    except (GatewayError, SQLAlchemyError):
        return Finding(
            "database", good=False, words="does not answer, or has no tables: run hotline db upgrade"
        )
    return Finding("database", good=True, words="answers")


def _keystore(runtime: Runtime) -> Finding:
    try:
        faults = runtime.vault.faults()
    except GatewayError:
        return Finding(
            "keystore", good=False, words="does not answer, or was never made: run hotline release"
        )
    if faults:
        return Finding("keystore", good=False, words="; ".join(faults))
    if runtime.vault.locked:
        return Finding("keystore", good=True, words="answers; this process holds no root key and cannot ring")
    return Finding("keystore", good=True, words="answers")


def _root_key(runtime: Runtime) -> Finding:
    if runtime.queue.beats(SEALED):
        words = "a worker waits for it and rings nobody: type it on that host with hotline unseal"
        return Finding("root key", good=False, words=words)
    return Finding("root key", good=True, words="no worker waits for it")


def _lock(runtime: Runtime) -> Finding:
    if runtime.switches.halted:
        return Finding("lock", good=False, words="locked: nobody is rung, nothing is kept; hotline unlock")
    seen = halting.watch(runtime)
    if seen is not None and seen.warn:
        hours = (seen.locks_at - runtime.clock.now()) // timedelta(hours=1)
        words = f"no coordinator has been at the console for long: it locks itself in {hours} hours"
        return Finding("lock", good=False, words=words)
    return Finding("lock", good=True, words="open")


def _redis(runtime: Runtime) -> Finding:
    if runtime.queue.ready():
        return Finding("redis", good=True, words="answers")
    return Finding("redis", good=False, words="does not answer: calls are placed later, by the clock")


def _workers(runtime: Runtime) -> Finding:
    count = runtime.queue.workers()
    words = f"{count} at work" if count else "none: start hotline worker, or nobody is rung"
    return Finding("workers", good=count > 0, words=words)


def _clock(runtime: Runtime) -> Finding:
    if runtime.queue.beats("clock"):
        return Finding("clock", good=True, words="ticks")
    return Finding(
        "clock", good=False, words="none: start hotline clock, or nothing expires and nothing is rung again"
    )


def _wordings(runtime: Runtime) -> Finding:
    drafts = sum(len(one.drafts) for one in review(runtime.library).values())
    if not drafts:
        return Finding("wordings", good=True, words="every one is reviewed")
    accepted = runtime.settings.mode == "demo" or runtime.settings.accept_drafts
    return Finding("wordings", good=accepted, words=f"{drafts} are drafts nobody has reviewed")


def _sound(runtime: Runtime) -> Finding:
    languages = [one for one in runtime.settings.languages if one in runtime.library.languages]
    lacking = sum(
        runtime.sound(language, key) is None
        for language in languages
        for key in runtime.library.spoken(language)
    )
    if lacking:
        return Finding(
            "sound", good=False, words=f"{lacking} sentences have none: run hotline prompts render"
        )
    return Finding("sound", good=True, words="every sentence has some")
