import shutil
from collections import defaultdict
from collections.abc import Callable
from itertools import chain, product
from pathlib import Path

import pytest

import prompts
from ivr.burmese.encodings import Encoding, unicode_to_zawgyi
from ivr.burmese.folding import fold
from ivr.burmese.keywords import one_slip_apart
from prompts.library import EXTRA_VOICE, Library, PackError

SHIPPED = Path(prompts.__file__).parent
LIBRARY = Library.load()


def shipped_files() -> dict[str, bytes]:
    files = [*SHIPPED.glob("*.toml"), *SHIPPED.glob("*/*.toml")]
    return {file.relative_to(SHIPPED).as_posix(): file.read_bytes() for file in files}


def edited(file: str, old: str, new: str) -> dict[str, bytes]:
    """The shipped pack with one place of one file written differently."""
    files = shipped_files()
    text = files[file].decode()
    assert old in text
    return files | {file: text.replace(old, new, 1).encode()}


def problems(files: dict[str, bytes]) -> list[str]:
    with pytest.raises(PackError) as raised:
        Library.read(files)
    return [str(problem) for problem in raised.value.problems]


def test_burmese_comes_first() -> None:
    assert LIBRARY.languages == ("my", "en")


def test_a_pack_in_another_folder_is_read_the_same(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "pack", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    assert Library.load(tmp_path / "pack").voices == LIBRARY.voices


def test_everything_spoken_has_a_text_in_every_language() -> None:
    for language in LIBRARY.languages:
        spoken = LIBRARY.spoken(language)
        assert set(EXTRA_VOICE) <= spoken.keys()
        assert {f"digit.{digit}" for digit in range(10)} <= spoken.keys()
        assert {"handle.mango", "handle.river"} <= spoken.keys()
        assert all(spoken.values())


def test_an_unknown_language_is_answered_in_the_first_one() -> None:
    assert LIBRARY.voice("fr", "main") == LIBRARY.voice("my", "main")
    assert LIBRARY.sms("fr", "stopped", "unicode") == LIBRARY.sms("my", "stopped", "unicode")


def test_an_answer_comes_in_the_letters_the_phone_can_show() -> None:
    text = LIBRARY.sms("my", "stopped", "unicode")
    assert LIBRARY.sms("my", "stopped", "zawgyi") == unicode_to_zawgyi(text)
    assert LIBRARY.sms("my", "stopped", "latin").isascii()


def test_the_three_sample_lines_are_the_same_whatever_the_phone_shows() -> None:
    for display in ("unicode", "zawgyi", "latin"):
        lines = LIBRARY.sms("my", "display", display).splitlines()
        assert lines[0].removeprefix("51 ") == "မြန်မာစာ"
        assert lines[1].removeprefix("52 ") == unicode_to_zawgyi("မြန်မာစာ")
        assert lines[2].startswith("53 ")
        assert lines[2].isascii()


@pytest.mark.parametrize(
    ("text", "name", "language"),
    [
        ("11", "ask_hour", None),
        ("၁၁", "ask_hour", None),
        ("ဖုန်းခေါ်ပါ", "how", "my"),
        ("yat", "stop", "my"),
        ("call me please", "how", "en"),
        ("ENGLISH", "english", "en"),
        ("မြန်မာလို", "burmese", "my"),
        ("STOP", "provider_stop", "en"),
        ("အရပ်သား", None, None),
        ("", None, None),
    ],
)
def test_a_word_means_what_its_table_says_in_the_language_of_its_table(
    text: str, name: str | None, language: str | None
) -> None:
    match, said_in = LIBRARY.keyword(text, None)
    assert (match.name, said_in) == (name, language)


@pytest.mark.parametrize(
    "text",
    [
        "ဖုန်းပြန်ခေါ်ပေးပါ",
        "ခေါ်ပါရှင့်",
        "ကျွန်မကို ဖုန်းခေါ်ပေးပါရှင်",
        "အမြန်ဖုန်းခေါ်ပါ။",
        "ဖုန်းခေါ်ပေးလို့ ရမလား?",
        "ဖုံးခေါ်ပါ",
        "Phone khaw pay par",
        "Please call me!!",
        "can you call me pls?",
    ],
)
def test_pleas_to_be_rung_are_understood(text: str) -> None:
    for typed in (text, unicode_to_zawgyi(text)):
        assert LIBRARY.keyword(typed, None)[0].name == "how"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("11 အခု", "ask_hour"),
        ("၁၄ ညနေ", "ask_evening"),
        ("99 yat", "stop"),
        ("yat pa", "stop"),
        ("မခေါ်ပါနဲ့တော့", "stop"),
        ("77 ဖျက်", "forget"),
    ],
)
def test_a_line_of_the_list_sent_back_means_its_code(text: str, name: str) -> None:
    assert LIBRARY.keyword(text, None)[0].name == name


