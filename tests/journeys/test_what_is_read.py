"""A turn reads only the facts that its answer can depend on; the answer must be as if it had read them all."""

import random
from dataclasses import replace

import pytest

from gateway.services.facts import NOBODY
from ivr.ahead import Ahead, ahead_of
from ivr.engine import State, Step, step
from ivr.events import CallEvent, CallStarted, Facts, KeyPressed, Programme, StayedSilent
from prompts.library import Library

SCRIPT = Library.load().script
KEYS = [*"0123456789*", "123456"]
ALL = Facts(
    flags=frozenset({NOBODY}),
    handle="lime-cat",
    fresh_handle="mango-river",
    fresh_code="123456",
    own_keys="5",
    programmes=(Programme(("a" * 64, "b" * 64), 15), Programme(("c" * 64,), 15)),
    room="room",
)


def as_read(facts: Facts, ahead: Ahead) -> Facts:
    """What is left of all the facts when only this may come."""
    return replace(
        facts,
        flags=facts.flags if NOBODY in ahead.flags else facts.flags - {NOBODY},
        programmes=facts.programmes if ahead.programme else (),
    )


def both(state: State | None, event: CallEvent, ahead: Ahead) -> Step:
    whole = step(SCRIPT, state, event)
    assert step(SCRIPT, state, replace(event, facts=as_read(event.facts, ahead))) == whole
    return whole


@pytest.mark.parametrize(
    "flags", [{NOBODY}, {NOBODY, "no_number"}, {NOBODY, "no_saving"}, {NOBODY, "case_found"}]
)
@pytest.mark.parametrize("kind", ["dialled", "rung_back"])
def test_what_was_not_read_would_have_changed_nothing(kind: str, flags: set[str]) -> None:
    dice = random.Random(1)
    facts = replace(ALL, flags=frozenset(flags))
    for _ in range(300):
        state = both(None, CallStarted(kind, "my", facts=facts), ahead_of(SCRIPT, SCRIPT.starts[kind])).state
        for _ in range(15):
            if state.over:
                break
            keys = dice.choice([*KEYS, ""])
            ahead = ahead_of(SCRIPT, state.menu, state.trail, keys or None)
            event = KeyPressed(keys, 20.0, facts) if keys else StayedSilent(facts)
            state = both(state, event, ahead).state
