"""Changing what the hotline says: a draft, what is wrong with it, a second person, going back."""

import re
from pathlib import Path

import pytest
from console.browser import Browser, Person
from front_door import Hotline, Provider

from gateway.console.gates import COORDINATORS
from gateway.factory import create_app
from gateway.phone import Msisdn
from gateway.runtime import build_runtime
from gateway.services import counselors, publishing
from gateway.store.counselors import Role
from gateway.store.scripts import ScriptState

MAIN = "/wordings/en/voice/main"
LONGER = "Hello. Press 1 to be rung. Press 2 for news. Press 3 to listen."


@pytest.fixture
def hotline(template: Path, tmp_path: Path, provider: Provider) -> Hotline:
    made = Hotline(template, tmp_path / "hotline", provider, HOTLINE_FACES="all")
    publishing.seed(made.runtime)
    return made


@pytest.fixture
def person(hotline: Hotline) -> Person:
    numbers = iter(range(100, 200))

    def make(alias: str, role: Role = Role.COUNSELOR, *, phone: bool = True, language: str = "en") -> Browser:
        number = Msisdn.parse(f"+95 9 790 000 {next(numbers)}")
        counselors.add(hotline.runtime, alias, role, "lantern-ferry-mango", number=number, language=language)
        return Browser(hotline.app.test_client(), hotline.runtime).sign_in(alias)

    return make


@pytest.fixture
def lead(person: Person) -> Browser:
    return person("lead", Role.COORDINATOR)


@pytest.fixture
def second(person: Person) -> Browser:
    return person("mya")


def change(browser: Browser, text: str, path: str = MAIN, **more: str) -> str:
    browser.get(path)
    return browser.post(path, text=text, **({"review": "draft"} | more)).text


def publish(browser: Browser) -> str:
    page = browser.get("/wordings/draft").text
    pack = re.search(r'name="pack" value="([0-9a-f]{64})"', page)
    return browser.post("/wordings/draft/publish", pack=pack.group(1) if pack else "").text


def running(hotline: Hotline) -> tuple[int, str]:
    hotline.runtime.editions.forget()
    edition = hotline.runtime.editions.now()
    return edition.number, edition.library.voice("en", "main").text


def test_a_wording_is_changed_spoken_and_published_by_a_second_person(
    hotline: Hotline, lead: Browser, second: Browser
) -> None:
    before = running(hotline)
    assert "Kept in the draft" in change(lead, LONGER)
    assert running(hotline) == before
    page = second.get("/wordings/draft").text
    assert "1 sounds are being made" in page
    assert "Publish exactly this" not in page
    hotline.work()
    page = second.get("/wordings/draft").text
    assert "<ins>" in page
    assert "<del>" in page
    assert re.search(r'class="play" href="/audio/[0-9a-f]{64}.mp3"', page)
    assert "Published." in publish(second)
    assert running(hotline) == (2, LONGER)
    assert "There is no draft." in second.get("/wordings/draft").text
    assert "published by mya" in lead.get("/wordings/versions").text


def test_nobody_publishes_a_draft_in_which_they_changed_something(
    hotline: Hotline, lead: Browser, person: Person
) -> None:
    other = person("other", Role.COORDINATOR)
    change(lead, LONGER)
    change(other, "Food, health and law.", "/wordings/en/voice/topics")
    hotline.work()
    for browser in (lead, other):
        assert "Another person must read, listen and publish." in browser.get("/wordings/draft").text
        page = publish(browser)
        assert "Another person must read, listen and publish." in page
    assert running(hotline)[0] == 1


def test_what_changed_meanwhile_is_not_published_unseen(
    hotline: Hotline, lead: Browser, second: Browser
) -> None:
    change(lead, LONGER)
    hotline.work()
    second.get("/wordings/draft")
    seen = second.last
    change(lead, LONGER + " Thank you.")
    hotline.work()
    second.last = seen
    pack = re.search(r'name="pack" value="([0-9a-f]{64})"', seen.text if seen else "")
    assert pack
    page = second.post("/wordings/draft/publish", pack=pack.group(1))
    assert page.status_code == 409
    assert "changed the draft meanwhile" in page.text
    assert running(hotline)[0] == 1


def test_only_coordinators_change_throw_away_and_go_back(
    hotline: Hotline, lead: Browser, second: Browser
) -> None:
    change(lead, LONGER)
    second.get(MAIN)
    assert second.post(MAIN, text="Mine.", review="draft").status_code == 403
    assert second.post("/wordings/draft/discard").status_code == 403
    assert second.post("/wordings/versions/1").status_code == 403
    assert second.get("/wordings/draft/files/script.toml").status_code == 403
    assert COORDINATORS is not None


