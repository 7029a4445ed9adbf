"""Who asks, who forges, what a phone answers, in any order: nobody is rung or texted who did not say yes.

Anybody can call or text in her name, but nobody else has her phone in the hand. So a yes is her own key in the one
call that asks her, or the code that was texted to her. From there on she may be rung, or texted, for thirty days or
until somebody says no. Before it she is rung once for each time that she, or another in her name, asked.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from front_door import Hotline, Line, Placed, Provider
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from journeys.test_making_programmes import approve, write
from journeys.test_programmes import approved
from sqlalchemy import select, update
from trials import trials

from gateway.errors import Refused
from gateway.services import campaigns, housekeeping, windows
from gateway.services.programmes import Content
from gateway.store.consents import Way, consents, text_opt_ins
from gateway.store.contacts import contacts
from gateway.store.legs import LegKind, legs
from gateway.store.outbox import outbox
from gateway.store.outreach import programmes, versions

LIVES = timedelta(days=30)
HER_KEY, ANOTHERS_KEY = "6", "5"

WORK = ("workers_work", False)
WHOLE = (  # what alone would hardly ever come about
    [("asks_by_call", HER_KEY), WORK, ("picks_up", HER_KEY)],
    [("asks_by_call", HER_KEY), ("asks_by_call", ANOTHERS_KEY), WORK, ("picks_up", HER_KEY)],
    [("texts_a_word", "88"), WORK, ("picks_up", "1")],
    [("texts_a_word", "80"), ("texts_a_code", "right")],
    [("launches", Way.CALL), WORK, ("picks_up", HER_KEY)],
    [("launches", Way.CALL), WORK, ("does_not", "busy"), ("time_passes", 31), WORK],
    [("launches", Way.TEXT), WORK],
    [("texts_a_word", "80"), ("texts_a_code", "right"), ("launches", Way.TEXT), WORK],
    [("asks_by_call", HER_KEY), WORK, ("picks_up", HER_KEY), ("launches", Way.CALL), WORK],
)
DEED = st.one_of(
    st.tuples(st.just("asks_by_call"), st.sampled_from([HER_KEY, ANOTHERS_KEY])),
    st.tuples(st.just("texts_a_word"), st.sampled_from(["80", "88", "99", "77"])),
    st.tuples(st.just("texts_a_code"), st.sampled_from(["right", "wrong"])),
    st.tuples(st.just("picks_up"), st.sampled_from([HER_KEY, "1", ANOTHERS_KEY, "2", "3", "67", "66"])),
    st.tuples(st.just("does_not"), st.sampled_from(["busy", "no-answer", "failed", "machine"])),
    st.tuples(st.just("launches"), st.sampled_from(Way)),
    st.tuples(st.just("workers_work"), st.booleans()),
    st.tuples(st.just("time_passes"), st.sampled_from([1, 31, 200, 720, 1500, 10_000, 36_000, 43_300])),
)
DEEDS = st.lists(st.sampled_from(WHOLE) | DEED.map(lambda deed: [deed]), min_size=4, max_size=9).map(
    lambda parts: [deed for part in parts for deed in part]
)


class World:
    """One phone, and what was said with it in the hand; the hotline goes on from one to the next."""

    def __init__(self, hotline: Hotline, number: str) -> None:
        self.hotline, self.number = hotline, number
        self.asked = self.rung = 0
        self.code: str | None = None
        self.yes: dict[Way, datetime] = {}
        self.answered: set[str] = set()
        self.calls, self.texts = len(hotline.provider.calls), len(hotline.provider.texts)
        self.seen: set[str] = set()
        with hotline.runtime.database.write() as session:
            session.execute(update(programmes).values(valid_until=hotline.clock.now() + timedelta(days=4000)))

    # --- in her name, by whomever ---------------------------------------------------------------------

    def asks_by_call(self, key: str) -> None:
        call = self.hotline.dial(self.number)
        if call.heard.action and "opted_in" in call.press("81" + key).said:
            self.asked += 1
        call.hang_up()

    def texts_a_word(self, word: str) -> None:
        answer = self.hotline.text(word, self.number)
        if word == "88":
            self.asked += 1
        elif word == "99" or (word == "77" and self.hotline.text(word, self.number)):
            self._no()
        elif word == "80" and (code := re.search(r"\b\d{4}\b", answer or "")):
            self.code = code[0]

    # --- with the phone in the hand -------------------------------------------------------------------

    def texts_a_code(self, which: str) -> None:
        if self.code is None:
            return
        right = which == "right"
        said = self.code if right else f"{(int(self.code) + 1) % 10_000:04}"
        self.hotline.text(said, self.number)
        if right and self._lives(Way.TEXT):
            self.yes = {Way.TEXT: self.hotline.clock.now()}
            self.code = None

    def _lives(self, way: Way) -> bool:
        return bool(self.hotline.rows(select(consents).where(consents.c.live, consents.c.way == way)))

    def ringing(self) -> Placed | None:
        calls = (call for call in self.hotline.provider.calls[self.calls :] if call.sid not in self.answered)
        return next((call for call in calls if call.status == "queued"), None)

    def picks_up(self, keys: str) -> None:
        call = self.ringing()
        if call is None:
            return
        self.answered.add(call.sid)
        line = self.hotline.pick_up(call)
        for key in keys:
            if line.heard.action:
                self._heard(key, line.press(key).said)
        self._over(call, line)

    def _heard(self, key: str, said: list[str]) -> None:
        if "confirmed" in said:
            assert key in {HER_KEY, ANOTHERS_KEY, "1"}
            self.yes = {Way.CALL: self.hotline.clock.now()}
        if "renewed" in said:
            assert Way.CALL in self.yes
            self.yes = {Way.CALL: self.hotline.clock.now()}
        if {"stopped", "gate_wrong_person"} & {*said}:
            self._no()

    def does_not(self, why: str) -> None:
        call = self.ringing()
        if call is None:
            return
        self.answered.add(call.sid)
        if why == "machine":
            self._over(call, self.hotline.pick_up(call, by="machine_start"))
            return
        call.status = why
        self.hotline.not_answered(call, why)
        if why == "busy":  # nobody was rung, so another try is not a second one
            self.asked += 1

    def _over(self, call: Placed, line: Line) -> None:
        call.status = "completed"
        line.hang_up()

    def _no(self) -> None:
        self.yes, self.code = {}, None
        self.asked = self.rung

    # --- what the hotline does ------------------------------------------------------------------------

    def launches(self, way: Way) -> None:
        version = self.hotline.one(select(versions).where(versions.c.way == way))
        why_not = ""
        try:
            campaigns.launch(self.hotline.runtime, version.id, version.author)
        except Refused as refused:
            why_not = refused.reason_key
        assert why_not in {"", "running"} or not self.may(way), "she said yes"

    def workers_work(self, lost: bool) -> None:
        self.hotline.provider.drop_answers = lost
        self.hotline.work(most=500)
        self.hotline.provider.drop_answers = False

    def time_passes(self, minutes: int) -> None:
        self.hotline.later(minutes=minutes)
        if minutes > 1000:
            housekeeping.expire(self.hotline.runtime)

    # --- what must hold -------------------------------------------------------------------------------

    def may(self, way: Way) -> bool:
        since = self.yes.get(way)
        return since is not None and self.hotline.clock.now() < since + LIVES

    def everything_was_wanted(self) -> None:
        provider, now = self.hotline.provider, self.hotline.clock.now()
        for call in provider.calls[self.calls :]:
            if call.sid in self.seen:
                continue
            self.seen.add(call.sid)
            leg = self.hotline.one(select(legs).where(legs.c.id == call.leg_path.rsplit("/", 1)[1]))
            assert call.form["To"] == self.number
            assert not windows.quiet(now, self.hotline.settings.quiet_hours, self.hotline.settings.timezone)
            if leg.kind == LegKind.CONFIRM:
                self.rung += 1
                assert self.rung <= self.asked, "rung more often than anybody asked"
            else:
                assert self.may(Way.CALL), f"rung without a yes: {leg.kind}"
        for text in provider.texts[self.texts :]:
            assert text.form["To"] == self.number
            assert self.may(Way.TEXT), "texted without a yes"
        self.texts = len(provider.texts)

    def everything_ends(self) -> None:
        """She says no once more, and forgets: of her nothing is left, and nothing is owed."""
        for word in ("99", "77", "77"):
            self.hotline.text(word, self.number)
        self._no()
        while self.ringing():
            self.does_not("no-answer")
        for _ in range(4):
            self.hotline.later(days=1)
            housekeeping.expire(self.hotline.runtime)
            housekeeping.sweep(self.hotline.runtime)
            self.hotline.work(most=500)
            self.everything_was_wanted()
        for table in (consents, text_opt_ins, contacts):
            assert not self.hotline.rows(select(table))
        assert not self.hotline.rows(select(legs).where(legs.c.ended.is_(None)))
        assert not self.hotline.rows(select(outbox).where(outbox.c.done.is_(None)))


@pytest.fixture
def listening(template: Path, tmp_path: Path) -> Iterator[Hotline]:
    """With a programme to hear and one to read, both approved."""
    provider = Provider()
    made = Hotline(template, tmp_path / "hotline", provider, HOTLINE_CALLS_AT_ONCE="100")
    _, author = approved(made)
    (version,) = write(made, author, Content("my", "ရေကို ဆူအောင် တည်ပါ။", way=Way.TEXT))
    approve(made, version, made.counselor("third", "+66812345013").id)
    yield made
    made.runtime.database.close()
    provider.close()


@pytest.mark.promise(18)
@pytest.mark.slow
def test_nobody_is_rung_or_texted_who_did_not_say_yes(
    listening: Hotline, tried: Callable[[int], None]
) -> None:
    """All in one hotline, one phone after the other: nothing can be tried again there, so the first failure is told."""
    phones = (f"+95979{at:07d}" for at in range(10_000_000))

    @settings(
        max_examples=trials(20, 10_000), phases=[Phase.generate], report_multiple_bugs=False, database=None
    )
    @given(DEEDS)
    def anything(deeds: list[tuple[str, Any]]) -> None:
        listening.at(10, days=1)
        world = World(listening, next(phones))
        for deed, how in deeds:
            getattr(world, deed)(how)
            world.everything_was_wanted()
        world.everything_ends()

    anything()
    tried(trials(20, 10_000))
