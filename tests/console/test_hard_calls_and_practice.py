import re

import pytest
from console.browser import Asked, Browser, Person
from sqlalchemy import select

from gateway.console.guides import guides
from gateway.console.practising import END, FIRST, OPENING, cases
from gateway.console.words import OUTCOMES
from gateway.runtime import Runtime
from gateway.services import overview
from gateway.store import callbacks as rows
from gateway.store.audit import audit
from gateway.store.outbox import outbox

BURMESE = re.compile("[\u1000-\u109f]")
SMALL = 15_000  # bytes, unpacked: one page on 2G within seconds


@pytest.fixture
def mya(person: Person) -> Browser:
    return person("mya")


# --- hard calls ---------------------------------------------------------------------------------------


def test_there_is_a_page_for_each_of_the_hard_calls() -> None:
    assert list(guides()) == ["danger", "suicide", "child", "journalist", "planted"]


@pytest.mark.parametrize("topic", list(guides()))
def test_each_is_as_whole_in_burmese_as_in_english(topic: str) -> None:
    one = guides()[topic]
    assert one.texts.keys() == {"en", "my"}
    english, burmese = one.texts["en"], one.texts["my"]
    for part in ("do", "say", "never"):
        assert len(getattr(english, part)) == len(getattr(burmese, part)) > 0
        assert all(BURMESE.search(line) for line in getattr(burmese, part))
    assert one.review in ("draft", "reviewed")


def test_each_page_is_small_says_that_it_is_a_draft_and_never_needs_script(mya: Browser) -> None:
    for language in ("en", "my"):
        for topic, guide in guides().items():
            page = mya.get(f"/guidance/{topic}?lang={language}")
            assert guide.texts[language].title in page.text
            assert guide.texts[language].never[0] in page.text
            assert 'class="tag draft"' in page.text
            assert len(page.data) < SMALL


def test_from_a_case_it_is_one_press_or_one_key_and_one_back_and_only_an_id_is_taken(
    mya: Browser, asked: Asked
) -> None:
    case = asked()
    page = mya.get(f"/cases/{case}").text
    assert f'accesskey="g" href="/console/guidance?case={case}"' in page
    assert f'href="/console/guidance/danger?case={case}"' in mya.get(f"/guidance?case={case}").text
    assert f'href="/console/cases/{case}"' in mya.get(f"/guidance/danger?case={case}").text
    page = mya.get('/guidance/danger?case="><b>x').text
    assert "<b>x" not in page
    assert "/console/cases/" not in page
    assert mya.get("/guidance/nothing").status_code == 404


# --- practice -----------------------------------------------------------------------------------------


def ways_through(key: str) -> list[list[tuple[str, int]]]:
    """Every way of good choices from the first ring to the end."""
    one = cases()[key]
    found: list[list[tuple[str, int]]] = []

    def follow(scene: str, so_far: list[tuple[str, int]]) -> None:
        if scene == END:
            found.append(so_far)
            return
        for at, choice in enumerate(one.scenes[scene].choices):
            if choice.good:
                follow(choice.to, [*so_far, (scene, at)])

    follow(FIRST, [])
    return found


@pytest.mark.parametrize("key", list(cases()))
def test_every_invented_call_can_be_brought_to_a_good_end(key: str) -> None:
    one = cases()[key]
    assert OPENING not in cases()
    assert ways_through(key)
    assert one.outcomes.keys() == OUTCOMES.keys()
    assert one.best in one.outcomes
    reached = {FIRST} | {choice.to for scene in one.scenes.values() for choice in scene.choices}
    assert reached - {END} == one.scenes.keys()
    for scene in one.scenes.values():
        assert any(choice.good for choice in scene.choices)
        assert any(not choice.good for choice in scene.choices), "there is something to learn in each"
        for said in (scene.said, *(part for choice in scene.choices for part in (choice.said, choice.why))):
            assert said["en"]
            assert BURMESE.search(said["my"])


def test_every_call_is_played_through_by_links_alone(mya: Browser) -> None:
    for key in cases():
        for language in ("en", "my"):
            play(mya, key, language)


def play(mya: Browser, key: str, language: str) -> None:
    page = mya.get(f"/practice/{key}?lang={language}")
    for scene, at in ways_through(key)[0]:
        choice = cases()[key].scenes[scene].choices[at]
        following = f"/practice/{key}/{choice.to}?chose={at}&amp;from={scene}"
        if scene == FIRST:
            page = mya.get(f"/practice/{key}/{FIRST}")
        assert f'href="/console{following}"' in page.text
        page = mya.get(following.replace("&amp;", "&"))
        assert 'class="practising"' in page.text
        assert len(page.data) < SMALL
    ends = set(re.findall(rf'href="/console(/practice/{key}/end/\w+)"', page.text))
    assert len(ends) == len(OUTCOMES)
    best = cases()[key].best
    assert cases()[key].outcomes[best][language] in mya.get(f"/practice/{key}/end/{best}").text


def test_practice_leaves_no_trace_and_is_not_counted(
    runtime: Runtime, mya: Browser, statements: list[str]
) -> None:
    before = overview.status(runtime)["callbacks"]
    with runtime.database.read() as session:
        done = len(session.execute(select(audit)).all())
    statements.clear()
    for key in cases():
        mya.get(f"/practice/{key}")
        mya.get(f"/practice/{key}/end/done")
    assert not [one for one in statements if one.startswith(("INSERT", "DELETE"))]
    assert overview.status(runtime)["callbacks"] == before
    with runtime.database.read() as session:
        assert len(session.execute(select(audit)).all()) == done
        assert session.execute(select(outbox)).all() == []
        assert session.execute(select(rows.callbacks)).all() == []


def test_invented_people_have_two_words_and_no_number_and_a_wrong_choice_says_why(mya: Browser) -> None:
    page = mya.get("/practice").text
    assert page.count('<b class="handle">') == len(cases())
    assert not re.search(r"\d{7,}", re.sub(r"<[^>]*>", " ", page))
    page = mya.get("/practice/food/joined?chose=1&from=joined").text
    assert 'class="told no"' in page
    assert "that was enough to harm her" in page
    assert mya.get("/practice/food/ring?chose=9&from=ring").status_code == 200
    for path in ("/nobody", "/food/nowhere", "/food/end/nothing"):
        assert mya.get(f"/practice{path}").status_code == 404
