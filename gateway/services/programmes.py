"""Programmes: written or spoken, in versions, approved by a second person, and taken back."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from typing import Any, Final, Literal

from gateway.errors import Refused
from gateway.queue import JOB_RENDER
from gateway.runtime import Runtime
from gateway.services import campaigns, rendering, sending
from gateway.services.errands import Errand, errand, ring_bells
from gateway.services.rendering import pieces_of
from gateway.store import audit, outreach
from gateway.store.consents import Way
from gateway.store.database import Session
from gateway.store.outreach import Version, VersionState
from gateway.store.scripts import BY_A_PERSON
from ivr.burmese.encodings import holds_zawgyi
from prompts import intake
from prompts.intake import Unusable

TOPICS: Final = outreach.TOPICS
LONGEST_TEXT: Final = 60_000  # characters: about an hour of Burmese, as long as a voice may be
LONGEST_TITLE: Final = 120
RENDER_LIVES: Final = timedelta(hours=12)
_UNREADABLE: Final = frozenset({"Cc", "Cs", "Co", "Cn"})


@dataclass(frozen=True, slots=True)
class Content:
    """One language of a programme: words to be spoken, a person's voice as a file, or one short text to be sent."""

    language: str
    text: str = ""
    sound: bytes = b""
    way: Way = Way.CALL


@dataclass(frozen=True, slots=True)
class Draft:
    """What a coordinator writes."""

    title: str
    topic: str
    valid_until: datetime
    contents: Sequence[Content]


def write(runtime: Runtime, account: str, draft: Draft) -> list[str]:
    """Keep a programme in all its languages, or nothing. Return the versions' ids.

    The worker makes the sound of what is text. Raises `Refused` with what is wrong: empty, too_long, no_topic,
    no_language, not_valid, zawgyi, unreadable_text; of a voice what `intake` says; of a text what `sending` says.
    """
    now = runtime.clock.now()
    for wrong, why in (
        (not draft.contents or not draft.title.strip(), "empty"),
        (len(draft.title) > LONGEST_TITLE, "too_long"),
        (draft.topic not in TOPICS, "no_topic"),
        (draft.valid_until <= now, "not_valid"),
    ):
        if wrong:
            raise Refused(why)
    made = [_looked_at(runtime, content) for content in draft.contents]
    programme = runtime.new_id()
    with runtime.database.write() as session:
        outreach.add_programme(
            session,
            id=programme,
            title=draft.title.strip(),
            topic=draft.topic,
            valid_until=draft.valid_until,
            created=now,
        )
        kept = [_keep(session, runtime, account, programme, one) for one in made]
    ring_bells(runtime, [bell for _, bells in kept for bell in bells])
    return [version for version, _ in kept]


def change(runtime: Runtime, account: str, programme: str, content: Content) -> str:
    """Keep a new version of one language; the one before is heard until this one is approved. Return its id.

    Raises `Refused` as `write` does; `unchanged` for the same text; `gone` where there is no such programme.
    """
    made = _looked_at(runtime, content)
    now = runtime.clock.now()
    with runtime.database.write() as session:
        there = outreach.programme(session, programme)
        if there is None:
            raise Refused("gone")
        if there.valid_until <= now:
            raise Refused("not_valid")
        before = latest(outreach.versions_of(session, programme), content.language, content.way)
        same = before is not None and not content.sound and before.text == made.content.text
        if before is not None and same and before.state is not VersionState.FAILED:
            raise Refused("unchanged")
        version, bells = _keep(session, runtime, account, programme, made)
    ring_bells(runtime, bells)
    return version


def speak_again(runtime: Runtime, version: str) -> None:
    """Have a version spoken whose speaking failed; one that has sound, or is being spoken, stays as it is."""
    with runtime.database.write() as session:
        there = outreach.version(session, version)
        if there is None:
            raise Refused("gone")
        if there.state is not VersionState.FAILED:
            return
        outreach.change_version(session, version, state=VersionState.RENDERING)
        now = runtime.clock.now()
        bells = [errand(session, runtime, JOB_RENDER, version, due=now, lives=RENDER_LIVES)]
    ring_bells(runtime, bells)


