"""The draft of what the hotline says: compared, checked, listened to, published; and the versions before it."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import abort, flash, request
from flask.typing import ResponseReturnValue

from gateway.console import words
from gateway.console.frame import live, page
from gateway.console.gates import go, me
from gateway.runtime import Runtime
from gateway.services import publishing
from gateway.store import counselors, scripts
from gateway.store.scripts import ScriptState, ScriptVersion
from gateway.store.sounds import PromptSound, text_hash
from prompts.editing import Change, Spot, pieces
from prompts.library import Wording

MOST_VERSIONS = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """A changed wording: its old and new text in runs, its new review, and the sound of the new text."""

    spot: Spot
    runs: Sequence[tuple[str, str]]
    latin: Sequence[tuple[str, str]]
    review: str
    sound: PromptSound | None


@dataclass(frozen=True)
class Drafts:
    runtime: Runtime

    def page(self) -> ResponseReturnValue:
        found = publishing.look(self.runtime)
        if found is None:
            return page("no_draft")
        with self.runtime.database.read() as session:
            names = {one.id: one.alias for one in counselors.everyone(session)}
            spoken = {(one.language, one.key, one.text_hash): one for one in scripts.heard(session)}
        return live(
            "draft",
            one=found,
            changes=[_shown(one, spoken) for one in found.changes],
            authors=sorted(names.get(one, "") for one in found.version.authors),
            own=me().id in found.version.authors,
            files=sorted(found.files),
        )

    def begin(self) -> ResponseReturnValue:
        publishing.begin(self.runtime, me().id, newer=request.form.get("newer") == "1")
        flash("draft_begun")
        return go("draft")

    def discard(self) -> ResponseReturnValue:
        publishing.discard(self.runtime, me().id)
        flash("discarded")
        return go("content")

    def publish(self) -> ResponseReturnValue:
        publishing.publish(self.runtime, me().id, request.form.get("pack", ""))
        flash("published")
        return go("versions")

    def file(self, name: str) -> ResponseReturnValue:
        there = publishing.draft(self.runtime)
        if there is None or name not in there[1]:
            abort(404)
        text = there[1][name].decode()
        return page("file", name=name, text=request.form.get("text", text), pack=there[0].pack)

    def change_file(self, name: str) -> ResponseReturnValue:
        given = request.form
        publishing.change_file(self.runtime, me().id, name, given.get("text", ""), given.get("pack", ""))
        flash("in_draft")
        return go("draft")

    def versions(self) -> ResponseReturnValue:
        now = self.runtime.clock.now().astimezone(self.runtime.settings.timezone)
        with self.runtime.database.read() as session:
            names = {one.id: one.alias for one in counselors.everyone(session)}
            found = scripts.versions(session, most=MOST_VERSIONS)
        return page(
            "versions",
            rows=[_version(one, names) for one in found if one.state is not ScriptState.DRAFT],
            now=now,
        )

    def go_back(self, number: str) -> ResponseReturnValue:
        if not (number.isascii() and number.isdigit() and len(number) < 8):
            abort(404)
        publishing.go_back(self.runtime, me().id, int(number))
        flash("went_back")
        return go("versions")

    def versions_again(self, number: str) -> ResponseReturnValue:  # noqa: ARG002 - a refused step
        return self.versions()


def _shown(one: Change, spoken: dict[tuple[str, str, str], PromptSound]) -> Shown:
    before, after = one.before or Wording(""), one.after or Wording("")
    key = one.spot.key if one.spot.kind == "voice" else f"{one.spot.kind}.{one.spot.key}"
    return Shown(
        spot=one.spot,
        runs=pieces(before.text, after.text),
        latin=pieces(before.latin, after.latin) if before.latin != after.latin else (),
        review=after.review.value,
        sound=spoken.get((one.spot.language, key, text_hash(after.text))),
    )


def _version(one: ScriptVersion, names: dict[str, str]) -> tuple[ScriptVersion, list[str], str]:
    by = names.get(one.published_by or "", words.tell("a colleague")) if one.published_by else ""
    return one, sorted(names.get(author, "") for author in one.authors), by
