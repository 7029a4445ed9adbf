from pathlib import Path

import pytest

from prompts.dialogue import DialogueError, Difference, Transcript, play
from prompts.library import Library

LIBRARY = Library.load()
SCRIPT = LIBRARY.script
DIALOGUES = sorted((Path(__file__).parent.parent / "dialogues").glob("*.txt"))


@pytest.mark.parametrize("file", DIALOGUES, ids=lambda file: file.stem)
def test_the_conversation_goes_as_written(file: Path) -> None:
    played = play(LIBRARY, file.read_text())
    assert isinstance(played, Transcript), f"{file.name} goes differently:\n{played.text}"


def test_the_dialogues_together_hear_every_wording_and_answer_every_keyword() -> None:
    heard = {
        word.split()[0]
        for file in DIALOGUES
        for line in file.read_text().splitlines()
        if line.startswith("<")
        for word in line.removeprefix("< text: ").removeprefix("< ").split(", ")
    }
    voices = SCRIPT.voice_keys("my") | SCRIPT.voice_keys("en")
    assert sorted((voices | SCRIPT.text_keys()) - heard) == []


def test_the_dialogues_together_text_every_code_and_every_word() -> None:
    texted = "\n".join(file.read_text() for file in DIALOGUES)
    named = {
        library_match.name
        for line in texted.splitlines()
        if line.startswith("> texts ") and not line.startswith("> texts in ")
        for library_match in [LIBRARY.keyword(line.removeprefix("> texts "), None)[0]]
    }
    assert sorted(SCRIPT.texts.keys() - named - {SCRIPT.of_sent_code}) == []


def test_a_changed_outcome_is_shown_line_by_line() -> None:
    played = play(LIBRARY, "# a remark\n> dials\n< greeting, topics\n> presses *\n< the call ends\n")
    assert isinstance(played, Difference)
    assert played.text.splitlines() == [
        "  # a remark",
        "  > dials",
        "- < greeting, topics",
        "+ < greeting, main",
        "  > presses *",
        "  < the call ends",
    ]
    assert isinstance(play(LIBRARY, played.actual), Transcript)


def test_a_transcript_shows_what_is_really_said_and_sent() -> None:
    played = play(
        LIBRARY,
        "> dials\n< greeting, main\n> texts in zawgyi ရပ်\n= never contacted again\n< text: stopped (zawgyi)\n",
    )
    assert LIBRARY.voice("my", "greeting").text in played.text
    assert LIBRARY.sms("my", "stopped", "zawgyi") in played.text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("> sings", "nobody knows how a person 'sings'"),
        (": full moon", "'full moon' is nothing the script asks for"),
        ("dials", "a line begins with one of"),
        ("> presses 1", "there is no call"),
        ("> dials\n> presses *\n> presses 1", "line 3: the call is over already"),
    ],
)
def test_a_line_nobody_can_play_is_named_with_its_number(line: str, words: str) -> None:
    with pytest.raises(DialogueError, match=words):
        play(LIBRARY, line)


def test_the_dialogue_in_the_documentation_goes_as_written() -> None:
    page = (Path(__file__).parents[2] / "docs" / "content.md").read_text()
    dialogue = page.partition("```text\n")[2].partition("```")[0]
    assert isinstance(play(LIBRARY, dialogue), Transcript)
