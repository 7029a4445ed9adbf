"""Sending a programme, as a coordinator does it: who is meant, what it costs, pause and end, and how it went."""

import secrets
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from console.browser import Browser, Person

from gateway.runtime import Runtime
from gateway.services import campaigns as sending
from gateway.services import results
from gateway.store import campaigns as rows
from gateway.store import consents, contacts, outreach
from gateway.store.counselors import Role
from gateway.store.outreach import VersionState, fingerprint

SOUNDS = f"{'a' * 64} {'b' * 64}"


@pytest.fixture
def lead(person: Person) -> Browser:
    return person("lead", Role.COORDINATOR)


@pytest.fixture
def version(runtime: Runtime) -> str:
    """A version that is approved."""
    now = runtime.clock.now()
    programme, made = runtime.new_id(), runtime.new_id()
    with runtime.database.write() as session:
        outreach.add_programme(
            session,
            id=programme,
            title="Water",
            topic="health",
            valid_until=now + timedelta(days=30),
            created=now,
        )
        outreach.add_version(
            session, id=made, programme=programme, language="my", text="ရေ", author="somebody", created=now,
            state=VersionState.APPROVED, sounds=SOUNDS, manifest=fingerprint(SOUNDS), seconds=21,
            approved_manifest=fingerprint(SOUNDS), approved_by="another", approved=now,
        )  # fmt: skip
    return made


def people(runtime: Runtime, count: int) -> None:
    now = runtime.clock.now()
    with runtime.database.write() as session:
        for _ in range(count):
            contact = runtime.new_id()
            contacts.add(session, contact, secrets.token_bytes(16), b"", now)
            session.execute(
                consents.consents.insert().values(
                    id=runtime.new_id(), contact=contact, own_key="4", language="my", line_index=b"", asked=now,
                    until=now + timedelta(days=30), live=True,
                )
            )  # fmt: skip


def counted(runtime: Runtime, version: str, counts: dict[str, int]) -> str:
    """A campaign as it is when so much was counted."""
    people(runtime, 1)
    campaign = sending.launch(runtime, version, "x")
    with runtime.database.write() as session:
        rows.tally(session, campaign, counts, now=runtime.clock.now())
    return campaign


def test_before_anything_begins_it_is_shown_how_many_and_the_rules_and_small_numbers_are_hidden(
    runtime: Runtime, lead: Browser, version: str
) -> None:
    people(runtime, 3)
    assert f"/programmes/{version}/calls" in lead.get(f"/programmes/{version}").text
    page = lead.get(f"/programmes/{version}/calls")
    assert "Would be rung: &lt;5" in page.text
    assert "Cost: about" not in page.text, "a cost would tell how many"
    assert "They press their own key first." in page.text
    assert "Nobody between 21:00 and 07:00." in page.text
    people(runtime, 3)
    page = lead.get(f"/programmes/{version}/calls?oldest=7&days=3")
    assert "Would be rung: 6" in page.text
    assert "Cost: about 1.50 if half of them" in page.text


def test_nobody_to_be_rung_is_said_and_cannot_begin(runtime: Runtime, lead: Browser, version: str) -> None:
    page = lead.get(f"/programmes/{version}/calls")
    assert "Nobody who is meant by this has asked for programmes." in page.text
    assert 'id="launch"' not in page.text
    assert lead.post(f"/programmes/{version}/calls").status_code == 409


def test_calls_begin_pause_go_on_and_end(runtime: Runtime, lead: Browser, version: str) -> None:
    people(runtime, 6)
    lead.get(f"/programmes/{version}/calls")
    page = lead.post(f"/programmes/{version}/calls", days="2", lasts="4", cap="12,50")
    assert "It begins now" in page.text
    assert "At most 12.50." in page.text
    with runtime.database.read() as session:
        (campaign,) = rows.of_version(session, version)
    assert (campaign.per_day, campaign.cap) == (3, 125_000)
    here = f"/programmes/{version}/calls/{campaign.id}"
    assert "Paused." in lead.post(here, step="pause").text
    assert "It goes on." in lead.post(here, step="resume").text
    assert "Ended for good." in lead.post(here, step="cancel").text
    assert lead.post(here, step="resume").status_code == 409
    assert lead.post(here, step="explode").status_code == 400


