"""Somebody texts what is no code, and a counselor answers by text."""

from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from front_door import CALLER, COUNSELOR, Hotline, Provider, Texted
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from trials import trials

from gateway.errors import Refused
from gateway.services import callbacks as requests
from gateway.services import casework, housekeeping, keypad, threads
from gateway.store import callbacks as rows
from gateway.store import counselors
from gateway.store.callbacks import CallbackState, callbacks
from gateway.store.contacts import contacts, texters
from gateway.store.messages import MessageState, messages
from gateway.store.outbox import outbox
from ivr.burmese.encodings import unicode_to_zawgyi

PLEA = "ကျွန်မ အိမ်မပြန်ရဲဘူး"
ANSWER = "အခု ဘေးကင်းလား။ ဖြေနိုင်ရင် ဖြေပါ။"


@pytest.fixture
def texting(template: Path, tmp_path: Path, provider: Provider) -> Iterator[Hotline]:
    """A hotline where people answer texts."""
    made = Hotline(template, tmp_path / "hotline", provider, HOTLINE_FEATURES="threads")
    yield made
    made.runtime.database.close()


def wording(hotline: Hotline, key: str, display: str = "unicode") -> str:
    return hotline.runtime.library.sms("my", key, display)  # type: ignore[arg-type]


def case_of(hotline: Hotline) -> str:
    return str(hotline.one(select(callbacks.c.id).where(callbacks.c.ended.is_(None))).id)


def taken(hotline: Hotline, words: str = PLEA) -> tuple[str, str]:
    """A thread that a counselor has taken: its case and the counselor's account."""
    hotline.text(words)
    account = hotline.counselor()
    case = case_of(hotline)
    casework.claim(hotline.runtime, case, account.id)
    return case, account.id


def read(hotline: Hotline, case: str) -> threads.Thread:
    with hotline.runtime.database.read() as session:
        there = rows.get(session, case)
        assert there is not None
        return threads.read(session, hotline.runtime, there)


def states(hotline: Hotline) -> list[str]:
    return [
        row.state
        for row in hotline.rows(select(messages.c.state).order_by(messages.c.written, messages.c.id))
    ]


def sent(hotline: Hotline) -> Texted:
    (text,) = hotline.provider.texts
    return text


# --- what arrives -------------------------------------------------------------------------------------


def test_without_the_feature_nothing_is_kept_and_she_is_told_that_somebody_can_ring(hotline: Hotline) -> None:
    neutral = hotline.text(PLEA)
    assert neutral == wording(hotline, "neutral")
    assert "ဖုန်းပြန်ခေါ်" in neutral
    assert "ring you" in hotline.runtime.library.sms("en", "neutral", "unicode")
    for table in (messages, callbacks, contacts):
        assert not hotline.rows(select(table))


def test_a_text_that_is_no_code_waits_for_a_counselor_and_nobody_can_ring_her(texting: Hotline) -> None:
    assert texting.text(PLEA) == wording(texting, "thread")
    row = texting.one(select(callbacks))
    assert (row.state, row.wish) == (CallbackState.WAITING, requests.BY_TEXT)
    counselor = texting.counselor()
    casework.claim(texting.runtime, row.id, counselor.id)
    with pytest.raises(Refused, match="by_text"):
        casework.call(texting.runtime, row.id, counselor.id)
    texting.work()
    assert texting.provider.calls == []
    assert [line.text for line in read(texting, row.id).lines] == [PLEA]


def test_a_keypad_counselor_and_the_pool_are_never_rung_for_a_thread(texting: Hotline) -> None:
    counselor = texting.counselor()
    texting.at_console()
    texting.text(PLEA)
    texting.work()
    assert texting.provider.calls == []
    with texting.runtime.database.read() as session:
        person = counselors.get(session, counselor.id)
        assert person is not None
        assert keypad.next_case(session, texting.runtime, person, texting.clock.now()) is None


def test_she_is_told_once_in_six_hours_and_every_text_is_kept(texting: Hotline) -> None:
    assert texting.text(PLEA)
    assert texting.text("we are four with one child") is None
    texting.later(hours=7)
    assert texting.text("are you there") is not None
    assert len(texting.rows(select(messages))) == 3
    assert len(texting.rows(select(callbacks))) == 1


