import shutil
import subprocess
import unicodedata
from itertools import pairwise, permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.burmese.encodings import (
    Encoding,
    holds_zawgyi,
    in_unicode,
    read,
    unicode_to_zawgyi,
    zawgyi_to_unicode,
)

MYANMAR = st.characters(min_codepoint=0x1000, max_codepoint=0x109F)
SENTENCES = (
    "ရေကို ဆူအောင် တည်ပါ",
    "ကလေးကို ဆေးရုံ ခေါ်သွားပါ",
    "ထမင်းမစားခင် လက်ဆေးပါ",
    "ဖုန်းခေါ်ပါ",
    "ကျန်းမာရေးအတွက် အားကစားလုပ်ပါ",
)


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def test_every_real_line_is_told_apart(real_lines: list[tuple[str, str]]) -> None:
    for unicode, zawgyi in real_lines:
        assert read(unicode, None).encoding is Encoding.UNICODE
        assert read(zawgyi, Encoding.ZAWGYI).encoding is Encoding.ZAWGYI
    unsure = [zawgyi for _, zawgyi in real_lines if read(zawgyi, None).encoding is not Encoding.ZAWGYI]
    assert unsure == ["အေထြေထြညီလာခံ က"]


def test_every_real_line_reads_the_same_in_both_encodings(real_lines: list[tuple[str, str]]) -> None:
    different = []
    for unicode, zawgyi in real_lines:
        assert read(unicode, Encoding.ZAWGYI).text == unicode
        words = zip(read(zawgyi, Encoding.ZAWGYI).text.split(), nfc(unicode).split(), strict=True)
        different += [word for read_, word in words if read_ != word]
    assert different == ["စာပေမှဖြစ်စေ၊"]  # ICU's Zawgyi has its ha under the next letter


def test_98_percent_of_real_words_are_written_in_zawgyi_as_icu_writes_them(
    real_lines: list[tuple[str, str]],
) -> None:
    pairs = [pair for one, other in real_lines for pair in zip(one.split(), other.split(), strict=True)]
    different = [(one, other) for one, other in pairs if unicode_to_zawgyi(one) != other]
    assert len(pairs) > 1_000
    assert len(different) / len(pairs) < 0.02
    assert {one for one, _ in different} == {"ချုပ်နှောင်ခြင်းကို", "ရွှေ့ပြောင်း", "အနှောင့်", "စာပေမှဖြစ်စေ၊"}


def test_what_we_write_in_zawgyi_reads_back(real_lines: list[tuple[str, str]]) -> None:
    for unicode, _ in real_lines:
        assert zawgyi_to_unicode(unicode_to_zawgyi(unicode)) == nfc(unicode)


@pytest.mark.parametrize(
    ("unicode", "zawgyi"),
    [
        ("ဖုန်းခေါ်ပါ", "ဖုန္းေခၚပါ"),
        ("ရပ်ပါ", "ရပ္ပါ"),
        ("တော်ပြီ", "ေတာ္ၿပီ"),
        ("မလိုတော့ဘူး", "မလိုေတာ့ဘူး"),
        ("ဖျက်", "ဖ်က္"),
        ("မြန်မာလို", "ျမန္မာလို"),
        ("သင်္ဘော", "ေသဘၤာ".replace("ေသဘၤာ", "သေဘၤာ")),
        ("သန္ဓေ", "သႏၶေ".replace("ႏၶေ", "ေႏၶ")),
        ("ယောက်ျား", "ေယာက္်ား"),
        ("၎င်း", "၎"),
    ],
)
def test_words_in_both_encodings(unicode: str, zawgyi: str) -> None:
    assert unicode_to_zawgyi(unicode) == zawgyi
    assert zawgyi_to_unicode(zawgyi) == nfc(unicode)


def test_keywords_are_written_as_icu_writes_them(keywords: dict[str, Any]) -> None:
    uconv = shutil.which("uconv")
    if uconv is None:
        pytest.skip(
            "ICU's uconv is not installed here (Debian: icu-devtools); the stored texts stand in for it"
        )
    spellings = [word for given in keywords["words"].values() for word in given]
    written = subprocess.run(
        [uconv, "-x", "my-Zawgyi"], input="\n".join(spellings).encode(), capture_output=True, check=True
    )
    assert [unicode_to_zawgyi(word) for word in spellings] == written.stdout.decode().split("\n")


@pytest.mark.parametrize("text", ["99", "၉၉", "", "၊။", "🙏", "ไม่", "မ", "အစားအစာ"])
def test_what_shows_nothing_leaves_the_remembered_encoding(text: str) -> None:
    assert read(text, None).encoding is Encoding.UNKNOWN
    assert read(text, Encoding.ZAWGYI).encoding is Encoding.ZAWGYI
    assert read(text, Encoding.LATIN).encoding is Encoding.LATIN


def test_latin_letters_alone_are_latin() -> None:
    assert read("phone khaw par", None).encoding is Encoding.LATIN
    assert read("phone khaw par", Encoding.ZAWGYI).encoding is Encoding.LATIN


def test_a_text_that_shows_its_encoding_overrides_the_remembered_one(
    real_lines: list[tuple[str, str]],
) -> None:
    unicode, zawgyi = real_lines[1]
    assert read(unicode, Encoding.ZAWGYI).encoding is Encoding.UNICODE
    assert read(zawgyi, Encoding.UNICODE).encoding is Encoding.ZAWGYI


@pytest.mark.parametrize("between", ["။ ", "၊ ", " "])
def test_lines_in_both_encodings_are_noticed_and_read_word_by_word(
    real_lines: list[tuple[str, str]], between: str
) -> None:
    long = [pair for pair in real_lines if len(pair[0]) > 60]
    for (unicode, _), (other, zawgyi) in pairwise(long):
        assert holds_zawgyi(unicode + between + zawgyi)
        assert not holds_zawgyi(unicode + between + other)
        assert in_unicode(unicode + between + other) == unicode + between + other
    for one, other in permutations(SENTENCES, 2):
        for mixed in (one + between + unicode_to_zawgyi(other), unicode_to_zawgyi(one) + between + other):
            assert holds_zawgyi(mixed)
            assert in_unicode(mixed) == one + between + other


def test_a_word_of_both_encodings_stays_and_goes_on_being_noticed() -> None:
    glued = "ရေသောက်ပါ ချမှတ်ထား" + unicode_to_zawgyi("ထမင်းမစားခင်")
    assert in_unicode(glued) == glued
    assert holds_zawgyi(glued)


def test_what_is_read_can_be_stored() -> None:
    assert read("a\0b\ud800c", None).text == "ab\ufffdc"


@given(st.text(st.characters(exclude_categories=())), st.sampled_from([None, *Encoding]))
def test_any_text_is_read(text: str, remembered: Encoding | None) -> None:
    assert "\0" not in read(text, remembered).text
    read(text, remembered).text.encode()
    in_unicode(text).encode()
    holds_zawgyi(text)


@given(st.text(MYANMAR, max_size=40))
def test_any_burmese_is_converted_and_zawgyi_is_never_longer(text: str) -> None:
    zawgyi_to_unicode(text)
    assert len(unicode_to_zawgyi(text)) <= len(nfc(text))
