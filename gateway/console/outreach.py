"""Programmes: written, listened to, approved by a second person, and sent to those who asked for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time

from flask import abort, flash, request, send_file
from flask.typing import ResponseReturnValue

from gateway.console import typed, words
from gateway.console.campaigns import Line
from gateway.console.frame import live, page
from gateway.console.gates import go, me
from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.services import programmes, rendering
from gateway.services.campaigns import FEATURE_OF
from gateway.store import campaigns, counselors
from gateway.store import outreach as rows
from gateway.store.campaigns import OPEN
from gateway.store.consents import Way
from gateway.store.outreach import Version, VersionState
from ivr.burmese.encodings import in_unicode
from prompts.intake import PROGRAMME

MOST = 50
MOST_CAMPAIGNS = 5
LONGEST_MESSAGE = 160


@dataclass(frozen=True)
class Outreach:
    runtime: Runtime

    def page(self) -> ResponseReturnValue:
        with self.runtime.database.read() as session:
            versions = rows.latest_versions(session, most=MOST)
        working = any(one.state is VersionState.RENDERING for one in versions)
        return live("programmes", versions=versions, working=working, now=self._now())

    def form(self) -> ResponseReturnValue:
        return page(
            "write",
            topics=programmes.TOPICS,
            tongues=self.runtime.library.languages,
            longest_text=programmes.LONGEST_TEXT,
            longest_title=programmes.LONGEST_TITLE,
            longest_voice=PROGRAMME.seconds,
            today=self._now().date().isoformat(),
            given=_readable(request.form),
        )

    def write(self) -> ResponseReturnValue:
        given = request.form
        contents = [_brought(language) for language in self.runtime.library.languages]
        draft = programmes.Draft(
            title=given.get("title", ""),
            topic=given.get("topic", ""),
            valid_until=self._end_of(given.get("last_day", "")),
            contents=[one for one in contents if one.text.strip() or one.sound],
        )
        version, *_ = programmes.write(self.runtime, me().id, draft)
        flash("written")
        return go("version", version=version)

    def changing(self, version: str) -> ResponseReturnValue:
        """The form for a new version: of this language and way, or of another one."""
        there, others = self._found(version)
        language = request.values.get("language", there.language)
        way = _way()
        if language not in self.runtime.library.languages:
            abort(404)
        before = programmes.latest(others, language, way)
        given = _readable(request.form)
        return page(
            "change",
            one=there,
            language=language,
            by_text=way is Way.TEXT,
            longest_text=LONGEST_MESSAGE if way is Way.TEXT else programmes.LONGEST_TEXT,
            longest_voice=PROGRAMME.seconds,
            text=given.get(f"text_{language}", before.text if before else ""),
            before=before,
        )

    def change(self, version: str) -> ResponseReturnValue:
        there, _ = self._found(version)
        content = _brought(request.form.get("language", ""), _way())
        new = programmes.change(self.runtime, me().id, there.programme, content)
        flash("recorded" if content.sound or content.way is Way.TEXT else "written")
        return go("version", version=new)

    def whole(self, version: str) -> ResponseReturnValue:
        """The whole programme in one file, for the player."""
        there, _ = self._found(version)
        path = rendering.whole_mp3(self.runtime, there)
        if path is None:
            abort(404)
        return send_file(path, mimetype="audio/mpeg", etag=there.fingerprint(), conditional=True)

    def version(self, version: str) -> ResponseReturnValue:
        now = self._now()
        there, others = self._found(version)
        with self.runtime.database.read() as session:
            names = {one.id: one.alias for one in counselors.everyone(session)}
            calls = [
                Line(one, words.at(one.launched, now), words.at(one.not_after, now))
                for one in campaigns.of_version(session, version, most=MOST_CAMPAIGNS)
            ]
        return live(
            "version",
            one=there,
            author=names.get(there.author, ""),
            others=others,
            missing=self._missing(others),
            changes=_changes(there, others),
            approver=names.get(there.approved_by or "", ""),
            own=there.author == me().id,
            audible=there.may_be_heard(now),
            calls=calls,
            busy=any(one.campaign.state in OPEN for one in calls),
            sending=self.runtime.switches.on(FEATURE_OF[there.way]),
            working=there.state is VersionState.RENDERING,
            now=now,
        )

    def approve(self, version: str) -> ResponseReturnValue:
        programmes.approve(self.runtime, version, me().id, request.form.get("manifest", ""))
        flash("approved")
        return go("version", version=version)

    def retire(self, version: str) -> ResponseReturnValue:
        programmes.retire(self.runtime, version, me().id)
        flash("retired")
        return go("version", version=version)

    def _found(self, version: str) -> tuple[Version, Sequence[Version]]:
        """A version, and all of its programme."""
        with self.runtime.database.read() as session:
            there = rows.version(session, version)
            if there is None:
                abort(404)
            return there, rows.versions_of(session, there.programme)

    def _missing(self, others: Sequence[Version]) -> list[tuple[str, Way]]:
        """The languages and ways that this programme does not have yet."""
        there = {(one.language, one.way) for one in others}
        return [
            (tongue, way)
            for way in Way
            for tongue in self.runtime.library.languages
            if (tongue, way) not in there
            and (way is Way.CALL or self.runtime.switches.on(FEATURE_OF[Way.TEXT]))
        ]

    def _now(self) -> datetime:
        return self.runtime.clock.now().astimezone(self.runtime.settings.timezone)

    def _end_of(self, day: str) -> datetime:
        """The last minute of a day of the hotline's zone."""
        last = typed.day(day)
        if last is None:
            raise Refused("not_valid")
        return datetime.combine(last, time(23, 59), self.runtime.settings.timezone)


def _brought(language: str, way: Way = Way.CALL) -> programmes.Content:
    """What the form brings of one language: a file of a voice, else its text."""
    file = request.files.get(f"sound_{language}")
    return programmes.Content(
        language, request.form.get(f"text_{language}", ""), file.read() if file else b"", way
    )


def _way() -> Way:
    """By call, unless the page says otherwise; any other word is of no page of ours."""
    way = request.values.get("way", Way.CALL)
    return Way(way) if way in set(Way) else abort(404)


def _readable(given: Mapping[str, str]) -> dict[str, str]:
    """What was written, to be looked at once more: Zawgyi in Unicode, for that is what the refusal offers."""
    return {
        name: in_unicode(value[: programmes.LONGEST_TEXT]) if name.startswith("text_") else value
        for name, value in given.items()
    }


def _changes(there: Version, others: Sequence[Version]) -> list[tuple[str, str]]:
    """What is different from the version before, where both were written."""
    before = next(
        (
            one
            for one in others
            if (one.language, one.way, one.number) == (there.language, there.way, there.number - 1)
        ),
        None,
    )
    if before is None or not before.text or not there.text:
        return []
    return [(mark, text) for mark, text in programmes.differences(before.text, there.text)]
