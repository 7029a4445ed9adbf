from dataclasses import replace
from pathlib import Path

import pytest

import prompts
from ivr.burmese.encodings import unicode_to_zawgyi
from prompts.check import check, estimated_seconds, review
from prompts.library import Library, Review
from prompts.unsaid import unfit

SHIPPED = Path(prompts.__file__).parent
LIBRARY = Library.load()


def edited(file: str, old: str, new: str) -> Library:
    """The shipped pack with one place of one file written differently."""
    found = [*SHIPPED.glob("*.toml"), *SHIPPED.glob("*/*.toml")]
    files = {one.relative_to(SHIPPED).as_posix(): one.read_bytes() for one in found}
    text = files[file].decode()
    assert old in text
    return Library.read(files | {file: text.replace(old, new, 1).encode()})


def said(pack: Library | Path, **given: object) -> list[str]:
    return [str(problem) for problem in check(pack, **given)]  # type: ignore[arg-type]


def wording(key: str, text: str, language: str = "my") -> Library:
    """The shipped pack with the wording `voice.greeting` or `sms.neutral` replaced."""
    kind, _, name = key.partition(".")
    table = LIBRARY.voices if kind == "voice" else LIBRARY.texts
    return edited(f"{language}/texts.toml", f'text = "{table[language][name].text}"', f'text = "{text}"')


# --- the tree -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            'keys.6 = { to = "other_phone", say',
            'keys.6 = { to = "leave", say',
            ["menus.other_phone: no key leads here", "menus.registered_by_code: no key leads here"],
        ),
        (
            'keys.1 = [{ to = "withheld", only_if = "no_number" }',
            'keys.1 = [{ to = "withheld", only_if = "no_nummer" }',
            ["menus.main: asks whether 'no_nummer': no such condition is known"],
        ),
        (
            '[menus.withheld]\nsay = ["withheld"]\nthen = "main"',
            '[menus.withheld]\nsay = ["withheld"]\nkeys.1 = "again"',
            ["menus.withheld: is a dead end: no key leads on from here, or out"],
        ),
        (
            '[menus.withheld]\nsay = ["withheld"]\nthen = "main"',
            '[menus.withheld]\nsay = ["withheld"]\nsilent = "topics"\nkeys.1 = "main"',
            [],
        ),
        (
            '[menus.topics]\nsay = ["topics"]',
            '[menus.topics]\nsay = ["topics"]\nsilent = "topics"',
            ["menus.topics: somebody who says nothing would go round in a circle and never be hung up on"],
        ),
        (
            '[menus.own_key]\nsay = ["own_key"]\n',
            '[menus.own_key]\nsay = ["own_key"]\nkeys.1 = { to = "when", do = ["remember_display"] }\n',
            ["menus.own_key: needs 'display', but a way here does not keep it first"],
        ),
    ],
)
def test_a_fault_of_the_tree_is_named_by_its_menu(old: str, new: str, words: list[str]) -> None:
    assert said(edited("script.toml", old, new)) == [f"script.toml: {line}" for line in words]


def test_a_menu_that_asks_without_a_word_is_named() -> None:
    pack = edited("script.toml", 'say = ["topics"]\n', 'say = [{ say = "topics", only_if = "no_number" }]\n')
    assert said(pack) == []
    silent = replace(pack.script.menus["topics"], say=())
    script = replace(pack.script, menus={**pack.script.menus, "topics": silent})
    assert said(replace(pack, script=script)) == [
        "script.toml: menus.topics: asks for a key but says nothing"
    ]


# --- lengths ------------------------------------------------------------------------------------------


def test_a_main_menu_over_twelve_seconds_is_named() -> None:
    found = said(wording("voice.main", "Press 1. " * 16, "en"))
    assert found == ["en/texts.toml: voice.main: menu 'main' takes 13 seconds to hear (main); at most 12"]