def test_a_changed_text_is_a_draft_again_and_a_read_one_is_reviewed(hotline: Hotline, lead: Browser) -> None:
    change(lead, LONGER, review="reviewed")
    there = publishing.draft(hotline.runtime)
    assert there
    assert b'review = "reviewed"' not in there[1]["en/texts.toml"]
    change(lead, LONGER, review="reviewed")
    there = publishing.draft(hotline.runtime)
    assert there
    assert there[1]["en/texts.toml"].count(b'review = "reviewed"') == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ring 0 9 4 5 0 1 2 3 4 5 now.", "holds a phone number"),
        ("Look at www.example.org for more.", "holds a link"),
        ("Hello \u200b there.", "holds a sign that nobody sees"),
        (" ".join(["word"] * 60), "seconds to hear"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_key_and_cannot_be_published(
    hotline: Hotline, lead: Browser, second: Browser, text: str, words: str
) -> None:
    before = running(hotline)
    change(lead, text)
    hotline.work()
    page = second.get("/wordings/draft").text
    assert words in page
    assert "en/texts.toml · voice.main" in page
    assert "Publish exactly this" not in page
    there = publishing.draft(hotline.runtime)
    assert there
    answer = second.post("/wordings/draft/publish", pack=there[0].pack)
    assert answer.status_code == 409
    assert "This cannot be published yet." in answer.text
    assert running(hotline) == before


@pytest.mark.parametrize(
    ("file", "broken", "words"),
    [
        ("script.toml", "[menus.main", "script.toml</code> cannot be read"),
        ("en/texts.toml", "", "this wording is missing"),
        ("script.toml", "greeting = 5", "script.toml"),
        ("codes.toml", "\ud800", "codes.toml"),
    ],
)
def test_a_broken_file_is_kept_and_shown_and_refused(
    hotline: Hotline, lead: Browser, second: Browser, file: str, broken: str, words: str
) -> None:
    before = running(hotline)
    lead.get("/wordings/draft")
    lead.post("/wordings/draft")
    lead.get(f"/wordings/draft/files/{file}")
    pack = re.search(r'name="pack" value="([0-9a-f]{64})"', lead.last.text if lead.last else "")
    assert pack
    sent = broken.encode(errors="replace").decode()
    page = lead.post(f"/wordings/draft/files/{file}", text=sent, pack=pack.group(1))
    assert page.status_code == 200
    hotline.work()
    assert words in second.get("/wordings/draft").text
    there = publishing.draft(hotline.runtime)
    assert there
    assert second.post("/wordings/draft/publish", pack=there[0].pack).status_code == 409
    assert running(hotline) == before
    assert hotline.dial().heard


def test_a_file_that_somebody_changed_meanwhile_is_not_overwritten(hotline: Hotline, lead: Browser) -> None:
    change(lead, LONGER)
    page = lead.get("/wordings/draft/files/codes.toml").text
    pack = re.search(r'name="pack" value="([0-9a-f]{64})"', page)
    assert pack
    change(lead, LONGER + " Thank you.")
    lead.get("/wordings/draft/files/codes.toml")
    answer = lead.post("/wordings/draft/files/codes.toml", text="# mine", pack=pack.group(1))
    assert answer.status_code == 409
    assert "# mine" in answer.text


def test_a_wording_that_somebody_changed_meanwhile_is_shown_and_not_overwritten(
    hotline: Hotline, lead: Browser, person: Person
) -> None:
    page = lead.get(MAIN)
    seen = re.search(r'name="seen" value="([0-9a-f]{64})"', page.text)
    assert seen
    change(person("other", Role.COORDINATOR), LONGER)
    answer = lead.post(MAIN, text="Mine.", review="draft", seen=seen.group(1))
    assert answer.status_code == 409
    assert "changed the draft meanwhile" in answer.text
    assert LONGER in answer.text
    assert "Mine.</textarea>" in answer.text
    again = re.search(r'name="seen" value="([0-9a-f]{64})"', answer.text)
    assert again
    assert "Kept in the draft" in lead.post(MAIN, text="Ours.", review="draft", seen=again.group(1)).text


def test_an_earlier_version_runs_again_at_once(hotline: Hotline, lead: Browser, second: Browser) -> None:
    first = running(hotline)
    change(lead, LONGER)
    hotline.work()
    publish(second)
    assert running(hotline) == (2, LONGER)
    lead.get("/wordings/versions")
    assert "The earlier version runs again" in lead.post("/wordings/versions/1").text
    assert running(hotline) == first
    assert lead.post("/wordings/versions/1").status_code == 409
    assert lead.post("/wordings/versions/99").status_code == 409
    assert lead.post("/wordings/versions/x").status_code == 404


def test_a_draft_can_be_thrown_away(hotline: Hotline, lead: Browser) -> None:
    change(lead, LONGER)
    lead.get("/wordings/draft")
    assert "thrown away" in lead.post("/wordings/draft/discard").text
    assert publishing.draft(hotline.runtime) is None
    with hotline.runtime.database.read() as session:
        from gateway.store import scripts

        assert len(session.execute(scripts.packs.select()).all()) == 1


def test_an_empty_wording_is_not_kept(lead: Browser) -> None:
    assert "The wording is empty." in change(lead, "  \n ")
    assert "far too long" in change(lead, "x" * 5_000)


def test_the_list_shows_what_is_changed_and_by_review(lead: Browser) -> None:
    change(lead, LONGER)
    page = lead.get("/wordings?language=en&of=voice").text
    assert "changed in the draft" in page
    assert LONGER not in page
    assert "<tr><td>" not in lead.get("/wordings?language=en&review=recorded").text


def test_a_newer_release_offers_itself_and_keeps_what_was_changed_here(
    hotline: Hotline, lead: Browser, second: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(lead, LONGER)
    hotline.work()
    publish(second)
    from prompts import packs

    newer = dict(packs.shipped())
    newer["en/texts.toml"] = newer["en/texts.toml"].replace(b"Thank you. We are", b"Thanks. We are")
    monkeypatch.setattr(packs, "shipped", lambda: newer)
    later = build_runtime(hotline.settings)
    publishing.seed(later)
    assert later.editions.now().number == 2, "a newer pack never runs by itself where people have edited"
    browser = Browser(create_app(later).test_client(), later).sign_in("lead")
    assert "This release brought newer wordings" in browser.get("/wordings").text
    browser.post("/wordings/draft", newer="1")
    there = publishing.look(later)
    assert there
    assert [one.spot.key for one in there.changes] == ["goodbye"]
    assert there.version.state is ScriptState.DRAFT
    later.database.close()
    later.vault.close()
