"""How long each kind of thing is kept, in one table; the clock deletes by it, and a report proves that it did.

What ends by more than its age (requests, consents, calls) is ended by `housekeeping`; its rule here only looks.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, delete, func, select, union

from gateway.errors import GatewayError
from gateway.runtime import Runtime
from gateway.services import callbacks as requests
from gateway.services import provider_copies
from gateway.store import (
    audit,
    callbacks,
    campaigns,
    consents,
    contacts,
    continuing,
    conversations,
    counselors,
    directory,
    factors,
    guesses,
    inbox,
    invitations,
    legs,
    messages,
    outbox,
    outreach,
    quotas,
    ring_backs,
    shifts,
    sounds,
    spending,
)  # fmt: skip
from gateway.store import provider_copies as copies
from gateway.store.callbacks import CallbackState
from gateway.store.database import Session
from gateway.store.messages import MessageKind

DAY: Final = timedelta(days=1)
NOTHING: Final = timedelta()
LATE: Final = timedelta(minutes=15)
"""What may be over age and not be a fault: the clock comes by every minute, a worker needs a moment."""
ORPHANS: Final = timedelta(hours=2)
_MOST: Final = 2_000  # rows a sweep and a kind

Where = tuple[ColumnElement[bool], ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """Rows of `column`'s table that fit `where` are kept for `keep` after the moment in `column`.

    `by_age`: the clock simply deletes them; else something else ends them. `real`: the moment is of the real time,
    which the demo's clock leaves alone.
    """

    kind: str
    column: Column[Any]
    keep: timedelta
    where: Where = ()
    by_age: bool = True
    real: bool = False


_person = callbacks.callbacks.c.contact.is_not(None)
_closed = callbacks.callbacks.c.ended.is_not(None)
_done = callbacks.callbacks.c.state == CallbackState.DONE
_renewed = select(continuing.renewals.c.callback)
_in_use = union(
    select(callbacks.callbacks.c.contact).where(_person),
    select(consents.consents.c.contact),
    select(consents.text_opt_ins.c.contact),
    select(ring_backs.ring_backs.c.contact),
    select(messages.messages.c.contact),
)

RULES: Final[tuple[Rule, ...]] = (
    Rule("request_waiting", callbacks.callbacks.c.expires, NOTHING,
         (callbacks.callbacks.c.state == CallbackState.WAITING,), by_age=False),
    Rule("request_undecided", callbacks.callbacks.c.expires, 4 * DAY, (~_closed,), by_age=False),
    Rule("request_dead", callbacks.callbacks.c.ended, NOTHING,
         (_person, ~_done, callbacks.callbacks.c.id.not_in(_renewed)), by_age=False),
    Rule("case_closed", callbacks.callbacks.c.ended, requests.KEPT,
         (_person, _done, callbacks.callbacks.c.id.not_in(_renewed)), by_age=False),
    Rule("case_renewed", callbacks.callbacks.c.ended, 90 * DAY, (_person,), by_age=False),
    Rule("request_counted", callbacks.callbacks.c.ended, 90 * DAY, by_age=False),
    Rule("person", contacts.contacts.c.created, ORPHANS, (contacts.contacts.c.id.not_in(_in_use),), by_age=False),
    Rule("opt_in", consents.consents.c.until, NOTHING, by_age=False),
    Rule("opt_in_by_text", consents.text_opt_ins.c.until, NOTHING, by_age=False),
    Rule("missed_call", ring_backs.ring_backs.c.expires, NOTHING, by_age=False),
    Rule("text", messages.messages.c.written, 30 * DAY,
         (messages.messages.c.kind == MessageKind.THREAD,), by_age=False),
    Rule("text_of_programme", messages.messages.c.written, 3 * DAY,
         (messages.messages.c.kind == MessageKind.PROGRAMME,), by_age=False),
    Rule("preference", contacts.preferences.c.chosen, 90 * DAY),
    Rule("do_not_contact", contacts.forbidden.c.until, NOTHING),
    Rule("last_text", contacts.texters.c.at, timedelta(hours=6)),
    Rule("conversation", conversations.conversations.c.touched, timedelta(hours=6)),
    Rule("answer", inbox.inbox.c.at, DAY, (inbox.inbox.c.answer.is_not(None),), by_age=False),
    Rule("webhook", inbox.inbox.c.at, 400 * DAY),
    Rule("call", legs.legs.c.ended, 3 * DAY),
    Rule("call_id", legs.legs.c.ended, NOTHING, (legs.legs.c.sid.is_not(None),), by_age=False),
    Rule("call_unended", legs.legs.c.created, DAY, (legs.legs.c.ended.is_(None),), by_age=False),
    Rule("provider_copy", copies.provider_copies.c.added,
         provider_copies.TRIED_FOR + DAY, (copies.provider_copies.c.gave_up.is_(None),), by_age=False),
    Rule("provider_copy_left", copies.provider_copies.c.gave_up, provider_copies.GIVEN_UP_KEPT),
    Rule("duty_done", outbox.outbox.c.done, 7 * DAY),
    Rule("duty_undone", outbox.outbox.c.not_after, 7 * DAY, (outbox.outbox.c.done.is_(None),)),
    Rule("audit", audit.audit.c.hour, 30 * DAY),
    Rule("session", counselors.sessions.c.expires, NOTHING, real=True),
    Rule("guess", guesses.guesses.c.seen, DAY, real=True),
    Rule("known_browser", counselors.known_clients.c.seen, 180 * DAY, real=True),
    Rule("challenge", factors.used_challenges.c.expires, DAY, real=True),
    Rule("invitation", invitations.invitations.c.expires, 7 * DAY, real=True),
    Rule("shift", shifts.shifts.c.ends, 30 * DAY),
    Rule("quota", quotas.quotas.c.began, 2 * DAY),
    Rule("spending", spending.spending.c.hour, 400 * DAY),
    Rule("result", campaigns.tallies.c.hour, 400 * DAY),
    Rule("programme", outreach.programmes.c.valid_until, 90 * DAY, by_age=False),
    Rule("directory", directory.directory.c.valid_until, 90 * DAY),
)  # fmt: skip

KEPT_FOR_A_REASON: Final = {
    "accounts": "as long as the account: an admin removes it",
    "attendance": "with its account",
    "passkeys": "with its account",
    "recovery_codes": "with its account",
    "sheet_codes": "with its account",
    "callback_moves": "with its request",
    "case_codes": "with its request",
    "handovers": "with its request",
    "referrals": "with its request",
    "refusals": "with its request",
    "renewals": "with its request",
    "campaigns": "with its programme",
    "programme_versions": "with its programme",
    "recipients": "with the opt-in",
    "do_not_contact": "the operators' own list, until they take a number off it",
    "holidays": "the plan of days; past ones go after a month",
    "opening_hours": "what callers are told",
    "packs": "what the line says",
    "script_versions": "what the line says",
    "recordings": "what the line says",
    "prompt_sounds": "what the line says",
    "sounds": "what the line says, and programmes while they are kept",
    "renderings": "what the line says, and programmes while they are kept",
    "paces": "one row for each line: when the next call may be placed",
    "switches": "what people turned on and off",
}
"""Tables without a rule of their own, and why; a test wants every table in one of the two."""


def sweep(session: Session, now: datetime) -> None:
    """Delete whatever simply ages. Everything of one kind in one statement."""
    for rule in RULES:
        if rule.by_age:
            limit = (datetime.now(UTC) if rule.real else now) - rule.keep
            session.execute(delete(rule.column.table).where(rule.column <= limit, *rule.where))
    _old_programmes(session, now)


def idle_people(session: Session, now: datetime) -> Sequence[str]:
    """Contacts that nothing needs and nobody asked to forget: none, unless something went wrong."""
    query = select(contacts.contacts.c.id).where(
        contacts.contacts.c.created <= now - ORPHANS, contacts.contacts.c.id.not_in(_in_use)
    )
    return session.execute(query.limit(_MOST)).scalars().all()


def _old_programmes(session: Session, now: datetime) -> None:
    """A programme that nobody could hear for long goes with its campaigns, and its sounds where no other has them."""
    rule = next(one for one in RULES if one.kind == "programme")
    old = select(outreach.programmes.c.id).where(rule.column <= now - rule.keep)
    if session.execute(old.limit(1)).first() is None:
        return
    mine = select(outreach.versions.c.id).where(outreach.versions.c.programme.in_(old))
    spoken = outreach.versions.c.sounds
    gone = _hashes(session.execute(select(spoken).where(outreach.versions.c.programme.in_(old))).scalars())
    session.execute(delete(campaigns.campaigns).where(campaigns.campaigns.c.version.in_(mine)))
    session.execute(delete(outreach.versions).where(outreach.versions.c.programme.in_(old)))
    session.execute(delete(outreach.programmes).where(outreach.programmes.c.id.in_(old)))
    left = _hashes(session.execute(select(spoken)).scalars())
    left |= set(session.execute(select(sounds.prompt_sounds.c.sound)).scalars())
    for hash_ in gone - left:
        session.execute(delete(sounds.renderings).where(sounds.renderings.c.sound == hash_))
        session.execute(delete(sounds.sounds).where(sounds.sounds.c.hash == hash_))


def _hashes(lists: Iterable[str]) -> set[str]:
    return {hash_ for one in lists for hash_ in one.split()}


def prune_shelf(runtime: Runtime) -> int:
    """Remove this host's copies of sounds that are kept nowhere any more. Return how many."""
    with runtime.database.read() as session:
        kept = set(session.execute(select(sounds.sounds.c.hash)).scalars())
    gone = list(_loose_files(runtime.settings.data_dir / "shelf", kept))
    for file in gone:
        file.unlink(missing_ok=True)
    return len(gone)


