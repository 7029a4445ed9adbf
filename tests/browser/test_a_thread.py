"""A short thread between two phones' ends: she texts, a counselor answers, and it is on her phone."""

from pathlib import Path

import pytest
from browser.conftest import CHROMIUM, Demo
from browser.test_the_first_five_minutes import sign_in
from browser_pictures import picture
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.own_demo(HOTLINE_FEATURES="threads")]
PLEA = "ကျွန်မ အိမ်မပြန်ရဲဘူး"
ANSWER = "အခု ဘေးကင်းလား။ ဖြေနိုင်ရင် ဖြေပါ။"


def test_she_texts_and_is_answered_on_her_phone(
    browser: Browser, page: Page, demo: Demo, pictures: Path
) -> None:
    assert CHROMIUM
    phones = browser.new_context(locale="en").new_page()
    phones.goto(demo.phones)
    phones.locator("#words-caller").fill(PLEA)
    phones.locator("#text-caller button").click()
    expect(phones.locator("#caller .texts ol")).to_contain_text("စာ ရောက်ပါပြီ", timeout=20_000)

    sign_in(page, demo, "counselor")
    expect(page.get_by_role("heading", name="Texts to answer")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Take").click()
    page.get_by_role("link", name="Texts").click()
    expect(page.locator(".texts .hers")).to_contain_text(PLEA)
    page.locator("#text").fill("ring 09 790 001 002")
    page.get_by_role("button", name="Check it first").click()
    expect(page.get_by_text("Numbers do not belong in a text.")).to_be_visible()
    page.locator("#text").fill(ANSWER)
    expect(page.locator("#size")).to_have_text(f"{len(ANSWER)} / 70 · 1/3")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".texts .ours")).to_contain_text(ANSWER)
    expect(phones.locator("#caller .texts ol")).to_contain_text(ANSWER, timeout=30_000)
    page.wait_for_timeout(3_000)
    page.reload()
    expect(page.locator(".texts .ours")).to_contain_text("on their phone")
    picture(page, pictures / "thread.png", full_page=True)
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    picture(page, pictures / "thread-phone.png", full_page=True)
    phones.context.close()