def approve(runtime: Runtime, version: str, account: str, manifest: str) -> None:
    """Approve exactly the bytes that `manifest` names; they take the place of the version before.

    Raises `Refused`: own_text for the author, `changed` for anything but these bytes, `not_valid` past its day.
    """
    now = runtime.clock.now()
    errands: list[Errand] = []
    with runtime.database.write() as session:
        there = outreach.version(session, version)
        if there is not None and there.author == account:
            raise Refused("own_text")
        if there is not None and there.valid_until <= now:
            raise Refused("not_valid")
        if there is None or there.manifest != there.fingerprint():
            raise Refused("changed")
        if not outreach.approve(session, version, manifest=manifest, by=account, now=now):
            raise Refused("changed")
        audit.note(session, what="programme_approved", account=account, subject=version, now=now)
        for earlier in outreach.approved_before(session, there):
            errands += _retire(session, runtime, earlier, account, now)
    ring_bells(runtime, errands)


def retire(runtime: Runtime, version: str, account: str) -> None:
    """Nobody hears it from now on, and what was queued of it ends."""
    now = runtime.clock.now()
    with runtime.database.write() as session:
        errands = _retire(session, runtime, version, account, now)
    ring_bells(runtime, errands)


def _retire(session: Session, runtime: Runtime, version: str, account: str, now: datetime) -> list[Errand]:
    outreach.change_version(session, version, state=VersionState.RETIRED)
    audit.note(session, what="programme_retired", account=account, subject=version, now=now)
    return campaigns.end_all_of(session, runtime, version, account=account, now=now)


def latest(versions: Sequence[Version], language: str, way: Way) -> Version | None:
    """The newest of these in this language."""
    found = [one for one in versions if (one.language, one.way) == (language, way)]
    return max(found, key=lambda one: one.number, default=None)


def differences(before: str, after: str) -> list[tuple[Literal["del", "ins", ""], str]]:
    """What changed, sentence by sentence: taken away, put in, or as it was."""
    old, new = pieces_of(before), pieces_of(after)
    found: list[tuple[Literal["del", "ins", ""], str]] = []
    for what, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            found += [("", one) for one in old[a:b]]
        else:
            found += [("del", one) for one in old[a:b]]
            found += [("ins", one) for one in new[c:d]]
    return found


# --- what is brought -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Made:
    """A content that was looked at; `whole` is its sound, where a voice was brought."""

    content: Content
    whole: bytes = b""


def _looked_at(runtime: Runtime, content: Content) -> _Made:
    """Everything that can be wrong is found before anything is kept. Raises `Refused`."""
    if content.language not in runtime.library.languages:
        raise Refused("no_language")
    text = _tidy(content.text)
    content = Content(content.language, text, content.sound, content.way)
    if content.way is Way.TEXT:
        for display in ("unicode", "zawgyi"):
            for fault in sending.faults(runtime, text, display, most_parts=1):
                raise Refused(fault)
        return _Made(content)
    if content.sound:
        try:
            return _Made(content, intake.telephone_sound(content.sound, intake.PROGRAMME))
        except Unusable as error:
            raise Refused(_OF_A_PROGRAMME.get(error.why, error.why)) from None
    if not pieces_of(text):
        raise Refused("empty")
    return _Made(content)


_OF_A_PROGRAMME: Final = {"sound_too_big": "voice_too_big", "sound_too_long": "voice_too_long"}


def _tidy(given: str) -> str:
    """As it is spoken: line ends of one kind, no marks of the file it came from. Raises `Refused`."""
    lines = given.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").replace("\ufeff", "")
    text = lines.strip()
    if len(text) > LONGEST_TEXT:
        raise Refused("too_long")
    if any(sign == "\ufffd" or unicodedata.category(sign) in _UNREADABLE for sign in text.replace("\n", "")):
        raise Refused("unreadable_text")
    if holds_zawgyi(text):
        raise Refused("zawgyi")
    return text


def _keep(
    session: Session, runtime: Runtime, account: str, programme: str, made: _Made
) -> tuple[str, list[Errand]]:
    now, version, content = runtime.clock.now(), runtime.new_id(), made.content
    values: dict[str, Any] = {"state": VersionState.READY, "text": content.text}
    bells: list[Errand] = []
    if content.way is Way.TEXT:
        values["manifest"] = outreach.fingerprint(content.text)
    elif made.whole:
        values |= rendering.keep(session, runtime, made.whole) | {"engine": BY_A_PERSON}
    else:
        values |= {"state": VersionState.RENDERING, "pieces_all": len(pieces_of(content.text))}
        bells = [errand(session, runtime, JOB_RENDER, version, due=now, lives=RENDER_LIVES)]
    outreach.add_version(
        session,
        id=version,
        programme=programme,
        language=content.language,
        way=content.way,
        number=outreach.next_number(session, programme, content.language, content.way),
        author=account,
        created=now,
        **values,
    )
    audit.note(session, what="programme_written", account=account, subject=version, now=now)
    return version, bells
