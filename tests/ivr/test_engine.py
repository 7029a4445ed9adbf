import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr import actions as act
from ivr.engine import State, Step, TextStep, step, step_text
from ivr.events import (
    BridgeOver,
    CallEnded,
    CallEvent,
    CallStarted,
    Facts,
    KeyPressed,
    Programme,
    StayedSilent,
    TextReceived,
)
from ivr.script import STARTS
from prompts.library import Library

LIBRARY = Library.load()
SCRIPT = LIBRARY.script
FLAGS = sorted(SCRIPT.flags())
BEFORE_THE_GATE = {"gate", "gate_later", "gate_wrong_person", "harmless", "goodbye", "not_saved"}
TWO_PROGRAMMES = (
    Programme(("a1", "a2", "a3"), name="a", topic="food"),
    Programme(("b1", "b2"), name="b", topic="health"),
)


def facts(*flags: str, own: str = "5", programmes: tuple[Programme, ...] = TWO_PROGRAMMES) -> Facts:
    return Facts(
        flags=frozenset(flags),
        handle="mango-river",
        fresh_handle="lime-cat",
        own_keys=own,
        programmes=programmes,
        room="room-1",
    )


def call(kind: str, *events: CallEvent, first: Facts | None = None) -> Step:
    made = step(SCRIPT, None, CallStarted(kind, "my", facts=first or facts()))
    for event in events:
        made = step(SCRIPT, made.state, event)
    return made


def press(*keys: str) -> list[CallEvent]:
    return [KeyPressed(key, facts=facts()) for key in keys]


def said(made: Step) -> list[str]:
    sounds = [
        sound
        for action in made.actions
        if isinstance(action, act.Play | act.AskForKeys)
        for sound in action.sounds
    ]
    return [sound.key for sound in sounds if isinstance(sound, act.Prompt)]


def effects(made: Step) -> list[act.Effect]:
    return [action.effect for action in made.actions if isinstance(action, act.Perform)]


# --- asking to be rung --------------------------------------------------------------------------------


def test_three_keys_ask_for_a_ring_and_the_handle_is_heard_in_the_same_turn() -> None:
    made = call("dialled", *press("1", "1", "5"))
    assert effects(made) == [act.Ask("hour", "5", "lime-cat")]
    assert isinstance(made.actions[1], act.Play), "whatever is pressed, the two words are heard to their end"
    assert act.HandleWords("lime-cat") in made.actions[1].sounds
    assert made.actions[-1] == act.AskForKeys((act.Prompt("more"),), 6)


@pytest.mark.parametrize("keys", [[], ["1"], ["1", "1"], ["1", "2", "9"]])
def test_hanging_up_before_the_own_key_leaves_nothing(keys: list[str]) -> None:
    made = call("dialled", *press(*keys), CallEnded(facts=facts()))
    assert made.state.over
    assert effects(made) == []


def test_keys_two_and_three_are_never_an_own_key() -> None:
    for key in "123":
        assert effects(call("dialled", *press("1", "1", key))) == []


def test_a_person_without_a_number_is_told_so_from_the_main_menu_and_from_every_topic() -> None:
    hidden = facts("no_number")
    for keys in (["1"], *(["2", topic, "1"] for topic in "1234567")):
        made = call("dialled", *[KeyPressed(key, facts=hidden) for key in keys])
        assert said(made)[0] == "withheld"


# --- wrong keys and silence ---------------------------------------------------------------------------


def test_a_wrong_key_says_so_and_plays_the_menu_again() -> None:
    assert said(call("dialled", *press("7"))) == ["wrong_key", "main"]


def test_three_wrong_keys_end_the_call() -> None:
    made = call("dialled", *press("7", "7", "7"))
    assert said(made) == ["too_many"]
    assert made.actions[-1] == act.HangUp()


def test_the_rarer_keys_are_told_only_after_silence() -> None:
    assert "main_later" not in said(call("dialled"))
    assert said(call("dialled", StayedSilent(facts()))) == ["main_later"]


def test_three_silences_end_the_call() -> None:
    made = call("dialled", *[StayedSilent(facts())] * 3)
    assert said(made) == ["goodbye"]
    assert made.state.over


def test_nine_goes_back_the_way_it_came() -> None:
    made = call("dialled", *press("2", "1", "1"))
    for menu in ("topic_health", "topics", "main", "main"):
        made = step(SCRIPT, made.state, KeyPressed("9"))
        assert made.state.menu == menu


