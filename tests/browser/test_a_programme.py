"""In a real browser: a programme is written in one language, spoken in the other, approved, sent and counted."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from browser.conftest import Demo, later
from browser.test_a_voice_for_a_wording import browser, sign_in  # noqa: F401 - with a microphone
from browser.test_the_first_five_minutes import heard, press, second
from browser_pictures import picture
from playwright.sync_api import Browser, Page, expect

from gateway.services.opting_in import ENGAGED

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TEXT = "ရေကို ဆူအောင် တည်ပါ။ အဖုံးပါတဲ့ ဘူးထဲ ထည့်ပါ။ လက်ကို ဆပ်ပြာနဲ့ ဆေးပါ။"


def ask_for_calls(phones: Page, demo: Demo) -> None:
    """On the simulated phone: ask, be rung once, press the own key."""
    phones.locator("#caller [data-dial]").first.click()
    heard(phones, "caller", "Hello")
    press(phones, "caller", "8")
    heard(phones, "caller", "For 30 days we will ring this phone")
    press(phones, "caller", "1")
    heard(phones, "caller", "Choose a number of your own")
    press(phones, "caller", "5")
    heard(phones, "caller", "First we ring you once")
    phones.locator("#caller .red").click()
    later(demo, ENGAGED)  # her phone may still be busy with her own call
    answer(phones)
    heard(phones, "caller", "For 30 days you will be rung")
    phones.locator("#caller .red").click()


def answer(phones: Page) -> None:
    expect(phones.locator("#caller .status")).to_contain_text(
        re.compile("ring", re.IGNORECASE), timeout=60_000
    )
    phones.locator("#caller .green").click()
    heard(phones, "caller", "press your number")
    press(phones, "caller", "5")


def test_write_record_listen_approve_launch_results(
    browser: Browser,  # noqa: F811 - the fixture
    page: Page,
    demo: Demo,
    pictures: Path,
) -> None:
    sign_in(page, demo, "coordinator")
    page.goto(f"{demo.console}programmes/new")
    page.locator("#title").fill("Clean water, short")
    page.locator("#last_day").fill((datetime.now(UTC) + timedelta(days=20)).date().isoformat())
    page.locator("#text_my").fill(TEXT)
    page.locator("#voice_en").click()
    page.locator("#record_en").click()
    expect(page.locator(".bring output").nth(1)).to_have_text("3 s", timeout=20_000)
    page.locator("#stop_en").click()
    expect(page.locator("#record_en")).to_be_visible()
    picture(page, pictures / "console-programme-new.png", full_page=True)
    page.locator("#keep").click()
    expect(page.locator("#whole")).to_be_visible(timeout=90_000)
    expect(page.locator("svg.wave")).to_be_visible()
    expect(page.get_by_text("You wrote this.")).to_be_visible()
    version = page.url

    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en")
    other = context.new_page()
    sign_in(other, demo, "counselor")
    other.goto(version)
    seconds = other.evaluate(
        """async () => {
          const sound = document.getElementById("whole");
          await sound.play();
          sound.pause();
          return sound.duration;
        }"""
    )
    assert 3 < seconds < 60
    picture(other, pictures / "console-programme-approve.png", full_page=True)
    other.locator("#approve").click()
    expect(other.locator(".told.yes")).to_contain_text("exactly this sound may be heard")
    other.get_by_role("link", name="English · version 1").click()
    expect(other.get_by_text("A person's voice, without its words.")).to_be_visible()
    other.locator("#approve").click()
    expect(other.locator(".told.yes")).to_contain_text("exactly this sound may be heard")

    phones = second(page)
    phones.goto(demo.phones)
    ask_for_calls(phones, demo)

    page.goto(version)
    page.locator("#plan").click()
    expect(page.get_by_text("Would be rung: <5")).to_be_visible()
    page.locator("#launch").click()
    answer(phones)
    heard(phones, "caller", re.compile("programme|ရေကို"))
    picture(phones, pictures / "simulator-programme.png")
    phones.locator("#caller .red").click()
    expect(page.locator("#live")).to_contain_text("finished", timeout=60_000)
    picture(page, pictures / "console-programme-results.png", full_page=True)

    page.goto(version)
    page.locator("#change").click()
    page.locator("#text_my").fill(TEXT.replace("လက်ကို", "စားခါနီး လက်ကို"))
    page.locator("#keep").click()
    expect(page.locator("ins")).to_have_count(1)
    expect(page.locator("del")).to_have_count(1)
    picture(page, pictures / "console-programme-versions.png", full_page=True)
    context.close()
