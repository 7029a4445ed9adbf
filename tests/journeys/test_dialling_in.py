"""Somebody dials in."""

from datetime import timedelta

import pytest
from front_door import CALLER, Hotline
from sqlalchemy import select

from gateway.store.callbacks import CallbackState, callbacks
from gateway.store.contacts import contacts, preferences
from gateway.store.conversations import conversations
from gateway.store.inbox import inbox
from gateway.store.outbox import outbox

OTHER = "+959790001002"


def test_a_caller_asks_to_be_rung_chooses_when_and_her_own_key_and_hears_her_handle(hotline: Hotline) -> None:
    call = hotline.dial()
    assert call.heard.said == ["greeting", "main"]
    assert call.press("1").said[0] == "truth"
    assert call.press("1").said == ["kept_hour", "own_key"]
    heard = call.press("5")

    assert heard.said == ["registered", "handle", "registered_end", "more"]
    assert call.silence().said == ["goodbye"]
    assert call.heard.ends
    row = hotline.one(select(callbacks))
    assert (row.state, row.wish, row.own_keys) == (CallbackState.WAITING, "hour", "5")
    assert row.expires - row.asked == timedelta(minutes=45)


def test_when_each_pair_of_words_is_somebodys_there_is_a_third_word(hotline: Hotline) -> None:
    hotline.dial().press("115")
    row = hotline.one(select(callbacks))._asdict() | {"contact": None}
    pairs = [pair for pair in hotline.runtime.library.handles if pair != row["handle"]]
    crowd = [row | {"id": f"{at:016x}", "handle": pair} for at, pair in enumerate(pairs)]
    with hotline.runtime.database.write() as session:
        session.execute(callbacks.insert(), crowd)
    assert hotline.text("11", OTHER) == hotline.runtime.library.sms("my", "asked_nobody", "unicode")
    assert hotline.dial("+959790001003").press("115").said[:2] == ["registered", "handle"]
    handles = [one.handle.split("-") for one in hotline.rows(select(callbacks.c.handle))]
    assert [len(words) for words in handles if len(words) != 2] == [3, 3]


def test_hanging_up_before_the_own_key_leaves_nothing(hotline: Hotline) -> None:
    call = hotline.dial()
    call.press("11")
    call.hang_up()

    assert not hotline.rows(select(callbacks))
    assert not hotline.rows(select(contacts))
    assert not hotline.rows(select(conversations))


def test_nobody_on_shift_is_said_before_she_chooses_when(hotline: Hotline) -> None:
    assert "nobody_now" in hotline.dial().press("1").said
    hotline.counselor()
    assert "nobody_now" not in hotline.dial().press("1").said


def test_a_withheld_number_hears_that_it_cannot_be_rung(hotline: Hotline) -> None:
    for withheld in ("anonymous", "", "+266696687", "sip:x@example.org"):
        assert hotline.dial(withheld).press("1").said[0] == "withheld"
    assert not hotline.rows(select(callbacks))


def test_asking_twice_changes_the_one_open_request_and_the_newest_key_alone_is_hers(hotline: Hotline) -> None:
    hotline.dial().press("115")
    hotline.dial().press("148")

    row = hotline.one(select(callbacks))
    assert (row.wish, row.own_keys, row.asks) == ("evening", "8", 2)


@pytest.mark.promise(8)
def test_withdrawing_says_the_same_whether_or_not_there_was_anything(hotline: Hotline) -> None:
    nothing = hotline.dial().press("4").said
    hotline.dial().press("115")
    assert hotline.dial().press("4").said == nothing
    assert hotline.one(select(callbacks)).state == CallbackState.WITHDRAWN
    hotline.work()
    assert not hotline.rows(select(contacts)), "a request that is dead keeps no number"


@pytest.mark.promise(8)
def test_every_menu_is_the_same_for_a_known_and_an_unknown_number(hotline: Hotline) -> None:
    hotline.dial().press("115")
    known, unknown = hotline.dial(), hotline.dial("+959790001999")
    for keys in ("2", "9", "1", "9", "3", "5"):
        assert known.press(keys).said == unknown.press(keys).said


def test_the_language_is_remembered_only_once_chosen(hotline: Hotline) -> None:
    hotline.dial()
    assert not hotline.rows(select(preferences))
    hotline.dial().press("52")
    assert hotline.one(select(preferences)).language == "en"
    greeting = hotline.runtime.sound("en", "greeting")
    assert greeting
    first = hotline.dial().heard.document.find("Gather/Play")
    assert first is not None
    assert greeting.sound in (first.text or "")


@pytest.mark.parametrize("topic", range(1, 8))
def test_every_topic_can_be_heard_and_leads_to_somebody_who_rings(hotline: Hotline, topic: int) -> None:
    call = hotline.dial()
    call.press("2")
    assert call.press(str(topic)).said[0].startswith("topic_")
    assert "when" in call.press("1").said


def test_wrong_keys_and_silence_end_with_a_sentence_never_in_the_air(hotline: Hotline) -> None:
    call = hotline.dial()
    call.press("7")
    assert call.heard.said[0] == "wrong_key"
    call.press("77")
    assert call.heard.said == ["too_many"]
    assert call.heard.ends
    quiet = hotline.dial()
    assert quiet.silence().said[0] == "main_later"
    quiet.silence()
    assert quiet.silence().said == ["goodbye"]


@pytest.mark.promise(6)
def test_the_same_webhook_again_gets_the_same_answer_and_has_one_effect(hotline: Hotline) -> None:
    call = hotline.dial()
    call.press("11")
    path = call.heard.action
    assert path
    form = {**call.form, "CallSid": call.sid, "Digits": "5"}
    first = hotline.post(path, form).data
    assert all(hotline.post(path, form).data == first for _ in range(5))
    assert hotline.one(select(callbacks)).asks == 1


@pytest.mark.promise(6)
def test_after_a_day_the_same_webhook_has_no_effect_and_tells_nothing(hotline: Hotline) -> None:
    call = hotline.dial()
    call.press("11")
    path = call.heard.action
    assert path
    form = {**call.form, "CallSid": call.sid, "Digits": "5"}
    hotline.post(path, form)
    hotline.later(days=2)
    from gateway.services import housekeeping

    housekeeping.expire(hotline.runtime)
    housekeeping.sweep(hotline.runtime)
    assert b"<Play>" not in hotline.post(path, form).data
    assert len(hotline.rows(select(callbacks).where(callbacks.c.ended.is_(None)))) == 0


def test_a_webhook_of_a_step_that_is_past_has_no_effect(hotline: Hotline) -> None:
    call = hotline.dial()
    call.press("1")
    heard = hotline.voice("/twilio/voice/turn/7", {**call.form, "CallSid": call.sid, "Digits": "5"})
    assert heard.said == ["goodbye"]
    assert heard.ends


@pytest.mark.promise(1)
def test_no_number_is_in_any_row(hotline: Hotline) -> None:
    hotline.dial().press("115")
    needle = CALLER.removeprefix("+95").encode()
    for table in (callbacks, contacts, outbox, inbox, conversations):
        for row in hotline.rows(select(table)):
            assert needle not in repr(row).encode()
