"""The map of the menus and the preview of searched phones, as a screen really draws them."""

from pathlib import Path

import pytest
from browser.conftest import Demo
from browser_pictures import picture
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Every line of letters, with what it sticks out of its box or lies upon another line of it, in pixels.
MEASURE = """() => [...document.querySelectorAll("g.menu")].flatMap((menu) => {
  const box = menu.querySelector("rect.box").getBBox();
  const texts = [...menu.querySelectorAll("text")].map((text) => [text.textContent, text.getBBox()]);
  const out = texts.filter(([, at]) => at.x < box.x || at.x + at.width > box.x + box.width);
  const upon = texts.filter(([, at], n) => texts.some(([, other], m) => m > n
    && Math.min(at.x + at.width, other.x + other.width) - Math.max(at.x, other.x) > 1
    && Math.abs((at.y + at.height / 2) - (other.y + other.height / 2)) < 10));
  return [...out, ...upon].map(([words]) => `${menu.id}: ${words}`);
})"""


def sign_in(page: Page, demo: Demo, alias: str) -> None:
    page.goto(demo.console)
    form = page.locator("form", has=page.locator(f"input[name=alias][value={alias}]")).first
    form.get_by_role("button").click()
    page.wait_for_url("**/queue")


def handset(page: Page, flow: str, kind: str) -> Locator:
    return page.locator(f"#{flow} .handset", has_text=kind).first


@pytest.mark.parametrize("language", ["my", "en"])
def test_the_map_is_readable_everywhere_and_leads_from_menu_to_menu(
    page: Page, demo: Demo, pictures: Path, language: str
) -> None:
    sign_in(page, demo, "coordinator")
    page.goto(f"{demo.console}map?language={language}")
    assert page.evaluate(MEASURE) == []
    picture(page, pictures / ("map.png" if language == "my" else "map-en.png"))
    page.locator("#menu-main a", has_text="→ topics").click()
    expect(page.locator("#menu-topics")).to_be_in_viewport()
    assert page.url.endswith("#menu-topics")
    page.locator("#menu-caller_gate").scroll_into_view_if_needed()
    picture(page.locator(".map-room"), pictures / f"map-gate-{language}.png")
    page.set_viewport_size({"width": 2000, "height": 1500})
    page.goto(f"{demo.console}map?language={language}")
    picture(page, pictures / f"map-wide-{language}.png")


def test_what_a_searched_phone_shows_is_looked_at_and_signed(page: Page, demo: Demo, pictures: Path) -> None:
    sign_in(page, demo, "coordinator")
    page.get_by_role("link", name="Wordings").click()
    page.get_by_role("link", name="What a searched phone shows").click()
    expect(page.get_by_text("Nobody has signed this off yet.")).to_be_visible()
    picture(page, pictures / "preview-page.png")
    expect(handset(page, "asked_by_text", "A phone with Zawgyi")).to_contain_text("မှတ်ပြီးပါပြီ")
    expect(handset(page, "asked_by_text", "A phone that shows boxes")).to_contain_text("Hmat pyi par pyi")
    page.locator("#display summary").click()
    picture(page.locator("#asked_by_text"), pictures / "preview-asked.png")
    picture(page.locator("#display"), pictures / "preview.png")
    page.get_by_role("button", name="I looked at this and it is fit").click()
    expect(page.get_by_text("coordinator looked at exactly this and found it fit")).to_be_visible()
    expect(page.get_by_role("button", name="I looked at this and it is fit")).to_have_count(0)
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    picture(page, pictures / "preview-narrow.png")


def test_the_simulated_handset_shows_its_texts_as_another_phone_would(
    page: Page, demo: Demo, pictures: Path
) -> None:
    page.goto(demo.phones)
    thread = page.locator("#caller .texts ol")
    page.locator("#caller [name=shows]").select_option("zawgyi")
    for words, answer in (("52", "နောက်ဆို"), ("11", "မှတ်ပြီးပါပြီ")):
        page.locator("#words-caller").fill(words)
        page.locator("#text-caller button").click()
        expect(thread).to_contain_text(answer, timeout=15_000)
    picture(page.locator("#caller"), pictures / "simulator-zawgyi.png")
    page.locator("#caller [name=shows]").select_option("unicode")
    expect(thread).to_contain_text("မွတ္ၿပီးပါၿပီ")
    page.locator("#caller [name=shows]").select_option("latin")
    expect(thread).to_contain_text("□□□")
