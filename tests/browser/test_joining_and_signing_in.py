"""A person joins, signs in, is asked for the short code after idle minutes, and signs in with a passkey."""

import sqlite3
from pathlib import Path
from urllib.parse import urlsplit

import pyotp
import pytest
from browser.conftest import Demo
from browser_pictures import picture
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.own_demo]

PASSWORD = "window-salt-bicycle"


def idle(demo: Demo) -> None:
    """As if nobody had touched the page for six minutes."""
    with sqlite3.connect(demo.folder / "hotline.db", timeout=10) as database:
        database.execute("UPDATE sessions SET seen = seen - 360000")


def invited(page: Page, console: str) -> str:
    page.goto(f"{console}sign-in")
    form = page.locator("form", has=page.locator("input[name=alias][value=coordinator]")).first
    form.get_by_role("button").click()
    page.wait_for_url("**/queue")
    page.get_by_role("link", name="People").click()
    page.get_by_label("Invented name").fill("lily")
    page.get_by_role("button", name="Make an invitation").click()
    return page.locator(".secret.code").inner_text()


def test_joining_locking_and_a_passkey(page: Page, demo: Demo, pictures: Path) -> None:
    # Browsers bind passkeys to names, so the console is opened under one.
    console = f"http://localhost:{urlsplit(demo.url).port}/console/"
    code = invited(page, console)
    picture(page, pictures / "invited.png")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="I have an invitation").click()
    page.get_by_label("Your invitation").fill(code.lower())
    page.get_by_role("button", name="Go on").click()
    reader = pyotp.TOTP(page.locator("b.secret").inner_text().replace(" ", ""))
    page.get_by_label("Password", exact=False).first.fill(PASSWORD)
    page.get_by_label("The same once more").fill(PASSWORD)
    page.get_by_label("The six digits that it shows now").fill(reader.now())
    page.get_by_label("Four to six digits").fill("2468")
    page.get_by_label("Phone number to ring you on").fill("+66 81 234 5678")
    picture(page, pictures / "joining.png", full_page=True)
    page.get_by_role("button", name="Join").click()
    expect(page.locator("ol.codes li")).to_have_count(10)
    picture(page, pictures / "recovery-codes.png")
    page.get_by_role("link", name="I have written them down").click()
    page.wait_for_url("**/queue")

    shut_while_writing(page, demo, pictures)
    by_passkey(page, console, pictures)


def shut_while_writing(page: Page, demo: Demo, pictures: Path) -> None:
    page.goto(page.url.replace("/queue", "/account"))
    page.locator("summary", has_text="Another password").click()
    page.get_by_label("New password").fill("what was being written")
    idle(demo)
    page.evaluate("document.dispatchEvent(new Event('locked'))")
    expect(page.get_by_role("heading", name="Still you?")).to_be_visible()
    expect(page.get_by_label("New password")).to_have_count(0)
    expect(page.locator("nav")).to_be_hidden()
    expect(page.get_by_text("lily")).to_be_hidden()
    picture(page, pictures / "locked.png")
    page.get_by_label("Your short code").fill("2468")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_label("New password")).to_have_value("what was being written")
    idle(demo)
    page.goto(page.url.replace("/account", "/programmes"))
    expect(page.get_by_role("heading", name="Still you?")).to_be_visible()
    page.get_by_label("Your short code").fill("2468")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Programmes")).to_be_visible()


def by_passkey(page: Page, console: str, pictures: Path) -> None:
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
    kind |= {"hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": kind})
    page.goto(f"{console}account")
    page.locator("summary", has_text="Passkeys").click()
    page.locator("#sure-passkey").fill(PASSWORD)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("The passkey works from now on.")).to_be_visible()
    picture(page, pictures / "account.png", full_page=True)
    page.get_by_role("button", name="Sign out").click()
    picture(page, pictures / "sign-in-passkey.png")
    page.get_by_role("button", name="With a passkey").click()
    page.wait_for_url("**/queue")
    expect(page.locator("footer")).to_contain_text("lily")
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{console}account")
    picture(page, pictures / "account-narrow.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.goto(f"{console}sign-in?lang=my")
    picture(page, pictures / "sign-in-burmese.png")