def _loose_files(shelf: Path, kept: set[str]) -> Iterator[Path]:
    day_ago = time.time() - DAY.total_seconds()
    for file in shelf.glob("*.*"):
        if file.suffix in {".wav", ".mp3"} and file.stem not in kept and file.stat().st_mtime < day_ago:
            yield file


# --- the report ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """How one kind stands: how many, the oldest's moment, and how many are over age (0, or something is broken)."""

    kind: str
    keep: timedelta
    count: int
    oldest: datetime | None
    over_age: int


def report(runtime: Runtime) -> list[Finding]:
    """Look at every kind: rows, keys without an owner, and this host's sound files."""
    now = runtime.clock.now()
    with runtime.database.read() as session:
        found = [_look(session, rule, now) for rule in RULES]
    return [*found, _keys(runtime, now), _files(runtime)]


def _look(session: Session, rule: Rule, now: datetime) -> Finding:
    limit = (datetime.now(UTC) if rule.real else now) - rule.keep - LATE
    over = func.count().filter(rule.column < limit)
    query = select(func.count(), func.min(rule.column), over).where(rule.column.is_not(None), *rule.where)
    count, oldest, over_age = session.execute(query.select_from(rule.column.table)).one()
    return Finding(rule.kind, rule.keep, count, oldest, over_age)


def _keys(runtime: Runtime, now: datetime) -> Finding:
    """Keys whose owner is gone. A keystore that is away is a fault, for then nothing can be proven."""
    with runtime.database.read() as session:
        known = [*contacts.everyone(session), *(one.id for one in counselors.everyone(session))]
    try:
        orphans = runtime.vault.orphans(known, now - ORPHANS - timedelta(hours=1) - LATE)
    except GatewayError:
        return Finding("key_without_owner", ORPHANS, 0, None, 1)
    return Finding("key_without_owner", ORPHANS, orphans, None, orphans)


def _files(runtime: Runtime) -> Finding:
    with runtime.database.read() as session:
        kept = set(session.execute(select(sounds.sounds.c.hash)).scalars())
    loose = sum(1 for _ in _loose_files(runtime.settings.data_dir / "shelf", kept))
    return Finding("sound_file", DAY, loose, None, loose)
