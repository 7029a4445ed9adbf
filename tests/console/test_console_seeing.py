import re
import xml.etree.ElementTree as ET
from datetime import timedelta

import pytest
from console.browser import Browser, Person

from gateway.console import flow_words, seeing
from gateway.runtime import Runtime
from gateway.services import previewing
from gateway.store import audit
from gateway.store.counselors import Role
from ivr.burmese.zawgyi import unicode_to_zawgyi
from prompts import preview

PATHS = ("/map", "/map?language=en", "/preview", "/preview?language=en")


@pytest.fixture
def lead(person: Person) -> Browser:
    return person("lead", Role.COORDINATOR)


def sign(lead: Browser, seen: str | None = None) -> str:
    page = lead.get("/preview").text
    shown = re.search(r'name="seen" value="([0-9a-f]+)"', page)
    return lead.post("/preview", seen=seen or (shown[1] if shown else "")).text


@pytest.mark.parametrize("path", PATHS)
def test_the_pages_keep_to_the_strict_policy_and_name_no_hotline(lead: Browser, path: str) -> None:
    answer = lead.get(path)
    assert answer.status_code == 200
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]+src=)", answer.text)
    assert not re.search(r"hotline", re.sub(r"<[^>]+>", "", answer.text), re.IGNORECASE)


def test_the_map_shows_every_menu_in_the_language_that_is_chosen(lead: Browser, runtime: Runtime) -> None:
    library = runtime.library
    page = lead.get("/map?language=en").text
    for name in library.script.menus:
        assert f'id="menu-{name}"' in page
    assert "Choose a number of your own" in page
    assert "Choose a number of your own" not in lead.get("/map?language=my").text
    assert "The menus" in page
    assert "မီနူးများ" in lead.get("/map?lang=my").text


def test_the_map_is_a_picture_of_its_own_too(lead: Browser) -> None:
    answer = lead.get("/map.svg?language=en")
    assert answer.mimetype == "image/svg+xml"
    assert ET.fromstring(answer.text).tag.endswith("svg")  # noqa: S314 - our own drawing


def test_the_preview_shows_what_is_really_sent_on_each_kind_of_phone(lead: Browser, runtime: Runtime) -> None:
    page = lead.get("/preview").text
    wording = runtime.library.texts["my"]["stopped"]
    assert page.count(f"<p>{wording.text}</p>") == 2  # a Unicode phone, and a Zawgyi phone that reads Zawgyi
    assert f"<p>{wording.latin}</p>" in page
    assert f"<p>{unicode_to_zawgyi(wording.text)}</p>" in page  # Zawgyi on a Unicode phone
    assert "□□□" in page


def test_every_flow_phone_and_entry_has_its_words() -> None:
    assert flow_words.FLOWS.keys() == preview.FLOWS.keys()
    assert flow_words.PHONES.keys() == set(preview.DISPLAYS)
    assert flow_words.CROSSED.keys() == {f"{sent}_{phone}" for sent, phone in seeing.CROSSED}
    assert flow_words.WAYS.keys() == {"out", "in", "missed"}
    assert flow_words.LINES.keys() == {"public", "missed"}


def test_nobody_has_signed_at_first_and_then_it_says_who_and_when(lead: Browser, runtime: Runtime) -> None:
    assert "Nobody has signed this off yet." in lead.get("/preview").text
    page = sign(lead)
    assert "lead looked at exactly this and found it fit" in page
    assert "I looked at this and it is fit" not in page
    with runtime.database.read() as session:
        [(_, account, what, subject), *_] = audit.latest(session, most=1)
    assert (what, subject) == ("preview_fit", preview.fingerprint(runtime.library))
    assert account is not None


def test_a_changed_wording_takes_the_signature_away(lead: Browser, runtime: Runtime) -> None:
    now = runtime.clock.now().replace(microsecond=0) - timedelta(days=1)
    with runtime.database.write() as session:
        audit.switch(session, f"preview:{'0' * 24}", "somebody", now - timedelta(days=1))
        audit.switch(session, f"preview:{'1' * 24}", "somebody", now)
    assert previewing.standing(runtime).earlier == previewing.Looked("somebody", now)
    assert "Not signed off since the wording changed" in lead.get("/preview").text
    assert "found it fit" in sign(lead)


def test_who_looked_at_something_else_signs_nothing(lead: Browser, runtime: Runtime) -> None:
    page = sign(lead, seen="2" * 24)
    assert "changed meanwhile" in page
    assert previewing.standing(runtime).looked is None


def test_counselors_neither_see_nor_sign(person: Person, runtime: Runtime) -> None:
    mya = person("mya")
    assert {mya.get(path).status_code for path in ("/map", "/map.svg", "/preview")} == {403}
    mya.get("/queue")
    assert mya.post("/preview", seen=preview.fingerprint(runtime.library)).status_code == 403
    assert previewing.standing(runtime).looked is None


def test_the_pages_are_small_enough_for_a_slow_line(lead: Browser) -> None:
    sizes = {path: len(lead.get(path, **{"Accept-Encoding": "gzip"}).data) for path in PATHS}
    assert max(sizes.values()) < 30_000, sizes
