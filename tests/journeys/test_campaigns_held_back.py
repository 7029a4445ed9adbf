"""A campaign that the provider, other callers, money or a number's country hold back."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from front_door import Hotline, Provider
from journeys.test_campaigns import (
    MANY_LINES,
    NUMBERS,
    calls_to,
    launched,
    people,
    ready,
    state,
    totals,
    with_a_programme,
)
from journeys.test_programmes import version_of
from sqlalchemy import select

from gateway.services import campaigns, housekeeping, results
from gateway.services.campaigns import Plan
from gateway.store import contacts
from gateway.store.campaigns import CampaignState
from gateway.store.consents import consents


@pytest.fixture(scope="module")
def template(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_a_programme(template, tmp_path_factory.mktemp("approved") / "hotline")


@pytest.fixture
def hotline(template: Path, tmp_path: Path, provider: Provider) -> Iterator[Hotline]:
    made = Hotline(template, tmp_path / "hotline", provider, **MANY_LINES)
    yield made
    made.runtime.database.close()


# --- what the provider says -----------------------------------------------------------------------------


@pytest.mark.parametrize("refusal", [(429, 20429), (503, 20500)])
def test_a_provider_that_is_overrun_gets_a_pause_and_everybody_is_rung_in_the_end(
    hotline: Hotline, refusal: tuple[int, int]
) -> None:
    numbers = people(hotline, 8)
    launched(hotline)
    asked: list[int] = []

    def refuse() -> tuple[int, int] | None:
        asked.append(1)
        return refusal

    hotline.provider.refuse = refuse
    hotline.work()
    once = len(asked)
    assert 0 < once <= 8
    hotline.work()
    assert len(asked) == once, "it waits"
    hotline.provider.refuse = lambda: None
    for _ in range(30):
        hotline.later(seconds=20)
        hotline.work()
    assert sorted(call.form["To"] for call in calls_to(hotline, numbers)) == numbers, "each exactly once"


@pytest.mark.promise(19)
def test_whoever_stopped_us_at_the_provider_is_out_until_they_opt_in_again(hotline: Hotline) -> None:
    people(hotline, 1)
    campaign = launched(hotline)
    hotline.provider.refuse = lambda: (400, 21610)
    hotline.work()
    assert totals(hotline, campaign) == {"listed": 1, "stopped": 1}
    assert not hotline.rows(select(consents))
    assert len(hotline.rows(select(contacts.forbidden))) == 1
    hotline.provider.refuse = lambda: None
    hotline.dial(NUMBERS[0]).press("816")
    hotline.work()
    assert len(hotline.provider.calls) == 1, "asked again, so asked back once"


def test_an_answer_that_never_came_is_looked_up_and_nobody_is_rung_twice(hotline: Hotline) -> None:
    numbers = people(hotline, 3)
    campaign = launched(hotline)
    hotline.provider.drop_answers = True
    hotline.work()
    hotline.provider.drop_answers = False
    assert calls_to(hotline, numbers), "they were placed, and nobody knows"
    for _ in range(15):
        hotline.later(seconds=20)
        hotline.work()
    assert sorted(call.form["To"] for call in calls_to(hotline, numbers)) == numbers
    for call in calls_to(hotline, numbers):
        hotline.not_answered(call, "failed")
    assert totals(hotline, campaign) == {"listed": 3, "failed": 3}


# --- before everybody else ------------------------------------------------------------------------------


def test_a_campaign_leaves_two_lines_for_whoever_waits(
    template: Path, tmp_path: Path, provider: Provider
) -> None:
    hotline = Hotline(template, tmp_path / "few", provider, HOTLINE_CALLS_AT_ONCE="5")
    numbers = people(hotline, 10)
    launched(hotline)
    hotline.work()
    assert len(calls_to(hotline, numbers)) == 3
    hotline.runtime.database.close()


def test_no_number_carries_more_calls_than_it_may(template: Path, tmp_path: Path, provider: Provider) -> None:
    hotline = Hotline(
        template, tmp_path / "lines", provider, HOTLINE_CALLS_AT_ONCE="100", HOTLINE_CALLS_PER_LINE="2",
        HOTLINE_NUMBERS="+12025550100,+12025550103",
    )  # fmt: skip
    numbers = people(hotline, 10)
    launched(hotline)
    hotline.work()
    lines = [call.form["From"] for call in calls_to(hotline, numbers)]
    assert {line: lines.count(line) for line in lines} == {"+12025550100": 2, "+12025550103": 2}
    hotline.runtime.database.close()


def test_whoever_waits_for_a_callback_goes_first(hotline: Hotline) -> None:
    numbers = people(hotline, 10)
    launched(hotline)
    hotline.dial("+959790009001").press("816")  # one call is owed to her
    hotline.work()
    order = [call.form["To"] for call in hotline.provider.calls]
    assert order[0] == "+959790009001"
    assert sorted(order[1:]) == numbers


# --- money and numbers that are not rung ------------------------------------------------------------------


@pytest.mark.promise(16)
def test_a_cap_stops_the_campaign_and_says_so(template: Path, tmp_path: Path, provider: Provider) -> None:
    hotline = Hotline(
        template, tmp_path / "dear", provider, HOTLINE_CALLS_AT_ONCE="100", HOTLINE_CALL_PRICE="1"
    )
    numbers = people(hotline, 10)
    version, author = ready(hotline)
    longest = campaigns.longest_minutes(version_of(hotline, version))
    campaign = campaigns.launch(hotline.runtime, version, author, Plan(cap=Decimal(3 * longest)))
    hotline.work()
    assert len(calls_to(hotline, numbers)) == 3, "the most that can be sure to stay below it"
    for call in calls_to(hotline, numbers):
        form = {"CallSid": call.sid, "CallStatus": "completed", "CallDuration": str(longest * 60)}
        hotline.post(call.form["StatusCallback"].removeprefix(hotline.settings.public_url), form)
    hotline.later(seconds=10)
    hotline.work()
    assert len(calls_to(hotline, numbers)) == 3
    there = results.of_campaign(hotline.runtime, campaign)
    assert there.capped
    assert there.spent == there.cap == 3 * longest
    hotline.runtime.database.close()


def test_calls_that_turn_out_cheaper_make_room_for_others(
    template: Path, tmp_path: Path, provider: Provider
) -> None:
    hotline = Hotline(
        template, tmp_path / "cheap", provider, HOTLINE_CALLS_AT_ONCE="100", HOTLINE_CALL_PRICE="1"
    )
    numbers = people(hotline, 10)
    version, author = ready(hotline)
    longest = campaigns.longest_minutes(version_of(hotline, version))
    campaigns.launch(hotline.runtime, version, author, Plan(cap=Decimal(longest)))
    for _ in range(10):
        hotline.work()
        hotline.not_answered(calls_to(hotline, numbers)[-1], "failed")
        hotline.later(seconds=5)
    assert len(calls_to(hotline, numbers)) == 10, "what was not answered costs nothing"
    hotline.runtime.database.close()


def test_a_country_that_is_not_allowed_is_never_rung(hotline: Hotline) -> None:
    NUMBERS.insert(0, "+447911123456")
    try:
        people(hotline, 1)
    finally:
        NUMBERS.pop(0)
    campaign = launched(hotline)
    hotline.work()
    assert not hotline.provider.calls
    assert totals(hotline, campaign) == {"listed": 1, "not_allowed": 1}


def test_a_consent_that_ends_meanwhile_is_counted_and_not_rung(hotline: Hotline) -> None:
    people(hotline, 1)
    version, author = ready(hotline)
    with hotline.runtime.database.write() as session:
        session.execute(consents.update().values(until=hotline.clock.now() + timedelta(hours=1)))
    campaign = campaigns.launch(hotline.runtime, version, author, Plan(days=1))
    hotline.at(22)
    hotline.work()
    hotline.at(8, days=1)
    housekeeping.expire(hotline.runtime)
    hotline.work()
    assert not hotline.provider.calls
    assert state(hotline, campaign) is CampaignState.DONE
