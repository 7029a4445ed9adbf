"""Two-way texts: a case's thread, what an answer costs and why it may not leave, a draft that is kept."""

from dataclasses import dataclass
from datetime import datetime

from flask import abort, flash, g, request
from flask.typing import ResponseReturnValue

from gateway.console import text_words, words
from gateway.console.cards import card
from gateway.console.frame import live
from gateway.console.gates import go, me
from gateway.console.words import tell as _
from gateway.runtime import Runtime
from gateway.services import sending, threads
from gateway.services.threads import Thread
from gateway.store import callbacks as rows
from gateway.store.callbacks import Callback
from ivr.burmese.segments import Segments


@dataclass(frozen=True, slots=True)
class Line:
    """One text in words: whose it is, when, how it stands, and what is odd about it."""

    hers: bool
    text: str
    at: str
    who: str
    state: str
    marks: tuple[str, ...]


@dataclass(frozen=True)
class Texting:
    runtime: Runtime

    def page(self, case: str) -> ResponseReturnValue:
        """A thread, to whoever has its case and to nobody else."""
        now = self.runtime.clock.now().astimezone(self.runtime.settings.timezone)
        with self.runtime.database.read() as session:
            there = rows.get(session, case)
            if there is None:
                abort(404)
            mine = there.claimed_by == me().id
            thread = threads.read(session, self.runtime, there) if mine else None
        written = request.form.get("text", thread.draft if thread else "")[: threads.LONGEST]
        return live(
            "thread",
            one=card(self.runtime, there, now),
            mine=mine,
            thread=thread,
            lines=[self._line(one, now) for one in thread.lines] if thread else [],
            until=words.at(thread.until, now) if thread and thread.until else "",
            written=written,
            told=self._told(there, thread, written) if thread and written.strip() else (),
            display=words.said(text_words.DISPLAYS, thread.display) if thread else "",
            longest=threads.LONGEST,
            most_parts=threads.MOST_PARTS,
        )

    def answer(self, case: str) -> ResponseReturnValue:
        threads.answer(self.runtime, case, me().id, request.form.get("text", ""))
        flash("texted")
        return go("thread", case=case)

    def check(self, case: str) -> ResponseReturnValue:
        """What it would cost and why it may not leave, without sending it: for a browser without script."""
        return self.page(case)

    def draft(self, case: str) -> ResponseReturnValue:
        threads.keep_draft(self.runtime, case, me().id, request.form.get("text", ""))
        flash("draft_kept")
        return go("thread", case=case)

    def _told(self, there: Callback, thread: Thread, written: str) -> tuple[str, ...]:
        """The cost first, then every fault but the one that the page tells above."""
        faults = [
            one
            for one in threads.faults(self.runtime, there, written, thread.display)
            if one != g.get("refusal")
        ]
        return (_size(sending.cost(written, thread.display)), *(words.reason(one) for one in faults))

    def _line(self, one: threads.Line, now: datetime) -> Line:
        marks = (
            (one.late, _("came late")),
            (one.out_of_order, _("written before the one above")),
            (one.crossed, _("crossed with your answer: it may answer something else")),
        )
        return Line(
            hers=one.hers,
            text=_("cannot be read any more") if one.text is None else one.text,
            at=words.at(one.at, now),
            who="" if one.hers else _("you") if one.account == me().id else _("a colleague"),
            state="" if one.hers else words.said(text_words.STATES, one.state),
            marks=tuple(mark for holds, mark in marks if holds),
        )


def _size(cost: Segments) -> str:
    return _(
        "%(units)s of %(room)s signs, %(parts)s parts", units=cost.units, room=cost.room, parts=cost.parts
    )
