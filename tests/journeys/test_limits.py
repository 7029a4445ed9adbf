"""Every limit of the contract table is met one by one, and says what the table says; and floods leave others served."""

import secrets
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from front_door import CALLER, COUNSELOR, Heard, Hotline, Provider
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from trials import trials

from gateway.phone import Msisdn
from gateway.services import casework, flood, housekeeping, spending
from gateway.services.flood import Answer, Limit
from gateway.settings import demo_environment, load
from gateway.store import callbacks as callback_rows
from gateway.store import spending as spending_rows
from gateway.store.callbacks import callbacks
from gateway.store.contacts import forbidden
from gateway.store.conversations import conversations
from gateway.store.legs import LegKind
from gateway.store.ring_backs import ring_backs

LIMITS = flood.limits(load(demo_environment(Path(), 8000)))
DOCUMENT = Path(__file__).parents[2] / "docs" / "limits.md"


def stranger(block: int, number: int = 0) -> str:
    """A made-up number; those of one block differ in their last four digits only."""
    return f"+95979{block:03d}{number:04d}"


def ring(hotline: Hotline, caller: str, line: Msisdn | None = None) -> Heard:
    to = (line or hotline.settings.missed_call_numbers[0]).reveal("demo")
    form = {"From": caller, "To": to, "Direction": "inbound", "CallSid": "CA" + secrets.token_hex(16)}
    return hotline.voice("/twilio/voice", form)


def is_menu(heard: Heard) -> bool:
    return heard.said[:1] == ["greeting"]


def count(hotline: Hotline, table: object) -> int:
    return int(hotline.one(select(func.count()).select_from(table))[0])  # type: ignore[arg-type]


# --- the table ----------------------------------------------------------------------------------------


