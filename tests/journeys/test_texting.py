"""Somebody sends a text."""

import pytest
from front_door import CALLER, Hotline
from sqlalchemy import select

from gateway.store.callbacks import CallbackState, callbacks
from gateway.store.contacts import contacts, forbidden, preferences, texters
from gateway.store.outbox import outbox
from ivr.burmese.encodings import unicode_to_zawgyi
from ivr.burmese.segments import count

MY, EN = "my", "en"


def wording(hotline: Hotline, key: str, language: str = MY, display: str = "unicode") -> str:
    return hotline.runtime.library.sms(language, key, display)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "wish"), [("11", "hour"), ("12", "morning"), ("13", "midday"), ("14", "evening")]
)
@pytest.mark.parametrize("script", ["{}", " {} ", "{}။"])
def test_a_code_of_two_digits_asks_to_be_rung(hotline: Hotline, code: str, wish: str, script: str) -> None:
    answer = "asked_nobody" if wish == "hour" else f"asked_{wish}"  # nobody is on shift, and that is said
    assert hotline.text(script.format(code)) == wording(hotline, answer)
    row = hotline.one(select(callbacks))
    assert (row.wish, row.own_keys, row.state) == (wish, "", CallbackState.WAITING)


@pytest.mark.parametrize("written", ["၁၁", "႑႑", "１１", "1 1"])
def test_digits_of_every_script_are_digits(hotline: Hotline, written: str) -> None:
    assert hotline.text(written) == wording(hotline, "asked_nobody")


@pytest.mark.parametrize("words", ["ဖုန်းခေါ်ပါ", "ဖုန်းဆက်ပါ", "ပြန်ခေါ်ပါ", "ဖုန်း", "ဖုန်းခေါ်ပေးပါခင်ဗျာ"])
def test_burmese_words_get_how_to_ask_in_the_encoding_they_were_written_in(
    hotline: Hotline, words: str
) -> None:
    assert hotline.text(words) == wording(hotline, "how")
    answer = hotline.text(unicode_to_zawgyi(words), "+959790001002")
    assert answer == wording(hotline, "how", MY, "zawgyi")
    assert not hotline.rows(select(callbacks)), "a word asks nothing by itself"


def test_english_words_are_answered_in_english(hotline: Hotline) -> None:
    assert hotline.text("Call me please") == wording(hotline, "how", EN)


@pytest.mark.promise(19)
@pytest.mark.parametrize("word", ["99", "ရပ်", "ရပ်ပါ", "တော်ပြီ", "မလိုတော့ဘူး", "yat", "taw pyi", "no more"])
def test_stop_ends_everything_at_once(hotline: Hotline, word: str) -> None:
    hotline.text("11")
    assert hotline.text(word) is not None
    assert hotline.one(select(callbacks)).state == CallbackState.WITHDRAWN
    assert hotline.rows(select(forbidden))
    hotline.work()
    assert not hotline.rows(select(contacts))


@pytest.mark.promise(19)
@pytest.mark.parametrize("word", ["STOP", "end", "Cancel", "QUIT", "unsubscribe", "STOPALL"])
def test_the_providers_own_words_stop_calls_too_and_get_no_second_answer(hotline: Hotline, word: str) -> None:
    hotline.text("11")
    assert hotline.text(word) is None
    assert hotline.one(select(callbacks)).state == CallbackState.WITHDRAWN


def test_asking_again_lifts_an_earlier_stop(hotline: Hotline) -> None:
    hotline.text("99")
    hotline.text("11")
    assert not hotline.rows(select(forbidden))
    assert hotline.one(select(callbacks)).state == CallbackState.WAITING


def test_forgetting_wants_the_code_twice_within_half_an_hour(hotline: Hotline) -> None:
    hotline.text("11")
    assert hotline.text("77") == wording(hotline, "forget_first")
    hotline.later(minutes=31)
    assert hotline.text("77") == wording(hotline, "forget_first")
    assert hotline.text("77") == wording(hotline, "forgotten")
    hotline.work()
    assert hotline.one(select(callbacks)).state == CallbackState.FORGOTTEN
    assert hotline.one(select(callbacks)).contact is None
    for table in (contacts, preferences, texters):
        assert not hotline.rows(select(table))


