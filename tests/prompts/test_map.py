import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import combinations, pairwise, permutations

import pytest

from prompts.lettering import width, wrapped
from prompts.library import Library, Review
from prompts.map import GUTTER, PAD, WIDE, Box, Drawing, lay_out, svg
from prompts.map_boxes import Boxes
from prompts.map_words import Words

LIBRARY = Library.load()
SCRIPT = LIBRARY.script
KINDS = [(language, reading) for language in LIBRARY.languages for reading in ("en", "my")]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(params=KINDS, ids="-".join)
def drawing(request: pytest.FixtureRequest) -> Drawing:
    language, reading = request.param
    return lay_out(LIBRARY, language, reading=reading)


def by_name(drawing: Drawing) -> dict[str, Box]:
    return {box.name: box for box in drawing.boxes}


def test_every_menu_is_drawn_exactly_once(drawing: Drawing) -> None:
    assert sorted(box.name for box in drawing.boxes) == sorted(SCRIPT.menus)
    assert {box.name: box.texts[0].text for box in drawing.boxes} == {name: name for name in SCRIPT.menus}


def test_every_option_of_every_menu_is_a_row_of_its_own(drawing: Drawing) -> None:
    for box in drawing.boxes:
        menu = SCRIPT.menus[box.name]
        keyed = sum(len(group) for _, group in groups(box.name))
        single = (menu.other, menu.silent, menu.then, menu.over, menu.nothing, menu.machine)
        goodbye = menu.asks and menu.silent is None
        wanted = keyed + len(menu.own) + len(menu.entry) + sum(one is not None for one in single)
        assert len(box.rows) == wanted + goodbye + bool(menu.left) + bool(menu.reject), box.name


def groups(name: str) -> list[tuple[str, tuple[object, ...]]]:
    """Keys and their options; neighbours that lead to the same are one row."""
    found: list[tuple[str, tuple[object, ...]]] = []
    for key, group in SCRIPT.menus[name].keys.items():
        if not (found and found[-1][1] == group and key.isdecimal() and found[-1][0].isdecimal()):
            found.append((key, group))
        else:
            found[-1] = (key, group)
    return found


def test_every_key_and_every_menu_that_it_leads_to_is_named(drawing: Drawing) -> None:
    for box in drawing.boxes:
        menu = SCRIPT.menus[box.name]
        shown = " ".join(text.text for text in box.texts if text.kind == "key")
        for key in menu.keys:
            spans = re.findall(r"(\d)–(\d)", shown)
            assert key in shown or any(first <= key <= last for first, last in spans), (box.name, key)
        links = {text.to for text in box.texts if text.to}
        assert {one.to for one in menu.options() if one.to in SCRIPT.menus} == links


def test_every_effect_is_marked(drawing: Drawing) -> None:
    for box in drawing.boxes:
        menu = SCRIPT.menus[box.name]
        effects = [name for option in menu.options() for name in option.do] + [*menu.left, *menu.reject]
        marks = sum(text.kind == "do" for text in box.texts)
        assert bool(marks) == bool(effects), box.name


def test_no_box_covers_another(drawing: Drawing) -> None:
    for one, other in combinations(drawing.boxes, 2):
        apart = one.x + WIDE <= other.x or other.x + WIDE <= one.x
        assert apart or one.y + one.height <= other.y or other.y + other.height <= one.y, (
            one.name,
            other.name,
        )


def test_every_letter_stays_in_its_box_and_none_lies_upon_another(drawing: Drawing) -> None:
    for box in drawing.boxes:
        for text in box.texts:
            assert box.x + PAD <= text.x + 0.01, text
            assert text.x + text.width <= box.x + WIDE - PAD + 0.01, text
            assert box.y <= text.top, text
            assert text.top + text.height <= box.y + box.height, text
        for one, other in combinations(box.texts, 2):
            beside = one.x + one.width <= other.x or other.x + other.width <= one.x
            below = one.top + one.height <= other.top + 0.01 or other.top + other.height <= one.top + 0.01
            assert beside or below, (one, other)


def test_headings_lie_upon_nothing(drawing: Drawing) -> None:
    for heading in drawing.headings:
        for box in drawing.boxes:
            assert heading.top + heading.height <= box.y or heading.top >= box.y + box.height
        assert heading.x + heading.width <= drawing.width


