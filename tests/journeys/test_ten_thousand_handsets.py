"""A whole campaign of simulated handsets, each with its own answer: every result adds up, nobody is rung too often."""

import random
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from front_door import Hotline, Placed, Provider
from journeys.test_programmes import approved
from sqlalchemy import select
from trials import trials

from gateway.phone import Msisdn
from gateway.services import campaigns
from gateway.services.campaigns import OUTCOMES, Plan
from gateway.store import campaigns as rows
from gateway.store import contacts, legs
from gateway.store.campaigns import CampaignState
from gateway.store.consents import consents
from gateway.store.outreach import versions
from gateway.vault import Place

ANSWERS = {
    "hears it": 8, "asks": 2, "stops": 2, "later": 2, "other key": 2, "wrong person": 1, "silent": 1,
    "machine": 2, "busy": 3, "no answer": 5, "busy, then hears it": 2, "fails": 1, "reports twice": 2,
}  # fmt: skip
OUTCOME = {
    "hears it": "reached", "asks": "reached", "stops": "reached", "later": "later", "other key": "other_key",
    "wrong person": "wrong_person", "silent": "silent", "machine": "machine", "busy": "busy",
    "no answer": "no_answer", "busy, then hears it": "reached", "fails": "failed", "reports twice": "reached",
}  # fmt: skip
TWICE = {"later", "busy", "no answer", "busy, then hears it"}


@pytest.fixture
def hotline(template: Path, tmp_path: Path, provider: Provider) -> Iterator[Hotline]:
    made = Hotline(template, tmp_path / "hotline", provider, HOTLINE_CALLS_AT_ONCE="100000")
    yield made
    made.runtime.database.close()


def answered(hotline: Hotline, call: Placed, answer: str, tries: int) -> None:
    """What this handset does, told by the webhooks that a provider would send."""
    status = {"busy": "busy", "no answer": "no-answer", "fails": "failed"}.get(answer)
    if answer == "busy, then hears it":
        status = "busy" if tries == 1 else None
    if status:
        hotline.not_answered(call, status)
        return
    line = hotline.pick_up(call, by="machine_start" if answer == "machine" else "human")
    keys = {"later": "2", "other key": "5", "wrong person": "3", "machine": ""}.get(answer, "6")
    if answer == "silent":
        line.silence()
        line.silence()
    elif keys:
        line.press(keys)
    if answer == "asks":
        line.press("1")
    elif answer == "stops":
        line.press("7")
    elif OUTCOME[answer] == "reached":
        line.silence()
    line.hang_up()
    if answer == "reports twice":
        line.hang_up()


@pytest.mark.promise(18)
@pytest.mark.timeout(3_600)
def test_every_result_of_a_whole_campaign_adds_up(hotline: Hotline, tried: Callable[[int], None]) -> None:
    count = trials(80, 10_000)
    tried(count)
    chance = random.Random(3)
    answer_of = {
        f"+95979{at:07d}": answer
        for at, answer in enumerate(chance.choices([*ANSWERS], weights=[*ANSWERS.values()], k=count))
    }
    approved(hotline)
    _opted_in(hotline, list(answer_of))
    version = hotline.one(select(versions.c.id))[0]
    campaign = campaigns.launch(hotline.runtime, version, "x", Plan(lives=timedelta(days=3)))
    tries: Counter[str] = Counter()
    seen = len(hotline.provider.calls)
    while _state(hotline, campaign) is CampaignState.RUNNING:
        hotline.work(most=10_000)
        for call in hotline.provider.calls[seen:]:
            number = call.form["To"]
            tries[number] += 1
            answered(hotline, call, answer_of[number], tries[number])
        seen = len(hotline.provider.calls)
        hotline.later(minutes=20)

    assert dict(tries) == {number: 2 if answer in TWICE else 1 for number, answer in answer_of.items()}
    expected = Counter(OUTCOME[answer] for answer in answer_of.values())
    with hotline.runtime.database.read() as session:
        totals = rows.totals(session, campaign)
        assert legs.live(session) == 0
    assert totals["listed"] == count
    assert {what: totals[what] for what in OUTCOMES if what in totals} == dict(expected)
    assert sum(totals[what] for what in totals if what.startswith("heard_")) == expected["reached"]
    assert totals.get("enough", 0) == sum(answer == "stops" for answer in answer_of.values())
    assert hotline.rows(select(rows.recipients)) == []


def _opted_in(hotline: Hotline, numbers: list[str]) -> None:
    runtime = hotline.runtime
    now = runtime.clock.now()
    line = runtime.vault.index(hotline.settings.numbers[0])
    people, asked = [], []
    for number in numbers:
        contact, msisdn = runtime.new_id(), Msisdn.parse(number)
        sealed = runtime.vault.create_keys(contact).seal_number(Place("contacts", "number", contact), msisdn)
        index = runtime.vault.index(msisdn)
        people.append({"id": contact, "number_index": index, "sealed_number": sealed, "created": now})
        asked.append(
            {
                "id": secrets.token_hex(8), "contact": contact, "own_key": "6", "language": "my", "line_index": line,
                "live": True, "asked": now, "until": now + timedelta(days=30),
            }
        )  # fmt: skip
    with runtime.database.write() as session:
        session.execute(contacts.contacts.insert(), people)
        session.execute(consents.insert(), asked)


def _state(hotline: Hotline, campaign: str) -> CampaignState:
    with hotline.runtime.database.read() as session:
        there = rows.get(session, campaign)
    assert there
    return there.state
