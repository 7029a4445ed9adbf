"""Requests, claims, calls, answers, reports, crashes and clocks in any order: what must hold always holds."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from front_door import CALLER, COUNSELOR, Hotline, Line, Placed, Provider
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from gateway.errors import Refused
from gateway.services import casework, counselors, housekeeping, windows
from gateway.store.callbacks import CallbackState, callbacks
from gateway.store.contacts import contacts, forbidden
from gateway.store.legs import legs
from gateway.store.outbox import outbox

PHONES = (CALLER, "+959790001002")
OWN = "5"


class Anything(RuleBasedStateMachine):
    """The short model: who may be rung, and when. Everything else is the hotline's own."""

    template: Path

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="any-order-"))
        self.provider = Provider()
        self.hotline = Hotline(self.template, self.folder, self.provider, HOTLINE_CALLS_AT_ONCE="8")
        self.helper = self.hotline.counselor()
        self.lines: list[Line] = []
        self.answered: set[str] = set()
        self.provider.refuse = self.watch
        self.wrong: list[str] = []

    def watch(self) -> None:
        """Whatever is dialled at this moment must be allowed at this moment."""

    def teardown(self) -> None:
        if hasattr(self, "provider"):
            self.hotline.runtime.database.close()
            self.provider.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- what people do -------------------------------------------------------------------------------

    @rule(
        phone=st.sampled_from(PHONES),
        wish=st.sampled_from("1234"),
        more=st.sampled_from(["", "1", "2", "12"]),
    )
    def asks_by_call(self, phone: str, wish: str, more: str) -> None:
        call = self.hotline.dial(phone)
        for key in "1" + wish + OWN + more:
            if call.heard.action:  # a busy line is not answered
                call.press(key)

    @rule(phone=st.sampled_from(PHONES), code=st.sampled_from(["11", "14", "10", "99", "77", "hello"]))
    def texts(self, phone: str, code: str) -> None:
        self.hotline.text(code, phone)

    @rule(phone=st.sampled_from(PHONES))
    def hangs_up_early(self, phone: str) -> None:
        call = self.hotline.dial(phone)
        if call.heard.action:
            call.press("1")
            call.hang_up()

    # --- what the counselor does ----------------------------------------------------------------------

    def with_any(self, do: Callable[[str], None]) -> None:
        for row in self.hotline.rows(select(callbacks.c.id)):
            try:
                do(row.id)
            except Refused:
                continue

    @rule()
    def claims(self) -> None:
        self.with_any(lambda one: casework.claim(self.hotline.runtime, one, self.helper.id))

    @rule()
    def calls(self) -> None:
        self.with_any(lambda one: casework.call(self.hotline.runtime, one, self.helper.id))

    @rule(outcome=st.sampled_from(sorted(casework.OUTCOMES)))
    def says_how_it_went(self, outcome: str) -> None:
        self.with_any(
            lambda one: casework.record_outcome(self.hotline.runtime, one, self.helper.id, outcome=outcome)
        )

    @rule()
    def is_not_safe(self) -> None:
        self.with_any(lambda one: casework.i_am_not_safe(self.hotline.runtime, one, self.helper.id))
        counselors.set_shift(self.hotline.runtime, "helper", on=True)

    @rule()
    def gives_back(self) -> None:
        self.with_any(lambda one: casework.release(self.hotline.runtime, one, self.helper.id))

    # --- what phones do -------------------------------------------------------------------------------

    def ringing(self) -> list[Placed]:
        return [
            call for call in self.provider.calls if call.status == "queued" and call.sid not in self.answered
        ]

    @precondition(lambda self: self.ringing())
    @rule(by=st.sampled_from(["human", "machine_start"]), which=st.integers(0, 9))
    def is_picked_up(self, by: str, which: int) -> None:
        ringing = self.ringing()
        call = ringing[which % len(ringing)]
        self.answered.add(call.sid)
        self.lines.append(self.hotline.pick_up(call, by=by))

    @precondition(lambda self: self.ringing())
    @rule(status=st.sampled_from(["busy", "no-answer", "failed", "canceled"]), which=st.integers(0, 9))
    def is_not_picked_up(self, status: str, which: int) -> None:
        ringing = self.ringing()
        call = ringing[which % len(ringing)]
        call.status = status
        self.hotline.not_answered(call, status)

    @precondition(lambda self: self.lines)
    @rule(key=st.sampled_from(["1", "2", "3", OWN, "8", "*", "room", ""]), which=st.integers(0, 9))
    def a_key_is_pressed(self, key: str, which: int) -> None:
        line = self.lines[which % len(self.lines)]
        if line.heard.action is None:
            return
        joined = line.heard.room
        if joined and key != "room":
            return
        if key == "room":
            heard = line.leave_room() if joined else line.silence()
        else:
            heard = line.press(key) if key else line.silence()
        if heard.room and line.form["To"] in PHONES:
            assert key in {OWN, "1"}, "only her own number joins (or 1 where she chose none)"

    @precondition(lambda self: self.lines)
    @rule(which=st.integers(0, 9), twice=st.booleans())
    def somebody_hangs_up(self, which: int, twice: bool) -> None:
        line = self.lines.pop(which % len(self.lines))
        self.provider.of(line.sid).status = "completed"
        for _ in range(1 + twice):
            line.hang_up()

    # --- what machines and clocks do ------------------------------------------------------------------

    @rule(lost=st.booleans())
    def workers_work(self, lost: bool) -> None:
        before = len(self.provider.calls)
        self.provider.drop_answers = lost
        self.hotline.work(most=300)
        self.provider.drop_answers = False
        for call in self.provider.calls[before:]:
            self.may_be_rung(call)

    @rule(minutes=st.sampled_from([1, 5, 16, 46, 180, 700, 1440]))
    def time_passes(self, minutes: int) -> None:
        self.hotline.later(minutes=minutes)
        housekeeping.expire(self.hotline.runtime)
        housekeeping.sweep(self.hotline.runtime)

    # --- what must hold -------------------------------------------------------------------------------

    def may_be_rung(self, call: Placed) -> None:
        now = self.hotline.clock.now()
        leg = self.hotline.one(select(legs).where(legs.c.id == call.leg_path.rsplit("/", 1)[1]))
        there = self.hotline.one(select(callbacks).where(callbacks.c.id == leg.subject))
        if call.form["To"] == COUNSELOR:
            return
        assert call.form["To"] in PHONES
        assert there.not_before <= now < there.expires, "outside its window"
        assert there.wish == "hour" or not windows.quiet(
            now, self.hotline.settings.quiet_hours, self.hotline.settings.timezone
        )
        assert not self.hotline.rows(
            select(forbidden.c.since)
            .join(contacts, contacts.c.number_index == forbidden.c.number_index)
            .where(contacts.c.id == there.contact)
        ), "said stop"

    @invariant()
    def one_open_request_a_person_and_one_call_at_a_time(self) -> None:
        if not hasattr(self, "hotline"):
            return
        rows = self.hotline.rows(select(callbacks).where(callbacks.c.ended.is_(None)))
        people = [row.contact for row in rows if row.contact]
        assert len(people) == len(set(people))
        live = self.hotline.rows(select(legs).where(legs.c.ended.is_(None), legs.c.kind == "callback"))
        assert len({leg.subject for leg in live}) == len(live), "rung twice at once"

    @invariant()
    def who_is_in_no_open_case_is_on_no_line_for_long(self) -> None:
        if not hasattr(self, "hotline"):
            return
        for row in self.hotline.rows(select(callbacks).where(callbacks.c.state == CallbackState.TALKING)):
            assert row.reached

    def everything_ends(self) -> None:
        """Whatever happened: after some days nothing is open, nobody is known, nothing is owed."""
        for line in self.lines:
            self.provider.of(line.sid).status = "completed"
            line.hang_up()
        for call in self.provider.calls:
            if call.status == "queued":
                call.status = "completed"
                self.hotline.not_answered(call, "no-answer")
        for _ in range(14):
            self.hotline.later(days=1)
            housekeeping.expire(self.hotline.runtime)
            housekeeping.sweep(self.hotline.runtime)
            self.hotline.work(most=300)
        stuck = self.hotline.rows(
            select(callbacks).where(
                callbacks.c.ended.is_(None), callbacks.c.state.not_in((CallbackState.UNCERTAIN,))
            )
        )
        assert not [(row.state, row.wish, row.reached) for row in stuck]
        assert not self.hotline.rows(select(legs).where(legs.c.ended.is_(None)))
        assert not self.hotline.rows(select(outbox).where(outbox.c.done.is_(None)))
        uncertain = {
            row.contact
            for row in self.hotline.rows(
                select(callbacks).where(callbacks.c.state == CallbackState.UNCERTAIN)
            )
        }
        known = {row.id for row in self.hotline.rows(select(contacts.c.id))}
        assert known <= uncertain, "somebody is still known"

    @rule()
    def the_days_go_by(self) -> None:
        self.everything_ends()
        self.lines.clear()


@pytest.mark.promise(18, 20)
@pytest.mark.slow
def test_whatever_happens_in_whatever_order(template: Path, tried: Callable[[int], None]) -> None:
    Anything.template = template
    examples = max(8, settings().max_examples // 4)
    tried(examples)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Anything,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