def test_a_second_press_of_begin_is_the_same_campaign(runtime: Runtime, lead: Browser, version: str) -> None:
    people(runtime, 6)
    lead.get(f"/programmes/{version}/calls")
    first = lead.post(f"/programmes/{version}/calls").request.path
    assert lead.post(f"/programmes/{version}/calls").request.path == first


@pytest.mark.parametrize(
    "wrong",
    [{"days": "x"}, {"days": "99"}, {"cap": "free"}, {"cap": "nan"}, {"cap": "-1"}, {"cap": "1e99"}, {"day": "soon"},
     {"time": "25:00"}, {"lasts": "0"}, {"lasts": "9999999"}, {"oldest": "-3"},
     {"oldest": "99999999999"}, {"youngest": "999999"}, {"lasts": "99999999999999"}, {"topic": "war"}, {"days": "၃x"}],
)  # fmt: skip
def test_a_plan_that_cannot_be_is_refused_and_nothing_begins(
    runtime: Runtime, lead: Browser, version: str, wrong: dict[str, str]
) -> None:
    people(runtime, 6)
    lead.get(f"/programmes/{version}/calls")
    page = lead.post(f"/programmes/{version}/calls", **wrong)
    assert page.status_code == 409
    assert "These numbers cannot be used." in page.text
    with runtime.database.read() as session:
        assert not rows.of_version(session, version)


def test_a_counselor_sees_how_it_went_and_cannot_begin_or_end_it(
    runtime: Runtime, person: Person, lead: Browser, version: str
) -> None:
    campaign = counted(runtime, version, {"listed": 10, "reached": 10, "heard_4": 10})
    mya = person("mya")
    page = mya.get(f"/programmes/{version}/calls/{campaign}")
    assert "heard it" in page.text
    assert 'id="pause"' not in page.text
    assert mya.get(f"/programmes/{version}/calls").status_code == 403
    assert mya.post(f"/programmes/{version}/calls/{campaign}", step="cancel").status_code == 403


def test_results_hide_what_is_small_and_what_would_tell_it(
    runtime: Runtime, lead: Browser, version: str
) -> None:
    counts = {
        "listed": 100,
        "reached": 60,
        "no_answer": 20,
        "busy": 17,
        "stopped": 3,
        "asked": 57,
        "heard_4": 60,
    }
    campaign = counted(runtime, version, counts)
    there = results.of_campaign(runtime, campaign)
    assert there.outcomes == {"reached": "60", "no_answer": "20", "busy": "–", "stopped": "<5"}
    assert there.aside == {"asked": "–"}, "three others would be told by it"
    table = lead.get(f"/programmes/{version}/calls/{campaign}/counts.csv")
    assert table.mimetype == "text/csv"
    assert "stopped,<5\r\n" in table.text
    assert "busy,–\r\n" in table.text
    assert (
        "17" not in lead.get(f"/programmes/{version}/calls/{campaign}").text.split("<dl")[1].split("</dl>")[0]
    )


def test_the_chart_is_a_picture_of_its_own_in_steps_of_five(
    runtime: Runtime, lead: Browser, version: str
) -> None:
    campaign = counted(runtime, version, {"listed": 30, "reached": 13, "busy": 4})
    curve = results.curve(runtime, campaign)
    assert (list(curve.reached), list(curve.others)) == ([10], [0])
    picture = lead.get(f"/programmes/{version}/calls/{campaign}/chart.svg")
    assert picture.mimetype == "image/svg+xml"
    root = ET.fromstring(picture.data)  # noqa: S314 - our own picture
    assert "style" not in picture.text, "the policy allows no inline style"
    assert [one.text for one in root.iter("{http://www.w3.org/2000/svg}text") if one.text == "heard it"]
    assert (
        f"/programmes/{version}/calls/{campaign}/chart.svg"
        in lead.get(f"/programmes/{version}/calls/{campaign}").text
    )


def test_a_campaign_of_another_programme_is_not_found_here(
    runtime: Runtime, lead: Browser, version: str
) -> None:
    campaign = counted(runtime, version, {"listed": 1})
    assert lead.get(f"/programmes/{'0' * 16}/calls/{campaign}").status_code == 404
    assert lead.get(f"/programmes/{version}/calls/{'0' * 16}/counts.csv").status_code == 404
