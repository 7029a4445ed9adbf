"""Opting in to programmes: nothing is live before one call is answered with the key, or one code comes back."""

import re
from datetime import timedelta

import pytest
from front_door import CALLER, Hotline
from journeys.test_making_programmes import approve, version_of, write
from journeys.test_programmes import opted_in
from sqlalchemy import select

from gateway.services import campaigns, housekeeping
from gateway.services.programmes import Content
from gateway.store import campaigns as rows
from gateway.store.consents import Way, consents, text_opt_ins
from gateway.store.contacts import contacts
from gateway.store.counselors import Role
from gateway.store.messages import messages

OTHER = "+959790002001"
WATER = "ရေကို ဆူအောင် တည်ပါ။"


@pytest.fixture
def author(hotline: Hotline) -> str:
    return hotline.counselor("author", "+66812345011", Role.COORDINATOR).id


@pytest.fixture
def second(hotline: Hotline) -> str:
    return hotline.counselor("second", "+66812345012").id


def programme(
    hotline: Hotline, author: str, second: str, *contents: Content, topic: str = "health"
) -> list[str]:
    made = write(hotline, author, *(contents or [Content("my", WATER)]), topic=topic)
    for version in made:
        approve(hotline, version, second)
    return made


def code_in(answer: str | None) -> str:
    found = re.search(r"\b\d{4}\b", answer or "")
    assert found, answer
    return found[0]


# --- listening ------------------------------------------------------------------------------------------


def test_a_topic_offers_its_programmes_and_the_main_menu_the_newest(
    hotline: Hotline, author: str, second: str
) -> None:
    food, health = (
        programme(hotline, author, second, topic="food"),
        programme(hotline, author, second, Content("my", WATER * 9), topic="health"),
    )
    long = len(version_of(hotline, health[0]).sounds)
    assert long > len(version_of(hotline, food[0]).sounds)
    call = hotline.dial()
    assert "topic_listen" in call.press("23").said
    assert call.press("3").said.count("sound") < long
    assert call.press("1").said[0] == "listen_nothing"
    assert call.press("3").said.count("sound") == long
    assert "topic_listen" not in hotline.dial().press("27").said


def test_a_missed_call_is_rung_back_and_can_listen(hotline: Hotline, author: str, second: str) -> None:
    programme(hotline, author, second)
    missed = hotline.settings.missed_call_numbers[0].reveal("demo")
    form = {
        "From": CALLER,
        "To": missed,
        "CallStatus": "ringing",
        "Direction": "inbound",
        "CallSid": "CA" + "1" * 32,
    }
    assert hotline.voice("/twilio/voice", form).verbs == ["Reject"]
    hotline.later(minutes=11)
    hotline.work()
    call = hotline.pick_up(hotline.provider.calls[-1])
    assert "sound" in call.press("3").said


def test_the_next_call_begins_at_the_beginning(hotline: Hotline, author: str, second: str) -> None:
    (version,) = programme(hotline, author, second, Content("my", WATER * 20))
    pieces = len(version_of(hotline, version).sounds)
    assert pieces > 2
    call = hotline.dial()
    call.press("3")
    assert call.press("4").said.count("sound") == pieces - 1
    call.hang_up()
    assert hotline.dial().press("3").said.count("sound") == pieces


# --- by call --------------------------------------------------------------------------------------------


def test_asked_twice_rings_once(hotline: Hotline) -> None:
    for own in "465":
        hotline.dial(OTHER).press("81" + own)
    hotline.text("88", OTHER)
    hotline.work()
    (call,) = hotline.provider.calls
    assert hotline.pick_up(call).press("1").said == ["confirmed"], "the last one asked by text, so 1 opens"


def test_she_hears_for_how_long_and_can_still_say_no(hotline: Hotline) -> None:
    hotline.dial(OTHER).press("816")
    hotline.work()
    call = hotline.pick_up(hotline.provider.calls[-1])
    assert call.press("6").said == ["confirmed"]
    assert call.press("7").said == ["stopped"]
    assert not hotline.rows(select(consents))


