"""What the hotline says, changed by people: a draft, checked and listened to, published by a second person."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError

from gateway.errors import Refused
from gateway.queue import JOB_SPEAK
from gateway.runtime import Runtime
from gateway.services import speech
from gateway.services.errands import Errand, errand, ring_bells
from gateway.store import audit, outbox, scripts
from gateway.store.database import Session
from gateway.store.outbox import Duty
from gateway.store.scripts import ScriptState, ScriptVersion
from gateway.store.sounds import text_hash
from ivr.script import Problem
from prompts import packs
from prompts.check import check, estimated_seconds
from prompts.editing import Change, EditError, Spot, changes, line_changes, merged, with_wording, wordings
from prompts.library import Library, PackError, Review, Wording
from prompts.packs import Files
from prompts.wav import seconds_of

LONGEST_WORDING = 1_000
LONGEST_FILE = 200_000
SPEAKING_LIVES = timedelta(hours=12)
SLICE = timedelta(seconds=8)  # a worker speaks for so long, then lets calls go first
ENGINES = (
    "recorded",
    "offline",
)  # at once and from this machine; better voices follow when they are asked for
TRIES = 3

Durations = Mapping[tuple[str, str, str], int]  # (language, key, text hash) → bytes of its sound


@dataclass(frozen=True, slots=True)
class Look:
    """A draft as people judge it. `new_faults` keep it from being published; `old_faults` run already."""

    version: ScriptVersion
    files: Files
    changes: tuple[Change, ...]
    lines: Mapping[str, list[str]]
    new_faults: tuple[Problem, ...]
    old_faults: tuple[Problem, ...]
    unspoken: int


# --- at the release -----------------------------------------------------------------------------------


def seed(runtime: Runtime) -> None:
    """Make the release's own pack version 1. Later, a demo follows each release until somebody edits."""
    now = runtime.clock.now()
    with runtime.database.write() as session:
        running = scripts.in_state(session, ScriptState.PUBLISHED)
        shipped = runtime.editions.shipped.pack
        if running is None:
            _keep(session, packs.shipped())
            scripts.add(
                session,
                pack=shipped,
                shipped=shipped,
                state=ScriptState.PUBLISHED,
                author=None,
                now=now,
            )
        elif runtime.settings.mode == "demo" and running.pack == running.shipped != shipped:
            _keep(session, packs.shipped())
            number = scripts.add(
                session, pack=shipped, shipped=shipped, state=ScriptState.RETIRED, author=None, now=now
            )
            scripts.publish(session, number, from_=ScriptState.RETIRED, pack=shipped, by=None, now=now)
    runtime.editions.forget()


def offered(runtime: Runtime) -> bool:
    """Whether this release brought another pack than the one that the running version goes back to."""
    with runtime.database.read() as session:
        running = scripts.in_state(session, ScriptState.PUBLISHED)
    return running is not None and running.shipped != runtime.editions.shipped.pack


# --- the draft ----------------------------------------------------------------------------------------


def begin(runtime: Runtime, account: str, *, newer: bool = False) -> None:
    """Open the draft: the running version, or with `newer` the release's pack with what was changed here.

    Raises `Refused("draft_there")` where there is one.
    """
    with _written(runtime, "draft_there") as session:
        if scripts.in_state(session, ScriptState.DRAFT) is not None:
            raise Refused("draft_there")
        number = _begin(session, runtime, account, newer=newer)
        bell = _errand(session, runtime, number)
    ring_bells(runtime, [bell])


def seen_as(wording: Wording) -> str:
    """What a page that shows this wording sends back, so that nobody overwrites what they did not see."""
    return text_hash(f"{wording.text}\0{wording.latin or wording.text}")


def change(runtime: Runtime, account: str, spot: Spot, wording: Wording, *, seen: str = "") -> None:
    """Put a wording into the draft, which is begun where there is none; `seen`: as it stood when it was opened.

    A changed text has not been reviewed, whatever the form said. Raises `Refused`: empty_wording, long_wording,
    whole_file, draft_changed.
    """
    wording = replace(wording, text=_plain(wording.text), latin=_plain(wording.latin))
    if not wording.text:
        raise Refused("empty_wording")
    if max(len(wording.text), len(wording.latin)) > LONGEST_WORDING:
        raise Refused("long_wording")

    def changed(files: Files) -> Files:
        before = wordings(files).get(spot)
        if before is None:
            raise Refused("whole_file")
        if seen and seen != seen_as(before):
            raise Refused("draft_changed")
        kept = replace(wording, sample=before.sample)
        if (kept.text, kept.latin) != (before.text, before.latin):
            kept = replace(kept, review=Review.DRAFT)
        try:
            return with_wording(files, spot, kept)
        except EditError:
            raise Refused("whole_file") from None

    _change(runtime, account, changed)


