import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from speech_measures import agreement, icu_words

from prompts.speech import words
from prompts.speech.burmese import citation, read
from prompts.speech.phonemes import calls, written
from prompts.speech.sounds import Tone


def ipa(text: str) -> str:
    return " ".join(".".join(syllable.ipa for syllable in group) for group in read(text).groups)


def plain(word: str) -> str:
    return ".".join(syllable.ipa for syllable in citation(word))


@pytest.mark.parametrize(
    ("word", "sound"),
    [
        ("မြန်မာ", "mjàɴ.mà"),
        ("ကမ္ဘာ", "kàɴ.bà"),  # a stacked letter closes one syllable and opens the next
        ("မင်္ဂလာ", "mɪ̀ɴ.ɡə.là"),  # kinzi
        ("ယောက်ျား", "jaʊ̯ʔ.t͡ɕá"),  # asat before a medial: the letter is said twice
        ("ကျွန်ုပ်", "t͡ɕʊ̀ɴ.noʊ̯ʔ"),
        ("ပြဿနာ", "pjaʔ.θə.nà"),  # great sa
        ("ဗုဒ္ဓ", "boʊ̯ʔ.da̰"),
        ("ဥက္ကဋ္ဌ", "ʔoʊ̯ʔ.kaʔ.tʰa̰"),
        ("ဣန္ဒြေ", "ʔèɪ̯ɴ.djè"),
        ("ဗိုလ်", "bò"),  # a final that is not said
        ("ဘတ်စ်", "baʔ"),
        ("၎င်း", "lə.ɡáʊ̯ɴ"),
        ("၌", "n̥aɪ̯ʔ"),
        ("၍", "jwḛ"),
        ("၏", "ʔḭ"),
        ("ဦး", "ʔú"),
        ("ဥုံ", "ʔòʊ̯ɴ"),
        ("လျှာ", "ʃà"),
        ("ရွှေ", "ʃwè"),
        ("ငြိမ်း", "ɲéɪ̯ɴ"),
        ("ဝန်", "wʊ̀ɴ"),
        ("ဩဂုတ်", "ʔɔ́.ɡoʊ̯ʔ"),
    ],
)
def test_spelling_is_read_by_rule(word: str, sound: str) -> None:
    assert plain(word) == sound


def test_the_three_tones_and_the_checked_one_are_told_apart() -> None:
    assert [citation(word)[0].tone for word in ("ကာ", "ကား", "က", "ကတ်")] == [
        Tone.LOW,
        Tone.HIGH,
        Tone.CREAKY,
        Tone.CHECKED,
    ]


def test_a_lone_letter_before_another_syllable_is_weak() -> None:
    assert plain("အစား") == "ʔə.sá"
    assert citation("အစား")[0].tone is Tone.WEAK


def test_signs_typed_in_another_order_sound_the_same() -> None:
    assert plain("ဂျုံ") == plain("ဂျံု") == "d͡ʑòʊ̯ɴ"
    assert plain("နှင့်") == plain("နှင့\u103a".replace("့\u103a", "\u103a့"))


def test_onset_and_rhyme_agree_with_icu_on_at_least_95_percent_of_syllables() -> None:
    everything = agreement()
    assert everything.share >= 0.97
    assert everything.same_tone == everything.same
    running_text = [agreement("udhr"), agreement("gtk")]
    assert sum(found.words for found in running_text) >= 4000
    assert all(found.share >= 0.98 for found in running_text)


def test_every_syllable_that_differs_from_icu_has_a_reason() -> None:
    assert agreement().examples[""] == []


