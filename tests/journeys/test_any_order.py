"""Requests, claims, calls, answers, reports, crashes and clocks in any order: what must hold always holds.

Never lost: a request ends by what somebody said, or when its time is over. Never doubled: one open request of its own a
phone, one call at a time to it, and no leg is dialled twice. Never outside its window, never after its end, never
after stop. Who has a case is one person, and only a case that nobody has can be taken.
"""

import re
import shutil
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

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
from gateway.services import casework, counselors, dispatch, housekeeping, transferring, windows
from gateway.store import outbox as duties
from gateway.store.callbacks import CallbackState, callbacks
from gateway.store.contacts import contacts, forbidden
from gateway.store.counselors import Role
from gateway.store.legs import legs
from gateway.store.outbox import outbox
from workers import jobs

PHONES = (CALLER, "+959790001002")
HELPERS = (COUNSELOR, "+66812345022")
OWN, BY_CODE = "5", "7"
WISHES = {"1": "hour", "2": "morning", "3": "midday", "4": "evening"}
FREE = {CallbackState.WAITING, CallbackState.UNCERTAIN}
HELD = {
    CallbackState.CLAIMED, CallbackState.CALLING_COUNSELOR, CallbackState.CALLING_CALLER, CallbackState.TALKING,
}  # fmt: skip


class Killed(BaseException):
    """The worker is no more: nothing of ours catches that."""


class Dying:
    """A carrier under whose hands the worker dies: before the request left, or before the answer came."""

    def __init__(self, carrier: Any, *, placed: bool) -> None:
        self._carrier, self._placed = carrier, placed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._carrier, name)

    def place_call(self, **call: Any) -> str:
        if self._placed:
            self._carrier.place_call(**call)
        raise Killed