@pytest.mark.promise(18)
def test_somebody_who_asks_in_her_name_takes_nothing_from_her(hotline: Hotline) -> None:
    opted_in(hotline, OTHER, "6")
    before = hotline.one(select(consents.c.own_key, consents.c.until))
    hotline.later(hours=1)
    hotline.text("88", OTHER)
    hotline.work()
    call = hotline.pick_up(hotline.provider.calls[-1])
    assert call.press("5").said == ["harmless"]
    call.hang_up()
    there = hotline.one(select(consents))
    assert (there.own_key, there.until, there.live, there.asked_key) == (*before, True, None)


def test_in_the_last_days_her_own_key_and_nothing_else_renews(
    hotline: Hotline, author: str, second: str
) -> None:
    opted_in(hotline, OTHER, "6")
    until = hotline.one(select(consents.c.until))[0]
    hotline.later(days=25)
    (version,) = programme(hotline, author, second)
    campaigns.launch(hotline.runtime, version, author)
    hotline.work()
    call = hotline.pick_up(hotline.provider.calls[-1])
    assert call.heard.said == ["gate"]
    assert call.press("6").said == ["renew"]
    assert call.press("5").said == ["sound"]
    assert hotline.one(select(consents.c.until))[0] == until
    call.hang_up()
    newer = programme(hotline, author, second, Content("my", WATER * 2))[0]
    campaigns.launch(hotline.runtime, newer, author)
    hotline.later(minutes=1)
    hotline.work()
    call = hotline.pick_up(hotline.provider.calls[-1])
    call.press("6")
    assert call.press("6").said == ["renewed", "sound"]
    left = hotline.one(select(consents.c.until))[0] - hotline.clock.now()
    assert timedelta(days=29, hours=23) < left <= timedelta(days=30)


@pytest.mark.parametrize("kind", ["confirm", "programme"])
def test_whoever_says_wrong_person_is_not_rung_about_it_again(
    hotline: Hotline, author: str, second: str, kind: str
) -> None:
    (version,) = programme(hotline, author, second)
    campaign = ""
    if kind == "programme":
        opted_in(hotline, OTHER, "6")
        campaign = campaigns.launch(hotline.runtime, version, author)
    else:
        hotline.dial(OTHER).press("816")
    hotline.work()
    call = hotline.pick_up(hotline.provider.calls[-1])
    assert call.press("3").said == ["gate_wrong_person"]
    call.hang_up()
    hotline.later(seconds=15)
    hotline.work()
    assert not hotline.rows(select(consents))
    assert not hotline.rows(select(contacts))
    if campaign:
        with hotline.runtime.database.read() as session:
            assert rows.totals(session, campaign) == {"listed": 1, "wrong_person": 1}


@pytest.mark.promise(18)
def test_after_thirty_days_it_ends_by_itself_and_so_does_the_number(hotline: Hotline) -> None:
    opted_in(hotline, OTHER, "6")
    hotline.later(days=30, minutes=1)
    housekeeping.expire(hotline.runtime)
    hotline.work()
    assert not hotline.rows(select(consents))
    assert not hotline.rows(select(contacts))


# --- by text --------------------------------------------------------------------------------------------


@pytest.mark.promise(18)
def test_texts_are_live_when_the_code_comes_back_from_that_number(hotline: Hotline) -> None:
    code = code_in(hotline.text("80", OTHER))
    assert not hotline.rows(select(consents))
    hotline.text(code, CALLER)
    assert not hotline.rows(select(consents)), "another number's code is worth nothing"
    assert hotline.text("၄၂ " + code, OTHER) is None or not hotline.rows(select(consents))
    hotline.text(code, OTHER)
    there = hotline.one(select(consents))
    assert (there.way, there.live) == (Way.TEXT, True)
    assert not hotline.rows(select(text_opt_ins))


def test_a_code_is_sent_once_and_worth_three_tries(hotline: Hotline) -> None:
    code = code_in(hotline.text("80", OTHER))
    answers = [hotline.text("80", OTHER) for _ in range(5)]
    assert not any(code in (answer or "") or re.search(r"\b\d{4}\b", answer or "") for answer in answers)
    wrong = [f"{(int(code) + step) % 10_000:04}" for step in (1, 2, 3)]
    for one in wrong:
        hotline.text(one, OTHER)
    hotline.text(code, OTHER)
    assert not hotline.rows(select(consents))


