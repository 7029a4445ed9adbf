"""The services directory: who else helps, how to reach them, and until when that is true; told, never acted on."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.services import callbacks
from gateway.store import audit, directory
from gateway.store.callbacks import CallbackState
from gateway.store.database import Session
from gateway.store.directory import Sealed
from gateway.vault import Place

KINDS: Final = ("shelter", "food", "allowance", "training", "legal", "health")
LONGEST_NAME: Final = 80
LONGEST_TEXT: Final = 600
MOST: Final = 500
LONGEST_VALID: Final = timedelta(days=180)
"""Nothing about shelter or food stays true for longer without somebody asking there again."""


@dataclass(frozen=True, slots=True)
class Words:
    """What is kept sealed."""

    name: str
    offers: str
    reach: str


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry as a coordinator wrote it; `languages` are those spoken there."""

    kind: str
    words: Words
    languages: Sequence[str]
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it is read; `author` is an account, `changed` when somebody last said that it is true."""

    id: str
    kind: str
    words: Words
    languages: tuple[str, ...]
    valid_until: datetime
    author: str
    changed: datetime

    def over(self, now: datetime) -> bool:
        """Whether nobody may be told of it any more."""
        return self.valid_until <= now


def keep(runtime: Runtime, account: str, draft: Draft, *, entry: str | None = None) -> str:
    """Write an entry, or another text for `entry`. Return its id.

    Raises `Refused`: `no_topic`, `no_language`, `empty_entry`, `long_entry`, `not_valid`, `too_far`, `full`, `gone`.
    """
    now = runtime.clock.now()
    words = Words(*(" ".join(text.split()) for text in asdict(draft.words).values()))
    why = _fault(runtime, draft, words, now)
    if why:
        raise Refused(why)
    kept = entry or runtime.new_id()
    with runtime.database.write() as session:
        if entry is not None and directory.get(session, entry) is None:
            raise Refused("gone")
        if entry is None and directory.count(session) >= MOST:
            raise Refused("full")
        directory.keep(
            session, id=kept, kind=draft.kind, languages=" ".join(draft.languages), valid_until=draft.valid_until,
            words=runtime.vault.seal_here(_place(kept), json.dumps(asdict(words)).encode()),
            author=account, changed=now,
        )  # fmt: skip
        audit.note(session, what="directory_kept", account=account, subject=kept, now=now)
    return kept


def _fault(runtime: Runtime, draft: Draft, words: Words, now: datetime) -> str:
    if draft.kind not in KINDS:
        return "no_topic"
    if not draft.languages or not set(draft.languages) <= set(runtime.library.languages):
        return "no_language"
    if not (words.name and words.offers and words.reach):
        return "empty_entry"
    if len(words.name) > LONGEST_NAME or max(len(words.offers), len(words.reach)) > LONGEST_TEXT:
        return "long_entry"
    if draft.valid_until <= now:
        return "not_valid"
    return "too_far" if draft.valid_until > now + LONGEST_VALID else ""


def remove(runtime: Runtime, account: str, entry: str) -> None:
    """Take it out; which cases were told of it is not known afterwards."""
    now = runtime.clock.now()
    with runtime.database.write() as session:
        directory.remove(session, entry)
        audit.note(session, what="directory_removed", account=account, subject=entry, now=now)


def entry(session: Session, runtime: Runtime, entry: str) -> Entry | None:
    there = directory.get(session, entry)
    return None if there is None else _opened(runtime, there)


def everything(session: Session, runtime: Runtime) -> list[Entry]:
    """The directory by kind and name, what is over last."""
    now = runtime.clock.now()
    found = [_opened(runtime, one) for one in directory.everything(session, most=MOST)]
    return sorted(found, key=lambda one: (one.over(now), KINDS.index(one.kind), one.words.name.casefold()))


def found(entries: Iterable[Entry], *, words: str = "", kind: str = "") -> list[Entry]:
    """Those of a kind, in which each of the words stands somewhere."""
    wanted = words.casefold().split()
    return [
        one
        for one in entries
        if (not kind or one.kind == kind)
        and all(word in " ".join(asdict(one.words).values()).casefold() for word in wanted)
    ]


def refer(runtime: Runtime, callback: str, account: str, entry: str) -> None:
    """Note that the person of one's own case was told of this entry; twice is once.

    Only two opaque ids and a time are kept. Raises `Refused`: `entry_over`, `gone`, `taken`, `not_now`.
    """
    now = runtime.clock.now()
    with runtime.database.write() as session:
        there = callbacks.known(session, callback)
        if there.claimed_by != account:
            raise Refused("taken")
        if there.ended is not None and (there.state is not CallbackState.DONE or there.contact is None):
            raise Refused("not_now")
        known = directory.get(session, entry)
        if known is None:
            raise Refused("gone")
        if known.valid_until <= now:
            raise Refused("entry_over")
        if entry in {one.entry for one in directory.referred(session, callback)}:
            return
        directory.refer(session, callback, entry=entry, account=account, now=now)
        audit.note(session, what="referred", account=account, subject=callback, now=now)


def told_of(session: Session, runtime: Runtime, callback: str) -> list[tuple[datetime, str, str]]:
    """When, the name of the entry, and the account that told of it, for a case's history."""
    found = []
    for one in directory.referred(session, callback):
        known = directory.get(session, one.entry)
        if known is not None:
            found.append((one.at, _opened(runtime, known).words.name, one.account))
    return found


def counts(session: Session, *, since: datetime, until: datetime) -> dict[str, str]:
    """How many cases were told of each entry in that time; small numbers only as "<5"."""
    return {
        entry: _shown(number) for entry, number in directory.counts(session, since=since, until=until).items()
    }


def _shown(number: int) -> str:
    return "<5" if number < 5 else str(number)


def _opened(runtime: Runtime, there: Sealed) -> Entry:
    words = json.loads(runtime.vault.open_here(_place(there.id), there.words))
    languages = tuple(there.languages.split())
    return Entry(
        there.id, there.kind, Words(**words), languages, there.valid_until, there.author, there.changed
    )


def _place(entry: str) -> Place:
    return Place("directory", "words", entry)
