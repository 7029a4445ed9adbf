"""What is heard and done when a part is away, or breaks, in the middle of a conversation."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from front_door import CALLER, Heard, Hotline, Line
from real_redis import RedisServer
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import select

from gateway.queue import CALLS, JOB_DELETE_COPIES, JOB_RING_POOL, JobQueue
from gateway.services import casework, dispatch, housekeeping, states
from gateway.store.callbacks import callbacks
from gateway.store.conversations import conversations
from gateway.store.legs import legs
from gateway.store.outbox import outbox
from gateway.vault import Place
from ivr.engine import State

OTHER = "+959790003003"
NEVER_ANSWERED = ["missed_call_numbers", "counselor_numbers"]


@contextmanager
def database_away(hotline: Hotline) -> Iterator[None]:
    """The file is no database for a while, and open connections are gone; afterwards all is as it was."""
    folder = hotline.settings.data_dir
    hotline.runtime.database.close()
    kept = folder / "kept"
    kept.mkdir()
    for file in folder.glob("hotline.db*"):
        file.rename(kept / file.name)
    (folder / "hotline.db").mkdir()
    yield
    hotline.runtime.database.close()
    (folder / "hotline.db").rmdir()
    for file in kept.iterdir():
        file.rename(folder / file.name)
    kept.rmdir()


def form_to(hotline: Hotline, numbers: str, **more: str) -> dict[str, str]:
    line = getattr(hotline.settings, numbers)[0].reveal("demo")
    return {"From": CALLER, "To": line, **more}


def ring(hotline: Hotline, numbers: str) -> Heard:
    form = form_to(hotline, numbers, Direction="inbound", CallSid="CA" + secrets.token_hex(16))
    return hotline.voice("/twilio/voice", form)


def write_to(hotline: Hotline, numbers: str, words: str) -> bytes:
    form = form_to(hotline, numbers, MessageSid="SM" + secrets.token_hex(16), Body=words, NumMedia="0")
    answer: bytes = hotline.post("/twilio/sms", form).data
    return answer


def call_for(hotline: Hotline) -> Line:
    """The counselor who took the one request calls, and answers her own phone first."""
    helper, asked = hotline.counselor(), str(hotline.one(select(callbacks.c.id)).id)
    casework.claim(hotline.runtime, asked, helper.id)
    casework.call(hotline.runtime, asked, helper.id)
    hotline.work()
    return hotline.pick_up(hotline.provider.calls[-1])


def counselor_called(hotline: Hotline) -> Line:
    hotline.dial().press("115")
    return call_for(hotline)


def caller_rung(hotline: Hotline) -> Line:
    counselor_called(hotline).press("11")
    hotline.work()
    call = hotline.provider.calls[-1]
    assert call.form["To"] == CALLER
    return hotline.pick_up(call)


# --- the database away, in a call that we placed -----------------------------------------------------------


@pytest.mark.promise(14)
@pytest.mark.parametrize("key", ["1", "2", "5", "8", "0", "*"])
def test_whoever_holds_her_phone_hears_no_menu_of_the_hotline(hotline: Hotline, key: str) -> None:
    line = caller_rung(hotline)
    with database_away(hotline):
        heard = line.press(key)
    assert heard.said == ["sorry_later"]
    assert heard.ends


def test_nor_does_who_stays_silent_at_the_gate(hotline: Hotline) -> None:
    line = caller_rung(hotline)
    with database_away(hotline):
        heard = line.silence()
    assert heard.said == ["sorry_later"]
    assert heard.ends


# --- the database away, in a call that was dialled in ------------------------------------------------------


@pytest.mark.parametrize("numbers", NEVER_ANSWERED)
def test_a_line_that_never_answers_does_not_answer_then_either(hotline: Hotline, numbers: str) -> None:
    with database_away(hotline):
        assert ring(hotline, numbers).verbs == ["Reject"]


@pytest.mark.promise(14)
def test_a_key_whose_place_is_unknown_is_told_that_nothing_was_saved(hotline: Hotline) -> None:
    call = hotline.dial()
    call.press("11")
    with database_away(hotline):
        heard = call.press("5")
    assert heard.said == ["not_saved", "greeting", "main"]
    assert not hotline.rows(select(callbacks))


def test_silence_whose_place_is_unknown_hears_the_menu(hotline: Hotline) -> None:
    call = hotline.dial()
    with database_away(hotline):
        assert call.silence().said == ["greeting", "main"]


@pytest.mark.promise(14)
def test_away_for_one_turn_and_the_call_goes_on_from_where_it_was(hotline: Hotline) -> None:
    call = hotline.dial()
    call.press("2")
    with database_away(hotline):
        call.press("1")
    assert call.press("1").said[0] == "truth"
    assert call.press("15").said[-4:] == ["registered", "handle", "registered_end", "more"]
    assert hotline.one(select(callbacks)).own_keys == "5"


def test_away_twice_in_one_call_and_it_is_kept_all_the_same(hotline: Hotline) -> None:
    call = hotline.dial()
    for key in "11":
        with database_away(hotline):
            call.press("0")
        call.press(key)
    assert call.heard.said[0] == "truth"


@pytest.mark.promise(6)
def test_the_webhook_again_after_it_was_answered_without_the_database_has_one_effect(
    hotline: Hotline,
) -> None:
    with database_away(hotline):
        call = hotline.dial()
        call.press("11")
    last = call.heard.action
    assert last
    assert call.post(last, Digits="5").said[0] == "registered"
    assert call.post(last, Digits="5").said[0] == "registered"
    assert hotline.one(select(callbacks)).asks == 1


# --- the state that travels in the address ----------------------------------------------------------------


def begun_without_database(hotline: Hotline) -> tuple[Line, str]:
    with database_away(hotline):
        call = hotline.dial()
        call.press("11")
    assert call.heard.action
    return call, call.heard.action


def test_what_travelled_in_one_calls_address_opens_in_no_other(hotline: Hotline) -> None:
    call, action = begun_without_database(hotline)
    other = {**call.form, "From": OTHER, "CallSid": "CA" + secrets.token_hex(16), "Digits": "5"}
    assert hotline.voice(action, other).said == ["goodbye"]
    assert not hotline.rows(select(callbacks))


@pytest.mark.parametrize(
    ("hours", "said"), [(1, "registered"), (2, "registered"), (3, "goodbye"), (366 * 24, "goodbye")]
)
def test_nor_after_the_hours_that_a_call_may_last(hotline: Hotline, hours: int, said: str) -> None:
    call, action = begun_without_database(hotline)
    hotline.later(hours=hours)
    assert call.post(action, Digits="5").said[0] == said
    assert bool(hotline.rows(select(callbacks))) is (said == "registered")


# --- what nobody can go on with ---------------------------------------------------------------------------


def code_of(hotline: Hotline, call: Line) -> str:
    digits = ""
    for play in call.heard.document.iter("Play"):
        name = re.search(r"([0-9a-f]{64})", play.text or "")
        prompt = hotline.runtime.voices.spoken_by(name[1]) if name else None
        if prompt and prompt.key.startswith("digit."):
            digits += prompt.key.removeprefix("digit.")
    return digits[:6]


def test_a_case_that_closed_before_the_key_ends_with_a_word(hotline: Hotline) -> None:
    first = hotline.dial()
    first.press("167")
    call = hotline.dial(OTHER)
    call.press("1#")
    assert call.heard.action
    call.post(call.heard.action, Digits=code_of(hotline, first))
    assert call.press("7").said[0] == "case_open"
    hotline.later(days=8)
    housekeeping.expire(hotline.runtime)
    heard = call.press("1")
    assert heard.said
    assert heard.said[0] != "case_kept"


def test_a_key_in_a_call_that_is_not_known_any_more_is_said_goodbye_to(hotline: Hotline) -> None:
    form = form_to(hotline, "numbers", Direction="inbound", CallSid="CA" + secrets.token_hex(16), Digits="1")
    heard = hotline.voice("/twilio/voice/turn/3", form)
    assert heard.said == ["goodbye"]
    assert heard.ends


def test_a_call_of_ours_that_is_over_is_hung_up_on_without_a_word(hotline: Hotline) -> None:
    counselor_called(hotline).press("11")
    hotline.work()
    late = hotline.provider.calls[-1]
    hotline.not_answered(late)
    assert hotline.pick_up(late).heard.verbs == ["Hangup"]


# --- lines that are only rung -----------------------------------------------------------------------------


@pytest.mark.parametrize("numbers", NEVER_ANSWERED)
def test_a_text_to_a_line_that_is_only_rung_has_no_answer_and_no_effect(
    hotline: Hotline, numbers: str
) -> None:
    for words in ("11", "1", "0", "99"):
        assert b"<Message>" not in write_to(hotline, numbers, words)
    with database_away(hotline):
        assert b"<Message>" not in write_to(hotline, numbers, "11")
    assert not hotline.rows(select(callbacks))


def test_who_asked_on_a_number_that_became_the_counselors_is_rung_from_a_public_one(hotline: Hotline) -> None:
    pool = hotline.settings.counselor_numbers[0]
    hotline.dial().press("115")
    with hotline.runtime.database.write() as session:
        session.execute(callbacks.update().values(line_index=hotline.runtime.vault.index(pool)))
    call_for(hotline).press("11")
    hotline.work()
    to_her = hotline.provider.calls[-1]
    assert to_her.form["To"] == CALLER
    assert to_her.form["From"] == hotline.settings.numbers[0].reveal("demo")


# --- status reports ---------------------------------------------------------------------------------------


@pytest.mark.promise(29)
def test_a_status_report_that_breaks_is_no_error_to_the_carrier(hotline: Hotline) -> None:
    line = counselor_called(hotline)
    form = {**line.form, "CallSid": line.sid, "CallStatus": "completed"}
    with database_away(hotline):
        assert hotline.post(line.status_path, form).status_code == 204
    digest = hotline.runtime.vault.digest("sid", line.sid)
    nowhere = State(menu="a menu that nobody wrote", language="en")
    sealed = states.sealed(hotline.runtime, Place("conversations", "state", digest.hex()), nowhere)
    with hotline.runtime.database.write() as session:
        session.execute(conversations.update().values(state=sealed))
    assert hotline.post(line.status_path, form).status_code == 204
    assert hotline.one(select(legs)).ended is None, "left to the minute's sweep"


# --- a worker that dies -------------------------------------------------------------------------------


def test_what_a_dead_worker_had_in_hand_is_done_however_long_no_other_comes(hotline: Hotline) -> None:
    """The clock ticks each second all the while."""
    duty = owes_a_ring(hotline)
    assert dispatch.take(hotline.runtime, duty)
    hotline.later(seconds=61)
    for _ in range(dispatch.RINGS_BEFORE_PARKED + 3):
        dispatch.ring_due(hotline.runtime)
        hotline.later(seconds=1)
    hotline.work()
    assert hotline.one(select(outbox.c.result).where(outbox.c.id == duty)).result == "placed"
    assert len(hotline.provider.calls) == 1


def test_what_kills_each_worker_that_takes_it_is_parked(hotline: Hotline) -> None:
    duty = owes_a_ring(hotline)
    for _ in range(dispatch.RINGS_BEFORE_PARKED):
        assert dispatch.take(hotline.runtime, duty)
        hotline.later(seconds=61)
        dispatch.ring_due(hotline.runtime)
    hotline.work()
    assert hotline.one(select(outbox.c.result).where(outbox.c.id == duty)).result == "parked"
    assert not hotline.provider.calls


@pytest.mark.parametrize("job", [JOB_RING_POOL, JOB_DELETE_COPIES])
def test_a_crowd_of_what_may_wait_does_not_keep_the_clock_from_what_somebody_waits_for(
    hotline: Hotline, redis_server: RedisServer, job: str
) -> None:
    duty = owes_a_ring(hotline)
    long_ago = hotline.clock.now() - timedelta(hours=1)
    crowd = [
        {"id": f"{at:016x}", "job": job, "subject": "s", "due": long_ago, "not_after": long_ago}
        for at in range(300)
    ]
    with hotline.runtime.database.write() as session:
        session.execute(outbox.insert(), crowd)
    with_a_bell = replace(hotline.runtime, queue=JobQueue(redis_server.url))
    assert dispatch.ring_due(with_a_bell) == 201
    queue = Queue(CALLS, connection=Redis.from_url(redis_server.url), serializer=JSONSerializer)
    assert queue.job_ids == [f"confirm-{duty}-0"]


def owes_a_ring(hotline: Hotline) -> str:
    """She asks for programmes by call, and one call must follow."""
    hotline.dial().press("816")
    return str(hotline.one(select(outbox.c.id)).id)