@pytest.mark.parametrize("keys", ["", "1", "11", "2", "21", "3", "5", "35"])
def test_the_star_leaves_everywhere_and_changes_nothing(keys: list[str]) -> None:
    made = call("dialled", *press(*keys, "*"))
    assert made.actions[-1] == act.HangUp()
    assert [effect for effect in effects(made) if not isinstance(effect, act.Heard)] == []


# --- being rung ---------------------------------------------------------------------------------------


@pytest.mark.promise(21)
@pytest.mark.parametrize("kind", ["callback", "programme", "confirm", "counselor", "rung_back", "dialled"])
@pytest.mark.parametrize("flags", [(), ("no_saving",)])
def test_a_machine_hears_nothing(kind: str, flags: tuple[str, ...]) -> None:
    made = step(SCRIPT, None, CallStarted(kind, "my", machine=True, facts=facts(*flags)))
    assert said(made) == []
    assert made.actions[-1] == act.HangUp()


def test_her_own_key_opens_and_any_other_leads_to_harmless_content() -> None:
    opened = call("callback", *press("5"))
    assert opened.actions[-1] == act.Connect("room-1")
    assert effects(opened) == [act.GateOpened()]
    for key in ("1", "4", "6", "9", "#", "55"):
        other = call("callback", *press(key))
        assert said(other) == ["harmless"]
        assert effects(other) == [act.GateRefused("other_key")]


@pytest.mark.parametrize("keys", ["47", "44", ""])
def test_where_two_own_keys_open_several_keys_at_once_or_none_do_not(keys: str) -> None:
    assert effects(call("callback", KeyPressed("7", facts=facts(own="47")))) == [act.GateOpened()]
    assert effects(call("callback", KeyPressed(keys, facts=facts(own="47")))) == [
        act.GateRefused("other_key")
    ]


def test_one_opens_only_where_no_own_key_was_chosen() -> None:
    assert effects(call("callback", KeyPressed("1", facts=facts(own="")))) == [act.GateOpened()]


@pytest.mark.promise(21)
@given(
    keys=st.lists(st.sampled_from(["", *"012346789*#", "55"]), max_size=6),
    flags=st.sets(st.sampled_from(FLAGS)),
)
@settings(max_examples=150)
@pytest.mark.parametrize("kind", ["callback", "programme", "confirm"])
def test_without_her_key_nothing_but_the_gate_is_ever_heard(
    kind: str, keys: list[str], flags: set[str]
) -> None:
    now = facts(*flags)
    made = step(SCRIPT, None, CallStarted(kind, "my", facts=now))
    for key in keys:
        assert set(said(made)) <= BEFORE_THE_GATE
        assert not any(isinstance(action, act.Connect) for action in made.actions)
        made = step(SCRIPT, made.state, KeyPressed(key, facts=now) if key else StayedSilent(now))


def test_the_counselor_hears_the_handle_only_after_the_neutral_line_and_a_key() -> None:
    assert said(call("counselor")) == ["counselor_gate"]
    assert act.HandleWords("mango-river") in call("counselor", *press("1")).actions[-1].sounds


def test_a_counselor_who_only_presses_wrong_keys_has_left() -> None:
    assert effects(call("counselor", *press("7", "7"))) == [act.CounselorDeclined("left")]
    assert effects(call("counselor", *press("1", "7", "7", "7"))) == [act.CounselorDeclined("left")]


@pytest.mark.parametrize(("kind", "keys"), [("callback", ["5"]), ("counselor", ["1", "1"])])
@pytest.mark.parametrize(
    "event", [BridgeOver(facts()), StayedSilent(facts()), KeyPressed("0", facts=facts())]
)
def test_whatever_comes_out_of_a_conference_means_that_it_is_over(
    kind: str, keys: list[str], event: CallEvent
) -> None:
    made = call(kind, *press(*keys), event)
    assert effects(made) == [act.BridgeEnded()]
    assert said(made) == ["bridge_over"]
    assert made.actions[-1] == act.HangUp()


def test_the_counselor_is_told_when_nobody_was_reached() -> None:
    assert said(call("counselor", *press("1", "1"), BridgeOver(facts("not_reached")))) == ["not_reached"]


# --- the listening line -------------------------------------------------------------------------------


def recordings(made: Step) -> list[str]:
    return [
        sound.sound
        for action in made.actions
        if isinstance(action, act.AskForKeys)
        for sound in action.sounds
        if isinstance(sound, act.Recording)
    ]