def spans(limit: Limit) -> str:
    minutes = int(limit.per.total_seconds() // 60)
    words = {0: "a call", 1: "a minute", 60: "an hour", 24 * 60: "a day"}
    return words.get(minutes, f"{minutes} minutes")


def shown(limit: Limit) -> str:
    where = "all processes" if limit.exact else "each web process"
    most = f"{limit.most} in {spans(limit)}"
    return f"| `{limit.name}` | {limit.what} | {limit.whom} | {most} | {limit.answer} | {where} |"


def test_the_document_shows_the_table_as_it_is() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for limit in LIMITS.values():
        assert shown(limit) in text
    callers, _, _ = text.partition("\n## Money")
    assert callers.count("web process |") + callers.count("all processes |") == len(LIMITS)


# --- one by one ---------------------------------------------------------------------------------------


def trip_calls(hotline: Hotline, most: int) -> Answer | None:
    missed = hotline.settings.missed_call_numbers[0]
    on_one_line = most // 2
    for number in range(most):
        line = None if number < most - on_one_line else hotline.settings.numbers[0]
        heard = ring(hotline, stranger(number), line or missed)
        assert is_menu(heard) == (line is not None)
    return met(ring(hotline, stranger(900), hotline.settings.numbers[0]))


def trip_line(hotline: Hotline, most: int) -> Answer | None:
    for number in range(most):
        assert is_menu(hotline.dial(stranger(number)).heard)
    return met(hotline.dial(stranger(900)).heard)


def trip_block(hotline: Hotline, most: int) -> Answer | None:
    for number in range(most):
        assert is_menu(hotline.dial(stranger(1, number)).heard)
    assert is_menu(hotline.dial(stranger(2)).heard), "another block is served"
    return met(hotline.dial(stranger(1, 9000)).heard)


def trip_caller(hotline: Hotline, most: int) -> Answer | None:
    for _ in range(most):
        answer = met(hotline.dial().heard)
    assert answer in (None, Answer.SENTENCE)
    assert is_menu(hotline.dial(stranger(900)).heard), "another number is served"
    return met(hotline.dial().heard)


def trip_turns(hotline: Hotline, most: int) -> Answer | None:
    call = hotline.dial()
    for _ in range(most):
        assert not call.press("0").ends
    return Answer.GOODBYE if call.press("0").said == ["goodbye"] else None


def trip_texts(hotline: Hotline, most: int) -> Answer | None:
    for number in range(most):
        assert hotline.text("0", stranger(number)) is not None
    assert hotline.text("11", stranger(900)) is None
    assert count(hotline, callbacks) == 0, "not read"
    assert hotline.text("99", stranger(901)) is None
    return Answer.ONLY_LESS if count(hotline, forbidden) == 1 else None


def trip_sender(hotline: Hotline, most: int) -> Answer | None:
    for _ in range(most):
        assert hotline.text("0") is not None
    assert hotline.text("11") is None
    return Answer.NO_REPLY if count(hotline, callbacks) == 1 else None


def trip_requests(hotline: Hotline, most: int, *, block: int | None = None) -> Answer | None:
    not_saved = hotline.runtime.library.sms("my", "not_saved", "unicode")
    for number in range(most):
        assert hotline.text("11", stranger(number if block is None else block, number)) != not_saved
    again = hotline.text("11", stranger(1 if block is None else block, 1))
    assert again != not_saved, "who asks again is not new"
    refused = hotline.text("11", stranger(900 if block is None else block, 9000))
    assert count(hotline, callbacks.select().where(callbacks.c.ended.is_(None)).subquery()) == most
    return Answer.NOT_SAVED if refused == not_saved else None


def trip_rings(hotline: Hotline, most: int, *, block: int | None = None) -> Answer | None:
    for number in range(most):
        ring(hotline, stranger(number if block is None else block, number))
    assert count(hotline, ring_backs) == most
    ring(hotline, stranger(900 if block is None else block, 9000))
    return Answer.NOT_RUNG if count(hotline, ring_backs) == most else None


def trip_rings_caller(hotline: Hotline, most: int) -> Answer | None:
    for _ in range(most):
        ring(hotline, CALLER)
        assert count(hotline, ring_backs) == 1
        hotline.later(minutes=31)
        housekeeping.expire(hotline.runtime)
        hotline.work()
    ring(hotline, CALLER)
    return Answer.NOT_RUNG if count(hotline, ring_backs) == 0 else None


def met(heard: Heard) -> Answer | None:
    match heard.said, heard.verbs:
        case [], ["Reject"]:
            return Answer.REJECT
        case ["busy_now"], [*_, "Hangup"]:
            return Answer.SENTENCE
        case ["closed_now"], [*_, "Hangup"]:
            return Answer.CLOSED
    return None


@dataclass(frozen=True)
class Trip:
    """How a limit is met: the settings that make it small, and what is done `most` times and once more."""

    meet: Callable[[Hotline, int], Answer | None]
    settings: dict[str, str]


SMALL = {
    "HOTLINE_ARRIVALS_PER_MINUTE": "12",
    "HOTLINE_REQUESTS_PER_HOUR": "10",
    "HOTLINE_RING_BACKS_PER_HOUR": "10",
}
MANY_ARRIVALS = {**SMALL, "HOTLINE_ARRIVALS_PER_MINUTE": "600"}
TRIPS = {
    "calls": Trip(trip_calls, SMALL),
    "line": Trip(trip_line, SMALL),
    "block": Trip(trip_block, SMALL),
    "caller_more": Trip(trip_caller, {}),
    "caller": Trip(trip_caller, {}),
    "turns": Trip(trip_turns, {}),
    "texts": Trip(trip_texts, SMALL),
    "sender": Trip(trip_sender, {}),
    "requests": Trip(trip_requests, MANY_ARRIVALS),
    "requests_block": Trip(lambda hotline, most: trip_requests(hotline, most, block=7), SMALL),
    "rings": Trip(trip_rings, MANY_ARRIVALS),
    "rings_block": Trip(lambda hotline, most: trip_rings(hotline, most, block=7), MANY_ARRIVALS),
    "rings_caller": Trip(trip_rings_caller, {}),
}  # fmt: skip


def test_every_limit_is_met_below() -> None:
    assert set(TRIPS) == set(LIMITS)


@pytest.mark.promise(16)
@pytest.mark.parametrize("name", sorted(LIMITS))
def test_a_limit_is_met_once_more_than_it_allows_and_answers_as_the_table_says(
    name: str, template: Path, tmp_path: Path, provider: Provider
) -> None:
    hotline = Hotline(
        template, tmp_path / "hotline", provider, HOTLINE_QUIET_HOURS="", **TRIPS[name].settings
    )
    hotline.at(8)
    limit = flood.limits(hotline.settings)[name]
    assert TRIPS[name].meet(hotline, limit.most) is limit.answer
    hotline.runtime.database.close()


# --- whom a flood must not shut out -------------------------------------------------------------------


@pytest.fixture
def crowded(template: Path, tmp_path: Path, provider: Provider) -> Iterator[Hotline]:
    """A small hotline where one person waits, and then more calls came than are taken in a minute."""
    made = Hotline(template, tmp_path / "hotline", provider, HOTLINE_QUIET_HOURS="", **SMALL)
    made.text("11")
    for number in range(20):
        made.dial(stranger(number))
    yield made
    made.runtime.database.close()


@pytest.mark.promise(16)
def test_who_waits_already_still_gets_through(crowded: Hotline) -> None:
    assert met(crowded.dial(stranger(900)).heard) is Answer.REJECT
    call = crowded.dial()
    assert is_menu(call.heard)
    assert call.press("4").said[0] == "withdrawn"


def test_a_counselor_still_reaches_the_counselors_line(crowded: Hotline) -> None:
    crowded.counselor()
    pool = crowded.settings.counselor_numbers[0]
    for _ in range(20):
        ring(crowded, stranger(901), pool)
    ring(crowded, COUNSELOR, pool)
    crowded.work()
    assert [call.form["To"] for call in crowded.provider.calls] == [COUNSELOR]


def test_calls_that_were_taken_go_on(template: Path, tmp_path: Path, provider: Provider) -> None:
    hotline = Hotline(template, tmp_path / "hotline", provider, **SMALL)
    call = hotline.dial()
    for number in range(20):
        hotline.dial(stranger(number))
    call.press("11")
    assert call.press("5").said[0] == "registered"
    hotline.runtime.database.close()


def test_a_webhook_that_was_taken_gets_its_answer_again_in_the_flood(
    template: Path, tmp_path: Path, provider: Provider
) -> None:
    hotline = Hotline(template, tmp_path / "hotline", provider, **SMALL)
    sid = "CA" + secrets.token_hex(16)
    first = hotline.dial(stranger(500), sid=sid).heard
    for number in range(20):
        hotline.dial(stranger(number))
    again = hotline.dial(stranger(500), sid=sid).heard
    assert ET.tostring(again.document) == ET.tostring(first.document)
    hotline.runtime.database.close()


def test_withheld_numbers_are_many_people_and_are_limited_as_a_block_only(hotline: Hotline) -> None:
    for _ in range(LIMITS["caller_more"].most + 5):
        assert is_menu(hotline.dial("anonymous").heard)


def test_a_minute_later_strangers_are_taken_again(crowded: Hotline) -> None:
    crowded.later(minutes=1)
    assert is_menu(crowded.dial(stranger(900)).heard)


@pytest.mark.promise(16)
@pytest.mark.parametrize("senders", [1, trials(300, 10_000)])
def test_a_flood_leaves_a_callers_turn_fast_and_nothing_behind(
    senders: int, template: Path, tmp_path: Path, provider: Provider, tried: Callable[[int], None]
) -> None:
    hotline = Hotline(template, tmp_path / "hotline", provider, HOTLINE_ARRIVALS_PER_MINUTE="30")
    began = time.perf_counter()
    call = hotline.dial()
    alone = time.perf_counter() - began
    ended = threading.Event()

    def flood_on() -> None:
        number = 0
        while not ended.is_set():
            number = (number + 1) % senders
            hotline.dial(stranger(number % 1000, number // 1000))

    thread = threading.Thread(target=flood_on)
    thread.start()
    slowest = 0.0
    try:
        tried(trials(40, 250))
        for key in "0" * trials(40, 250):
            began = time.perf_counter()
            assert not call.press(key).ends
            slowest = max(slowest, time.perf_counter() - began)
    finally:
        ended.set()
        thread.join()
    assert slowest < 2.0 + 50 * alone
    assert count(hotline, conversations) <= 31
    hotline.runtime.database.close()


# --- what is never rung -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number", ["+19002001234", "+443700100000", "+447000000000", "+61190212345", "+4915112345678"]
)
def test_a_paying_number_or_another_country_is_told_that_nothing_was_kept(
    hotline: Hotline, number: str
) -> None:
    assert hotline.text("11", number) == hotline.runtime.library.sms("my", "not_saved", "unicode")
    ring(hotline, number)
    call = hotline.dial(number)
    call.press("11")
    assert call.press("5").said[0] == "not_saved"
    assert (count(hotline, callbacks), count(hotline, ring_backs)) == (0, 0)


def test_a_country_may_be_allowed(template: Path, tmp_path: Path, provider: Provider) -> None:
    hotline = Hotline(template, tmp_path / "hotline", provider, HOTLINE_COUNTRIES="MM,TH")
    ring(hotline, "+66812345678")
    assert count(hotline, ring_backs) == 1
    hotline.runtime.database.close()


# --- money --------------------------------------------------------------------------------------------


@pytest.fixture
def poor(template: Path, tmp_path: Path, provider: Provider) -> Iterator[Callable[..., Hotline]]:
    """A hotline that may spend so much a day; a call puts down three minutes of half a unit, a bridge is two calls."""
    made: list[Hotline] = []

    def of(cap: str, *, text: str = "0.0001") -> Hotline:
        settings = {
            "HOTLINE_SPEND_PER_DAY": cap,
            "HOTLINE_TEXT_PRICE": text,
            "HOTLINE_QUIET_HOURS": "",
            "HOTLINE_CALLS_AT_ONCE": "50",
        }
        made.append(Hotline(template, tmp_path / "hotline", provider, **settings))
        return made[-1]

    yield of
    for hotline in made:
        hotline.runtime.database.close()


def spent(hotline: Hotline) -> Decimal:
    with hotline.runtime.database.read() as session:
        return sum(spending.spent(session, since=hotline.clock.now() - timedelta(days=2)).values(), Decimal())


@pytest.mark.promise(16)
def test_rings_back_stop_before_the_cap_and_go_on_when_there_is_money_again(
    poor: Callable[..., Hotline], provider: Provider
) -> None:
    hotline = poor("9")
    for number in range(8):
        ring(hotline, stranger(number))
    hotline.work()
    assert len(provider.calls) == 5, "the sixth would pass nine tenths"
    assert spent(hotline) == Decimal("7.5")
    for call in list(provider.calls):
        hotline.not_answered(call)
    assert spent(hotline) == 0, "who did not answer cost nothing"
    hotline.later(minutes=3)
    hotline.work()
    assert len(provider.calls) > 5


def test_what_a_call_cost_is_set_right_by_its_length(
    poor: Callable[..., Hotline], provider: Provider
) -> None:
    hotline = poor("9")
    ring(hotline, CALLER)
    hotline.work()
    (call,) = provider.calls
    line = hotline.pick_up(call)
    ended = {**line.form, "CallSid": call.sid, "CallStatus": "completed", "CallDuration": "301"}
    for _ in range(3):  # a report that comes again costs nothing more
        hotline.post(line.status_path, ended)
    assert spent(hotline) == Decimal("3.0"), "six begun minutes of half a unit"


def test_calls_that_are_dialled_in_cost_too(hotline: Hotline) -> None:
    call = hotline.dial()
    ended = {**call.form, "CallSid": call.sid, "CallStatus": "completed", "CallDuration": "61"}
    for _ in range(3):
        hotline.post(call.status_path, ended)
    assert spent(hotline) == Decimal("0.04")


def test_a_bridge_begins_only_where_both_its_calls_fit(
    poor: Callable[..., Hotline], provider: Provider
) -> None:
    hotline = poor("3.1")
    counselor = hotline.counselor()
    hotline.text("11")
    case = hotline.one(select(callbacks)).id
    casework.claim(hotline.runtime, case, counselor.id)
    casework.call(hotline.runtime, case, counselor.id)
    hotline.work()
    assert not provider.calls, "two calls are 3 of 3.1, more than 95 of a hundred"
    assert hotline.one(select(callbacks)).state == "claimed", "and she is told that it came to nothing"


@pytest.mark.parametrize(
    ("used", "stranger_meets", "who_waits_meets"),
    [("8.0", None, None), ("8.6", Answer.CLOSED, None), ("9.0", Answer.REJECT, Answer.REJECT)],
)
def test_towards_the_cap_the_line_says_that_it_is_closed_and_at_the_cap_it_is_busy(
    poor: Callable[..., Hotline], used: str, stranger_meets: Answer | None, who_waits_meets: Answer | None
) -> None:
    hotline = poor("9")
    hotline.text("11")
    with hotline.runtime.database.write() as session:
        parts = int(Decimal(used) * 10_000)
        spending_rows.add(session, moment=hotline.clock.now(), kind="text", campaign="", spent=parts)
    assert met(hotline.dial(stranger(3)).heard) is stranger_meets
    assert met(hotline.dial().heard) is who_waits_meets
    assert met(ring(hotline, stranger(5))) is Answer.REJECT, "a line that is only rung never speaks"
    hotline.later(hours=25)
    assert is_menu(hotline.dial(stranger(4)).heard)


@pytest.mark.promise(16)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=st.lists(st.tuples(st.sampled_from(list(LegKind)), st.integers(0, 40)), max_size=40))
def test_no_order_of_calls_passes_the_share_of_its_kind(
    hotline: Hotline, calls: list[tuple[LegKind, int]]
) -> None:
    here = replace(hotline.runtime, settings=replace(hotline.settings, spend_per_hour=Decimal(9)))
    with here.database.write() as session:
        session.execute(spending_rows.spending.delete())
    now, in_this_hour = hotline.clock.now(), Decimal()
    for kind, minutes in calls:
        later = now + timedelta(minutes=minutes)
        in_this_hour = in_this_hour if later.hour == now.hour else Decimal()
        now = later
        with here.database.write() as session:
            share = spending.share_of(kind)
            if spending.allows(session, here, calls=1, share=share, now=now):
                spending.note_call(session, here, kind=kind, now=now)
                in_this_hour += Decimal("1.5")
                assert in_this_hour <= Decimal(9) * share / 100


def test_danger_may_use_the_cap_to_its_end(poor: Callable[..., Hotline], provider: Provider) -> None:
    hotline = poor("3.1")
    counselor = hotline.counselor()
    hotline.text("11")
    case = hotline.one(select(callbacks)).id
    with hotline.runtime.database.write() as session:
        callback_rows.change(session, case, danger=hotline.clock.now())
    casework.claim(hotline.runtime, case, counselor.id)
    casework.call(hotline.runtime, case, counselor.id)
    hotline.work()
    assert len(provider.calls) == 1


@pytest.mark.promise(16)
def test_answers_to_texts_cost_too_and_stop_before_the_cap_while_what_is_asked_is_done(
    poor: Callable[..., Hotline],
) -> None:
    hotline = poor("3", text="0.3")
    answered = [hotline.text("0", stranger(number)) is not None for number in range(12)]
    assert answered == sorted(answered, reverse=True)
    assert 0 < sum(answered) < 12
    assert Decimal(1) < spent(hotline) <= Decimal("2.85")
    assert hotline.text("99", stranger(50)) is None
    assert count(hotline, forbidden) == 1
