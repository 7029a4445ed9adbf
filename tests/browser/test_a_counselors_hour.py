"""A counselor's hour in a real browser; then with keys alone; then in Burmese, on a small phone, without script."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.conftest import Demo, later
from browser.test_the_first_five_minutes import heard, press, sign_in
from browser_pictures import picture
from playwright.sync_api import Browser, BrowserContext, Page, expect

from gateway.services.pool import HEAD_START

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def window(browser: Browser) -> Iterator[type]:
    """More people: each with a browser of their own."""
    contexts: list[BrowserContext] = []

    def open_one(language: str = "en", size: dict[str, int] | None = None, *, script: bool = True) -> Page:
        context = browser.new_context(
            viewport=size or {"width": 1280, "height": 900}, locale=language, java_script_enabled=script
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        return page

    yield open_one  # type: ignore[misc]
    for context in contexts:
        context.close()


def ask_by_text(phones: Page, code: str) -> None:
    """The caller's handset sends a code; the neutral answer comes back."""
    phones.locator("#words-caller").fill(code)
    phones.locator("#text-caller button").click()
    expect(phones.locator("#caller .texts ol")).to_contain_text("မှတ်ပြီးပါပြီ", timeout=20_000)


def fits(page: Page) -> None:
    """Nothing sticks out sideways: what cannot be seen on a small phone is not there."""
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")


def tab_to(page: Page, wanted: str) -> None:
    """With the Tab key alone, to the first thing that matches; what has the focus shows it."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle !== 'none'")
            return
    pytest.fail(f"no way to {wanted} with the Tab key")


def enter(page: Page) -> None:
    """Press Enter and be on the page that it leads to."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def talk(phones: Page, key: str = "1") -> None:
    """Both phones ring one after the other, both press their keys, the caller hangs up."""
    expect(phones.locator("#counselor .status")).to_contain_text(
        re.compile("ring", re.IGNORECASE), timeout=90_000
    )
    phones.locator("#counselor .green").click()
    heard(phones, "counselor", re.compile("press 1", re.IGNORECASE))
    press(phones, "counselor", "1")
    phones.wait_for_timeout(2500)
    press(phones, "counselor", "1")
    expect(phones.locator("#caller .status")).to_contain_text(
        re.compile("ring", re.IGNORECASE), timeout=30_000
    )
    phones.locator("#caller .green").click()
    heard(phones, "caller", re.compile("press|နှိပ်"))
    press(phones, "caller", key)


def test_an_hour(page: Page, demo: Demo, window: type, pictures: Path) -> None:
    phones = page
    phones.goto(demo.phones)
    mya = window(size={"width": 1000, "height": 640})
    sign_in(mya, demo, "counselor")
    if mya.get_by_role("button", name="Go on shift").count():
        mya.get_by_role("button", name="Go on shift").click()
    expect(mya.locator(".state.on").first).to_be_visible()

    # Somebody is in a hurry; nobody presses anything here, and the phone rings by itself.
    ask_by_text(phones, "11")
    expect(mya.get_by_role("button", name="Take").first).to_be_visible(timeout=30_000)
    expect(mya.locator("p.why").first).to_contain_text("Next:")
    later(demo, HEAD_START)  # whoever looks at the console has that long to take it
    talk(phones)
    mya.goto(demo.console)
    mya.get_by_role("link", name="Go on").click()
    expect(mya.locator(".state.on").last).to_contain_text("You are joined", timeout=20_000)
    phones.locator("#caller .red").click()
    expect(mya.get_by_text("You talked. Please say how it went.")).to_be_visible(timeout=30_000)

    # A hard moment is one key away, a note is kept, and she is told who else helps.
    mya.get_by_role("link", name="Hard calls: what to do").click()
    mya.get_by_role("link", name=re.compile("Danger now")).click()
    expect(mya.get_by_text("Never", exact=True)).to_be_visible()
    picture(mya, pictures / "guidance.png", full_page=True)
    mya.get_by_role("link", name="Back to the case").click()
    mya.locator("#note").fill("တစ်ပတ်နေရင် ပြန်ခေါ်ပါ")
    mya.get_by_role("button", name="Keep the note, go on").click()
    expect(mya.get_by_text("The note is kept.")).to_be_visible()
    mya.get_by_role("link", name="Who else helps").click()
    mya.locator("#q").fill("ဆန်")
    mya.get_by_role("button", name="Look").click()
    expect(mya.locator(".rows > li")).to_have_count(1)
    picture(mya, pictures / "services.png", full_page=True)
    mya.get_by_role("button", name="They were told of it").click()
    mya.locator(".history summary").click()
    expect(mya.locator(".history")).to_contain_text("They were told of:")
    picture(mya, pictures / "case-after-a-talk.png", full_page=True)
    mya.locator("button[name=outcome][value=done]").click()

    kept_for_a_reason(mya, pictures)
    handed_over(phones, mya, demo, window, pictures)