def test_a_code_is_a_code_in_a_thread_too(texting: Hotline) -> None:
    texting.text(PLEA)
    texting.text("12")
    assert texting.one(select(callbacks)).wish == "morning"
    assert len(texting.rows(select(messages))) == 1


def test_a_text_of_somebody_who_waits_to_be_rung_joins_her_case_and_keeps_its_time(texting: Hotline) -> None:
    texting.text("11")
    before = texting.one(select(callbacks))
    texting.text(PLEA)
    after = texting.one(select(callbacks))
    assert (after.wish, after.expires, after.rank) == (before.wish, before.expires, before.rank)
    assert texting.one(select(messages)).subject == before.id


@pytest.mark.parametrize("nothing", ["", "   ", "\u200b\u200b", "\x00"])
def test_a_picture_without_words_gets_the_neutral_line_and_is_not_fetched(
    texting: Hotline, nothing: str
) -> None:
    form = {
        "MessageSid": "MM" + "a" * 32, "From": CALLER, "To": texting.settings.numbers[0].reveal("demo"),
        "Body": nothing, "NumMedia": "1", "MediaUrl0": f"{texting.provider.address}/picture.jpg",
        "MediaContentType0": "image/jpeg",
    }  # fmt: skip
    assert wording(texting, "neutral") in texting.post("/twilio/sms", form).data.decode()
    assert not texting.rows(select(messages))


def test_a_text_in_zawgyi_is_read_as_unicode_and_answered_in_zawgyi(texting: Hotline) -> None:
    case, account = taken(texting, unicode_to_zawgyi(PLEA))
    assert [line.text for line in read(texting, case).lines] == [PLEA]
    threads.answer(texting.runtime, case, account, ANSWER)
    texting.work()
    assert sent(texting).body == unicode_to_zawgyi(ANSWER)


def test_a_very_long_text_is_kept_as_far_as_providers_join_them(texting: Hotline) -> None:
    case, _ = taken(texting, "က" * 5_000)
    (line,) = read(texting, case).lines
    assert line.text == "က" * threads.LONGEST + "…"


def test_the_same_text_delivered_again_is_kept_once(texting: Hotline) -> None:
    sid = "SM" + "c" * 32
    first = texting.text(PLEA, sid=sid)
    assert texting.text(PLEA, sid=sid) == first
    assert len(texting.rows(select(messages))) == 1


def test_who_said_stop_is_not_kept_by_a_mere_text(texting: Hotline) -> None:
    texting.text("99")
    assert texting.text(PLEA) == wording(texting, "neutral")
    assert not texting.rows(select(messages))


@pytest.mark.promise(1, 2)
def test_no_words_and_no_number_are_in_any_row(texting: Hotline) -> None:
    case, account = taken(texting)
    threads.keep_draft(texting.runtime, case, account, ANSWER)
    threads.answer(texting.runtime, case, account, ANSWER)
    texting.work()
    for table in (messages, callbacks, contacts, texters, outbox):
        for row in texting.rows(select(table)):
            for part in (CALLER.removeprefix("+95"), PLEA, ANSWER, sent(texting).sid):
                assert part not in repr(row)
                assert part.encode() not in b"".join(one for one in row if isinstance(one, bytes))


# --- what is answered ---------------------------------------------------------------------------------


def test_an_answer_goes_to_the_number_that_texted_and_dies_within_the_half_hour(texting: Hotline) -> None:
    case, account = taken(texting)
    threads.answer(texting.runtime, case, account, ANSWER)
    texting.work()
    assert sent(texting).form["To"] == CALLER
    assert sent(texting).body == ANSWER
    assert 1_700 < int(sent(texting).form["ValidityPeriod"]) <= 1_800
    texting.provider.texts[0].status = "delivered"
    texting.report(sent(texting), "delivered")
    assert states(texting) == [MessageState.RECEIVED, MessageState.DELIVERED]


def test_only_whoever_has_the_case_may_answer(texting: Hotline) -> None:
    case, _ = taken(texting)
    other = texting.counselor("other", "+66812345002")
    with pytest.raises(Refused, match="taken"):
        threads.answer(texting.runtime, case, other.id, ANSWER)
    texting.work()
    assert texting.provider.texts == []


