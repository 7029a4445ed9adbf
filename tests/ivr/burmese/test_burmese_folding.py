import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.burmese.folding import fold

ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.text(
    st.characters(codec=None, max_codepoint=0x109F)
)


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("", ""),
        (" \t\r\n\u00a0\u3000", ""),
        ("၊။.,!?…“”", ""),
        ("\u200b\u200c\u200d\ufeff\u2060", ""),
        ("\u202e99\u202c", "99"),
        ("\x0099\x00", "99"),
        ("9\ufe0f\u20e39\ufe0f\u20e3", "99"),
        ("၉၉", "99"),
        ("႙႙", "99"),
        ("９９", "99"),
        ("๙๙", "99"),
        (" 9 9 .", "99"),
        ("ＹＡＴ", "yat"),
        ("＾ｙａｔ～！", "yat"),
        ("Call Me!", "callme"),
        ("ရပ် ပါ။", "ရပ်ပါ"),
        ("🙏🏽", "🙏"),
    ],
)
def test_what_carries_no_meaning_is_dropped(typed: str, folded: str) -> None:
    assert fold(typed) == folded


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("၁ဝ", "10"),
        ("1ဝ", "10"),
        ("ဝ", "0"),
        ("၁ ဝ ။", "10"),
        ("၁ဝဝ", "100"),
        ("ဝဝ၁", "001"),
        ("ဝဝ", "ဝဝ"),
        ("ဝမ်း", "ဝမ်း"),
        ("၁ဝိ", "1ဝိ"),
        ("ဝိ၁", "ဝိ1"),
    ],
)
def test_the_letter_wa_is_zero_only_among_digits_or_alone(typed: str, folded: str) -> None:
    assert fold(typed) == folded


@pytest.mark.parametrize(
    ("typed", "usual"),
    [
        ("ဖုနး်", "ဖုနး်"),  # visarga before asat is another text, not another order of vowels
        ("ခင်ဗျာ", "ခင်ဗျာ"),
        ("မလုိ", "မလို"),
        ("တော့", "တော့"),
        ("လွှှတ်", "လွှတ်"),
        ("ပြန့်", "ပြန့်"),
    ],
)
def test_marks_typed_in_another_order_or_twice_fold_alike(typed: str, usual: str) -> None:
    assert fold(typed) == fold(usual)


def test_signs_that_carry_meaning_stay() -> None:
    assert fold("phone ❌") == "phone❌"
    assert fold("$5 +1") == "$5+1"


@given(ANY_TEXT)
def test_folding_never_raises_and_folds_once(text: str) -> None:
    once = fold(text)
    assert fold(once) == once
    assert unicodedata.is_normalized("NFC", once)
    once.encode()


@given(st.text(st.characters(min_codepoint=0x1000, max_codepoint=0x109F), max_size=12))
def test_folding_burmese_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
