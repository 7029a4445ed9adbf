"""A programme is sent to those who asked for it: whom, when, how often, and how it is counted."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from front_door import Hotline, Placed, Provider
from journeys.test_programmes import approved, opted_in, version_of
from sqlalchemy import event, select

from gateway.errors import Refused
from gateway.phone import Msisdn
from gateway.services import campaigns, programmes, results, switching
from gateway.services.campaigns import Plan
from gateway.store import campaigns as rows
from gateway.store import contacts, legs
from gateway.store.campaigns import CampaignState
from gateway.store.consents import consents
from gateway.store.outreach import versions
from gateway.vault import Place

MANY_LINES = {
    "HOTLINE_CALLS_AT_ONCE": "100",
    "HOTLINE_NUMBERS": "+12025550100,+12025550103,+12025550104",
}
NUMBERS = [f"+9597900020{at:02d}" for at in range(30)]


@pytest.fixture(scope="module")
def template(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_a_programme(template, tmp_path_factory.mktemp("approved") / "hotline")


def with_a_programme(template: Path, folder: Path) -> Path:
    """An installation with an approved programme."""
    provider = Provider()
    made = Hotline(template, folder, provider)
    approved(made)
    made.runtime.database.close()
    provider.close()
    return folder


def ready(hotline: Hotline) -> tuple[str, str]:
    """The approved programme's version, and its author."""
    there = hotline.one(select(versions.c.id, versions.c.author))
    return there.id, there.author


@pytest.fixture
def hotline(template: Path, tmp_path: Path, provider: Provider) -> Iterator[Hotline]:
    made = Hotline(template, tmp_path / "hotline", provider, **MANY_LINES)
    yield made
    made.runtime.database.close()


def people(hotline: Hotline, count: int, *, language: str = "my", topic: str | None = None) -> list[str]:
    """So many have asked and confirmed; written as the confirming call leaves them."""
    runtime, numbers = hotline.runtime, []
    now = runtime.clock.now()
    with runtime.database.read() as session:
        first = rows.size(session, rows.Audience("my"), now=now) + rows.size(
            session, rows.Audience("en"), now=now
        )
    for at in range(count):
        number = NUMBERS[first + at]
        numbers.append(number)
        contact = runtime.new_id()
        keys = runtime.vault.create_keys(contact)
        msisdn = Msisdn.parse(number)
        sealed = keys.seal_number(Place("contacts", "number", contact), msisdn)
        with runtime.database.write() as session:
            contacts.add(session, contact, runtime.vault.index(msisdn), sealed, now)
            session.execute(
                consents.insert().values(
                    id=runtime.new_id(), contact=contact, own_key="6", language=language, topic=topic,
                    line_index=runtime.vault.index(hotline.settings.numbers[0]), live=True, asked=now,
                    until=now + timedelta(days=30),
                )
            )  # fmt: skip
    return numbers


def launched(hotline: Hotline, plan: Plan | None = None) -> str:
    version, author = ready(hotline)
    return campaigns.launch(hotline.runtime, version, author, plan)


def state(hotline: Hotline, campaign: str) -> CampaignState:
    with hotline.runtime.database.read() as session:
        there = rows.get(session, campaign)
    assert there
    return there.state


def totals(hotline: Hotline, campaign: str) -> dict[str, int]:
    with hotline.runtime.database.read() as session:
        return rows.totals(session, campaign)


def calls_to(hotline: Hotline, numbers: Sequence[str]) -> list[Placed]:
    return [call for call in hotline.provider.calls if call.form["To"] in numbers]


# --- a call ---------------------------------------------------------------------------------------------


def test_a_campaign_rings_who_opted_in_and_says_nothing_before_their_key(hotline: Hotline) -> None:
    version, author = ready(hotline)
    opted_in(hotline)
    campaign = campaigns.launch(hotline.runtime, version, author)
    hotline.work()
    call = hotline.pick_up(hotline.provider.calls[-1])
    assert call.heard.said == ["gate"]
    assert "sound" in call.press("6").said
    assert call.silence().said == ["programme_end"]
    call.hang_up()
    hotline.later(seconds=5)
    hotline.work()
    assert totals(hotline, campaign) == {"listed": 1, "reached": 1, "heard_4": 1}
    assert not hotline.rows(select(rows.recipients)), "of whoever was counted no row is kept"
    assert state(hotline, campaign) is CampaignState.DONE
    assert results.of_campaign(hotline.runtime, campaign).outcomes == {"reached": "<5"}


