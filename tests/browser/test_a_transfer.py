"""A colleague is brought into a talk, and goes on with it when the first one has left: three phones, two browsers."""

from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from browser.conftest import Demo
from browser.test_a_counselors_hour import ask_by_text, talk
from browser.test_the_first_five_minutes import second, sign_in
from browser_pictures import picture
from playwright.sync_api import Browser, Page, expect
from real_hotline import until

from gateway.services.demo import DEMO_ACCOUNTS
from gateway.settings import read_env_file

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.own_demo(HOTLINE_FEATURES="transfer", HOTLINE_CALLS_AT_ONCE="4"),
]
NUMBER = "+66812345678"


class Handset:
    """The colleague's phone, which is not on the simulator's page: worked as the terminal works one."""

    def __init__(self, demo: Demo, number: str) -> None:
        own = read_env_file(demo.folder / "demo.env")
        self._base = f"{demo.url}/simulator/terminal"
        self._who = (own["TWILIO_ACCOUNT_SID"], own["TWILIO_AUTH_TOKEN"])
        self._name = self._do("/open", {"from": number})["phone"]

    def do(self, deed: str, **given: object) -> None:
        assert self._do(f"/phones/{self._name}/{deed}", given)["done"]

    def is_in(self, state: str) -> Callable[[], bool]:
        return lambda: self._look()["state"] == state

    def heard(self, words: str) -> Callable[[], bool]:
        return lambda: words in str(self._look()["heard"])

    def _look(self) -> dict[str, object]:
        got = requests.get(f"{self._base}/phones/{self._name}", auth=self._who, timeout=10)
        found: dict[str, object] = got.json()
        return found

    def _do(self, path: str, given: dict[str, object]) -> dict[str, str]:
        got = requests.post(self._base + path, json=given, auth=self._who, timeout=10)
        got.raise_for_status()
        found: dict[str, str] = got.json()
        return found


def test_a_colleague_joins_and_goes_on_alone(
    page: Page, browser: Browser, demo: Demo, pictures: Path
) -> None:
    page.goto(demo.phones)
    handset = Handset(demo, NUMBER)
    lead = browser.new_context(locale="en").new_page()
    sign_in(lead, demo, "coordinator")
    lead.get_by_role("button", name="Go on shift").click()
    lead.goto(f"{demo.console}account")
    lead.locator("summary", has_text="Another number").click()
    lead.locator("input[name=number]").first.fill(NUMBER)
    lead.locator("#sure-phone").fill(dict(DEMO_ACCOUNTS)["coordinator"])
    lead.locator("form", has=lead.locator("#sure-phone")).get_by_role("button", name="Keep").click()
    lead.goto(demo.console)

    ask_by_text(page, "11")
    console = second(page)
    sign_in(console, demo, "counselor")
    console.get_by_role("button", name="Take").first.click()
    console.locator("#call").click()
    talk(page)
    expect(console.locator(".state.on").last).to_contain_text("You are joined", timeout=20_000)

    console.locator("#bring-in").click()
    picture(console, pictures / "bring-in.png", full_page=True)
    console.get_by_role("button", name="Ask coordinator").click()
    expect(console.get_by_text("coordinator is being rung")).to_be_visible()
    until(handset.is_in("ringing"), 30)
    handset.do("answer")
    until(handset.heard("press 1"), 20)
    handset.do("press", key="1")
    page.wait_for_timeout(2500)
    handset.do("press", key="1")
    expect(console.get_by_text("coordinator is in the talk. You may leave")).to_be_visible(timeout=20_000)
    picture(console, pictures / "three-talk.png", full_page=True)

    page.locator("#counselor .red").click()
    expect(console.get_by_text("A colleague is with this request.")).to_be_visible(timeout=20_000)
    lead.goto(demo.console)
    lead.get_by_role("link", name="Go on").click()
    expect(lead.locator(".state.on").last).to_contain_text("You are joined")
    picture(lead, pictures / "passed-on.png", full_page=True)
    page.locator("#caller .red").click()
    expect(lead.get_by_text("You talked. Please say how it went.")).to_be_visible(timeout=20_000)
    lead.context.close()
