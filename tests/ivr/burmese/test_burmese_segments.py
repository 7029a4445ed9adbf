from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.burmese.segments import count, cut, syllables

BURMESE = st.text(
    st.characters(min_codepoint=0x1000, max_codepoint=0x104F) | st.sampled_from("a 😀€"), max_size=300
)


def test_200_texts_cost_what_twilios_calculator_says(counted: list[dict[str, Any]]) -> None:
    assert len(counted) == 200
    for line in counted:
        cost = count(line["text"])
        assert (cost.alphabet, cost.units, cost.parts) == (line["alphabet"], line["units"], line["parts"])


def test_smsutil_agrees_but_where_it_splits_inside_a_character(counted: list[dict[str, Any]]) -> None:
    differing = [line for line in counted if count(line["text"]).parts != line["smsutil_parts"]]
    assert len(differing) == 4
    assert all(line["parts"] == line["smsutil_parts"] + 1 for line in differing)
    assert all(line["units"] in {134, 201} for line in differing)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("ဖုန်းခေါ်ပါ", ["ဖုန်း", "ခေါ်", "ပါ"]),
        ("မြန်မာလို", ["မြန်", "မာ", "လို"]),
        ("သတ္တိ", ["သတ္တိ"]),
        ("အင်္ဂါနေ့", ["အင်္ဂါ", "နေ့"]),
        ("ယောက်ျား", ["ယောက်ျား"]),
        ("ကျွန်ုပ်", ["ကျွန်ုပ်"]),
        ("တော့်", ["တော့်"]),
        ("၎င်း", ["၎င်း"]),
        ("ဥပဒေ", ["ဥ", "ပ", "ဒေ"]),
        ("၁၅၀ ကျပ်။", ["၁", "၅", "၀", " ", "ကျပ်", "။"]),
        ("ok 👨‍👩‍👧", ["o", "k", " ", "👨‍👩‍👧"]),
        ("", []),
    ],
)
def test_syllables_stay_whole(text: str, pieces: list[str]) -> None:
    assert syllables(text) == pieces


@given(st.text(st.characters(exclude_categories=())) | BURMESE)
def test_syllables_joined_are_the_text(text: str) -> None:
    assert "".join(syllables(text)) == text


@given(BURMESE, st.integers(1, 4))
def test_a_cut_fits_is_a_beginning_and_ends_between_syllables(text: str, parts: int) -> None:
    short = cut(text, parts)
    assert text.startswith(short)
    assert count(short).parts <= parts
    assert len(short) in {0, *accumulate(map(len, syllables(text)))}


@given(BURMESE.map(lambda text: text + "က" * 71))
def test_a_cut_leaves_no_room_for_another_syllable(text: str) -> None:
    short = cut(text, 1)
    following = next(end for end in accumulate(map(len, syllables(text))) if end > len(short))
    assert count(text[:following]).parts > 1


def test_a_real_line_is_cut_to_one_segment(real_lines: list[tuple[str, str]]) -> None:
    for unicode, _ in real_lines:
        short = cut(unicode, 1)
        assert count(short).parts == 1
        assert count(short).units > 50 or short == unicode


def test_no_parts_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one part"):
        cut("99", 0)


@given(st.text(st.characters(exclude_categories=()), max_size=500))
def test_any_text_has_a_cost(text: str) -> None:
    cost = count(text)
    room = {"GSM-7": 160, "UCS-2": 70}[cost.alphabet]
    assert (cost.parts == 1) == (cost.units <= room) or cost.parts > 1