def test_whoever_asks_for_a_counselor_in_it_is_counted_and_registered(hotline: Hotline) -> None:
    (number,) = people(hotline, 1)
    campaign = launched(hotline)
    hotline.work()
    call = hotline.pick_up(calls_to(hotline, [number])[0])
    call.press("61")
    assert "registered" in call.press("25").said
    call.hang_up()
    assert totals(hotline, campaign)["asked"] == 1


@pytest.mark.promise(19)
def test_one_key_ends_it_for_good(hotline: Hotline) -> None:
    version, author = ready(hotline)
    opted_in(hotline)
    campaign = campaigns.launch(hotline.runtime, version, author)
    hotline.work()
    call = hotline.pick_up(hotline.provider.calls[-1])
    call.press("6")
    assert call.press("7").said == ["stopped"]
    call.hang_up()
    hotline.later(seconds=5)
    hotline.work()
    assert not hotline.rows(select(consents))
    assert not hotline.rows(select(contacts.contacts))
    assert {what: totals(hotline, campaign)[what] for what in ("reached", "enough")} == {
        "reached": 1,
        "enough": 1,
    }
    with pytest.raises(Refused, match="nobody"):
        campaigns.launch(hotline.runtime, version, author)


@pytest.mark.parametrize(("status", "minutes", "why"), [("busy", 10, "busy"), ("no-answer", 60, "no_answer")])
def test_engaged_or_no_answer_is_tried_once_more_counted_from_the_end_of_the_call(
    hotline: Hotline, status: str, minutes: int, why: str
) -> None:
    numbers = people(hotline, 1)
    campaign = launched(hotline)
    hotline.work()
    hotline.later(minutes=1)
    hotline.not_answered(calls_to(hotline, numbers)[0], status)
    hotline.later(minutes=minutes - 1, seconds=50)
    hotline.work()
    assert len(calls_to(hotline, numbers)) == 1
    hotline.later(seconds=20)
    hotline.work()
    assert len(calls_to(hotline, numbers)) == 2
    hotline.not_answered(calls_to(hotline, numbers)[1], status)
    hotline.later(hours=5)
    hotline.work()
    assert len(calls_to(hotline, numbers)) == 2
    assert totals(hotline, campaign) == {"listed": 1, why: 1}
    assert state(hotline, campaign) is CampaignState.DONE


@pytest.mark.promise(21)
def test_a_machine_hears_nothing_and_is_not_rung_again(hotline: Hotline) -> None:
    numbers = people(hotline, 1)
    campaign = launched(hotline)
    hotline.work()
    call = hotline.pick_up(calls_to(hotline, numbers)[0], by="machine_start")
    assert call.heard.verbs == ["Hangup"]
    call.hang_up()
    hotline.later(hours=5)
    hotline.work()
    assert totals(hotline, campaign) == {"listed": 1, "machine": 1}


# --- who is meant ---------------------------------------------------------------------------------------


def test_the_audience_is_by_language_topic_and_age_of_the_opt_in(hotline: Hotline) -> None:
    version, _ = ready(hotline)
    there = version_of(hotline, version)
    people(hotline, 6, topic="health")
    people(hotline, 5, topic="food")
    hotline.later(days=10)
    people(hotline, 7)
    people(hotline, 4, language="en")
    runtime = hotline.runtime
    there = replace(there, valid_until=runtime.clock.now() + timedelta(days=9))
    assert campaigns.audience(runtime, there) == "18"
    assert campaigns.audience(runtime, there, Plan(topic="food")) == "12", "who asked for all hears it too"
    assert campaigns.audience(runtime, there, Plan(oldest=7)) == "7"
    assert campaigns.audience(runtime, there, Plan(youngest=7)) == "11"
    assert campaigns.audience(runtime, replace(there, language="en")) == "<5"


def test_nobody_in_the_audience_is_a_clear_refusal(hotline: Hotline) -> None:
    version, author = ready(hotline)
    with pytest.raises(Refused, match="nobody"):
        campaigns.launch(hotline.runtime, version, author)
    people(hotline, 2)
    with pytest.raises(Refused, match="nobody"):
        campaigns.launch(hotline.runtime, version, author, Plan(youngest=3))
    assert not hotline.rows(select(rows.campaigns))