@pytest.mark.parametrize(
    ("key", "after", "heard"),
    [
        ("1", 0.0, ["b1", "b2"]),
        ("2", 20.0, ["a1", "a2", "a3"]),
        ("3", 20.0, ["a1", "a2", "a3"]),
        ("3", 35.0, ["a2", "a3"]),
        ("4", 0.0, ["a2", "a3"]),
        ("4", 500.0, ["a3"]),
        ("4", -3.0, ["a2", "a3"]),
    ],
)
def test_moving_within_a_programme(key: str, after: float, heard: list[str]) -> None:
    assert recordings(call("dialled", *press("3"), KeyPressed(key, after, facts()))) == heard


def test_a_pause_goes_on_where_it_stopped() -> None:
    made = call("dialled", *press("3"), KeyPressed("5", 20.0, facts()), *press("5"))
    assert recordings(made) == ["a2", "a3"]


def test_after_the_last_programme_the_line_can_be_listened_to_again() -> None:
    made = call("dialled", *press("3", "1", "1"))
    assert said(made) == ["listen_nothing", "main"]
    assert recordings(step(SCRIPT, made.state, KeyPressed("3", facts=facts()))) == ["a1", "a2", "a3"]


def test_what_is_approved_while_somebody_listens_does_not_move_her_elsewhere() -> None:
    made = call("dialled", *press("3"))
    newer = facts(programmes=(Programme(("n1", "n2"), name="n"), *TWO_PROGRAMMES))
    assert recordings(step(SCRIPT, made.state, KeyPressed("4", facts=newer))) == ["a2", "a3"]
    assert recordings(step(SCRIPT, made.state, KeyPressed("1", facts=newer))) == ["b1", "b2"]


def test_what_is_taken_back_while_somebody_listens_is_not_played_on() -> None:
    made = call("dialled", *press("3", "5"))
    gone = step(SCRIPT, made.state, KeyPressed("5", facts=facts(programmes=TWO_PROGRAMMES[1:])))
    assert recordings(gone) == []
    assert said(gone)[0] == "listen_nothing"


def test_a_programme_that_is_gone_ends_with_a_word_and_not_with_silence() -> None:
    made = call("programme", KeyPressed("5", facts=facts(programmes=())))
    assert said(made) == ["goodbye"]


def test_what_was_heard_is_counted_when_the_caller_hangs_up() -> None:
    made = call("dialled", *press("3"), CallEnded(20.0, facts()))
    assert effects(made) == [act.Heard(2, 3)]


def test_without_a_programme_the_caller_is_told_and_comes_back_to_the_menu() -> None:
    made = call("dialled", KeyPressed("3", facts=facts(programmes=())))
    assert said(made)[1:] == ["listen_nothing", "main"]


# --- when nothing can be saved ------------------------------------------------------------------------


def test_nothing_is_called_registered_that_could_not_be_saved() -> None:
    made = call("dialled", *press("1", "1"), KeyPressed("5", facts=facts("no_saving")))
    assert said(made) == ["not_saved", "main"]


def test_a_person_who_is_rung_can_still_leave_when_nothing_can_be_saved() -> None:
    for event in (KeyPressed("*", facts=facts("no_saving")), KeyPressed("2", facts=facts("no_saving"))):
        assert call("callback", event).actions[-1] == act.HangUp()


# --- texts --------------------------------------------------------------------------------------------


def text(keyword: str | None, *flags: str, asked: str = "", waited: float | None = None) -> TextStep:
    return step_text(SCRIPT, asked, "my", TextReceived(keyword, waited, facts(*flags)))


def test_forgetting_needs_the_same_text_twice_within_half_an_hour() -> None:
    first = text("forget")
    assert first.actions == (act.SendText("forget_first"),)
    assert text("forget", asked=first.asked, waited=1799.0).actions[0] == act.Perform(act.Forget())
    assert text("forget", asked=first.asked, waited=1801.0).actions == first.actions
    assert text("forget", asked="", waited=5.0).actions == first.actions


def test_forgetting_is_not_begun_when_nothing_can_be_saved() -> None:
    assert text("forget", "no_saving").actions == (act.SendText("not_saved"),)


def test_an_unknown_text_earns_the_neutral_line_only_when_it_is_due() -> None:
    assert text(None).actions == ()
    assert text(None, "neutral_due").actions == (act.SendText("neutral"),)