def test_what_is_said_before_a_menu_counts_with_it() -> None:
    found = said(wording("voice.kept_hour", "We ring. " * 18, "en"))
    assert found == [
        f"en/texts.toml: voice.own_key: menu '{menu}' takes 23 seconds to hear (kept_hour + own_key); at most 20"
        for menu in ("own_key", "live_key")
    ]


def test_measured_sounds_count_more_than_the_estimate_and_missing_ones_are_named() -> None:
    def sound(language: str, key: str) -> float | None:
        return {("my", "main"): 14.0, ("en", "goodbye"): None}.get((language, key), 1.0)

    assert said(LIBRARY, sound=sound) == [
        "my/texts.toml: voice.main: menu 'main' takes 14 seconds to hear (main); at most 12",
        "en/texts.toml: voice.goodbye: has no sound yet",
    ]


def test_burmese_is_estimated_by_its_syllables_and_english_by_its_words() -> None:
    assert estimated_seconds("ဟုတ်ကဲ့။ ၁ နှိပ်ပါ။") == pytest.approx(5 / 5.0 + 2 * 0.5)
    assert estimated_seconds("All right, press 1.") == pytest.approx(4 / 2.5)


def test_a_message_over_one_segment_is_named_with_what_fits() -> None:
    found = said(wording("sms.neutral", "0 ပို့ရင် စာရင်း ရပါမယ်။ " * 4))
    assert found == [
        "my/texts.toml: sms.neutral: is too long for one message as unicode: 99 units, 70 fit",
        "my/texts.toml: sms.neutral: is too long for one message as zawgyi: 99 units, 70 fit",
    ]


# --- what stands in a wording -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ိမင်္ဂလာပါ။", "a Burmese sign stands alone, torn from its letter"),
        ("မင်္ဂလာပါ။ ်ဖုန်းခ", "a Burmese sign stands alone"),
        (unicode_to_zawgyi("မင်္ဂလာပါ။ ဒီဖုန်းအတွက် ဖုန်းခ ယူပါမယ်။"), "is written in Zawgyi"),
        ("မင်္ဂလာပါ။ " + unicode_to_zawgyi("ဒီဖုန်းအတွက် ဖုန်းခ ယူပါမယ်။"), "is written in Zawgyi"),
        ("မင်္ဂလာပါ {name}။", "'{name}' is no placeholder here"),
        ("မင်္ဂလာပါ {unicode}။", "'{unicode}' is no placeholder here"),
        ("မင်္ဂလာပါ }။", "'}' is no placeholder here"),
        ("၀၉ ၇၉၀ ၁၂၃ ၄၅၆ ကို ခေါ်ပါ။", "holds a phone number"),
        ("09-790.123/456", "holds a phone number"),
        ("မင်္ဂလာပါ။ www.example.org", "holds a link"),
        ("မင်္ဂ\u200bလာပါ။", "holds a sign that nobody sees"),
        ("😀 … !!!", "there is nothing to say in it"),
    ],
)
def test_what_must_not_stand_in_a_wording_is_named(text: str, words: str) -> None:
    found = said(wording("voice.greeting", text))
    assert any(line.startswith("my/texts.toml: voice.greeting: ") and words in line for line in found), found


@pytest.mark.promise(23)
def test_a_listed_word_is_found_inside_another_and_not_repeated() -> None:
    found = said(LIBRARY, word_list=frozenset({"သောက် ပါ"}))
    assert "my/texts.toml: voice.harmless: holds a word of the word list" in found
    assert not any("သောက်" in line for line in found)