@pytest.mark.parametrize(
    "plan",
    [
        Plan(days=0),
        Plan(days=15),
        Plan(cap=Decimal(0)),
        Plan(cap=Decimal(-1)),
        Plan(oldest=-1),
        Plan(youngest=900),
    ],
)
def test_a_plan_that_cannot_be_is_refused(hotline: Hotline, plan: Plan) -> None:
    people(hotline, 1)
    version, author = ready(hotline)
    with pytest.raises(Refused, match="bad_plan"):
        campaigns.launch(hotline.runtime, version, author, plan)


def test_what_its_author_would_approve_cannot_be_launched(hotline: Hotline) -> None:
    people(hotline, 1)
    _, author = ready(hotline)
    until = hotline.clock.now() + timedelta(days=7)
    draft = programmes.Draft("Water", "health", until, [programmes.Content("my", "ရေ")])
    (version,) = programmes.write(hotline.runtime, author, draft)
    hotline.work()
    with pytest.raises(Refused, match="own_text"):
        programmes.approve(hotline.runtime, version, author, version_of(hotline, version).manifest or "")
    with pytest.raises(Refused, match="not_approved"):
        campaigns.launch(hotline.runtime, version, author)


def test_the_calls_are_spread_over_days_and_over_the_numbers(hotline: Hotline) -> None:
    numbers = people(hotline, 12)
    launched(hotline, Plan(days=3, lives=timedelta(days=5)))
    a_day = []
    for _ in range(3):
        hotline.work()
        a_day.append(len(calls_to(hotline, numbers)))
        for call in calls_to(hotline, numbers):
            hotline.not_answered(call, "failed")
        hotline.at(9, days=1)
    assert a_day == [4, 8, 12]
    assert len({call.form["From"] for call in calls_to(hotline, numbers)}) > 1


def test_whoever_opts_in_after_the_launch_is_not_rung_for_it(hotline: Hotline) -> None:
    people(hotline, 1)
    campaign = launched(hotline, Plan(starts=hotline.clock.now() + timedelta(hours=1)))
    hotline.later(minutes=30)
    people(hotline, 3)
    hotline.later(hours=1)
    hotline.work()
    assert totals(hotline, campaign)["listed"] == 1


# --- when -----------------------------------------------------------------------------------------------


def test_a_campaign_begins_at_its_time(hotline: Hotline) -> None:
    numbers = people(hotline, 2)
    launched(hotline, Plan(starts=hotline.clock.now() + timedelta(hours=3)))
    hotline.work()
    hotline.later(hours=2, minutes=50)
    hotline.work()
    assert not calls_to(hotline, numbers)
    hotline.later(minutes=11)
    hotline.work()
    assert len(calls_to(hotline, numbers)) == 2


@pytest.mark.promise(20)
def test_a_campaign_waits_for_the_end_of_quiet_hours_and_dies_at_its_not_after(hotline: Hotline) -> None:
    numbers = people(hotline, 6)
    hotline.at(22)
    campaign = launched(hotline, Plan(lives=timedelta(hours=4)))
    hotline.work()
    hotline.at(7, 1, days=1)
    hotline.work()
    assert not calls_to(hotline, numbers)
    assert totals(hotline, campaign) == {"listed": 6, "expired": 6}
    assert state(hotline, campaign) is CampaignState.DONE


@pytest.mark.promise(20)
def test_a_clock_that_jumps_over_quiet_hours_rings_nobody_in_them_and_everybody_after(
    hotline: Hotline,
) -> None:
    numbers = people(hotline, 5)
    hotline.at(20, 58)
    launched(hotline)
    hotline.at(23)
    hotline.work()
    hotline.at(6, 59, days=1)
    hotline.work()
    assert not calls_to(hotline, numbers)
    hotline.at(7, 0)
    hotline.work()
    assert sorted(call.form["To"] for call in calls_to(hotline, numbers)) == numbers


@pytest.mark.promise(20)
def test_a_number_abroad_is_not_rung_in_its_own_night(
    template: Path, tmp_path: Path, provider: Provider
) -> None:
    hotline = Hotline(template, tmp_path / "abroad", provider, HOTLINE_COUNTRIES="MM,US")
    NUMBERS.insert(0, "+12122345678")
    try:
        numbers = people(hotline, 1)
    finally:
        NUMBERS.pop(0)
    hotline.at(10, 5)  # past half past ten in the evening in New York
    launched(hotline)
    hotline.work()
    assert not calls_to(hotline, numbers)
    hotline.at(19)  # half past seven in the morning there
    hotline.work()
    assert len(calls_to(hotline, numbers)) == 1
    hotline.runtime.database.close()


# --- steering -------------------------------------------------------------------------------------------


