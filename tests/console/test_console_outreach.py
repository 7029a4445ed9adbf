import re
from datetime import timedelta

import pytest
from console.browser import Browser, Person
from werkzeug.test import TestResponse

from gateway.runtime import Runtime
from gateway.store import audit
from gateway.store import outreach as rows
from gateway.store.counselors import Role
from gateway.store.outreach import VersionState, fingerprint
from ivr.burmese.encodings import unicode_to_zawgyi

FORM = {"title": "Water", "topic": "health", "text_my": "ရေကို ဆူအောင် တည်ပါ။"}
SOUNDS = f"{'a' * 64} {'b' * 64}"


@pytest.fixture
def lead(person: Person) -> Browser:
    return person("lead", Role.COORDINATOR)


@pytest.fixture
def last_day(runtime: Runtime) -> str:
    return (runtime.clock.now() + timedelta(days=30)).date().isoformat()


@pytest.fixture
def written(runtime: Runtime, lead: Browser, last_day: str) -> str:
    """A version by `lead`, as the worker leaves it: with sound, and approved by nobody."""
    lead.get("/programmes/new")
    page = lead.post("/programmes/new", **FORM, last_day=last_day)
    assert "It is being made into sound now." in page.text
    version = page.request.path.rpartition("/")[2]
    with runtime.database.write() as session:
        rows.change_version(
            session, version,
            state=VersionState.READY, sounds=SOUNDS, manifest=fingerprint(SOUNDS),
            engine="offline", robot=True, seconds=21, pieces_done=1,
        )  # fmt: skip
    return version


def approve(browser: Browser, version: str, manifest: str = fingerprint(SOUNDS)) -> TestResponse:
    browser.get(f"/programmes/{version}")
    return browser.post(f"/programmes/{version}/approve", manifest=manifest)


def test_a_robots_voice_says_so_and_every_piece_can_be_heard(lead: Browser, written: str) -> None:
    page = lead.get(f"/programmes/{written}")
    assert "robot voice" in page.text
    assert "the voice on board" in page.text
    assert re.findall(r'<audio controls preload="none" src="(/audio/.)', page.text) == [
        "/audio/a",
        "/audio/b",
    ]
    assert "robot voice" in lead.get("/programmes").text


def test_the_author_sees_why_it_is_not_hers_to_approve(runtime: Runtime, lead: Browser, written: str) -> None:
    page = lead.get(f"/programmes/{written}")
    assert "Another person must listen to it" in page.text
    assert 'id="approve"' not in page.text
    assert approve(lead, written).status_code == 409