class Anything(RuleBasedStateMachine):
    """The short model: who may be rung, and when. Everything else is the hotline's own."""

    template: Path

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="any-order-"))
        self.provider = Provider()
        self.hotline = Hotline(
            self.template, self.folder, self.provider, HOTLINE_CALLS_AT_ONCE="8", HOTLINE_FEATURES="transfer"
        )
        self.helpers = [
            self.hotline.counselor(), self.hotline.counselor("second", HELPERS[1], Role.COORDINATOR)
        ]  # fmt: skip
        self.hotline.at_console()
        self.lines: list[Line] = []
        self.answered: set[str] = set()
        self.codes: list[str] = []
        self.took_back = False
        self.looked_at = 0

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
        if not call.heard.action:  # a busy line is not answered
            return
        call.press("1" + wish + OWN)
        if "registered" in call.heard.said:
            own = self.hotline.rows(
                select(callbacks.c.wish, callbacks.c.own_keys).where(
                    callbacks.c.ended.is_(None), ~callbacks.c.by_code, callbacks.c.handle.in_(self.handles())
                )
            )
            assert (WISHES[wish], OWN) in [tuple(row) for row in own], "registered, and not there"
        for key in more:
            if call.heard.action:
                call.press(key)

    def handles(self) -> list[str]:
        return [row.handle for row in self.hotline.rows(select(callbacks.c.handle))]

    @rule()
    def keeps_a_code(self) -> None:
        call = self.hotline.dial(PHONES[0])
        if call.heard.action and call.press("16" + BY_CODE).said[:1] == ["registered_by_code"]:
            digits = [
                self.hotline.runtime.voices.spoken_by(name)
                for name in re.findall(r"/audio/([0-9a-f]{64})", ET.tostring(call.heard.document, "unicode"))
            ]
            spoken = [one.key[-1] for one in digits if one and one.key.startswith("digit.")]
            self.codes.append("".join(spoken[:6]))

    @precondition(lambda self: self.codes)
    @rule(phone=st.sampled_from(PHONES), wish=st.sampled_from("1234"), which=st.integers(0, 9))
    def uses_a_code(self, phone: str, wish: str, which: int) -> None:
        call = self.hotline.dial(phone)
        if not call.heard.action:
            return
        call.press("1#")
        assert call.heard.action
        call.post(call.heard.action, Digits=self.codes[which % len(self.codes)])
        if call.press(BY_CODE).said[:1] == ["case_open"]:
            call.press(wish)

    @rule(phone=st.sampled_from(PHONES), code=st.sampled_from(["11", "14", "10", "99", "77", "hello"]))
    def texts(self, phone: str, code: str) -> None:
        self.took_back |= code in {"10", "99", "77"}
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

    @rule(who=st.integers(0, 1))
    def claims(self, who: int) -> None:
        person = self.helpers[who].id
        columns = (callbacks.c.id, callbacks.c.state, callbacks.c.claimed_by)
        before = {row.id: row for row in self.hotline.rows(select(*columns))}

        def claim(one: str) -> None:
            casework.claim(self.hotline.runtime, one, person)
            free = before[one].state in FREE or before[one].claimed_by == person
            assert free, "taken from somebody who had it"

        self.with_any(claim)

    @rule(who=st.integers(0, 1))
    def calls(self, who: int) -> None:
        self.with_any(lambda one: casework.call(self.hotline.runtime, one, self.helpers[who].id))

    @rule(who=st.integers(0, 1), outcome=st.sampled_from(sorted(casework.OUTCOMES)))
    def says_how_it_went(self, who: int, outcome: str) -> None:
        self.with_any(
            lambda one: casework.record_outcome(
                self.hotline.runtime, one, self.helpers[who].id, outcome=outcome
            )
        )

    @rule(who=st.integers(0, 1))
    def is_not_safe(self, who: int) -> None:
        self.with_any(lambda one: casework.i_am_not_safe(self.hotline.runtime, one, self.helpers[who].id))
        counselors.set_shift(self.hotline.runtime, self.helpers[who].alias, on=True)

    @rule(who=st.integers(0, 1))
    def gives_back(self, who: int) -> None:
        self.with_any(lambda one: casework.release(self.hotline.runtime, one, self.helpers[who].id))

    @rule(who=st.integers(0, 1))
    def brings_a_colleague(self, who: int) -> None:
        self.with_any(lambda one: transferring.ask(self.hotline.runtime, one, self.helpers[who].id))

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
    @rule(
        key=st.sampled_from(["1", "1", "2", "3", OWN, BY_CODE, "8", "*", "room", ""]), which=st.integers(0, 9)
    )
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
            assert key in {OWN, BY_CODE, "1"}, "only her own number joins (or 1 where she chose none)"

    @precondition(lambda self: self.lines)
    @rule(which=st.integers(0, 9), twice=st.booleans())
    def somebody_hangs_up(self, which: int, twice: bool) -> None:
        line = self.lines.pop(which % len(self.lines))
        self.provider.of(line.sid).status = "completed"
        for _ in range(1 + twice):
            line.hang_up()

    @precondition(lambda self: self.provider.calls)
    @rule(
        status=st.sampled_from(["ringing", "in-progress", "completed", "busy", "no-answer"]),
        which=st.integers(0, 9),
    )
    def a_report_comes_late_or_again(self, status: str, which: int) -> None:
        """Of a call that is over: whatever is said of it now changes nothing."""
        over = [call for call in self.provider.calls if call.status not in {"queued", "in-progress"}]
        over = [call for call in over if call.sid not in {line.sid for line in self.lines}]
        if over:
            self.hotline.not_answered(over[which % len(over)], status)

    # --- what machines and clocks do ------------------------------------------------------------------

    @rule(lost=st.booleans())
    def workers_work(self, lost: bool) -> None:
        self.provider.drop_answers = lost
        self.hotline.work(most=300)
        self.provider.drop_answers = False

    @rule()
    def two_workers_ring_for_the_same(self) -> None:
        for duty in self.due():
            for _ in range(2):
                getattr(jobs, duty.job)(duty.id)

    @rule(when=st.sampled_from(["claimed", "committed", "placed"]), which=st.integers(0, 9))
    def a_worker_is_killed(self, when: str, which: int) -> None:
        """With the row in hand; with the leg committed and nothing sent; with the call placed and nothing heard."""
        due = self.due()
        if not due:
            return
        duty = due[which % len(due)]
        if when == "claimed":
            dispatch.take(self.hotline.runtime, duty.id)
            return
        jobs.RUNTIME = replace(
            self.hotline.runtime, carrier=Dying(self.hotline.runtime.carrier, placed=when == "placed")
        )
        try:
            getattr(jobs, duty.job)(duty.id)
        except Killed:
            pass
        finally:
            jobs.RUNTIME = self.hotline.runtime

    def due(self) -> list[Any]:
        now = self.hotline.clock.now()
        with self.hotline.runtime.database.read() as session:
            return list(duties.due(session, now=now, stale=now - dispatch.STALE, most=20))

    @rule(minutes=st.sampled_from([1, 5, 16, 21, 46, 180, 700, 1440]), clock=st.booleans())
    def time_passes(self, minutes: int, clock: bool) -> None:
        """And the clock runs, or is dead."""
        self.hotline.later(minutes=minutes)
        if clock:
            housekeeping.expire(self.hotline.runtime)
            housekeeping.sweep(self.hotline.runtime)

    @rule()
    def two_clocks_tick(self) -> None:
        for _ in range(2):
            housekeeping.expire(self.hotline.runtime)

    # --- what must hold -------------------------------------------------------------------------------

    @invariant()
    def whoever_is_rung_may_be_rung(self) -> None:
        if not hasattr(self, "hotline"):
            return
        for call in self.provider.calls[self.looked_at :]:
            self.may_be_rung(call)
        self.looked_at = len(self.provider.calls)
        dialled = Counter(call.leg_path for call in self.provider.calls)
        assert set(dialled.values()) <= {1}, "a leg was dialled twice"

    def may_be_rung(self, call: Placed) -> None:
        now = self.hotline.clock.now()
        leg = self.hotline.one(select(legs).where(legs.c.id == call.leg_path.rsplit("/", 1)[1]))
        there = self.hotline.one(select(callbacks).where(callbacks.c.id == leg.subject))
        if call.form["To"] in HELPERS:
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
        people = [row.contact for row in rows if row.contact and not row.by_code]
        assert len(people) == len(set(people))
        for row in rows:
            assert (row.claimed_by is not None) == (row.state in HELD), (row.state, row.claimed_by)
        phone_of = {row.id: row.contact for row in rows}
        live = self.hotline.rows(select(legs).where(legs.c.ended.is_(None), legs.c.kind == "callback"))
        phones = [phone for leg in live if (phone := phone_of.get(leg.subject))]
        assert len(set(phones)) == len(phones), "rung twice at once"

    @invariant()
    def nothing_is_lost(self) -> None:
        """What has ended was ended by somebody, or by its own time."""
        if not hasattr(self, "hotline"):
            return
        for row in self.hotline.rows(select(callbacks).where(callbacks.c.ended.is_not(None))):
            if row.state == CallbackState.EXPIRED:
                assert row.ended >= row.expires
            if row.state in {CallbackState.WITHDRAWN, CallbackState.FORGOTTEN}:
                assert self.took_back, "nobody took anything back"

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
            self.whoever_is_rung_may_be_rung()  # before what is known of these calls is gone
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