def change_file(runtime: Runtime, account: str, file: str, text: str, seen: str) -> None:
    """Put a whole file into the draft, whose pack was `seen`; it may be broken, for the page says how.

    Raises `Refused`: no_file, long_file, draft_changed.
    """
    if len(text) > LONGEST_FILE:
        raise Refused("long_file")

    def changed(files: Files) -> Files:
        if file not in files:
            raise Refused("no_file")
        if packs.name_of(packs.packed(files)) != seen:
            raise Refused("draft_changed")
        return {**files, file: text.replace("\r\n", "\n").encode(errors="replace")}

    _change(runtime, account, changed)


def discard(runtime: Runtime, account: str) -> None:
    with runtime.database.write() as session:
        if scripts.drop_draft(session):
            scripts.drop_loose_packs(session)
            audit.note(
                session, what="draft_discarded", account=account, subject=None, now=runtime.clock.now()
            )


def draft(runtime: Runtime) -> tuple[ScriptVersion, Files] | None:
    """The draft and its files, or None."""
    with runtime.database.read() as session:
        there = scripts.in_state(session, ScriptState.DRAFT)
        return None if there is None else (there, _files(session, there.pack))


def running(runtime: Runtime) -> Files:
    """The files of the running version."""
    with runtime.database.read() as session:
        there = scripts.in_state(session, ScriptState.PUBLISHED)
        return packs.shipped() if there is None else _files(session, there.pack)


def look(runtime: Runtime) -> Look | None:
    """The draft beside the running version, with everything that is wrong with it."""
    with runtime.database.read() as session:
        there = scripts.in_state(session, ScriptState.DRAFT)
        return None if there is None else _look(session, runtime, there)


# --- publishing ---------------------------------------------------------------------------------------


def publish(runtime: Runtime, account: str, seen: str) -> int:
    """Make exactly the draft that was `seen` the running version, and return its number.

    Raises `Refused`: no_draft, own_wording for whoever changed it, draft_changed, faulty, unspoken.
    """
    found = look(runtime)
    for wrong, why in (
        (found is None, "no_draft"),
        (found and account in found.version.authors, "own_wording"),
        (found and found.version.pack != seen, "draft_changed"),
        (found and found.new_faults, "faulty"),
        (found and found.unspoken, "unspoken"),
    ):
        if wrong:
            raise Refused(why)
    assert found is not None  # noqa: S101 - refused above
    number = found.version.number
    with _written(runtime, "draft_changed") as session:
        now = runtime.clock.now()
        if not scripts.publish(session, number, from_=ScriptState.DRAFT, pack=seen, by=account, now=now):
            raise Refused("draft_changed")
        audit.note(session, what="script_published", account=account, subject=str(number), now=now)
    runtime.editions.forget()
    return number


def go_back(runtime: Runtime, account: str, number: int) -> None:
    """Run an earlier version again, at once: two people published it once. Raises `Refused`: no_version, unreadable."""
    now = runtime.clock.now()
    with _written(runtime, "no_version") as session:
        there = scripts.version(session, number)
        if there is None or there.state is not ScriptState.RETIRED:
            raise Refused("no_version")
        try:
            Library.read(_files(session, there.pack))
        except PackError:  # of a time when the programs asked for other wordings
            raise Refused("unreadable") from None
        if not scripts.publish(session, number, from_=there.state, pack=there.pack, by=account, now=now):
            raise Refused("no_version")
        audit.note(session, what="script_went_back", account=account, subject=str(number), now=now)
    runtime.editions.forget()


# --- sound --------------------------------------------------------------------------------------------


def speak(runtime: Runtime, duty: Duty) -> None:
    """Make the sounds that the draft lacks, for a slice of time; the rest in the next ring."""
    there = draft(runtime)
    if there is None:
        return _done(runtime, duty, "not_wanted")
    try:
        library = Library.read(there[1])
    except PackError:
        return _done(runtime, duty, "broken")
    began = datetime.now().astimezone()
    failed = 0
    for one in speech.missing(runtime, _offered(runtime, library), library=library):
        if datetime.now().astimezone() - began > SLICE:
            with runtime.database.write() as session:
                outbox.again(session, duty.id, due=runtime.clock.now(), count=False)
            return None
        failed += not speech.speak(runtime, one, ENGINES)
    return _done(runtime, duty, "failed" if failed else "done")


