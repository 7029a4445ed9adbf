"""Who waits: mine first, then those to be rung, in the order in which the house wants them rung."""

from dataclasses import dataclass
from datetime import datetime

from flask import flash, request
from flask.typing import ResponseReturnValue

from gateway.console import words
from gateway.console.cards import Card, card
from gateway.console.frame import live
from gateway.console.gates import go, me
from gateway.runtime import Runtime
from gateway.services import attending, counselors, threads, transferring
from gateway.store import attendance, callbacks, continuing, refusals
from gateway.store.attendance import Attendance
from gateway.store.callbacks import BY_TEXT, CallbackState
from gateway.store.counselors import Role

MOST = 50  # rows on a page: nobody rings more in an hour


@dataclass(frozen=True, slots=True)
class Waiting:
    """The queue as it is now; `more` where it is longer than a page."""

    offered: list[Card]
    asked_in: list[tuple[Card, bool]]  # into a colleague's talk, and whether this counselor is in it already
    mine: list[Card]
    now: list[Card]
    later: list[Card]
    unclear: list[Card]
    texts: list[Card]  # those without an answer first
    others: list[Card]  # not for this counselor, who said so
    more: bool
    on_shift: int
    me: Attendance
    enough: bool  # this counselor has taken as many today as a day may bring


@dataclass(frozen=True)
class Queue:
    runtime: Runtime

    def home(self) -> ResponseReturnValue:
        return go("audit" if me().role is Role.AUDITOR else "queue")

    def page(self) -> ResponseReturnValue:
        now = self.runtime.clock.now().astimezone(self.runtime.settings.timezone)
        waiting = self._waiting(now)
        until = waiting.me.paused_until if waiting.me.paused(now) else None
        return live("queue", waiting=waiting, paused_until=words.at(until, now) if until else "")

    def page_without(self, case: str) -> ResponseReturnValue:  # noqa: ARG002 - the one that could not be claimed
        return self.page()

    def shift(self) -> ResponseReturnValue:
        on = request.form.get("on") == "1"
        counselors.set_shift(self.runtime, me().alias, on=on, by=me().id)
        flash("shift_on" if on else "shift_off")
        return go("queue")

    def _waiting(self, now: datetime) -> Waiting:
        with self.runtime.database.read() as session:
            mine = callbacks.of_account(session, me().id)
            waiting = callbacks.waiting(session, most=MOST + 1)
            unclear = callbacks.uncertain(session, most=MOST)
            asked = [callbacks.get(session, one) for one in continuing.offered_to(session, me().id, now)]
            offers = [one for one in asked if one is not None]
            talks = [one for one in offers if one.state is CallbackState.TALKING]
            joined = {one.id for one in talks if transferring.beside(session, one.id, now=now)}
            on_shift = attendance.there(session, now)
            refused = refusals.of_account(session, me().id)
            there = attendance.of(session, me().id)
            enough = attending.has_enough(session, self.runtime, me().id, there, now)
            by_text = [one.id for one in waiting if one.wish == BY_TEXT]
            unanswered = threads.unanswered(session, by_text) if by_text else frozenset()
        shown = [card(self.runtime, one, now) for one in waiting[:MOST] if one.expires > now]
        others = [one for one in shown if one.id in refused]
        shown = [one for one in shown if one.id not in refused]
        return Waiting(
            offered=[card(self.runtime, one, now) for one in offers if one not in talks],
            asked_in=[(card(self.runtime, one, now), one.id in joined) for one in talks],
            mine=[card(self.runtime, one, now) for one in mine],
            now=[one for one in shown if one.safe],
            later=[one for one in shown if not one.safe and not one.by_text],
            texts=sorted((one for one in shown if one.by_text), key=lambda one: one.id not in unanswered),
            unclear=[card(self.runtime, one, now) for one in unclear],
            others=others,
            more=len(waiting) > MOST,
            on_shift=on_shift,
            me=there,
            enough=enough,
        )