def kept_for_a_reason(mya: Page, pictures: Path) -> None:
    mya.get_by_role("link", name="Kept open").click()
    mya.get_by_role("link", name="Open", exact=True).click()
    mya.locator("#reason").fill("She waits for an answer from the clinic.")
    mya.get_by_role("button", name="Keep it a week from now").click()
    expect(mya.get_by_text("Kept for a week from now.")).to_be_visible()
    picture(mya, pictures / "kept.png", full_page=True)


def handed_over(phones: Page, mya: Page, demo: Demo, window: type, pictures: Path) -> None:
    """The next one from the queue goes to a colleague, who sees it without loading anything."""
    lead = window()
    sign_in(lead, demo, "coordinator")
    ask_by_text(phones, "12")
    mya.goto(demo.console)
    mya.locator(".rows a").first.click()
    mya.locator("#claim").click()
    mya.get_by_role("link", name="Hand it to a colleague").click()
    picture(mya, pictures / "colleagues.png", full_page=True)
    mya.get_by_role("button", name="Ask coordinator").click()
    expect(lead.get_by_text("A colleague asks you to take over")).to_be_visible(timeout=40_000)
    picture(lead, pictures / "offered.png", full_page=True)
    lead.get_by_role("button", name="Yes, I take it").click()
    expect(lead.get_by_text("This one is yours now.")).to_be_visible()
    expect(mya.get_by_text("A colleague is with this request.")).to_be_visible(timeout=40_000)


def test_with_keys_alone_and_in_burmese_on_a_small_phone_without_script(
    page: Page, demo: Demo, window: type, pictures: Path
) -> None:
    with_keys_alone(page, demo, pictures)
    on_a_small_phone(page, demo, window, pictures)


def with_keys_alone(page: Page, demo: Demo, pictures: Path) -> None:
    page.goto(demo.phones)
    ask_by_text(page, "12")
    sign_in(page, demo, "counselor")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    tab_to(page, ".rows a[href*='/cases/']")
    enter(page)
    tab_to(page, "#claim")
    enter(page)
    expect(page.get_by_text("This one is yours.")).to_be_visible()
    tab_to(page, "#note")
    page.keyboard.type("a word for the next one")
    tab_to(page, "button[formaction$='/note']")
    enter(page)
    expect(page.get_by_text("The note is kept.")).to_be_visible()
    tab_to(page, "a[accesskey=g]")  # the key itself is the browser's: no test presses it
    enter(page)
    expect(page.get_by_role("heading", name="Hard calls")).to_be_visible()
    tab_to(page, "a[href*='/guidance/danger']")
    picture(page, pictures / "focus.png")
    enter(page)
    tab_to(page, ".back a")
    enter(page)
    tab_to(page, "form[action$='/release'] button")
    enter(page)
    expect(page.get_by_text("Given back.")).to_be_visible()
    # Two minutes without a touch: nothing to see, until a key, which does nothing else.
    page.evaluate("document.documentElement.classList.add('blank')")
    assert page.evaluate("getComputedStyle(document.querySelector('main')).visibility") == "hidden"
    page.keyboard.press("Enter")
    expect(page.locator("html.blank")).to_have_count(0)
    # Every field and button says what it is.
    for path in ("queue", "services", "practice"):
        page.goto(f"{demo.console}{path}")
        nameless = page.evaluate(
            "[...document.querySelectorAll('input:not([type=hidden]), select, textarea, button')].filter("
            "one => !(one.labels?.length || one.ariaLabel || one.textContent.trim())).length"
        )
        assert nameless == 0, path


def on_a_small_phone(page: Page, demo: Demo, window: type, pictures: Path) -> None:
    page.goto(demo.phones)
    ask_by_text(page, "12")
    mya = window("my", PHONE, script=False)
    sign_in(mya, demo, "coordinator")
    fits(mya)
    picture(mya, pictures / "queue-small.png", full_page=True)
    mya.locator(".rows a[href*='/cases/']").first.click()
    mya.locator("#claim").click()
    fits(mya)
    picture(mya, pictures / "case-small.png", full_page=True)
    mya.locator("a[accesskey=g]").click()
    mya.locator("a[href*='/guidance/suicide']").first.click()
    fits(mya)
    picture(mya, pictures / "guidance-small.png", full_page=True)
    mya.goto(f"{demo.console}services")
    fits(mya)
    picture(mya, pictures / "services-small.png", full_page=True)
    mya.goto(f"{demo.console}practice")
    fits(mya)
    mya.locator(".rows a.button").first.click()
    mya.locator("#call").click()
    for _scene in range(6):
        if not mya.locator(".heard-it").count():
            break
        expect(mya.locator(".practising")).to_be_visible()
        mya.locator(".answers a").first.click()  # the good one stands first
        fits(mya)
        if _scene == 2:
            picture(mya, pictures / "practice-small.png", full_page=True)
    mya.locator(".answers a[href$='/end/done']").click()
    fits(mya)
    picture(mya, pictures / "practice-end-small.png", full_page=True)