def _done(runtime: Runtime, duty: Duty, result: str) -> None:
    with runtime.database.write() as session:
        outbox.finish(session, duty.id, now=runtime.clock.now(), result=result)


# --- inside -------------------------------------------------------------------------------------------


@contextmanager
def _written(runtime: Runtime, why: str) -> Iterator[Session]:
    """A transaction in which a clash with another person's becomes a refusal."""
    try:
        with runtime.database.write() as session:
            yield session
    except IntegrityError:
        raise Refused(why) from None


def _files(session: Session, name: str) -> Files:
    pack = scripts.pack(session, name)
    if pack is None:
        raise Refused("no_version")
    return packs.unpacked(pack)


def _keep(session: Session, files: Files) -> str:
    pack = packs.packed(files)
    name = packs.name_of(pack)
    scripts.keep_pack(session, name, pack)
    return name


def _begin(session: Session, runtime: Runtime, account: str, *, newer: bool) -> int:
    there = scripts.in_state(session, ScriptState.PUBLISHED)
    pack = shipped = _keep(session, packs.shipped())
    if there is not None and newer:
        ours, base = _files(session, there.pack), _files(session, there.shipped)
        pack = _keep(session, merged(base, ours, packs.shipped()))
    elif there is not None:
        pack, shipped = there.pack, there.shipped
    return scripts.add(
        session,
        pack=pack,
        shipped=shipped,
        state=ScriptState.DRAFT,
        author=account,
        now=runtime.clock.now(),
    )


def _change(runtime: Runtime, account: str, changed: Callable[[Files], Files]) -> None:
    """Change the draft, begun where there is none; what others change meanwhile is kept too."""
    for _ in range(TRIES):
        with _written(runtime, "draft_changed") as session:
            if scripts.in_state(session, ScriptState.DRAFT) is None:
                _begin(session, runtime, account, newer=False)
            there = scripts.in_state(session, ScriptState.DRAFT)
            if there is None:
                continue
            pack = _keep(session, changed(_files(session, there.pack)))
            if not scripts.change_draft(session, there, pack=pack, author=account):
                continue
            scripts.drop_loose_packs(session)
            bell = _errand(session, runtime, there.number)
        ring_bells(runtime, [bell])
        return
    raise Refused("draft_changed")


def _errand(session: Session, runtime: Runtime, number: int) -> Errand:
    now = runtime.clock.now()
    return errand(session, runtime, JOB_SPEAK, str(number), due=now, lives=SPEAKING_LIVES)


def _look(session: Session, runtime: Runtime, there: ScriptVersion) -> Look:
    files = _files(session, there.pack)
    running_version = scripts.in_state(session, ScriptState.PUBLISHED)
    before = _files(session, running_version.pack) if running_version else packs.shipped()
    durations = scripts.sizes(session)
    now, was = _faults(runtime, files, durations), set(_faults(runtime, before, durations))
    try:
        library = Library.read(files)
        unspoken = len(speech.unspoken(durations.keys(), _offered(runtime, library), library))
    except PackError:
        unspoken = 0
    return Look(
        version=there,
        files=files,
        changes=tuple(changes(before, files)),
        lines=line_changes(before, files),
        new_faults=tuple(one for one in now if one not in was),
        old_faults=tuple(one for one in now if one in was),
        unspoken=unspoken,
    )


def _faults(runtime: Runtime, files: Files, durations: Durations) -> list[Problem]:
    """What is wrong with a pack, by how long its sounds take, or are reckoned to take where there is none yet."""
    try:
        library = Library.read(files)
    except PackError as error:
        return list(error.problems)

    def seconds(language: str, key: str) -> float:
        text = library.voice(language, key).text
        size = durations.get((language, key, text_hash(text)))
        return estimated_seconds(text) if size is None else seconds_of(size)

    return check(library, word_list=runtime.settings.listed_words(), sound=seconds)


def _offered(runtime: Runtime, library: Library) -> list[str]:
    return [one for one in runtime.settings.languages if one in library.languages]


def _plain(text: str) -> str:
    """As one types it: composed, no spaces around, no line ends but the plain one."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