def test_lines_run_between_two_columns_and_never_cross(drawing: Drawing) -> None:
    starts = {box.x + WIDE for box in drawing.boxes}
    ends = {box.x for box in drawing.boxes}
    for edge in drawing.edges:
        assert edge.x in starts
        assert edge.to in ends
        assert edge.x < edge.lane < edge.to
    for one, other in permutations(drawing.edges, 2):
        if one.x == other.x:
            low, high = sorted((other.y, other.end))
            assert not (one.x < other.lane < one.lane and low < one.y < high), (one, other)
            assert not (one.lane < other.lane < one.to and low < one.end < high), (one, other)


def test_every_menu_that_is_not_a_start_is_led_to_by_a_line(drawing: Drawing) -> None:
    ends = {(edge.to, edge.end) for edge in drawing.edges}
    for name, box in by_name(drawing).items():
        if name not in SCRIPT.starts.values():
            assert (box.x, box.y + 20) in ends, name


def test_a_menu_that_no_key_leads_to_is_drawn_all_the_same() -> None:
    lost = replace(SCRIPT.menus["harmless"], name="lost")
    library = replace(LIBRARY, script=replace(SCRIPT, menus={**SCRIPT.menus, "lost": lost}))
    drawing = lay_out(library, "my")
    assert by_name(drawing)["lost"]
    assert "No key leads here" in {heading.text for heading in drawing.headings}


def test_a_menu_is_only_as_far_as_its_least_advanced_wording_in_each_language() -> None:
    voices = {
        **LIBRARY.voices,
        "my": {
            key: replace(one, review=Review.DRAFT if key == "when_later" else Review.RECORDED)
            for key, one in LIBRARY.voices["my"].items()
        },
    }
    boxes = Boxes(replace(LIBRARY, voices=voices), "my", Words("en"))
    assert dict(boxes.of(SCRIPT.menus["when"]).reviews)["my"] is Review.DRAFT
    assert dict(boxes.of(SCRIPT.menus["topics"]).reviews) == {"my": Review.RECORDED, "en": Review.DRAFT}


@pytest.mark.parametrize(("language", "reading"), KINDS)
def test_the_picture_is_well_formed_and_brings_nothing_a_strict_page_would_refuse(
    language: str, reading: str
) -> None:
    drawn = svg(LIBRARY, language, reading=reading)
    root = ET.fromstring(drawn)  # noqa: S314 - our own drawing
    assert not re.search(
        r"<style|<script|\sstyle=|\son[a-z]+=|xlink|https?://(?!www\.w3\.org/2000/svg)", drawn
    )
    names = {one.get("id") for one in root.iter(f"{SVG}g")}
    assert {f"menu-{name}" for name in SCRIPT.menus} <= names
    assert {one.get("href", "")[1:] for one in root.iter(f"{SVG}a")} <= names


def test_the_same_map_comes_out_every_time() -> None:
    assert svg(LIBRARY, "my") == svg(LIBRARY, "my")


def test_a_wording_with_signs_of_markup_is_only_letters() -> None:
    evil = replace(LIBRARY.voices["en"]["main"], text='<script>"&')
    voices = {**LIBRARY.voices, "en": {**LIBRARY.voices["en"], "main": evil}}
    drawn = svg(replace(LIBRARY, voices=voices), "en")
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn


@pytest.mark.parametrize(
    "text", ["မေးလို့ရတဲ့သူ ဖုန်းပြန်ခေါ်စေချင်ရင် ၁ နှိပ်ပါ။ " * 5, "Press one to ask. " * 20, "w" * 200]
)
def test_a_long_text_is_broken_to_fit_and_the_rest_is_left_out_with_an_ellipsis(text: str) -> None:
    lines = wrapped(text, 13, 200, most=3)
    assert len(lines) == 3
    assert lines[-1].endswith("…")
    assert all(width(line, 13) <= 200 for line in lines)
    assert not any(re.match("[\u102b-\u103e၊။]", line) for line in lines)


def test_a_short_text_is_left_as_it_is() -> None:
    assert wrapped("ရပ်", 13, 200, most=3) == ["ရပ်"]


def test_columns_follow_each_other_from_left_to_right(drawing: Drawing) -> None:
    columns = sorted({box.x for box in drawing.boxes})
    assert all(round(after - before) == round(WIDE + GUTTER) for before, after in pairwise(columns))
