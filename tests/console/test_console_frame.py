import gzip
import re
from pathlib import Path

import pytest
from console.browser import Browser, Person
from flask import Flask

from gateway.errors import StoreDown
from gateway.factory import create_app
from gateway.runtime import Runtime, build_runtime
from gateway.store.counselors import Role

PAGES = (
    "/queue",
    "/kept",
    "/services",
    "/services/new",
    "/guidance",
    "/guidance/danger",
    "/practice",
    "/practice/food/ring",
    "/programmes",
    "/programmes/new",
    "/wordings",
    "/wordings/en/voice/main",
    "/wordings/draft",
    "/wordings/versions",
    "/people",
    "/standing",
    "/sign-in",
    "/nothing",
)


@pytest.fixture
def lead(person: Person) -> Browser:
    return person("lead", Role.COORDINATOR)


@pytest.mark.promise(28)
@pytest.mark.parametrize("path", PAGES)
def test_every_page_wears_the_headers_and_keeps_nothing(lead: Browser, path: str) -> None:
    headers = lead.get(path).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]


@pytest.mark.promise(28)
@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_anything_inline_or_from_elsewhere(lead: Browser, path: str) -> None:
    page = lead.get(path).text
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]+src=)", page)
    assert not re.findall(r'(?:src|href|action)="(?![/#])[^"]*"', page)


@pytest.mark.parametrize("path", PAGES)
def test_nothing_on_the_screen_names_a_hotline(lead: Browser, path: str) -> None:
    page = lead.get(path).text
    assert "<title>Notes</title>" in page
    assert not re.search(r"hotline|myanmar\b", re.sub(r"<[^>]+>", "", page), re.IGNORECASE)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_in_burmese_too(lead: Browser, path: str) -> None:
    page = lead.get(f"{path}?lang=my")
    assert page.status_code < 500
    assert '<html lang="my">' in page.text
    assert "%(" not in page.text


def test_a_form_without_its_token_changes_nothing(lead: Browser) -> None:
    lead.get("/queue")
    lead.last = None
    page = lead.post("/shift", on="1")
    assert page.status_code == 400
    assert "open for too long" in page.text
    assert "You are off shift" in lead.get("/queue").text


def test_another_site_cannot_press_our_buttons(lead: Browser) -> None:
    token = re.search(r'name="csrf_token" value="([^"]+)"', lead.get("/queue").text)
    answer = lead.client.post(
        "/console/shift",
        data={"csrf_token": token.group(1), "on": "1"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 400


@pytest.mark.promise(28)
def test_one_persons_token_is_not_anothers(lead: Browser, person: Person) -> None:
    person("mya")
    stranger = person("hla")
    lead.get("/queue")
    stranger.last = lead.last
    assert stranger.post("/shift", on="1").status_code == 400


def test_too_much_is_refused(lead: Browser) -> None:
    lead.get("/queue")
    assert lead.post("/shift", on="1" * 70_000).status_code == 413


def test_a_method_that_is_not_there_is_refused(lead: Browser) -> None:
    assert lead.client.put("/console/queue").status_code == 405
    assert lead.client.get("/console/shift").status_code in (404, 405)


def test_what_is_not_there_is_said_in_words(lead: Browser) -> None:
    page = lead.get("/nothing/at/all")
    assert page.status_code == 404
    assert "There is nothing here." in page.text


def test_a_counselor_sees_no_way_to_what_is_not_hers(person: Person) -> None:
    mya = person("mya")
    page = mya.get("/queue").text
    for path in ("people", "standing"):
        assert f"/console/{path}" not in page
        assert mya.get(f"/{path}").status_code == 403


def test_pages_are_packed_for_slow_lines(lead: Browser) -> None:
    page = lead.get("/wordings", **{"Accept-Encoding": "gzip"})
    assert page.headers["Content-Encoding"] == "gzip"
    assert b"<!doctype html>" in gzip.decompress(page.data)
    assert len(page.data) < 12_000


def test_our_files_are_kept_by_the_browser_and_change_their_address_with_their_bytes(lead: Browser) -> None:
    address = re.search(r'href="/console(/static/console.css\?v=[0-9a-f]{8})"', lead.get("/queue").text)
    answer = lead.get(address.group(1))
    assert "immutable" in answer.headers["Cache-Control"]
    assert "max-age=31536000" in answer.headers["Cache-Control"]
    assert lead.get("/static/../gates.py").status_code == 404


def test_the_font_is_the_browsers_last_choice_and_has_its_licence_beside_it(lead: Browser) -> None:
    style = lead.get("/static/console.css").text
    assert style.index('local("Noto Sans Myanmar")') < style.index("noto-sans-myanmar.woff2")
    assert lead.get("/static/noto-sans-myanmar.woff2").data[:4] == b"wOF2"
    assert "SIL OPEN FONT LICENSE" in lead.get("/static/noto-sans-myanmar.LICENSE.txt").text


def test_when_the_keystore_is_away_the_page_says_that_nothing_was_changed(
    runtime: Runtime, tmp_path: Path
) -> None:
    for file in tmp_path.glob("keystore.db*"):
        file.unlink()
    away = build_runtime(runtime.settings)
    page = create_app(away).test_client().get("/console/queue", headers={"Accept-Language": "en"})
    away.vault.close()
    away.database.close()
    assert page.status_code == 503
    assert "Nothing was changed." in page.text


def test_when_the_database_is_away_the_page_says_so_too(
    runtime: Runtime, lead: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise StoreDown("away")

    monkeypatch.setattr(runtime.database, "read", away)
    page = lead.get("/queue")
    assert page.status_code == 503
    assert "Nothing was changed." in page.text


def test_a_fault_of_ours_shows_nothing_of_itself(
    runtime: Runtime, lead: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ValueError("secret")

    monkeypatch.setattr(runtime.database, "read", broken)
    page = lead.get("/people")
    assert page.status_code == 500
    assert "secret" not in page.text
    assert "it was our fault" in page.text


def test_outside_of_the_console_no_cookie_is_read_or_set(app: Flask) -> None:
    answer = app.test_client().get("/health/live")
    assert "Set-Cookie" not in answer.headers
    assert "Vary" not in answer.headers
