"""One request: what was asked, what happened, ringing, and how it ended."""

from dataclasses import dataclass
from datetime import datetime

from flask import abort, flash, request
from flask.typing import ResponseReturnValue

from gateway.console import words
from gateway.console.cards import card
from gateway.console.frame import live
from gateway.console.gates import COORDINATORS, go, me
from gateway.console.words import tell as _
from gateway.errors import BadSeal, KeyDestroyed, KeystoreDown, Refused
from gateway.runtime import Runtime
from gateway.services import attending, callbacks, casework, continuing, directory, forgetting, transferring
from gateway.store import callbacks as rows
from gateway.store import continuing as continued
from gateway.store import counselors, messages
from gateway.store.callbacks import Callback, CallbackState
from gateway.store.database import Session

LONGEST_NOTE = 2000
STAGES = (CallbackState.CALLING_COUNSELOR, CallbackState.CALLING_CALLER, CallbackState.TALKING)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened: when, what, and who did it."""

    at: str
    what: str
    who: str


@dataclass(frozen=True)
class Cases:
    runtime: Runtime

    def page(self, case: str) -> ResponseReturnValue:
        """One's own case whole; a coordinator sees any; others only that it waits, or that somebody has it."""
        now = self.runtime.clock.now().astimezone(self.runtime.settings.timezone)
        with self.runtime.database.read() as session:
            there = rows.get(session, case)
            if there is None:
                abort(404)
            mine = there.claimed_by == me().id
            whole = mine or (COORDINATORS is not None and me().role in COORDINATORS)
            noted = not whole or casework.opened_before(session, case, me().id, now=now)
            history = self._history(session, there, now) if whole else []
            note = self._note(session, there) if mine else ""
            offer = continued.offered(session, case, now) if there.ended is None else None
            taker = counselors.get(session, offer.taker) if offer and mine else None
            talks = mine and there.state is CallbackState.TALKING
            brings = talks and self.runtime.switches.on(transferring.FEATURE)
            together = brings and transferring.beside(session, case, now=now) is not None
            alone = brings and rows.last_why(session, case) in ("not_joined", "colleague_left")
            kept = continuing.kept(session, self.runtime, there) if whole else None
            texts = messages.count_of(session, case)
            why_not_mine = attending.may_not(session, self.runtime, case, me().id, now=now)
        if not noted:
            casework.note_opened(self.runtime, case, me().id)
        return live(
            "case",
            one=card(self.runtime, there, now),
            mine=mine and there.ended is None,
            whole=whole,
            tells=mine and (there.ended is None or kept is not None),
            offered=(taker.alias, words.at(offer.until, now)) if offer and taker else None,
            offered_to_me=offer is not None and offer.taker == me().id and offer.giver == there.claimed_by,
            brings=brings,
            together=together,
            alone=alone,
            kept=kept,
            kept_until=words.at(kept.until, now) if kept else "",
            longest_reason=continuing.LONGEST_REASON,
            wishes=continuing.WISHES,
            history=history,
            note=request.form.get("note", note)[:LONGEST_NOTE],
            longest_note=LONGEST_NOTE,
            stage=STAGES.index(there.state) if there.state in STAGES else -1,
            why_not=callbacks.withheld(there, now) or ("" if me().has_phone else "no_phone"),
            why_not_mine=why_not_mine,
            texts=texts,
            held_until=words.at(there.lease_until, now) if there.lease_until else "",
        )

    def claim(self, case: str) -> ResponseReturnValue:
        casework.claim(self.runtime, case, me().id)
        flash("claimed")
        return go("case", case=case)

    def release(self, case: str) -> ResponseReturnValue:
        casework.release(self.runtime, case, me().id)
        flash("released")
        return go("queue")

    def refuse(self, case: str) -> ResponseReturnValue:
        casework.refuse(self.runtime, case, me().id)
        flash("refused")
        return go("queue")

    def call(self, case: str) -> ResponseReturnValue:
        casework.call(self.runtime, case, me().id)
        flash("calling")
        return go("case", case=case)

    def unsafe(self, case: str) -> ResponseReturnValue:
        casework.i_am_not_safe(self.runtime, case, me().id)
        flash("unsafe")
        return go("queue")

    def forget(self, case: str) -> ResponseReturnValue:
        """Only where the box was ticked as well: it cannot be undone."""
        if request.form.get("sure") != "1":
            raise Refused("not_sure")
        keep_out = request.form.get("keep_out") == "1"
        forgetting.forget_case(self.runtime, case, me().id, keep_out=keep_out)
        flash("forgotten_case")
        return go("queue")

    def note(self, case: str) -> ResponseReturnValue:
        casework.write_note(self.runtime, case, me().id, request.form.get("note", "")[:LONGEST_NOTE])
        flash("note_kept")
        return go("case", case=case)

    def outcome(self, case: str) -> ResponseReturnValue:
        outcome = request.form.get("outcome", "")
        if outcome not in casework.OUTCOMES:
            abort(400)
        note = request.form.get("note", "")[:LONGEST_NOTE]
        casework.record_outcome(self.runtime, case, me().id, outcome=outcome, note=note)
        flash(outcome)
        return go("queue")

    def _history(self, session: Session, there: Callback, now: datetime) -> list[Line]:
        moves = rows.history(session, there.id)
        names = {me().id: _("you")}
        if COORDINATORS is not None and me().role in COORDINATORS:
            names = {one.id: one.alias for one in counselors.everyone(session)} | names
        happened = [(move.at, words.move(move.state, move.why), move.account) for move in moves]
        happened += [
            (at, _("They were told of: %(name)s", name=name), account)
            for at, name, account in directory.told_of(session, self.runtime, there.id)
        ]
        return [
            Line(words.at(at, now), what, names.get(account, _("a colleague")) if account else "")
            for at, what, account in sorted(happened, key=lambda one: one[0])
        ]

    def _note(self, session: Session, there: Callback) -> str:
        """A note that cannot be opened must not stand in the way of ringing back."""
        try:
            return casework.read_note(self.runtime, session, there)
        except (KeystoreDown, KeyDestroyed, BadSeal):
            return ""
