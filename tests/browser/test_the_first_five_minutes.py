"""A newcomer asks on one phone, claims in the console, and is joined on the other."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from browser.conftest import Demo
from browser_pictures import picture
from playwright.sync_api import BrowserContext, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SMALL = {"width": 1000, "height": 620}  # a picture without much that is empty


def press(page: Page, phone: str, key: str) -> None:
    page.locator(f"#{phone} [data-key='{key}']").click()


def heard(page: Page, phone: str, words: str | re.Pattern[str]) -> None:
    expect(page.locator(f"#{phone} .heard")).to_contain_text(words, timeout=20_000)


def sign_in(page: Page, demo: Demo, alias: str) -> None:
    page.goto(demo.console)
    form = page.locator("form", has=page.locator(f"input[name=alias][value={alias}]")).first
    form.get_by_role("button").click()
    page.wait_for_url("**/queue")


def second(page: Page) -> Page:
    """Another window of the same browser."""
    context: BrowserContext = page.context
    return context.new_page()


@pytest.mark.first_start
def test_ring_claim_talk(page: Page, demo: Demo, pictures: Path) -> None:
    phones = page
    phones.goto(demo.phones)
    phones.locator("#caller [data-dial]").first.click()
    heard(phones, "caller", "Hello")
    press(phones, "caller", "1")
    heard(phones, "caller", "Your phone company sees this call")
    press(phones, "caller", "1")
    heard(phones, "caller", "kept for 45 minutes")
    press(phones, "caller", "5")
    heard(phones, "caller", "It is written down")
    phones.locator("#caller .red").click()

    console = second(page)
    console.set_viewport_size(SMALL)
    sign_in(console, demo, "counselor")
    console.get_by_role("button", name="Take").first.click()
    console.locator("#call").click()
    expect(console.locator(".state")).to_contain_text("Your phone rings now")
    picture(console, pictures / "console-case.png", full_page=True)

    expect(phones.locator("#counselor .status")).to_contain_text(re.compile("ring", re.IGNORECASE))
    phones.locator("#counselor .green").click()
    heard(phones, "counselor", re.compile("press 1", re.IGNORECASE))
    press(phones, "counselor", "1")
    phones.wait_for_timeout(2500)
    press(phones, "counselor", "1")
    expect(phones.locator("#caller .status")).to_contain_text(
        re.compile("ring", re.IGNORECASE), timeout=20_000
    )
    phones.locator("#caller .green").click()
    heard(phones, "caller", "press your number")
    press(phones, "caller", "5")
    expect(console.locator(".state")).to_contain_text("You are joined", timeout=20_000)
    phones.bring_to_front()
    phones.wait_for_timeout(1500)
    picture(phones, pictures / "simulator.png", full_page=True)
    phones.locator("#caller .red").click()

    expect(console.get_by_text("You talked. Please say how it went.")).to_be_visible(timeout=20_000)
    console.locator("#note").fill("တစ်ပတ်နေရင် ပြန်ခေါ်ပါ")
    console.locator("button[name=outcome][value=done]").click()
    console.goto(demo.console)
    expect(console.get_by_text("Nobody waits just now.")).to_be_visible()
    picture(console, pictures / "console-empty.png")
    expect(phones.locator("#faults .none")).to_be_visible()
    with closing(sqlite3.connect(demo.folder / "hotline.db")) as database:
        assert database.execute("SELECT state FROM callbacks").fetchall() == [("done",)]


def test_a_text_is_answered_on_the_handset(page: Page, demo: Demo) -> None:
    page.goto(demo.phones)
    page.locator("#words-caller").fill("11")
    page.locator("#text-caller button").click()
    expect(page.locator("#caller .texts ol")).to_contain_text("မှတ်ပြီးပါပြီ", timeout=15_000)


def test_what_is_withheld_is_said_with_its_reason(page: Page, demo: Demo) -> None:
    page.goto(demo.phones)
    page.locator("[data-skip=night]").click()
    expect(page.locator("#reasons ul")).to_contain_text("Quiet hours until 07:00", timeout=15_000)
    page.locator("#reset").click()


def test_the_queue_shows_who_waits_and_a_second_person_approves_a_programme(
    page: Page, demo: Demo, pictures: Path
) -> None:
    page.goto(demo.phones)
    for words in ("11",):
        page.locator("#words-caller").fill(words)
        page.locator("#text-caller button").click()
    expect(page.locator("#caller .texts ol")).to_contain_text("မှတ်ပြီးပါပြီ", timeout=15_000)
    sign_in(page, demo, "counselor")
    expect(page.get_by_role("button", name="Take")).to_be_visible()
    page.set_viewport_size(SMALL)
    picture(page, pictures / "console.png")
    page.get_by_role("link", name="Programmes").click()
    page.get_by_role("link", name=re.compile("Clean water")).first.click()
    expect(page.locator("audio").first).to_be_attached()
    picture(page, pictures / "programme.png")
    page.get_by_role("button", name=re.compile("Approve")).click()
    page.goto(demo.phones)
    page.locator("#caller [data-dial]").first.click()
    heard(page, "caller", "Hello")
    press(page, "caller", "3")
    heard(page, "caller", "ရေကို သောက်ခါနီး")
    page.locator("#caller .red").click()