def test_a_second_person_approves_exactly_this_sound(runtime: Runtime, person: Person, written: str) -> None:
    mya = person("mya")
    assert "Listen and approve" in mya.get("/programmes").text
    page = approve(mya, written, manifest="f" * 64)
    assert page.status_code == 409
    assert "not the one you listened to" in page.text
    page = approve(mya, written)
    assert page.status_code == 200
    assert "approved by mya" in page.text


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"text_my": "  "}, "A title and a text are needed."),
        ({"title": "x" * 121}, "This is too long."),
        ({"topic": "weather"}, "Choose a topic"),
        ({"last_day": "2001-01-01"}, "must be a day to come"),
        ({"last_day": "soon"}, "must be a day to come"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_written_stays(
    lead: Browser, last_day: str, wrong: dict[str, str], why: str
) -> None:
    lead.get("/programmes/new")
    page = lead.post("/programmes/new", **({**FORM, "last_day": last_day} | wrong))
    assert page.status_code == 409
    assert why in page.text
    assert "Water" in page.text or "x" * 121 in page.text


def test_a_long_burmese_text_fits(lead: Browser, last_day: str) -> None:
    lead.get("/programmes/new")
    text = "ရေကို ဆူအောင် တည်ပါ။ " * 2500
    assert lead.post("/programmes/new", **(FORM | {"text_my": text}), last_day=last_day).status_code == 200


def test_taking_back_ends_it(runtime: Runtime, person: Person, lead: Browser, written: str) -> None:
    approve(person("mya"), written)
    lead.get(f"/programmes/{written}")
    assert "Taken back." in lead.post(f"/programmes/{written}/retire").text
    with runtime.database.read() as session:
        assert not rows.version(session, written).may_be_heard(runtime.clock.now())


def test_a_counselor_listens_and_approves_and_does_nothing_else_here(person: Person, written: str) -> None:
    mya = person("mya")
    page = mya.get(f"/programmes/{written}")
    assert 'id="retire"' not in page.text
    assert mya.get("/programmes/new").status_code == 403
    mya.get("/queue")
    for step in ("retire", "change"):
        assert mya.post(f"/programmes/{written}/{step}").status_code == 403


def test_while_the_sound_is_made_the_page_follows_it(runtime: Runtime, lead: Browser, last_day: str) -> None:
    lead.get("/programmes/new")
    page = lead.post("/programmes/new", **FORM, last_day=last_day)
    version = page.request.path.rpartition("/")[2]
    assert "<progress" in page.text
    assert "data-live" in page.text
    assert "data-live" in lead.get("/programmes").text
    with runtime.database.write() as session:
        rows.change_version(session, version, state=VersionState.FAILED)
    assert "no sound could be made" in lead.get(f"/programmes/{version}?part=live").text


def test_programmes_by_call_are_turned_off_and_on(
    runtime: Runtime, person: Person, lead: Browser, written: str
) -> None:
    approve(person("mya"), written)
    lead.get("/standing")
    assert "turned off" in lead.post("/standing/switch", feature="programme_calls", on="0").text
    assert "turned off" in lead.get(f"/programmes/{written}").text
    lead.get("/standing")
    assert "turned on" in lead.post("/standing/switch", feature="programme_calls", on="1").text
    assert lead.post("/standing/switch", feature="threads", on="1").status_code == 409


# --- languages, versions, texts ---------------------------------------------------------------------------


@pytest.mark.parametrize("between", ["။ ", "၊ ", " ", "\n"])
@pytest.mark.parametrize("zawgyi", [(True, True), (True, False), (False, True)])
def test_zawgyi_is_said_and_offered_in_unicode(
    lead: Browser, last_day: str, between: str, zawgyi: tuple[bool, bool]
) -> None:
    halves = ("ရေကို ဆူအောင် တည်ပါ", "ထမင်းမစားခင် လက်ဆေးပါ။")
    text = between.join(halves)
    typed = (unicode_to_zawgyi(one) if so else one for one, so in zip(halves, zawgyi, strict=True))
    lead.get("/programmes/new")
    page = lead.post("/programmes/new", **(FORM | {"text_my": between.join(typed)}), last_day=last_day)
    assert page.status_code == 409
    assert "This was written in Zawgyi." in page.text
    assert text in page.text
    assert lead.post("/programmes/new", **(FORM | {"text_my": text}), last_day=last_day).status_code == 200


def test_every_language_is_written_at_once_and_one_can_be_added(
    runtime: Runtime, lead: Browser, last_day: str
) -> None:
    lead.get("/programmes/new")
    page = lead.post("/programmes/new", **FORM, text_en="Boil the water.", last_day=last_day)
    assert "English · version 1" in page.text
    assert "Burmese · version 1" in page.text
    lead.get("/programmes/new")
    page = lead.post("/programmes/new", **FORM, last_day=last_day)
    version = page.request.path.rpartition("/")[2]
    assert 'id="add-call-en"' in page.text
    assert "Add it in English" in page.text
    lead.get(f"/programmes/{version}/change?language=en")
    page = lead.post(f"/programmes/{version}/change", language="en", way="call", text_en="Boil the water.")
    assert "English · version 1" in page.text


def test_a_changed_text_is_a_new_version_that_shows_what_changed(lead: Browser, written: str) -> None:
    page = lead.get(f"/programmes/{written}/change")
    assert FORM["text_my"] in page.text
    page = lead.post(f"/programmes/{written}/change", language="my", text_my="ရေကို ဆူအောင် တည်ပါ။ လက်ဆေးပါ။")
    assert "version 2" in page.text
    assert "<ins>လက်ဆေးပါ။</ins>" in page.text
    lead.get(f"/programmes/{written}/change")
    again = lead.post(f"/programmes/{written}/change", language="my", text_my="ရေကို ဆူအောင် တည်ပါ။ လက်ဆေးပါ။")
    assert again.status_code == 409
    assert "the text that is there already" in again.text


def test_a_text_message_is_written_only_while_it_is_turned_on(
    runtime: Runtime, lead: Browser, written: str
) -> None:
    assert 'id="add-text-my"' not in lead.get(f"/programmes/{written}").text
    with runtime.database.write() as session:
        audit.switch(session, "programme_texts", "on", runtime.clock.now())
    runtime.switches.forget()
    assert 'id="add-text-my"' in lead.get(f"/programmes/{written}").text
    lead.get(f"/programmes/{written}/change?language=my&way=text")
    page = lead.post(f"/programmes/{written}/change", language="my", way="text", text_my="x" * 200)
    assert page.status_code == 409
    page = lead.post(f"/programmes/{written}/change", language="my", way="text", text_my="ရေ သောက်ပါ။")
    assert "as a text message" in page.text
    assert "Another person must listen to it and approve it." in page.text


def test_what_reaches_out_is_off_until_a_coordinator_turns_it_on(runtime: Runtime, lead: Browser) -> None:
    with runtime.database.write() as session:
        session.execute(audit.switches.delete())
    runtime.switches.forget()
    assert not runtime.switches.on("programme_calls")
    lead.get("/standing")
    assert "turned on" in lead.post("/standing/switch", feature="programme_calls", on="1").text
    assert runtime.switches.on("programme_calls")
