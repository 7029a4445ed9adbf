"""What the hotline says: every wording with its review and its voice, and one of them to change or to speak."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from flask import abort, flash, request
from flask.typing import ResponseReturnValue

from gateway.console import words
from gateway.console.frame import page
from gateway.console.gates import go, me
from gateway.runtime import Runtime
from gateway.services import publishing, recordings
from gateway.store import counselors, scripts
from gateway.store.scripts import Recording
from gateway.store.sounds import PromptSound, text_hash
from prompts.editing import Spot, changes, wordings
from prompts.library import Review, Wording

PARTS = ("voice", "handle", "digit", "sms")
SETTABLE = (Review.DRAFT, Review.REVIEWED)  # that a person recorded it, a recording says


@dataclass(frozen=True, slots=True)
class Row:
    """One wording; `sound` is the hash of what is played for it."""

    key: str
    text: str
    latin: str
    review: str
    sound: str
    engine: str
    robot: bool
    changed: bool


@dataclass(frozen=True, slots=True)
class Take:
    """A recording as a second person judges it; `old` where the wording has changed since."""

    id: str
    sound: str
    at: str
    by: str
    approved_by: str
    own: bool
    old: bool


@dataclass(frozen=True)
class Content:
    runtime: Runtime

    def page(self) -> ResponseReturnValue:
        library = self.runtime.library
        language = _one_of(request.args.get("language"), library.languages) or library.languages[0]
        part = _one_of(request.args.get("of"), PARTS) or PARTS[0]
        review = _one_of(request.args.get("review"), tuple(Review))
        with self.runtime.database.read() as session:
            spoken = {
                (one.key, one.text_hash): one for one in scripts.heard(session) if one.language == language
            }
            waiting = scripts.waiting_recordings(session)
        there = publishing.draft(self.runtime)
        changed = (
            {one.spot for one in changes(publishing.running(self.runtime), there[1])} if there else set()
        )
        rows = [
            _row(
                key,
                wording,
                spoken.get((_spoken_key(part, key), text_hash(wording.text))),
                changed=Spot(language, part, key) in changed,
            )
            for key, wording in self._wordings(language, part).items()
        ]
        return page(
            "content",
            tongues=library.languages,
            language=language,
            part=part,
            review=review,
            kinds=tuple(Review),
            rows=[row for row in rows if not review or row.review == review],
            counts=Counter(row.review for row in rows),
            engines=Counter(row.engine for row in rows if row.engine),
            draft=there[0].number if there else 0,
            number=self.runtime.edition.number,
            offered=not there and publishing.offered(self.runtime),
            waiting=[(one.language, *_part_of(one.key)) for one in waiting],
        )

    def wording(self, language: str, kind: str, key: str) -> ResponseReturnValue:
        running, drafted = self._found(language, kind, key)
        present = drafted or running
        spoken = _spoken_key(kind, key)
        now = self.runtime.clock.now().astimezone(self.runtime.settings.timezone)
        with self.runtime.database.read() as session:
            names = {one.id: one.alias for one in counselors.everyone(session)}
            takes = scripts.recordings_of(session, language=language, key=spoken)
            heard = {
                one.text_hash: one
                for one in scripts.heard(session)
                if (one.language, one.key) == (language, spoken)
            }
        return page(
            "wording",
            language=language,
            kind=kind,
            key=key,
            running=running,
            present=present,
            seen=publishing.seen_as(present),
            changed=drafted is not None and drafted != running,
            text=request.form.get("text", present.text),
            latin=request.form.get("latin", present.latin),
            review=request.form.get("review", present.review.value),
            reviews=SETTABLE,
            longest=publishing.LONGEST_WORDING,
            heard=heard.get(text_hash(running.text)) if running else None,
            heard_then=heard.get(text_hash(present.text)),
            takes=[self._take(one, present.text, names, words.at(one.uploaded, now)) for one in takes],
        )

    def change(self, language: str, kind: str, key: str) -> ResponseReturnValue:
        given = request.form
        review = _one_of(given.get("review"), SETTABLE)
        if not review or kind not in {"voice", "sms", "digit"}:
            abort(400)
        wording = Wording(given.get("text", ""), Review(review), given.get("latin", ""))
        spot, seen = Spot(language, kind, key), given.get("seen", "")
        publishing.change(self.runtime, me().id, spot, wording, seen=seen)
        flash("in_draft")
        return go("wording", language=language, kind=kind, key=key)

    def record(self, language: str, kind: str, key: str) -> ResponseReturnValue:
        running, drafted = self._found(language, kind, key)
        given = request.files.get("sound")
        recordings.take_in(
            self.runtime,
            me().id,
            language=language,
            key=_spoken_key(kind, key),
            text=(drafted or running).text,
            data=given.read() if given else b"",
        )
        flash("recorded")
        return go("wording", language=language, kind=kind, key=key)

    def judge(self, language: str, kind: str, key: str, recording: str) -> ResponseReturnValue:
        sound = request.form.get("sound", "")
        recordings.approve(self.runtime, me().id, recording, sound)
        flash("recording_approved")
        return go("wording", language=language, kind=kind, key=key)

    def remove(self, language: str, kind: str, key: str, recording: str) -> ResponseReturnValue:
        recordings.remove(self.runtime, me().id, recording)
        flash("recording_removed")
        return go("wording", language=language, kind=kind, key=key)

    def anew(self, language: str, kind: str, key: str, recording: str) -> ResponseReturnValue:  # noqa: ARG002 - a refused step
        return self.wording(language, kind, key)

    def _found(self, language: str, kind: str, key: str) -> tuple[Wording, Wording | None]:
        """The wording as it runs (or as it will, where it is new), and as it stands in the draft."""
        library = self.runtime.library
        if language not in library.languages or kind not in PARTS:
            abort(404)
        running = (library.texts if kind == "sms" else library.voices)[language].get(_spoken_key(kind, key))
        there = publishing.draft(self.runtime)
        drafted = wordings(there[1]).get(Spot(language, kind, key)) if there else None
        found = running or drafted
        if found is None:
            abort(404)
        return found, drafted

    def _take(self, one: Recording, text: str, names: Mapping[str, str], at: str) -> Take:
        return Take(
            id=one.id,
            sound=one.sound,
            at=at,
            by=names.get(one.uploaded_by, ""),
            approved_by=names.get(one.approved_by or "", words.tell("a colleague"))
            if one.approved_by
            else "",
            own=one.uploaded_by == me().id,
            old=one.text_hash != text_hash(text),
        )

    def _wordings(self, language: str, part: str) -> Mapping[str, Wording]:
        library = self.runtime.library
        if part == "sms":
            return library.texts[language]
        return {
            _part_of(key)[1]: wording
            for key, wording in library.voices[language].items()
            if _part_of(key)[0] == part
        }


def _one_of(given: str | None, known: tuple[str, ...]) -> str:
    return given if given in known else ""


def _spoken_key(part: str, key: str) -> str:
    return f"{part}.{key}" if part in {"handle", "digit"} else key


def _part_of(spoken: str) -> tuple[str, str]:
    kind, dot, rest = spoken.partition(".")
    return (kind, rest) if dot and kind in {"handle", "digit"} else ("voice", spoken)


def _row(key: str, wording: Wording, sound: PromptSound | None, *, changed: bool) -> Row:
    by_a_person = sound is not None and sound.engine == scripts.BY_A_PERSON
    return Row(
        key=key,
        text=wording.text,
        latin=wording.latin if wording.latin != wording.text else "",
        review=(Review.RECORDED if by_a_person else wording.review).value,
        sound=sound.sound if sound else "",
        engine=sound.engine if sound else "",
        robot=bool(sound and sound.robot),
        changed=changed,
    )
