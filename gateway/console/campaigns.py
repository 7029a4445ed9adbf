"""Campaigns: who is meant and what it may cost, the calls under way, and how they went."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal

from flask import Response, abort, flash, request
from flask.typing import ResponseReturnValue

from gateway.console import drawing, programme_words, typed, words
from gateway.console.frame import live, page
from gateway.console.gates import go, me
from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.services import campaigns, results
from gateway.services.campaigns import Plan
from gateway.services.programmes import TOPICS
from gateway.store import campaigns as rows
from gateway.store import outreach
from gateway.store.campaigns import Campaign, CampaignState
from gateway.store.outreach import Version

MOST_DAYS_AGO = 400
STEPS = {"pause": CampaignState.PAUSED, "resume": CampaignState.RUNNING, "cancel": CampaignState.CANCELED}
_STEERED = {"pause": "paused", "resume": "resumed", "cancel": "canceled"}
AGES = (7, 14, 21)
LASTS = (1, 2, 4, 7, 14)


@dataclass(frozen=True, slots=True)
class Line:
    """A campaign in the list of its programme."""

    campaign: Campaign
    launched: str
    until: str


@dataclass(frozen=True)
class Campaigns:
    runtime: Runtime

    def plan(self, version: str) -> ResponseReturnValue:
        """Who would be rung and what that may cost; nothing is begun by looking."""
        there = self._version(version)
        given = request.form if request.method == "POST" else request.args
        try:
            plan, fault = self._read(there), None
            people = campaigns.size(self.runtime, there, plan)
        except Refused as refused:
            plan, fault, people = Plan(), refused.reason_key, 0
        low, high = campaigns.estimate(self.runtime, there, people)
        return page(
            "plan",
            one=there,
            given=given,
            fault=fault,
            audience=campaigns.shown(people),
            estimate=(low, high) if people >= results.SMALL else None,
            days=range(1, campaigns.MOST_DAYS + 1),
            ages=AGES,
            lasts=LASTS,
            topics=TOPICS,
            sending=self.runtime.switches.on(campaigns.FEATURE_OF[there.way]),
            quiet=self.runtime.settings.quiet_hours,
            now=self._now(),
        )

    def launch(self, version: str) -> ResponseReturnValue:
        plan = self._read(self._version(version))
        campaign = campaigns.launch(self.runtime, version, me().id, plan)
        flash("launched" if plan.starts is None else "launched_later")
        return go("results", version=version, campaign=campaign)

    def steer(self, version: str, campaign: str) -> ResponseReturnValue:
        step = request.form.get("step", "")
        if step not in STEPS:
            abort(400)
        campaigns.steer(self.runtime, campaign, me().id, to=STEPS[step])
        flash(_STEERED[step])
        return go("results", version=version, campaign=campaign)

    def results(self, version: str, campaign: str) -> ResponseReturnValue:
        now = self._now()
        there, found = self._version(version), self._campaign(version, campaign)
        return live(
            "results",
            one=there,
            campaign=found,
            results=results.of_campaign(self.runtime, campaign),
            launched=words.at(found.launched, now),
            starts=words.at(found.starts, now) if found.starts > now else "",
            until=words.at(found.not_after, now),
            open=found.state in rows.OPEN,
            stamp=int(now.timestamp()) // 60,
            now=now,
        )

    def chart(self, version: str, campaign: str) -> ResponseReturnValue:
        there = self._version(version)
        self._campaign(version, campaign)
        drawn = drawing.curve(
            results.curve(self.runtime, campaign),
            self.runtime.settings.timezone,
            reached=words.said(programme_words.CURVE, there.way),
            others=words.said(programme_words.CURVE, "others"),
        )
        answer = Response(drawn, mimetype="image/svg+xml")
        answer.headers["Cache-Control"] = "private, no-store"
        return answer

    def table(self, version: str, campaign: str) -> ResponseReturnValue:
        self._campaign(version, campaign)
        answer = Response(results.as_csv(self.runtime, campaign), mimetype="text/csv")
        answer.headers["Content-Disposition"] = 'attachment; filename="counts.csv"'
        answer.headers["Cache-Control"] = "private, no-store"
        return answer

    def _read(self, version: Version) -> Plan:
        """The form as a plan; raises `Refused("bad_plan")`."""
        given = request.form if request.method == "POST" else request.args
        starts = self._moment(given.get("day", ""), given.get("time", ""))
        topic = given.get("topic") or None
        try:
            plan = Plan(
                starts=starts,
                lives=timedelta(days=_days(given.get("lasts") or "2")),
                days=_days(given.get("days") or "1"),
                topic=topic,
                youngest=_days(given["youngest"]) if given.get("youngest") else None,
                oldest=_days(given["oldest"]) if given.get("oldest") else None,
                cap=Decimal(given["cap"].replace(",", ".")) if given.get("cap") else None,
            )
        except (ValueError, ArithmeticError):  # no number, or one that no calendar holds
            raise Refused("bad_plan") from None
        wrong = topic is not None and topic not in (*TOPICS, version.topic)
        dear = plan.cap is not None and not (plan.cap.is_finite() and 0 < plan.cap <= 1_000_000)
        if wrong or dear or not 1 <= plan.lives.days <= 30:
            raise Refused("bad_plan")
        return plan

    def _moment(self, day: str, hour: str) -> datetime | None:
        if not day and not hour:
            return None
        try:
            begins = time.fromisoformat(hour) if hour else time(9)
        except ValueError:
            raise Refused("bad_plan") from None
        chosen = typed.day(day) if day else self._now().date()
        if chosen is None:
            raise Refused("bad_plan")
        return datetime.combine(chosen, begins, self.runtime.settings.timezone)

    def _version(self, version: str) -> Version:
        with self.runtime.database.read() as session:
            there = outreach.version(session, version)
        if there is None:
            abort(404)
        return there

    def _campaign(self, version: str, campaign: str) -> Campaign:
        with self.runtime.database.read() as session:
            found = rows.get(session, campaign)
        if found is None or found.version != version:
            abort(404)
        return found

    def _now(self) -> datetime:
        return self.runtime.clock.now().astimezone(self.runtime.settings.timezone)


def _days(text: str) -> int:
    """Raises ValueError for what is no number, or more days than there will be."""
    found = typed.number(text)
    if found is None or found > MOST_DAYS_AGO:
        raise ValueError
    return found
