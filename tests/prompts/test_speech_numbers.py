import pytest

from prompts.speech.burmese import read
from prompts.speech.numbers import said, spelled_out


@pytest.mark.parametrize(
    ("number", "spoken"),
    [
        (0, "သုည"),
        (10, "ဆယ်"),
        (15, "ဆယ့်ငါး"),
        (20, "နှဆယ်"),
        (45, "လေးဇယ့်ငါး"),
        (100, "တရာ"),
        (115, "တရာ့တဆယ့်ငါး"),
        (150, "တရာ့ငါးဇယ်"),
        (700, "ခွန်နှရာ"),
        (1948, "တထောင့်ကိုးရာ့လေးဇယ့်ရှစ်"),
        (3000, "သုံးဒောင်"),
        (10_000, "တသောင်း"),
        (100_000, "တသိန်း"),
        (1_500_000, "တသန်းငါးသိန်း"),
        (10_000_000, "တကုဋေ"),
        (1_000_000_000, "တရာကုဋေ"),
    ],
)
def test_numbers_are_counted_in_tens_up_to_lakhs_and_beyond(number: int, spoken: str) -> None:
    assert said(number) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("၁၅၀", "တရာ့ငါးဇယ်"),
        ("150", "တရာ့ငါးဇယ်"),
        ("႑႕႐", "တရာ့ငါးဇယ်"),  # Shan digits
        ("၁၀,၀၀၀", "တသောင်း"),
        ("၃.၅", "သုံး ဒသ်သမ ငါး"),
        ("၅၀%", "ငါးဇယ် ရာခိုင်နှုန်း"),
        ("၇:၃၀", "ခွန်နှစ်နာရီ သုံးဇယ်မိနစ်"),
        ("၇:၀၀", "ခွန်နှစ်နာရီ"),
        ("၇–၁၁", "ခွန်နှစ် မှ ဆယ့်တစ်"),
        ("၀၉ ၇၇၇ ၁၂", "သုည ကိုး ခွန်နှစ် ခွန်နှစ် ခွန်နှစ် တစ် နှစ်"),
        ("+၉၅၉၁", "ကိုး ငါး ကိုး တစ်"),
        ("၁၂၃၄၅၆၇၈", "တစ် နှစ် သုံး လေး ငါး ခြောက် ခွန်နှစ် ရှစ်"),
        ("*", "ကြယ်ပွင့်"),
        ("၁ဝဝ", "တရာ"),  # the letter wa, typed for zero
        ("၁ဝ,ဝဝဝ", "တသောင်း"),
        ("ဝ၉ ၇၇၇ ၁၂", "သုည ကိုး ခွန်နှစ် ခွန်နှစ် ခွန်နှစ် တစ် နှစ်"),
        ("၁ဝန်ထမ်း", "တစ် ဝန်ထမ်း"),  # and here a letter
    ],
)
def test_figures_in_a_text_are_said_as_people_say_them(text: str, spoken: str) -> None:
    assert " ".join(spelled_out(text).split()) == spoken
    assert read(text).skipped == ()


def test_a_number_of_any_length_is_said() -> None:
    assert len(spelled_out("1" + ",000" * 2_000).split()) == 6_001


def test_a_digit_beside_a_word_is_a_word_of_its_own() -> None:
    assert [len(group) for group in read("၁ကိုနှိပ်ပါ").groups] == [1, 3]
