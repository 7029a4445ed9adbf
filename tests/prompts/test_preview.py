import re
from dataclasses import replace

import pytest

from ivr.burmese.segments import count
from ivr.burmese.zawgyi import unicode_to_zawgyi
from prompts.library import Display, Library
from prompts.preview import DISPLAYS, FLOWS, as_seen, displays, fingerprint, played

LIBRARY = Library.load()
ALL = [(flow, display) for flow in FLOWS for display in DISPLAYS]


def answers(flow: str, display: Display = "unicode", language: str = "my") -> list[str]:
    return [one.text for one in played(LIBRARY, flow, display, language).messages if not one.mine]


def ways(flow: str) -> list[tuple[str, str]]:
    return [(one.way, one.line) for one in played(LIBRARY, flow, "unicode", "my").calls]


def test_who_asked_by_call_finds_two_calls_and_no_text() -> None:
    assert ways("asked_by_call") == [("out", "public"), ("in", "public")]
    assert answers("asked_by_call") == []
    assert ways("asked_and_not_reached") == [("out", "public"), ("missed", "public")]


def test_a_missed_call_is_rung_back_and_its_request_too_from_the_number_that_was_rung() -> None:
    assert ways("missed_call") == [("out", "missed"), ("in", "missed"), ("in", "missed")]


@pytest.mark.parametrize(
    "flow", ["withdrawn_by_text", "withdrawn_by_call", "stopped", "forgotten", "no_number_kept"]
)
def test_who_took_it_back_or_left_no_number_is_rung_by_nobody(flow: str) -> None:
    assert {way for way, _ in ways(flow)} <= {"out"}


def test_a_programme_is_rung_only_after_the_one_confirming_call() -> None:
    assert ways("programmes") == [("out", "public"), ("in", "public"), ("in", "public")]
    without = replace(LIBRARY.script.texts["opt_in"], do=())
    script = replace(LIBRARY.script, texts={**LIBRARY.script.texts, "opt_in": without})
    assert played(replace(LIBRARY, script=script), "programmes_by_text", "unicode", "my").calls == ()


def test_forgetting_is_asked_for_twice_and_answered_twice() -> None:
    sms = LIBRARY.texts["my"]
    assert answers("forgotten") == [sms["forget_first"].text, sms["forgotten"].text]


def test_what_is_no_keyword_earns_one_neutral_line_and_then_silence() -> None:
    for display in DISPLAYS:
        assert len(answers("unknown", display)) == 1


def test_the_answers_change_with_the_content() -> None:
    changed = replace(LIBRARY.texts["my"]["stopped"], text="ဟုတ်ကဲ့။")
    library = replace(LIBRARY, texts={**LIBRARY.texts, "my": {**LIBRARY.texts["my"], "stopped": changed}})
    assert played(library, "stopped", "zawgyi", "my").messages[-1].text == unicode_to_zawgyi("ဟုတ်ကဲ့။")
    assert fingerprint(library) != fingerprint(LIBRARY)


def test_what_no_handset_shows_changes_no_fingerprint() -> None:
    changed = replace(LIBRARY.voices["my"]["main"], text="မင်္ဂလာပါ")
    voices = {**LIBRARY.voices, "my": {**LIBRARY.voices["my"], "main": changed}}
    assert fingerprint(replace(LIBRARY, voices=voices)) == fingerprint(LIBRARY)
    assert re.fullmatch("[0-9a-f]{24}", fingerprint(LIBRARY))


@pytest.mark.promise(23)
@pytest.mark.parametrize(("flow", "display"), ALL)
def test_no_answer_costs_two_messages_on_any_phone(flow: str, display: Display) -> None:
    assert all(count(text).parts == 1 for text in answers(flow, display))


@pytest.mark.parametrize("flow", [flow for flow in FLOWS if flow != "display"])
def test_each_phone_reads_what_is_sent_for_it(flow: str) -> None:
    read = [as_seen(text, "zawgyi") for text in answers(flow, "zawgyi")]
    assert read == [as_seen(text, "unicode") for text in answers(flow)]
    assert "□" not in "".join(as_seen(text, "latin") for text in answers(flow, "latin"))


def test_the_samples_are_readable_one_each_on_a_unicode_and_on_a_zawgyi_phone() -> None:
    sample = LIBRARY.texts["my"]["display"].sample
    [asked, *_] = answers("display", "zawgyi")
    first, second = asked.splitlines()[:2]
    assert as_seen(first, "unicode") == f"51 {sample}"
    assert as_seen(second, "zawgyi") == f"52 {sample}"
    assert as_seen(second, "unicode") != f"52 {sample}"


def test_after_choosing_the_answers_come_in_what_was_chosen() -> None:
    assert all(text.isascii() for text in answers("display", "latin")[1:])
    assert answers("display", "zawgyi")[-1] == LIBRARY.sms("my", "list", "zawgyi")


def test_a_phone_that_shows_boxes_shows_one_for_each_sign_of_burmese_and_leaves_the_rest() -> None:
    assert as_seen("11 ရပ်။ ok", "latin") == "11 □□□□ ok"


def test_only_burmese_has_several_ways_of_being_shown() -> None:
    assert displays("my") == DISPLAYS
    assert displays("en") == ("unicode",)


def test_every_keyword_that_has_an_answer_of_its_own_is_seen_in_some_flow() -> None:
    """What is not: other times of day, which answer alike, and the choice of a language."""
    shown = {
        text
        for language in LIBRARY.languages
        for flow in FLOWS
        for text in answers(flow, "unicode", language)
    }
    sms = LIBRARY.texts["en"]
    unseen = {key for key, wording in sms.items() if wording.text not in shown and "{" not in wording.text}
    assert unseen == {"language_kept", "not_saved"}
