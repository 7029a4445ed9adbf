from dataclasses import replace

import pytest

from prompts.editing import (
    EditError,
    Spot,
    changes,
    line_changes,
    merged,
    pieces,
    with_wording,
    wordings,
)
from prompts.library import Library, Review, Wording
from prompts.packs import name_of, packed, shipped, unpacked

MAIN = Spot("en", "voice", "main")


def with_text(files: dict[str, bytes], spot: Spot, text: str) -> dict[str, bytes]:
    return with_wording(files, spot, replace(wordings(files)[spot], text=text))


def test_a_pack_comes_out_as_it_went_in_and_has_one_name() -> None:
    pack = packed(shipped())
    assert unpacked(pack) == shipped()
    assert name_of(packed(dict(reversed(shipped().items())))) == name_of(pack)


def test_putting_every_wording_back_changes_no_byte() -> None:
    for spot, wording in wordings(shipped()).items():
        assert with_wording(shipped(), spot, wording) == shipped(), spot


@pytest.mark.parametrize(
    "text", ['“Say” \\ "this"', "two\nlines", "[voice.main]", "# no comment", "မင်္ဂလာပါ။", "\x00\x7f"]
)
def test_any_text_is_kept_as_it_is_and_nothing_else_changes(text: str) -> None:
    try:
        files = with_wording(shipped(), MAIN, Wording(text))
    except EditError:
        assert text == "\x00\x7f"
        return
    assert wordings(files)[MAIN].text == text
    assert [one.spot for one in changes(shipped(), files)] == [MAIN]
    before, after = (pack["en/texts.toml"].decode().splitlines() for pack in (shipped(), files))
    assert [line for line in before if line.startswith("#")] == [
        line for line in after if line.startswith("#") and line != text
    ]
    Library.read(files)


def test_a_wording_in_another_form_is_left_to_its_whole_file() -> None:
    files = {"en/texts.toml": b'voice.main = { text = "Hello", review = "draft" }\n'}
    with pytest.raises(EditError):
        with_wording(files, MAIN, Wording("Good day"))
    with pytest.raises(EditError):
        with_wording({"en/texts.toml": b"[voice"}, MAIN, Wording("Good day"))
    with pytest.raises(EditError):
        with_wording(shipped(), Spot("en", "voice", "nowhere"), Wording("Good day"))


def test_differences_are_shown_by_word_and_in_burmese_by_syllable() -> None:
    assert pieces("press 1 now", "press 2 now") == [
        ("same", "press "), ("gone", "1"), ("new", "2"), ("same", " now"),
    ]  # fmt: skip
    kinds = [kind for kind, _ in pieces("မင်္ဂလာပါ", "မင်္ဂလှပါ")]
    assert kinds == ["same", "gone", "new", "same"]


def test_what_is_no_wording_is_shown_by_line() -> None:
    script = shipped()["script.toml"].decode()
    files = {**shipped(), "script.toml": (script + "\n# more\n").encode()}
    assert changes(shipped(), files) == []
    assert "+# more" in line_changes(shipped(), files)["script.toml"]
    broken = {**shipped(), "en/texts.toml": b"[voice\n"}
    assert "+[voice" in line_changes(shipped(), broken)["en/texts.toml"]


def test_a_newer_pack_keeps_what_was_changed_here() -> None:
    base = dict(shipped())
    when = Spot("en", "voice", "when")
    ours = with_text(base, MAIN, "Ours.")
    theirs = with_text(with_text(base, MAIN, "Theirs."), when, "Newer.")
    theirs["handles.toml"] += b"# newer\n"
    found = merged(base, ours, theirs)
    assert wordings(found)[MAIN] == Wording("Ours.", Review.DRAFT)
    assert wordings(found)[when].text == "Newer."
    assert found["handles.toml"] == theirs["handles.toml"]
    ours["codes.toml"] += b"# ours\n"
    assert merged(base, ours, theirs)["codes.toml"] == ours["codes.toml"]
