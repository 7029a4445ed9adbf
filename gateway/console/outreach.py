"""Programmes: written, listened to, approved by a second person, and sent to those who asked for them."""

from dataclasses import dataclass
from datetime import date, datetime, time

from flask import abort, flash, request
from flask.typing import ResponseReturnValue

from gateway.console import words
from gateway.console.campaigns import Line
from gateway.console.frame import live, page
from gateway.console.gates import go, me
from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.services import programmes
from gateway.store import campaigns, counselors
from gateway.store import outreach as rows
from gateway.store.campaigns import OPEN
from gateway.store.outreach import VersionState

MOST = 50
MOST_CAMPAIGNS = 5


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
            today=self._now().date().isoformat(),
            given=request.form,
        )

    def write(self) -> ResponseReturnValue:
        given = request.form
        draft = programmes.Draft(
            title=given.get("title", ""),
            topic=given.get("topic", ""),
            language=given.get("language", ""),
            text=given.get("text", ""),
            valid_until=self._end_of(given.get("last_day", "")),
        )
        version = programmes.write(self.runtime, me().id, draft)
        flash("written")
        return go("version", version=version)

    def version(self, version: str) -> ResponseReturnValue:
        now = self._now()
        with self.runtime.database.read() as session:
            there = rows.version(session, version)
            if there is None:
                abort(404)
            names = {one.id: one.alias for one in counselors.everyone(session)}
            calls = [
                Line(one, words.at(one.launched, now), words.at(one.not_after, now))
                for one in campaigns.of_version(session, version, most=MOST_CAMPAIGNS)
            ]
        return live(
            "version",
            one=there,
            author=names.get(there.author, ""),
            approver=names.get(there.approved_by or "", ""),
            own=there.author == me().id,
            audible=there.may_be_heard(now),
            calls=calls,
            busy=any(one.campaign.state in OPEN for one in calls),
            sending=self.runtime.switches.on("programme_calls"),
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

    def _now(self) -> datetime:
        return self.runtime.clock.now().astimezone(self.runtime.settings.timezone)

    def _end_of(self, day: str) -> datetime:
        """The last minute of a day of the hotline's zone."""
        try:
            return datetime.combine(date.fromisoformat(day), time(23, 59), self.runtime.settings.timezone)
        except ValueError:
            raise Refused("not_valid") from None
