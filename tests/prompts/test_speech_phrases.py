from hypothesis import given
from hypothesis import strategies as st

from prompts.speech.phrases import Phrase, phrases, pieces


def test_burmese_and_latin_punctuation_make_pauses() -> None:
    assert phrases("မင်္ဂလာပါ၊ နေကောင်းလား။ Yes, thanks.") == [
        Phrase("မင်္ဂလာပါ", 0.22),
        Phrase("နေကောင်းလား", 0.45),
        Phrase("Yes", 0.22),
        Phrase("thanks", 0.45),
    ]


def test_points_and_colons_inside_numbers_are_no_pauses() -> None:
    assert [phrase.text for phrase in phrases("၃.၅ ၇:၃၀ ၁၀,၀၀၀")] == ["၃.၅ ၇:၃၀ ၁၀,၀၀၀"]


def test_punctuation_in_a_row_is_one_pause_the_longest() -> None:
    assert phrases("က၊ ။\nခ") == [Phrase("က", 0.6), Phrase("ခ", 0.0)]


def test_a_text_of_marks_only_has_no_phrase() -> None:
    assert phrases(" ။ ၊ … \n") == []


def test_pieces_are_cut_at_sentences_then_spaces() -> None:
    text = "ဖုန်းခေါ်ပါ။ " + "မနက်ဖြန် " * 12 + "ပြန်ခေါ်ပါမည်။"
    found = pieces(text)
    assert found[0] == "ဖုန်းခေါ်ပါ။"
    assert all(len(piece) <= 100 for piece in found)
    assert all(piece.split() == [word for word in piece.split() if word in text.split()] for piece in found)


def test_without_spaces_pieces_are_cut_between_syllables() -> None:
    text = "ကျွန်ုပ်တို့သည်မင်္ဂလာရှိသောကမ္ဘာ့နိုင်ငံများ" * 6
    found = pieces(text)
    assert "".join(found) == text
    for piece in found:
        assert len(piece) <= 100
        assert not "\u102b" <= piece[0] <= "\u103e", piece
        assert len(piece) < 2 or piece[1] not in "\u1039\u103a\u1037", piece
        assert not piece.endswith("\u1039")


@given(st.text(alphabet="ကမ္ဘာ့ွန်ုိျ။၊ a\n", max_size=300), st.integers(10, 100))
def test_pieces_lose_nothing_and_keep_the_limit(text: str, limit: int) -> None:
    found = pieces(text, limit)
    assert all(piece.strip() and len(piece) <= limit for piece in found)
    assert "".join("".join(found).split()) == "".join(text.split())