def test_every_word_of_the_list_can_be_said_by_the_offline_voice() -> None:
    for word, _ in icu_words():
        reading = read(word)
        assert reading.skipped == ()
        assert all(map(written, calls(reading.groups)))


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ("ဖုန်းခေါ်ပါတယ်", "pʰóʊ̯ɴ.kʰɔ̀.bà.dɛ̀"),  # particles that close a sentence are voiced
        ("ဖုန်းခ ယူပါမယ်", "pʰóʊ̯ɴ.kʰa̰ jù.bà.mɛ̀"),
        ("ပြီးပါပြီ", "pjí.bà.bjì"),
        ("မေးလို့ရတဲ့သူ", "mé.lo̰.ja̰.tɛ̰.θù"),
        ("မပါ", "mə.pà"),  # but not after a weak syllable
        ("နှိပ်ပါ", "n̥eɪ̯ʔ.pà"),  # nor after a checked one
        ("ပြောပါသည်", "pjɔ́.bà.ðì"),  # သည် is θì, not θɛ̀
        ("ကျွန်တော်", "t͡ɕə.nɔ̀"),
        ("စကား", "zə.ɡá"),
        ("သတင်း", "θə.díɴ".replace("íɴ", "ɪ́ɴ")),
        ("နာမည်", "nà.mɛ̀"),
        ("ကျွန်တော့်ကို", "t͡ɕə.nɔ̰.kò"),  # an asat after the dot belongs to the vowel
        ("၄င်း", "lə.ɡáʊ̯ɴ"),  # typed with the digit four; ၎ alone is said the same
        ("၎", "lə.ɡáʊ̯ɴ"),
        ("ပါ၀င်တဲ့၀န်ထမ်း ၁၀ရက်", "pà.wɪ̀ɴ.tɛ̰.wʊ̀ɴ.tʰáɴ sʰɛ̀ jɛʔ"),  # zero typed for the letter that looks like it
        ("ဘ၀ လုံး၀ နံပါတ်၀", "bə.wa̰ lóʊ̯ɴ.wa̰ nàɴ.baʔ θòʊ̯ɴ.ɲa̰"),
        ("၇န်ကုန် ၇ရက်", "jàɴ.kòʊ̯ɴ kʰʊ̀ɴ.n̥ɪʔ jɛʔ"),  # and seven
        ("ဥာဏ်", "ɲàɴ"),
        ("စျေး", "zé"),
        ("နည်းနည်း", "nɛ́.nɛ́"),
        ("ရရှိမည်", "ja̰.ʃḭ.mjì"),
        ("ကြသည်", "t͡ɕa̰.ðì"),
    ],
)
def test_words_are_said_as_people_say_them(text: str, sound: str) -> None:
    assert ipa(text) == sound


def test_every_respelling_begins_from_spelling_that_really_occurs_and_can_be_read() -> None:
    for word, sound in words.RESPELLED.items():
        assert words.respelled(word) == sound
        assert read(sound).skipped == ()


def test_a_listed_word_inside_a_longer_syllable_is_left_alone() -> None:
    assert plain("ကြက်") == ipa("ကြက်") == "t͡ɕɛʔ"
    assert ipa("ကြာ") == "t͡ɕà"
    assert ipa("မှတ်") == "m̥aʔ"


def test_abbreviations_are_spelled_and_what_has_no_sound_is_named() -> None:
    assert ipa("SMS") == "ʔɛʔ.ʔàɴ.ʔɛʔ"
    assert read("SMS ပို့ပါ").skipped == ()
    assert read("Facebook မှာ 😀 漢").skipped == ("Facebook", "😀", "漢")
    assert read("“က” (ခ) / ဂ").skipped == ()
    assert read("က & ခ ကႆ ႏ").skipped == ("&", "ႆ", "ႏ")


def test_zero_width_signs_and_tall_aa_make_no_difference() -> None:
    assert ipa("ဖုန်း\u200bခေါ်\u200cပါ") == ipa("ဖုန်းခေါ်ပါ")


@given(
    st.text(
        alphabet=st.sampled_from([chr(code) for code in range(0x1000, 0x10A0)] + list(" aB1:.,-+%😀\ud800")),
        max_size=60,
    )
)
def test_no_text_makes_reading_fail(text: str) -> None:
    list(map(written, calls(read(text).groups)))
    citation(text)


def test_ten_thousand_letters_take_ten_times_as_long_as_a_thousand() -> None:
    for text in ("က" * 10_000, "ကျွန်ုပ်" * 1_200, "၁" * 10_000, "်" * 10_000, "၁-" * 5_000, "၀ " * 5_000):
        tries = [(seconds(text), seconds(text[:1_000])) for _ in range(2)]
        assert min(whole for whole, _ in tries) < 40 * min(tenth for _, tenth in tries)


def seconds(text: str) -> float:
    started = time.process_time()
    read(text)
    return time.process_time() - started