def test_two_meanings_of_one_key_are_named_with_their_menu_and_line() -> None:
    (found,) = problems(
        edited("script.toml", 'keys.7 = "topic_legal"', 'keys.7 = "topic_legal"\nkeys.7 = "topic_food"')
    )
    assert found.startswith(
        "script.toml: menus.topics: says twice what one key or name means, again at line "
    )
    assert found.endswith('“keys.7 = "topic_food"”')


def test_no_trap_means_anything() -> None:
    traps = (Path(__file__).parents[1] / "data" / "traps.txt").read_text(encoding="utf-8").splitlines()
    for trap in traps:
        if trap and not trap.startswith("# "):
            for typed in (trap, unicode_to_zawgyi(trap)):
                assert LIBRARY.keyword(typed, None)[0].name is None, typed


@pytest.mark.parametrize("write", [fold, lambda word: fold(unicode_to_zawgyi(word))])
def test_no_shipped_word_and_ending_lies_one_slip_from_one_that_stops_or_forgets(
    write: Callable[[str], str],
) -> None:
    sources = (LIBRARY.codes, *LIBRARY.words.values())
    endings = ["", *(ending for source in sources for ending in source.endings)]
    typed = [
        (name in {"stop", "provider_stop", "forget"}, write(word + ending))
        for source in sources
        for name, given in source.words.items()
        for word, ending in product(given, endings)
    ]
    ending_it, harmless = ({said for ends, said in typed if ends is which} for which in (True, False))
    near: defaultdict[str, set[str]] = defaultdict(set)
    for said in ending_it:
        for short in without_one_sign(said):
            near[short].add(said)
    assert len(harmless) > 1000
    for said in harmless:
        # Whatever lies within a slip is alike once a sign is left out of one or of both.
        for other in chain.from_iterable(near.get(short, ()) for short in without_one_sign(said)):
            assert not one_slip_apart(said, other), (said, other)


def without_one_sign(said: str) -> set[str]:
    return {said[:at] + said[at + 1 :] for at in range(len(said) + 1)}


@pytest.mark.parametrize("text", ["မခေါ်ပါနဲ့တော့", "ဖုန်းမခေါ်ပါနဲ့တော့ ရှင်", unicode_to_zawgyi("မပို့ပါနဲ့တော့")])
def test_do_not_any_more_is_an_end(text: str) -> None:
    assert LIBRARY.keyword(text, None)[0].name == "stop"


def test_a_zawgyi_word_is_known_and_its_encoding_told() -> None:
    match, language = LIBRARY.keyword(unicode_to_zawgyi("ရပ်ပါ"), None)
    assert (match.name, match.encoding, language) == ("stop", Encoding.ZAWGYI, "my")


def test_there_are_more_than_a_thousand_handles_and_swapping_the_words_makes_none() -> None:
    handles = set(LIBRARY.handles)
    assert len(handles) == len(LIBRARY.handles) >= 1024
    assert not handles & {"-".join(reversed(handle.split("-"))) for handle in handles}
    assert LIBRARY.handle_words("mango-river", "my") == ("သရက်သီး", "မြစ်")
    assert LIBRARY.handle_words("mango-river", "en") == ("mango", "river")