def test_a_listed_word_is_found_whatever_stands_between_its_letters() -> None:
    assert unfit("သောက်\u200bပါ", word_list=frozenset({"သောက်ပါ"})) == ("text_listed",)
    assert unfit("Ｂｏｉｌ-it", word_list=frozenset({"boil it"})) == ("text_listed",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1199 ကို ခေါ်ပါ။", "holds a number that can be rung, “1199”"),
        ("၁၁၉၉ ကို ခေါ်ပါ။", "holds a number that can be rung, “1199”"),
        ("၁၉ဝ ကို ခေါ်ပါ။", "holds a number that can be rung, “190”"),
        ("1 9 9 ကို ခေါ်ပါ။", "holds a number that can be rung, “1 9 9”"),
        ("ကောင်ဆယ်လာ ဖုန်းခေါ်ပါမယ်။", "holds “ကောင်ဆယ်လ”, which tells"),
        (unicode_to_zawgyi("ကောင်ဆယ်လာ ဖုန်းခေါ်ပါမယ်။"), "holds “ကောင်ဆယ်လ”, which tells"),
        ("ဖတ်ပြီးရင် ဖျက်ပါ။", "holds “ဖတ်ပြီးရင် ဖျက်”, which tells"),
        ("A Counsellor rings you.", "holds “counsel”, which tells"),
        ("Hot-line: send 1.", "holds “hot-line”, which tells"),
        ("Please DELETE  this.", "holds “delete  this”, which tells"),
    ],
)
def test_what_a_text_on_a_handset_must_not_hold_is_named(text: str, words: str) -> None:
    found = said(wording("sms.neutral", text))
    assert any(line.startswith("my/texts.toml: sms.neutral: ") and words in line for line in found), found
    spoken = said(wording("voice.goodbye", text))
    assert not any("rung" in line or "tells" in line for line in spoken)


@pytest.mark.parametrize(
    "text",
    ["11 now, 12 morning", "10:30", "07-11", "take 500 mg twice", "၅၀၀၀ ကျပ်", "discounsel", "3-5 days"],
)
def test_a_code_a_time_or_an_amount_is_no_number_to_ring(text: str) -> None:
    assert unfit(text) == ()


def test_a_listed_word_is_found_in_either_encoding() -> None:
    zawgyi = unicode_to_zawgyi("ကျောင်းသား")
    for typed in ("ကျောင်းသားများ", unicode_to_zawgyi("ကျောင်းသားများ")):
        for listed in ("ကျောင်းသား", zawgyi):
            assert unfit(typed, word_list=frozenset({listed})) == ("text_listed",)


def test_latin_letters_must_be_latin() -> None:
    found = said(edited("my/texts.toml", 'latin = "Phone pyan', 'latin = "ပို့ Phone pyan'))
    assert found == [
        "my/texts.toml: sms.neutral.latin: holds Burmese letters, which the phone it is for does not show"
    ]


# --- keywords and handles -----------------------------------------------------------------------------


def test_a_providers_word_stands_only_where_no_answer_is_sent() -> None:
    assert (
        "providers answer their own words"
        in said(edited("en/keywords.toml", '"phone"', '"help", "phone"'))[0]
    )
    assert "providers answer their own words" in said(edited("en/keywords.toml", '["stop"', '["enough"'))[0]


def test_a_name_that_nobody_can_text_is_named() -> None:
    found = said(edited("codes.toml", 'topic_health = ["21"]\n', ""))
    assert found == ["script.toml: texts.topic_health: no word and no code means this"]


def test_two_handle_words_that_begin_alike_are_named() -> None:
    found = said(edited("handles.toml", 'en = "rabbit"', 'en = "ant eater"'))
    assert found == ["handles.toml: ant.en: cannot be told from 'rabbit' by ear"]


# --- a whole folder -----------------------------------------------------------------------------------


def test_a_folder_that_is_no_pack_is_a_list_of_problems_and_no_exception(tmp_path: Path) -> None:
    (tmp_path / "script.toml").write_text("[menus")
    assert [problem.file for problem in check(tmp_path)] == ["script.toml", "my/texts.toml"]


def test_the_review_counts_what_is_still_a_draft() -> None:
    pack = edited("my/texts.toml", 'review = "draft"', 'review = "reviewed"')
    burmese = review(pack)["my"]
    assert burmese.counts[Review.REVIEWED] == 1
    assert burmese.counts[Review.DRAFT] == len(burmese.drafts)
    assert "voice.greeting" not in burmese.drafts
    assert {"voice.main", "sms.neutral", "handle.mango", "digit.0"} <= set(burmese.drafts)
