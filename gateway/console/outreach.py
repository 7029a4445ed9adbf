"""Programmes: written, listened to, approved by a second person, and sent to those who asked for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

from flask import abort, flash, request
from flask.typing import ResponseReturnValue

from gateway.console import words
from gateway.console.frame import live, page
from gateway.console.gates import go, me
from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.services import outreach, programmes
from gateway.store import counselors
from gateway.store import outreach as rows
from gateway.store.outreach import Campaign, CampaignState, Version, VersionState

MOST = 50
MOST_CAMPAIGNS = 5
STEPS = {"pause": CampaignState.PAUSED, "resume": CampaignState.RUNNING, "cancel": CampaignState.CANCELED}
_STEERED = {"pause": "paused", "resume": "resumed", "cancel": "canceled"}


@dataclass(frozen=True, slots=True)
class Calls:
    """A campaign and how it goes; small groups are shown as fewer than five."""

    campaign: Campaign
    launched: str
    until: str
    results: Mapping[str, str]


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
            campaigns = rows.campaigns_of(session, version)[:MOST_CAMPAIGNS]
        calls = [self._calls(one, now) for one in campaigns]
        return live(
            "version",
            one=there,
            author=names.get(there.author, ""),
            approver=names.get(there.approved_by or "", ""),
            own=there.author == me().id,
            audible=there.may_be_heard(now),
            calls=calls,
            busy=any(one.campaign.state in (CampaignState.RUNNING, CampaignState.PAUSED) for one in calls),
            sending=self.runtime.switches.on("programme_calls"),
            audience=outreach.audience(self.runtime, there.language) if there.may_be_heard(now) else "",
            quiet=self.runtime.settings.quiet_hours,
            working=_working(there, calls),
            now=now,
        )

    def anew(self, version: str, campaign: str) -> ResponseReturnValue:  # noqa: ARG002 - a refused step
        return self.version(version)

    def approve(self, version: str) -> ResponseReturnValue:
        programmes.approve(self.runtime, version, me().id, request.form.get("manifest", ""))
        flash("approved")
        return go("version", version=version)

    def retire(self, version: str) -> ResponseReturnValue:
        programmes.retire(self.runtime, version, me().id)
        flash("retired")
        return go("version", version=version)

    def launch(self, version: str) -> ResponseReturnValue:
        outreach.launch(self.runtime, version, me().id)
        flash("launched")
        return go("version", version=version)

    def steer(self, version: str, campaign: str) -> ResponseReturnValue:
        step = request.form.get("step", "")
        if step not in STEPS:
            abort(400)
        outreach.steer(self.runtime, campaign, me().id, to=STEPS[step])
        flash(_STEERED[step])
        return go("version", version=version)

    def _calls(self, campaign: Campaign, now: datetime) -> Calls:
        return Calls(
            campaign=campaign,
            launched=words.at(campaign.launched, now),
            until=words.at(campaign.not_after, now),
            results=outreach.results(self.runtime, campaign.id),
        )

    def _now(self) -> datetime:
        return self.runtime.clock.now().astimezone(self.runtime.settings.timezone)

    def _end_of(self, day: str) -> datetime:
        """The last minute of a day of the hotline's zone."""
        try:
            return datetime.combine(date.fromisoformat(day), time(23, 59), self.runtime.settings.timezone)
        except ValueError:
            raise Refused("not_valid") from None


def _working(version: Version, calls: list[Calls]) -> bool:
    """Whether the page changes by itself."""
    return version.state is VersionState.RENDERING or any(
        one.campaign.state is CampaignState.RUNNING for one in calls
    )
