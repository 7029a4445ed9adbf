"""The services directory: who else helps, to look up, to keep true, and to tell somebody of from a case."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from flask import abort, flash, request
from flask.typing import ResponseReturnValue

from gateway.console import typed, words
from gateway.console.cards import card
from gateway.console.frame import page
from gateway.console.gates import COORDINATORS, go, me
from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.services import directory
from gateway.services.directory import Draft, Entry, Words
from gateway.store import callbacks as rows
from gateway.store import counselors
from gateway.store import directory as told

MOST = 40  # on a page: further ones are found by a word


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry with what a reader asks about it: who said so, and how many were told of it (coordinators only)."""

    entry: Entry
    over: bool
    until: str
    author: str
    changed: str
    this_month: str
    last_month: str


@dataclass(frozen=True)
class Directory:
    runtime: Runtime

    def page(self) -> ResponseReturnValue:
        """Everything, or what was looked for; found by the form's address alone, without script."""
        return page("services", case=None, told=(), **self._found())

    def choose(self, case: str) -> ResponseReturnValue:
        """The same with a button each: the person of one's own case was told of it."""
        now = self._now()
        with self.runtime.database.read() as session:
            there = rows.get(session, case)
            already = {one.entry for one in told.referred(session, case)}
        if there is None or there.claimed_by != me().id:
            abort(404)
        return page("services", case=card(self.runtime, there, now), told=already, **self._found())

    def choose_again(self, case: str, entry: str) -> ResponseReturnValue:  # noqa: ARG002 - the one that was refused
        return self.choose(case)

    def refer(self, case: str, entry: str) -> ResponseReturnValue:
        directory.refer(self.runtime, case, me().id, entry)
        flash("referred")
        return go("case", case=case)

    def form(self, entry: str | None = None) -> ResponseReturnValue:
        """A new entry, or one as it stands; what was typed before a refusal is there still."""
        now = self._now()
        with self.runtime.database.read() as session:
            there = directory.entry(session, self.runtime, entry) if entry else None
        if entry and there is None:
            abort(404)
        return page(
            "service",
            entry=there,
            given=request.form if request.method == "POST" else _as_form(there, now),
            chosen=request.form.getlist("language")
            if request.method == "POST"
            else (there.languages if there else ()),
            kinds=directory.KINDS,
            tongues=self.runtime.library.languages,
            longest_name=directory.LONGEST_NAME,
            longest_text=directory.LONGEST_TEXT,
            today=now.date().isoformat(),
            farthest=(now + directory.LONGEST_VALID).date().isoformat(),
        )

    def keep(self, entry: str | None = None) -> ResponseReturnValue:
        given = request.form
        draft = Draft(
            kind=given.get("kind", ""),
            words=Words(given.get("name", ""), given.get("offers", ""), given.get("reach", "")),
            languages=given.getlist("language"),
            valid_until=self._end_of(given.get("last_day", "")),
        )
        directory.keep(self.runtime, me().id, draft, entry=entry)
        flash("entry_kept")
        return go("services")

    def remove(self, entry: str) -> ResponseReturnValue:
        directory.remove(self.runtime, me().id, entry)
        flash("entry_removed")
        return go("services")

    def _found(self) -> dict[str, object]:
        now = self._now()
        wanted, kind = request.args.get("q", "")[:80], request.args.get("kind", "")
        coordinates = me().role in COORDINATORS
        month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        before = (month - timedelta(days=1)).replace(day=1)
        with self.runtime.database.read() as session:
            entries = directory.everything(session, self.runtime)
            names = {one.id: one.alias for one in counselors.everyone(session)}
            this = directory.counts(session, since=month, until=now) if coordinates else {}
            last = directory.counts(session, since=before, until=month) if coordinates else {}
        found = directory.found(entries, words=wanted, kind=kind)
        return {
            "found": [
                Shown(
                    one,
                    over=one.over(now),
                    until=words.day(one.valid_until, now),
                    author=names.get(one.author, ""),
                    changed=words.day(one.changed, now),
                    this_month=this.get(one.id, "0"),
                    last_month=last.get(one.id, "0"),
                )
                for one in found[:MOST]
            ],
            "more": len(found) > MOST,
            "empty": not entries,
            "wanted": wanted,
            "kind": kind,
            "kinds": directory.KINDS,
        }

    def _now(self) -> datetime:
        return self.runtime.clock.now().astimezone(self.runtime.settings.timezone)

    def _end_of(self, day: str) -> datetime:
        """The last minute of a day of the hotline's zone."""
        last = typed.day(day)
        if last is None:
            raise Refused("not_valid")
        return datetime.combine(last, time(23, 59), self.runtime.settings.timezone)


def _as_form(there: Entry | None, now: datetime) -> dict[str, str]:
    if there is None:
        return {}
    return {
        "kind": there.kind,
        "name": there.words.name,
        "offers": there.words.offers,
        "reach": there.words.reach,
        "last_day": there.valid_until.astimezone(now.tzinfo).date().isoformat(),
    }