@pytest.mark.promise(23)
@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("  ", "text_empty"),
        ("က" * 202, "text_too_long"),
        ("call 09 790 001 002", "text_number"),
        ("၀၉၇၉၀၀၀၁၀၀၂ ကို ဆက်ပါ", "text_number"),
        ("look at www.example.org", "text_link"),
        ("ဟုတ်ကဲ့\u202e", "text_unseen"),
    ],
)
def test_what_could_betray_her_is_not_sent(texting: Hotline, words: str, why: str) -> None:
    case, account = taken(texting)
    with pytest.raises(Refused, match=why):
        threads.answer(texting.runtime, case, account, words)
    texting.work()
    assert texting.provider.texts == []


def test_the_two_words_of_the_case_never_stand_in_a_text(texting: Hotline) -> None:
    case, account = taken(texting)
    one, two = texting.runtime.library.handle_words(texting.one(select(callbacks)).handle, "my")
    with pytest.raises(Refused, match="text_handle"):
        threads.answer(texting.runtime, case, account, f"{one} နဲ့ {two}")


@pytest.mark.promise(23)
def test_a_word_of_the_private_list_is_not_sent(template: Path, tmp_path: Path, provider: Provider) -> None:
    listed = tmp_path / "words.txt"
    listed.write_text("ဘေးကင်း\n")
    made = Hotline(
        template, tmp_path / "hotline", provider, HOTLINE_FEATURES="threads", HOTLINE_WORD_LIST=str(listed)
    )
    case, account = taken(made)
    with pytest.raises(Refused, match="text_listed"):
        threads.answer(made.runtime, case, account, ANSWER)
    made.runtime.database.close()


def test_a_phone_that_shows_only_latin_letters_gets_no_burmese(texting: Hotline) -> None:
    texting.text("53")
    case, account = taken(texting)
    with pytest.raises(Refused, match="text_burmese"):
        threads.answer(texting.runtime, case, account, ANSWER)
    threads.answer(texting.runtime, case, account, "Akhu bay kin lar")
    texting.work()
    assert sent(texting).body == "Akhu bay kin lar"


def test_a_day_after_her_last_text_nothing_leaves(texting: Hotline) -> None:
    case, account = taken(texting)
    texting.later(hours=25)
    with pytest.raises(Refused, match="text_too_late"):
        threads.answer(texting.runtime, case, account, ANSWER)


def test_at_night_only_somebody_who_has_just_texted_is_answered(texting: Hotline) -> None:
    texting.at(20)
    case, account = taken(texting)
    texting.later(hours=3)
    with pytest.raises(Refused, match="text_quiet"):
        threads.answer(texting.runtime, case, account, ANSWER)
    texting.text("are you there")
    threads.answer(texting.runtime, case, account, ANSWER)
    texting.work()
    assert sent(texting).body == ANSWER


@pytest.mark.promise(19)
def test_after_stop_nothing_leaves_that_was_written_before(texting: Hotline) -> None:
    case, account = taken(texting)
    threads.answer(texting.runtime, case, account, ANSWER)
    texting.text("99")
    texting.work()
    assert texting.provider.texts == []
    with pytest.raises(Refused):
        threads.answer(texting.runtime, case, account, ANSWER)


def test_the_lease_runs_while_she_is_answered_and_a_draft_outlives_it(texting: Hotline) -> None:
    case, account = taken(texting)
    texting.later(minutes=15)
    threads.answer(texting.runtime, case, account, ANSWER)
    texting.later(minutes=15)
    housekeeping.expire(texting.runtime)
    assert texting.one(select(callbacks)).state == CallbackState.CLAIMED
    threads.keep_draft(texting.runtime, case, account, "then go")
    texting.later(minutes=21)
    housekeeping.expire(texting.runtime)
    assert texting.one(select(callbacks)).state == CallbackState.WAITING
    other = texting.counselor("other", "+66812345002")
    casework.claim(texting.runtime, case, other.id)
    thread = read(texting, case)
    assert (thread.draft, len(thread.lines)) == ("then go", 2)
    threads.answer(texting.runtime, case, other.id, thread.draft)
    assert read(texting, case).draft == ""