# --- packs that cannot be used ------------------------------------------------------------------------


def test_a_missing_wording_is_named_with_its_file_and_key() -> None:
    found = problems(edited("en/texts.toml", "[voice.truth]", "[voice.truht]"))
    assert found == [
        "en/texts.toml: voice.truth: this wording is missing",
        "en/texts.toml: voice.truht: nothing in the script asks for this wording",
    ]


def test_all_faults_come_at_once() -> None:
    files = edited("my/texts.toml", 'review = "draft"', 'review = "finished"')
    files |= {
        "handles.toml": b"[first]\nMango = 1\n",
        "en/keywords.toml": b"endings = 5\n[words]\nfly = ['fly']",
    }
    found = problems(files)
    assert "my/texts.toml: voice.greeting.review: must be one of draft, reviewed, recorded" in found
    assert "handles.toml: first.Mango: must be one English word in small letters" in found
    assert "handles.toml: second: there are no words here" in found
    assert "en/keywords.toml: words.fly: there is no such name under [texts] of script.toml" in found
    assert "en/keywords.toml: endings: must be a list of words in quotes" in found


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("my/texts.toml", b"[voice", "cannot be read"),
        ("my/texts.toml", "text".encode("utf-16"), "is not UTF-8 text"),
        ("codes.toml", None, "this file is missing"),
        ("script.toml", b"[menus]\nmain = 5", "menus.main: must be a table"),
        ("my/texts.toml", b"voice = 5", "voice: must be a table"),
        ("my/texts.toml", b"[sound]", "sound: is not known here"),
        ("handles.toml", b"first = 5", "first: must be a table"),
        ("en/keywords.toml", b"words = 5", "words: must be a table"),
    ],
)
def test_a_file_nobody_can_read_is_named(file: str, text: bytes | None, words: str) -> None:
    files = shipped_files()
    if text is None:
        del files[file]
    else:
        files[file] = text
    assert any(line.startswith(f"{file}: ") and words in line for line in problems(files))


def test_of_a_file_nobody_can_read_nothing_else_is_said() -> None:
    files = shipped_files() | {"my/texts.toml": b"[voice"}
    assert len(problems(files)) == 1


def test_a_pack_without_a_language_is_none() -> None:
    assert problems({"script.toml": shipped_files()["script.toml"]}) == [
        "my/texts.toml: there is no language in this pack"
    ]


def test_an_answer_without_latin_letters_is_refused() -> None:
    latin = 'latin = "Phone pyan khaw pay naing par tae. 1 po par. Sayin 0 po par."'
    found = problems(edited("my/texts.toml", latin, ""))
    assert found == ["my/texts.toml: sms.neutral: has no `latin` for phones that show no Burmese"]


def test_one_word_cannot_mean_two_things_even_in_two_languages() -> None:
    found = problems(edited("en/keywords.toml", '"phone"', '"phone", "yat"'))
    assert "“yat” stands for both my:stop and en:how" in found[0]


@pytest.mark.parametrize(
    ("code", "slip"),
    [("89", "“89” (:opt_in) into “99” (:stop)"), ("76", "“76” (:opt_in) into “77” (:forget)")],
)
def test_no_word_may_lie_one_slip_of_a_character_from_stop_or_forget(code: str, slip: str) -> None:
    assert slip in problems(edited("codes.toml", '["88"]', f'["{code}"]'))[0]


def test_a_word_must_not_stand_in_both_halves_of_a_handle() -> None:
    found = problems(
        edited("handles.toml", "[second]", '[second]\nmango = { my = "x", en = "x", review = "draft" }')
    )
    assert found == [
        "handles.toml: second.mango: stands among the first words too; swapped halves must not be a handle"
    ]
