"""A text is sent by REST: once, in time, in order; whatever the provider and the workers do."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from front_door import CALLER, Hotline, Provider
from journeys.test_threads import taken
from sqlalchemy import select

from gateway.services import dispatch, overview, threads
from gateway.store import outbox
from gateway.store.contacts import contacts, forbidden
from gateway.store.messages import MessageState, messages

S = MessageState


@pytest.fixture
def texting(template: Path, tmp_path: Path, provider: Provider) -> Iterator[Hotline]:
    made = Hotline(template, tmp_path / "hotline", provider, HOTLINE_FEATURES="threads")
    yield made
    made.runtime.database.close()


def answered(hotline: Hotline, *words: str) -> str:
    case, account = taken(hotline)
    for one in words or ("yes",):
        threads.answer(hotline.runtime, case, account, one)
        hotline.later(seconds=1)
    return case


def ours(hotline: Hotline) -> list[str]:
    query = select(messages.c.state).where(messages.c.state != S.RECEIVED).order_by(messages.c.written)
    return [row.state for row in hotline.rows(query)]


def work_for(hotline: Hotline, *, minutes: float) -> None:
    """Workers and clock for that long, a look every twenty seconds."""
    for _ in range(int(minutes * 3)):
        hotline.work()
        hotline.later(seconds=20)


def counts(hotline: Hotline) -> dict[str, int]:
    found: dict[str, int] = overview.status(hotline.runtime)["messages"]
    return {state: count for state, count in found.items() if count}


def test_a_text_is_taken_then_delivered_and_counted_at_each_step(texting: Hotline) -> None:
    answered(texting)
    assert counts(texting) == {"received": 1, "owed": 1}
    texting.work()
    assert counts(texting) == {"received": 1, "sent": 1}
    texting.report(texting.provider.texts[0], "delivered")
    assert counts(texting) == {"received": 1, "delivered": 1}


def test_texts_to_one_person_leave_in_the_order_they_were_written(texting: Hotline) -> None:
    answered(texting, "one", "two", "three")
    work_for(texting, minutes=1)
    assert [text.body for text in texting.provider.texts] == ["one", "two", "three"]


@pytest.mark.parametrize("refusal", [(429, 20429), (401, 20003)])
def test_what_was_certainly_not_sent_is_tried_again(texting: Hotline, refusal: tuple[int, int]) -> None:
    answered(texting)
    texting.provider.refuse = lambda: refusal
    work_for(texting, minutes=2)
    assert ours(texting) == [S.OWED]
    texting.provider.refuse = lambda: None
    work_for(texting, minutes=1)
    assert len(texting.provider.texts) == 1
    assert ours(texting) == [S.SENT]


def test_past_its_time_it_dies_unsent(texting: Hotline) -> None:
    answered(texting)
    texting.provider.refuse = lambda: (429, 20429)
    texting.work()
    texting.later(minutes=31)
    texting.provider.refuse = lambda: None
    work_for(texting, minutes=1)
    assert texting.provider.texts == []
    assert ours(texting) == [S.TOO_LATE]


@pytest.mark.parametrize("code", [21211, 21614, 21408, 21617])
def test_what_will_never_go_is_not_tried_again(texting: Hotline, code: int) -> None:
    answered(texting)
    texting.provider.refuse = lambda: (400, code)
    work_for(texting, minutes=1)
    assert ours(texting) == [S.FAILED]


@pytest.mark.promise(19)
def test_who_stopped_us_at_the_carrier_is_left_alone_at_once(texting: Hotline) -> None:
    answered(texting, "one", "two")
    texting.provider.refuse = lambda: (400, 21610)
    work_for(texting, minutes=1)
    assert texting.rows(select(forbidden))
    assert texting.provider.texts == []
    assert not texting.rows(select(contacts)), "the request ended, and nobody needs the number"


@pytest.mark.promise(19)
def test_a_report_of_who_stopped_us_ends_everything_too(texting: Hotline) -> None:
    answered(texting)
    texting.work()
    texting.report(texting.provider.texts[0], "failed", code="21610")
    assert texting.rows(select(forbidden))


@pytest.mark.promise(12)
def test_an_answer_that_got_lost_is_looked_up_and_nothing_is_sent_twice(texting: Hotline) -> None:
    answered(texting)
    texting.provider.drop_answers = True
    texting.work()
    assert ours(texting) == [S.UNCERTAIN]
    work_for(texting, minutes=1)
    texting.provider.drop_answers = False
    work_for(texting, minutes=1)
    assert len(texting.provider.texts) == 1
    assert ours(texting) == [S.SENT]


def test_what_the_provider_never_had_is_sent_after_all(texting: Hotline) -> None:
    answered(texting)
    texting.provider.refuse = lambda: (503, 0)
    texting.work()
    assert ours(texting) == [S.UNCERTAIN]
    texting.provider.refuse = lambda: None
    work_for(texting, minutes=2)
    assert texting.provider.texts == [], "it could still come to light"
    work_for(texting, minutes=2)
    assert len(texting.provider.texts) == 1
    assert ours(texting) == [S.SENT]


def test_a_later_text_waits_while_an_earlier_one_is_uncertain(texting: Hotline) -> None:
    answered(texting, "one", "two")
    texting.provider.drop_answers = True
    texting.work()
    work_for(texting, minutes=1)
    assert [text.body for text in texting.provider.texts] == ["one"]
    texting.provider.drop_answers = False
    work_for(texting, minutes=1)
    assert [text.body for text in texting.provider.texts] == ["one", "two"]


def test_two_workers_at_once_send_it_once(texting: Hotline) -> None:
    answered(texting)
    (duty,) = texting.rows(select(outbox.outbox.c.id).where(outbox.outbox.c.job == "send_text"))
    assert dispatch.take(texting.runtime, duty.id) is not None
    assert dispatch.take(texting.runtime, duty.id) is None


def test_an_answer_leaves_at_night_and_its_number_is_the_one_she_texted(texting: Hotline) -> None:
    texting.at(22)
    answered(texting)
    texting.work()
    (text,) = texting.provider.texts
    assert text.form["To"] == CALLER
    assert text.form["From"] == texting.settings.numbers[0].reveal("demo")


def test_a_report_about_a_text_that_is_not_ours_changes_nothing(texting: Hotline) -> None:
    answered(texting)
    texting.work()
    (text,) = texting.provider.texts
    stranger = {"MessageSid": "SM" + "f" * 32, "MessageStatus": "failed"}
    assert texting.post("/twilio/sms/status", stranger).status_code == 204
    assert texting.post("/twilio/sms/status/nobody", stranger).status_code == 204
    assert ours(texting) == [S.SENT]
    assert texting.post("/twilio/sms/status", {"MessageSid": text.sid, "MessageStatus": "delivered"})
    assert ours(texting) == [S.DELIVERED], "without our id in its address it is known by the provider's"