def test_a_code_that_never_came_back_is_forgotten_with_its_number(hotline: Hotline) -> None:
    code = code_in(hotline.text("80", OTHER))
    hotline.later(hours=25)
    hotline.text(code, OTHER)
    assert not hotline.rows(select(consents))
    housekeeping.expire(hotline.runtime)
    hotline.work()
    assert not hotline.rows(select(text_opt_ins))
    assert not hotline.rows(select(contacts))


def test_choosing_texts_ends_the_calls_and_stop_ends_the_texts(hotline: Hotline) -> None:
    opted_in(hotline, OTHER, "6")
    hotline.text(code_in(hotline.text("80", OTHER)), OTHER)
    assert hotline.one(select(consents.c.way))[0] == Way.TEXT
    hotline.text("99", OTHER)
    hotline.work()
    assert not hotline.rows(select(consents))
    assert not hotline.rows(select(contacts))


def test_a_text_campaign_sends_one_neutral_segment_to_who_chose_texts(
    hotline: Hotline, author: str, second: str
) -> None:
    opted_in(hotline, CALLER, "5")
    hotline.text(code_in(hotline.text("80", OTHER)), OTHER)
    calls = len(hotline.provider.calls)
    (version,) = programme(hotline, author, second, Content("my", WATER, way=Way.TEXT))
    campaign = campaigns.launch(hotline.runtime, version, author)
    hotline.work()
    (sent,) = hotline.provider.texts
    assert sent.form["To"] == OTHER
    assert sent.form["Body"] == WATER
    assert 0 < int(sent.form["ValidityPeriod"]) <= 36_000
    assert len(hotline.provider.calls) == calls
    hotline.later(seconds=5)
    hotline.work()
    with hotline.runtime.database.read() as session:
        assert rows.totals(session, campaign) == {"listed": 1, "texted": 1}
        assert rows.get(session, campaign).state == "done"


@pytest.mark.parametrize("late", ["stopped", "expired", "retired"])
def test_a_text_that_may_not_be_sent_any_more_never_leaves(
    hotline: Hotline, author: str, second: str, late: str
) -> None:
    hotline.text(code_in(hotline.text("80", OTHER)), OTHER)
    (version,) = programme(hotline, author, second, Content("my", WATER, way=Way.TEXT))
    hotline.at(22)
    campaign = campaigns.launch(hotline.runtime, version, author, campaigns.Plan(lives=timedelta(hours=8)))
    hotline.work()
    match late:
        case "stopped":
            hotline.text("99", OTHER)
            hotline.at(7, 1, days=1)
        case "expired":
            hotline.at(9, days=1)
        case _:
            campaigns.steer(hotline.runtime, campaign, author, to=rows.CampaignState.CANCELED)
            hotline.at(5, days=1)
    hotline.work()
    assert not hotline.provider.texts
    assert all(one.state != "sent" for one in hotline.rows(select(messages)))


def test_an_engaged_phone_was_not_rung_and_is_tried_a_little_later(hotline: Hotline) -> None:
    """She still listens to the call in which she asked."""
    hotline.dial().press("816")
    hotline.work()
    hotline.not_answered(hotline.provider.calls[-1], "busy")
    hotline.work()
    assert len(hotline.provider.calls) == 1
    hotline.later(seconds=31)
    hotline.work()
    confirming = hotline.pick_up(hotline.provider.calls[-1])
    assert confirming.press("6").said[0] == "confirmed"
    confirming.hang_up()
    assert hotline.one(select(consents)).live
    assert len(hotline.provider.calls) == 2


def test_a_phone_that_stays_engaged_is_given_up(hotline: Hotline) -> None:
    hotline.dial().press("816")
    for _ in range(9):
        hotline.work()
        if hotline.provider.calls[-1].status == "queued":
            hotline.provider.calls[-1].status = "busy"
            hotline.not_answered(hotline.provider.calls[-1], "busy")
        hotline.later(seconds=31)
    assert len(hotline.provider.calls) == 6
    assert not hotline.rows(select(consents))