@pytest.mark.parametrize(
    "plea",
    [
        "အရပ်သား", "ရပ်ကွက်", "မရပ်ပါနဲ့", "ဖျက်ဆီး", "ဖုန်းမခေါ်ပါနဲ့", "don't call", "no more food",
        "don't forget me", "please help, they stop us", "", "   ", "😀", "\x00", "\u202e99x", "11 12",
    ],
)  # fmt: skip
def test_inside_a_sentence_a_word_does_nothing(hotline: Hotline, plea: str) -> None:
    hotline.text("11")
    hotline.text(plea)
    assert hotline.one(select(callbacks)).state == CallbackState.WAITING
    assert hotline.one(select(callbacks)).asks == 1


def test_what_is_not_understood_gets_one_neutral_line_in_six_hours(hotline: Hotline) -> None:
    neutral = wording(hotline, "neutral")
    assert hotline.text("နေကောင်းလား") == neutral
    hotline.later(hours=5)
    assert hotline.text("ဘယ်သူလဲ") is None
    hotline.later(hours=2)
    assert hotline.text("hello?") in (neutral, wording(hotline, "neutral", EN))


@pytest.mark.promise(6)
def test_a_text_that_comes_again_is_answered_the_same_for_a_day_and_then_not_at_all(hotline: Hotline) -> None:
    sid = "SM" + "7" * 32
    first = hotline.text("11", sid=sid)
    hotline.text("10")
    hotline.later(hours=23, minutes=59)
    assert hotline.text("11", sid=sid) == first
    hotline.later(minutes=2)
    assert hotline.text("11", sid=sid) is None
    assert hotline.one(select(callbacks)).state == CallbackState.WITHDRAWN


def test_the_display_that_was_chosen_is_used_from_its_own_answer_on(hotline: Hotline) -> None:
    hotline.text("5")
    assert hotline.text("53") == wording(hotline, "display_kept", MY, "latin")
    assert hotline.text("0") == wording(hotline, "list", MY, "latin")
    assert hotline.text("52") == wording(hotline, "display_kept", MY, "zawgyi")
    assert hotline.text("0") == wording(hotline, "list", MY, "zawgyi")


def test_the_language_can_be_chosen_by_word(hotline: Hotline) -> None:
    assert hotline.text("English") == wording(hotline, "language_kept", EN)
    assert hotline.text("0") == wording(hotline, "list", EN)
    assert hotline.text("မြန်မာလို") == wording(hotline, "language_kept", MY)


def test_the_same_text_delivered_again_gets_the_same_answer_and_has_one_effect(hotline: Hotline) -> None:
    sid = "SM" + "a" * 32
    first = hotline.text("11", sid=sid)
    assert all(hotline.text("11", sid=sid) == first for _ in range(3))
    assert hotline.one(select(callbacks)).asks == 1


def test_nobody_is_answered_who_is_no_phone(hotline: Hotline) -> None:
    assert hotline.text("11", "INFO") is None
    assert not hotline.rows(select(callbacks))


def test_every_answer_is_one_segment_and_names_nobody(hotline: Hotline) -> None:
    library = hotline.runtime.library
    for language in library.languages:
        for key in library.script.text_keys():
            for display in ("unicode", "zawgyi", "latin"):
                text = wording(hotline, key, language, display)
                allowed = 2 if key == "display" else 1
                assert count(text).parts <= allowed, (language, key, display)
                assert "http" not in text


def test_texting_leaves_no_number_in_any_row(hotline: Hotline) -> None:
    for words in ("11", "77", "ဘာလဲ", "5", "52"):
        hotline.text(words)
    for table in (callbacks, contacts, preferences, texters, outbox):
        for row in hotline.rows(select(table)):
            assert CALLER.removeprefix("+95") not in repr(row)