def test_a_thread_that_nobody_goes_on_with_is_forgotten_after_a_day(texting: Hotline) -> None:
    texting.text(PLEA)
    texting.later(hours=25)
    housekeeping.expire(texting.runtime)
    texting.work()
    assert not texting.rows(select(messages))
    assert not texting.rows(select(contacts))


def test_forgetting_takes_the_thread_with_it_at_once(texting: Hotline) -> None:
    case, account = taken(texting)
    threads.keep_draft(texting.runtime, case, account, "a beginning")
    texting.text("77")
    texting.text("77")
    assert not texting.rows(select(messages))
    texting.work()
    assert not texting.rows(select(contacts))


def test_a_closed_thread_is_read_for_a_week_and_then_gone(texting: Hotline) -> None:
    case, account = taken(texting)
    casework.record_outcome(texting.runtime, case, account, outcome="done")
    assert [line.text for line in read(texting, case).lines] == [PLEA]
    with pytest.raises(Refused, match="text_over"):
        threads.answer(texting.runtime, case, account, ANSWER)
    texting.later(days=8)
    housekeeping.sweep(texting.runtime)
    texting.work()
    assert not texting.rows(select(messages))


def test_a_new_text_after_a_closed_thread_shows_nothing_of_it(texting: Hotline) -> None:
    case, account = taken(texting)
    casework.record_outcome(texting.runtime, case, account, outcome="done")
    texting.later(hours=7)
    assert texting.text("hello again") == wording(texting, "thread")
    assert [line.text for line in read(texting, case_of(texting)).lines] == ["hello again"]


# --- order --------------------------------------------------------------------------------------------


def test_a_text_that_came_before_the_answer_was_on_her_phone_is_marked(texting: Hotline) -> None:
    case, account = taken(texting)
    threads.answer(texting.runtime, case, account, ANSWER)
    texting.work()
    texting.later(seconds=20)
    texting.text("are you there")
    texting.later(seconds=20)
    texting.report(sent(texting), "delivered")
    texting.later(seconds=20)
    texting.text("yes")
    assert [line.crossed for line in read(texting, case).lines] == [False, False, True, False]


def test_what_came_late_and_what_was_overtaken_is_marked_where_the_provider_dates_it(
    texting: Hotline,
) -> None:
    taken(texting)
    case = case_of(texting)
    now = texting.clock.now()
    for number, ago in enumerate((timedelta(minutes=1), timedelta(minutes=30))):
        form = {
            "MessageSid": f"SM{number:032x}", "From": CALLER, "To": texting.settings.numbers[0].reveal("demo"),
            "Body": f"text {number}", "Timestamp": format_datetime(now - ago),
        }  # fmt: skip
        texting.post("/twilio/sms", form)
        texting.later(seconds=1)
    lines = read(texting, case).lines
    assert [(line.late, line.out_of_order) for line in lines] == [(False, False), (False, True), (True, True)]


@pytest.mark.promise(18, 19)
@settings(max_examples=trials(4, 500))
@given(st.lists(st.sampled_from(["text", "answer", "report", "stop"]), max_size=8))
def test_whatever_comes_in_whatever_order_nothing_leaves_after_stop(
    template: Path, tmp_path_factory: pytest.TempPathFactory, deeds: list[str]
) -> None:
    provider = Provider()
    made = Hotline(template, tmp_path_factory.mktemp("thread"), provider, HOTLINE_FEATURES="threads")
    try:
        case, account = taken(made)
        stopped = False
        for deed in deeds:
            before = len(provider.texts)
            match deed:
                case "text":
                    made.text("one more")
                case "answer":
                    try:
                        threads.answer(made.runtime, case, account, "yes")
                    except Refused:
                        assert stopped
                case "report" if provider.texts:
                    made.report(provider.texts[-1], "delivered")
                case "stop":
                    made.text("99")
                    stopped = True
            made.work()
            assert not stopped or len(provider.texts) == before
            made.later(seconds=30)
    finally:
        made.runtime.database.close()
        provider.close()


def test_the_number_of_the_counselor_is_nowhere_near(texting: Hotline) -> None:
    case, account = taken(texting)
    threads.answer(texting.runtime, case, account, ANSWER)
    texting.work()
    assert COUNSELOR not in repr(sent(texting).form)
