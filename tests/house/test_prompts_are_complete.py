from prompts.check import check
from prompts.library import Library

LIBRARY = Library.load()


def test_the_shipped_pack_has_no_fault() -> None:
    assert [str(problem) for problem in check(LIBRARY)] == []


def test_every_language_says_and_sends_the_same_things() -> None:
    choices = {"choose_burmese", "choose_english"}  # each is always said in its own language
    for language in LIBRARY.languages:
        assert LIBRARY.spoken(language).keys() - choices == LIBRARY.spoken("my").keys() - choices
        assert LIBRARY.texts[language].keys() == LIBRARY.texts["my"].keys()


def test_no_answer_to_a_text_tells_two_wishes_apart() -> None:
    for language in LIBRARY.languages:
        answers = {
            LIBRARY.sms(language, f"asked_{wish}", "unicode")
            for wish in ("hour", "morning", "midday", "evening")
        }
        assert len(answers) == 1


def test_no_wording_says_counselor() -> None:
    for language in LIBRARY.languages:
        texts = [*LIBRARY.spoken(language).values(), *(one.text for one in LIBRARY.texts[language].values())]
        assert not any("counsel" in text.lower() or "အတိုင်ပင်ခံ" in text for text in texts)


def test_nothing_said_before_the_gate_opens_names_what_the_line_is_for() -> None:
    before = [
        LIBRARY.spoken("en")[key] for key in ("gate", "counselor_gate", "harmless", "gate_later", "goodbye")
    ]
    for word in ("help", "ask", "place", "money", "allowance", "legal", "family", "training"):
        assert not any(word in text.lower() for text in before)