def test_paused_nobody_is_rung_and_what_rings_is_taken_back(hotline: Hotline) -> None:
    numbers = people(hotline, 3)
    version, author = ready(hotline)
    campaign = campaigns.launch(hotline.runtime, version, author)
    hotline.work()
    talking = hotline.pick_up(calls_to(hotline, numbers)[0])
    talking.press("6")
    campaigns.steer(hotline.runtime, campaign, author, to=CampaignState.PAUSED)
    hotline.work()
    calls = calls_to(hotline, numbers)
    assert [call.status for call in calls] == ["queued", "canceled", "canceled"], (
        "who listens goes on listening"
    )
    with hotline.runtime.database.read() as session:
        assert legs.live_kinds(session) == {"programme": 1}, (
            "of what was queued the provider never reports an end"
        )
    hotline.later(hours=2)
    hotline.work()
    assert len(calls_to(hotline, numbers)) == 3
    campaigns.steer(hotline.runtime, campaign, author, to=CampaignState.RUNNING)
    hotline.work()
    assert len(calls_to(hotline, numbers)) == 5, "at once"


def test_canceled_is_never_again_and_counted(hotline: Hotline) -> None:
    people(hotline, 4)
    version, author = ready(hotline)
    campaign = campaigns.launch(hotline.runtime, version, author, Plan(days=4))
    hotline.work()
    campaigns.steer(hotline.runtime, campaign, author, to=CampaignState.CANCELED)
    hotline.work()
    assert totals(hotline, campaign) == {"listed": 4, "canceled": 4}
    with pytest.raises(Refused, match="not_now"):
        campaigns.steer(hotline.runtime, campaign, author, to=CampaignState.RUNNING)
    hotline.at(10, days=1)
    hotline.work()
    assert len(hotline.provider.calls) == 1


def test_however_many_were_never_listed_a_transaction_counts_a_slice_of_them(
    hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaigns, "SLICE", 2)
    people(hotline, 5)
    version, author = ready(hotline)
    campaign = campaigns.launch(hotline.runtime, version, author)
    campaigns.steer(hotline.runtime, campaign, author, to=CampaignState.CANCELED)
    counted: list[int] = []

    def note(_connection: object, _cursor: object, statement: str, values: Any, *_rest: object) -> None:
        if statement.startswith("INSERT INTO tallies") and "canceled" in values:
            counted.append(values[-1])

    event.listen(hotline.runtime.database.engine, "before_cursor_execute", note)
    hotline.work()
    assert totals(hotline, campaign) == {"listed": 5, "canceled": 5}
    assert counted == [2, 2, 1]


def test_taking_a_programme_back_ends_its_calls(hotline: Hotline) -> None:
    people(hotline, 2)
    version, author = ready(hotline)
    campaign = campaigns.launch(hotline.runtime, version, author)
    programmes.retire(hotline.runtime, version, author)
    hotline.work()
    assert not hotline.provider.calls
    assert state(hotline, campaign) is CampaignState.CANCELED


def test_the_same_launch_twice_is_one_campaign_and_another_plan_is_refused(hotline: Hotline) -> None:
    people(hotline, 2)
    version, author = ready(hotline)
    first = campaigns.launch(hotline.runtime, version, author)
    assert campaigns.launch(hotline.runtime, version, author) == first
    with pytest.raises(Refused, match="running"):
        campaigns.launch(hotline.runtime, version, author, Plan(cap=Decimal(5)))
    hotline.work()
    assert len(hotline.provider.calls) == 2
    assert len(hotline.rows(select(rows.campaigns))) == 1


@pytest.mark.promise(19)
def test_a_stop_by_text_ends_what_was_queued(hotline: Hotline) -> None:
    version, author = ready(hotline)
    opted_in(hotline)
    campaign = campaigns.launch(
        hotline.runtime, version, author, Plan(starts=hotline.clock.now() + timedelta(minutes=5))
    )
    hotline.text("99", "+959790002001")
    before = len(hotline.provider.calls)
    hotline.later(minutes=6)
    hotline.work()
    assert len(hotline.provider.calls) == before
    assert state(hotline, campaign) is CampaignState.DONE


def test_turned_off_nobody_is_rung(hotline: Hotline) -> None:
    people(hotline, 2)
    version, author = ready(hotline)
    campaigns.launch(hotline.runtime, version, author)
    switching.turn(hotline.runtime, "programme_calls", on=False, account=author)
    hotline.work()
    assert not hotline.provider.calls
