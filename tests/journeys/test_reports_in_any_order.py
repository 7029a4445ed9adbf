"""What the provider says of a call or a text, in any order, doubled or missing: it ends as if told once, in order."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from front_door import Hotline, Provider
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from trials import trials

from gateway.services import casework, housekeeping, threads
from gateway.store.callbacks import callbacks
from gateway.store.legs import legs
from gateway.store.messages import MessageState, messages

SAID_OF_TEXTS = ("queued", "sent", "delivered", "undelivered")
SAID_OF_CALLS = ("queued", "initiated", "ringing", "in-progress")
ENDS = ("busy", "no-answer", "failed", "canceled", "talked")
OWN = "5"


class World:
    """One hotline and one counselor; one phone after the other, so that only the first failure tells something."""

    def __init__(self, hotline: Hotline) -> None:
        self.hotline, self.helper = hotline, hotline.counselor()
        self.phones = (f"+95979{at:07d}" for at in range(10_000_000))

    def taken(self) -> str:
        """The one case that waits, which the counselor takes."""
        case = str(self.hotline.one(select(callbacks.c.id).where(callbacks.c.state == "waiting"))[0])
        casework.claim(self.hotline.runtime, case, self.helper.id)
        return case

    def work_for(self, minutes: int) -> None:
        """Workers and clock for that long."""
        for _ in range(minutes):
            self.hotline.work()
            housekeeping.sweep(self.hotline.runtime)
            self.hotline.work()
            self.hotline.later(minutes=1)

    def is_over(self, case: str) -> None:
        """The next begins with a provider that knows of nothing."""
        casework.record_outcome(self.hotline.runtime, case, self.helper.id, outcome="done")
        self.forgets()

    def forgets(self) -> None:
        self.hotline.provider.calls.clear()
        self.hotline.provider.texts.clear()


@pytest.fixture
def world(template: Path, tmp_path: Path, provider: Provider) -> Iterator[World]:
    hotline = Hotline(template, tmp_path / "hotline", provider, HOTLINE_FEATURES="threads")
    yield World(hotline)
    hotline.runtime.database.close()


@pytest.mark.promise(7)
def test_of_a_text_reports_in_any_order_end_in_the_same_state(
    world: World, tried: Callable[[int], None]
) -> None:
    """`early`: how many come before the provider's own answer to the request to send, which then gets lost."""
    hotline, provider = world.hotline, world.hotline.provider

    @settings(
        max_examples=trials(10, 5_000), phases=[Phase.generate], report_multiple_bugs=False, database=None
    )
    @given(reports=st.lists(st.sampled_from(SAID_OF_TEXTS), max_size=6), early=st.integers(0, 3))
    def anything(reports: Sequence[str], early: int) -> None:
        hotline.text("ကျွန်မ အိမ်မပြန်ရဲဘူး", next(world.phones))
        case = world.taken()
        threads.answer(hotline.runtime, case, world.helper.id, "yes")
        provider.drop_answers = bool(early)
        hotline.work()
        provider.drop_answers = False
        (text,) = provider.texts
        for word in reports[:early]:
            hotline.report(text, word)
        world.work_for(minutes=2)
        for word in reports[early:]:
            hotline.report(text, word)
        world.work_for(minutes=3)
        end = "delivered" if "delivered" in reports else "failed" if "undelivered" in reports else "sent"
        ours = select(messages.c.state).where(
            messages.c.state != MessageState.RECEIVED, messages.c.subject == case
        )
        assert hotline.one(ours)[0] == end
        assert len(provider.texts) == 1
        world.is_over(case)

    anything()
    tried(trials(10, 5_000))


@pytest.mark.promise(7)
def test_of_a_call_reports_in_any_order_end_in_the_same_state(
    world: World, tried: Callable[[int], None]
) -> None:
    """She is rung, and it ends in one of five ways; what is reported of it, and when, makes no difference."""
    told_once = {end: ended(world, end, before=["initiated", "ringing"], after=[end]) for end in ENDS}
    assert len(set(told_once.values())) == len(ENDS), "each end is told from the others"

    @settings(
        max_examples=trials(10, 5_000), phases=[Phase.generate], report_multiple_bugs=False, database=None
    )
    @given(end=st.sampled_from(ENDS), said=st.lists(st.sampled_from((*SAID_OF_CALLS, "end")), max_size=6))
    def anything(end: str, said: list[str]) -> None:
        first = said.index("end") if "end" in said else len(said)
        words = [end if word == "end" else word for word in said]
        assert ended(world, end, before=words[:first], after=words[first:]) == told_once[end]

    anything()
    tried(trials(10, 5_000))


def ended(world: World, end: str, *, before: Sequence[str], after: Sequence[str]) -> tuple[object, ...]:
    """How the case and its calls stand some minutes after a call that ended so, and was reported on so."""
    hotline, provider = world.hotline, world.hotline.provider
    hotline.at(10, days=1)
    hotline.dial(next(world.phones)).press("11" + OWN)
    case = world.taken()
    casework.call(hotline.runtime, case, world.helper.id)
    hotline.work()
    counselor = hotline.pick_up(provider.calls[0])
    counselor.press("11")
    hotline.work()
    call = provider.calls[1]
    for word in before:
        hotline.not_answered(call, word)
    if end == "talked":
        line = hotline.pick_up(call)
        line.press(OWN)
        line.leave_room()
    call.status = "completed" if end == "talked" else end
    for word in after:
        hotline.not_answered(call, "completed" if word == "talked" else word)
    world.work_for(minutes=3)
    provider.calls[0].status = "completed"
    counselor.hang_up()
    world.work_for(minutes=3)
    there = hotline.one(select(callbacks).where(callbacks.c.id == case))
    results = hotline.rows(select(legs.c.kind, legs.c.result, legs.c.state).where(legs.c.subject == case))
    found = (there.state, there.reached, len(provider.calls), *sorted(map(repr, results)))
    if there.claimed_by is None:
        hotline.text("10", call.form["To"])
        world.forgets()
    else:
        world.is_over(case)
    return found
