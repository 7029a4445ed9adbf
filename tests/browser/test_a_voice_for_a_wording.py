"""In a real browser: a coordinator records a wording and changes another one; a second person listens and decides."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.conftest import ARGUMENTS, CHROMIUM, Demo
from browser_pictures import picture
from playwright.sync_api import Browser, Page, expect, sync_playwright

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.own_demo]
MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@pytest.fixture
def browser() -> Iterator[Browser]:
    """With a microphone that beeps once a second, and leave to use it."""
    if CHROMIUM is None:
        pytest.skip("NO BROWSER HERE: the browser tests were not run (install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *MICROPHONE])
        yield browser
        browser.close()


def sign_in(page: Page, demo: Demo, alias: str) -> None:
    page.goto(demo.console)
    form = page.locator("form", has=page.locator(f"input[name=alias][value={alias}]")).first
    form.get_by_role("button").click()
    page.wait_for_url("**/queue")


def test_a_wording_is_recorded_another_changed_and_a_second_person_decides(
    browser: Browser, page: Page, demo: Demo, pictures: Path
) -> None:
    wordings = f"{demo.console}wordings"
    sign_in(page, demo, "coordinator")
    page.goto(f"{wordings}/en/voice/goodbye")
    page.locator("#record").click()
    expect(page.locator("#recorded")).to_have_text("3 s", timeout=20_000)
    page.locator("#stop").click()
    expect(page.locator("#record")).to_be_visible()
    page.locator("#send").click()
    expect(page.locator(".told.yes")).to_contain_text("Another person must listen")
    page.goto(f"{wordings}/en/voice/too_many")
    page.locator("#text").fill("That did not work. Please ring again later.")
    page.locator("#keep").click()
    expect(page.locator(".told.yes")).to_contain_text("Kept in the draft")
    picture(page, pictures / "console-wording.png")

    other = browser.new_context(viewport={"width": 390, "height": 844}, locale="en").new_page()
    sign_in(other, demo, "counselor")
    other.goto(f"{wordings}/en/voice/goodbye")
    other.locator("#approve-recording").click()
    expect(other.locator(".told.yes")).to_contain_text("callers hear this voice")
    other.goto(f"{wordings}/draft")
    expect(other.locator("ins").first).to_be_visible()
    other.locator("#publish").wait_for(timeout=30_000)
    picture(other, pictures / "console-draft.png", full_page=True)
    other.locator("#publish").click()
    expect(other.locator(".told.yes")).to_contain_text("Published.")
    other.goto(f"{wordings}?language=en&review=recorded")
    expect(other.locator("tbody tr")).to_have_count(1)
    expect(other.locator("tbody tr")).to_contain_text("a recording")
