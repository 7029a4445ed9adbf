"""What goes on with a case: the list of those kept open, another week, ringing again, a colleague takes over."""

from dataclasses import dataclass
from datetime import datetime

from flask import abort, flash, request
from flask.typing import ResponseReturnValue

from gateway.console import words
from gateway.console.cards import Card, card
from gateway.console.frame import page
from gateway.console.gates import COORDINATORS, go, me
from gateway.runtime import Runtime
from gateway.services import callbacks, continuing, transferring
from gateway.services.continuing import Kept
from gateway.store import callbacks as rows
from gateway.store import continuing as stored
from gateway.store import counselors
from gateway.store.callbacks import Callback, CallbackState
from gateway.store.database import Session

MOST = 50


@dataclass(frozen=True)
class Continuing:
    runtime: Runtime

    def page(self) -> ResponseReturnValue:
        """One's own closed cases that are kept; a coordinator sees everybody's."""
        now = self._now()
        found: list[tuple[Card, Kept, str]] = []
        everybody = me().role in COORDINATORS
        with self.runtime.database.read() as session:
            kept = stored.kept(
                session,
                account=None if everybody else me().id,
                since=now - callbacks.KEPT,
                now=now,
                most=MOST + 1,
            )
            for case in kept[:MOST]:
                there = rows.get(session, case)
                until = continuing.kept(session, self.runtime, there) if there else None
                if there and until:
                    found.append((card(self.runtime, there, now), until, words.at(until.until, now)))
        return page("kept", found=found, more=len(kept) > MOST)

    def renew(self, case: str) -> ResponseReturnValue:
        continuing.renew(self.runtime, case, me().id, request.form.get("reason", ""))
        flash("renewed")
        return go("case", case=case)

    def ring_again(self, case: str) -> ResponseReturnValue:
        wish = request.form.get("wish", "")
        if wish not in continuing.WISHES:
            abort(400)
        continuing.ring_again(self.runtime, case, me().id, wish)
        flash("asked_in_talk")
        return go("queue")

    def colleagues(self, case: str) -> ResponseReturnValue:
        """Who may have it: one button each."""
        now = self._now()
        with self.runtime.database.read() as session:
            there = rows.get(session, case)
            if there is None or there.claimed_by != me().id:
                abort(404)
            if there.state is CallbackState.TALKING and self.runtime.switches.on(transferring.FEATURE):
                return self._to_join(session, there, now)
            takers = continuing.takers(session, me().id)
        if there.state is not CallbackState.CLAIMED:
            abort(404)
        return page(
            "colleagues",
            one=card(self.runtime, there, now),
            takers=takers,
            minutes=int(continuing.ANSWER_WITHIN.total_seconds() // 60),
        )

    def _to_join(self, session: Session, there: Callback, now: datetime) -> ResponseReturnValue:
        free = {one.account for one in transferring.joinable(session, self.runtime, there, me().id)}
        takers = [one for one in counselors.everyone(session) if one.id in free]
        return page("bring_in", one=card(self.runtime, there, now), takers=takers)

    def bring_in(self, case: str) -> ResponseReturnValue:
        """A colleague is rung, chosen or whoever suits, and may join the talk."""
        transferring.ask(self.runtime, case, me().id, request.form.get("taker", ""))
        flash("asked_to_join")
        return go("case", case=case)

    def offer(self, case: str) -> ResponseReturnValue:
        continuing.offer(self.runtime, case, me().id, request.form.get("taker", ""))
        flash("offered")
        return go("case", case=case)

    def take_over(self, case: str) -> ResponseReturnValue:
        continuing.take_over(self.runtime, case, me().id)
        flash("taken_over")
        return go("case", case=case)

    def end_offer(self, case: str) -> ResponseReturnValue:
        continuing.end_offer(self.runtime, case, me().id)
        flash("offer_ended")
        return go("queue")

    def _now(self) -> datetime:
        return self.runtime.clock.now().astimezone(self.runtime.settings.timezone)