def test_a_keyword_of_a_feature_that_is_off_means_nothing() -> None:
    assert text("opt_in").actions == ()
    assert act.Perform(act.OptIn("")) in text("opt_in", "programme_calls").actions


def test_the_providers_own_stop_word_is_never_answered() -> None:
    assert text("provider_stop").actions == (act.Perform(act.Stop()),)
    assert text("provider_stop", "no_saving").actions == ()


@given(
    st.sampled_from([*SCRIPT.texts, None, "nonsense"]),
    st.sampled_from([*SCRIPT.texts, ""]),
    st.sets(st.sampled_from(FLAGS)),
)
@settings(max_examples=150)
def test_a_text_is_answered_with_wordings_that_exist_and_without_saving_has_no_effect(
    keyword: str | None, asked: str, flags: set[str]
) -> None:
    made = text(keyword, *flags, asked=asked, waited=10.0)
    for action in made.actions:
        match action:
            case act.SendText(key):
                assert LIBRARY.sms(made.language, key, "zawgyi")
            case _:
                assert isinstance(action, act.Perform)
                assert "no_saving" not in flags


# --- whatever happens ---------------------------------------------------------------------------------

some_facts = st.builds(
    Facts,
    flags=st.sets(st.sampled_from(FLAGS)).map(frozenset),
    handle=st.just("mango-river"),
    fresh_handle=st.just("lime-cat"),
    own_keys=st.sampled_from(["", "5", "47"]),
    programmes=st.sampled_from([(), TWO_PROGRAMMES, (Programme(("c",), name="c"),)]),
    room=st.just("room-1"),
)
some_events = st.one_of(
    st.builds(KeyPressed, st.sampled_from([*"0123456789*#", "12", "", "x"]), st.floats(-5, 4000), some_facts),
    st.builds(StayedSilent, some_facts),
    st.builds(BridgeOver, some_facts),
    st.builds(CallEnded, st.floats(-5, 4000), some_facts),
)


def is_sound(made: Step) -> None:
    """Whatever was decided can be played, ends in a question, a conference or the end, and JSON keeps it."""
    for action in made.actions:
        for sound in action.sounds if isinstance(action, act.Play | act.AskForKeys) else ():
            if isinstance(sound, act.Prompt):
                assert LIBRARY.voice(sound.language or made.state.language, sound.key).text
    if made.state.over:
        assert made.actions[-1] in (act.HangUp(), act.Reject())
    else:
        last = made.actions[-1]
        assert isinstance(last, act.Connect) or (isinstance(last, act.AskForKeys) and last.sounds)
    assert State.from_json(json.loads(json.dumps(made.state.to_json()))) == made.state


@given(st.sampled_from(sorted(STARTS)), st.sampled_from(["my", "en"]), st.booleans(), some_facts)
def test_every_call_begins_with_something_to_hear_or_ends(
    kind: str, language: str, machine: bool, now: Facts
) -> None:
    is_sound(step(SCRIPT, None, CallStarted(kind, language, machine, now)))


RESTING = sorted(menu.name for menu in SCRIPT.menus.values() if menu.asks or menu.over)


@pytest.mark.promise(29)
@given(st.sampled_from(RESTING), st.lists(some_events, min_size=1, max_size=12))
@settings(max_examples=400)
def test_no_sequence_of_events_from_any_menu_is_too_much(menu: str, events: list[CallEvent]) -> None:
    state = State(menu=menu, language="my", kept={"wish": "hour", "code": "482913", "own_key": "5"})
    for event in events:
        made = step(SCRIPT, state, event)
        state = made.state
        if "no_saving" in event.facts.flags:
            assert effects(made) == []
        if isinstance(event, CallEnded):
            assert state.over
            break
        is_sound(made)


@pytest.mark.parametrize("kind", sorted(STARTS))
@pytest.mark.parametrize("flags", [(), ("no_saving",), ("programme_calls", "nobody_on_shift")])
def test_a_silent_line_is_hung_up_on_within_six_turns_wherever_it_falls_silent(
    kind: str, flags: tuple[str, ...]
) -> None:
    now = facts(*flags)
    for menu in RESTING:
        state = replace(step(SCRIPT, None, CallStarted(kind, "my", facts=now)).state, menu=menu, over=False)
        for _ in range(6):
            state = step(SCRIPT, state, StayedSilent(now)).state
        assert state.over
