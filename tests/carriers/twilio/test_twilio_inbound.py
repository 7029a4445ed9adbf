"""Twilio's forms become events in our words."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.carriers.base import BadForm, LegStatus, TextStatus
from gateway.carriers.twilio import inbound
from gateway.carriers.twilio.inbound import Form
from gateway.phone import Msisdn

CALL = "CA" + "0123456789abcdef" * 2
TEXT = "SM" + "0123456789abcdef" * 2
CALLER, LINE = "+959790000001", "+12025550100"


def form(**fields: str) -> Form:
    return tuple(
        {"CallSid": CALL, "MessageSid": TEXT, "From": CALLER, "To": LINE, "Body": "", **fields}.items()
    )


def test_a_call_arrives() -> None:
    call = inbound.read_call(form(CallStatus="ringing"))
    assert (call.sid, call.line, call.caller) == (CALL, Msisdn.parse(LINE), Msisdn.parse(CALLER))


@pytest.mark.parametrize(
    "withheld", ["+266696687", "+7378742833", "anonymous", "", "sip:somebody@example.com", "client:x", "+"]
)
def test_a_withheld_number_is_no_caller(withheld: str) -> None:
    assert inbound.read_call(form(From=withheld)).caller is None
    assert inbound.read_text(form(From=withheld)).sender is None


def test_a_call_without_to_is_still_a_call() -> None:
    assert inbound.read_call((("CallSid", CALL),)).line is None


@pytest.mark.parametrize(
    ("answered_by", "machine"),
    [
        ("machine_start", True),
        ("machine_end_beep", True),
        ("machine_end_silence", True),
        ("machine_end_other", True),
        ("fax", True),
        ("human", False),
        ("unknown", False),
        ("", False),
    ],
)
def test_who_answered(answered_by: str, machine: bool) -> None:
    assert inbound.read_leg("L1", form(AnsweredBy=answered_by)).machine is machine


def test_a_leg_without_detection_was_answered_by_a_person() -> None:
    leg = inbound.read_leg("L1", form())
    assert (leg.leg, leg.machine) == ("L1", False)


@pytest.mark.parametrize("digits", ["1", "*", "#", "0", "12345678", "*1", "A"])
def test_keys_come_as_they_were_sent(digits: str) -> None:
    keys = inbound.read_keys(3, form(Digits=digits, Direction="inbound"))
    assert (keys.sid, keys.step, keys.keys, keys.bridged) == (CALL, 3, digits, False)
    assert (keys.caller, keys.line) == (Msisdn.parse(CALLER), Msisdn.parse(LINE))


@pytest.mark.parametrize("fields", [{}, {"Digits": ""}])
def test_silence_is_no_keys(fields: dict[str, str]) -> None:
    assert inbound.read_keys(1, form(**fields)).keys == ""


def test_a_conference_that_is_over_is_told() -> None:
    assert inbound.read_keys(4, form(DialCallStatus="answered")).bridged


def test_a_call_that_we_placed_has_no_caller() -> None:
    keys = inbound.read_keys(1, form(Direction="outbound-api", From=LINE, To=CALLER))
    assert (keys.caller, keys.line) == (None, Msisdn.parse(LINE))


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("queued", LegStatus.UNDER_WAY),
        ("initiated", LegStatus.UNDER_WAY),
        ("ringing", LegStatus.UNDER_WAY),
        ("in-progress", LegStatus.UNDER_WAY),
        ("completed", LegStatus.COMPLETED),
        ("busy", LegStatus.BUSY),
        ("no-answer", LegStatus.NO_ANSWER),
        ("failed", LegStatus.FAILED),
        ("canceled", LegStatus.CANCELED),
        ("a word of next year", LegStatus.UNDER_WAY),
        ("", LegStatus.UNDER_WAY),
    ],
)
def test_how_a_call_stands(word: str, status: LegStatus) -> None:
    assert inbound.read_leg_progress("L1", form(CallStatus=word)).status is status


def test_a_calls_length_is_in_seconds_and_its_reports_are_counted() -> None:
    progress = inbound.read_leg_progress(
        "", form(CallStatus="completed", CallDuration="61", Duration="2", SequenceNumber="3")
    )
    assert (progress.leg, progress.seconds, progress.order) == ("", 61, 3)


@pytest.mark.parametrize("odd", ["", "-1", "1.5", "၃", "٣", "1e3", " 1", "9" * 5000])
def test_an_odd_count_is_none(odd: str) -> None:
    progress = inbound.read_leg_progress("L1", form(CallDuration=odd, SequenceNumber=odd))
    assert (progress.seconds, progress.order) == (None, None)


def test_a_text_arrives_as_it_was_written() -> None:
    text = inbound.read_text(form(Body=" ဖုန်း\n☎ "))
    assert (text.sid, text.text) == (TEXT, " ဖုန်း\n☎ ")
    assert (text.line, text.sender) == (Msisdn.parse(LINE), Msisdn.parse(CALLER))


@pytest.mark.parametrize("sender", ["1234", "MyBank", "40404"])
def test_short_codes_and_names_are_no_senders(sender: str) -> None:
    assert inbound.read_text(form(From=sender)).sender is None


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("accepted", TextStatus.UNDER_WAY),
        ("scheduled", TextStatus.UNDER_WAY),
        ("queued", TextStatus.UNDER_WAY),
        ("sending", TextStatus.UNDER_WAY),
        ("sent", TextStatus.UNDER_WAY),
        ("delivered", TextStatus.DELIVERED),
        ("read", TextStatus.DELIVERED),
        ("undelivered", TextStatus.FAILED),
        ("failed", TextStatus.FAILED),
        ("canceled", TextStatus.FAILED),
        ("a word of next year", TextStatus.UNDER_WAY),
    ],
)
def test_how_a_text_stands(word: str, status: TextStatus) -> None:
    assert inbound.read_text_progress("", form(MessageStatus=word)).status is status


def test_a_person_who_stopped_us_at_the_carrier_is_known() -> None:
    assert inbound.read_text_progress("", form(MessageStatus="failed", ErrorCode="21610")).opted_out
    assert not inbound.read_text_progress("", form(MessageStatus="undelivered", ErrorCode="30003")).opted_out


READERS: dict[str, Callable[[Form], object]] = {
    "call": inbound.read_call,
    "leg": lambda fields: inbound.read_leg("L1", fields),
    "keys": lambda fields: inbound.read_keys(1, fields),
    "leg progress": lambda fields: inbound.read_leg_progress("L1", fields),
    "text": inbound.read_text,
    "text progress": lambda fields: inbound.read_text_progress("M1", fields),
}
BURMESE_DIGITS = "CA" + "၀" * 32


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize(
    "sid", ["", "CA", "CA" + "g" * 32, BURMESE_DIGITS, "../Calls", "CA" + "0" * 33, "XX" + "0" * 32]
)
def test_a_malformed_id_is_refused(reader: Callable[[Form], object], sid: str) -> None:
    with pytest.raises(BadForm):
        reader(form(CallSid=sid, MessageSid=sid))


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_a_missing_id_is_refused(reader: Callable[[Form], object]) -> None:
    with pytest.raises(BadForm):
        reader((("From", CALLER), ("To", LINE)))


def test_the_ids_of_compatible_providers_are_taken() -> None:
    sid = "4f6ab1e0-2222-4333-8444-abcdefabcdef"
    assert inbound.read_call(form(CallSid=sid)).sid == sid
    assert inbound.read_text(form(MessageSid=sid)).sid == sid
    assert inbound.read_text(form(MessageSid="MM" + "a" * 32)).sid == "MM" + "a" * 32


@pytest.mark.parametrize("field", ["From", "To", "CallSid", "Digits"])
@pytest.mark.parametrize("again", ["", "the same"])
def test_a_field_that_came_twice_is_refused(field: str, again: str) -> None:
    fields = dict(form(Digits="1"))
    doubled = (*fields.items(), (field, again or fields[field]))
    with pytest.raises(BadForm) as refused:
        inbound.read_keys(1, doubled)
    assert CALLER not in str(refused.value)


FIELDS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "From",
                "To",
                "Direction",
                "Digits",
                "DialCallStatus",
                "AnsweredBy",
                "CallStatus",
                "CallDuration",
                "SequenceNumber",
                "Body",
                "MessageStatus",
                "ErrorCode",
                "NumMedia",
                "SpeechResult",
            ]
        ),
        st.text(max_size=30),
    ),
    unique_by=lambda pair: pair[0],
)


@settings(deadline=None)
@given(FIELDS, st.sampled_from(sorted(READERS)))
def test_no_odd_value_raises(fields: list[tuple[str, str]], reader: str) -> None:
    body = () if any(name == "Body" for name, _ in fields) else (("Body", ""),)
    READERS[reader]((("CallSid", CALL), ("MessageSid", TEXT), *body, *fields))


def test_a_text_whose_body_ran_into_its_name_is_none() -> None:
    with pytest.raises(BadForm):
        inbound.read_text((("MessageSid", TEXT), ("From", CALLER), ("To", LINE), ("BodySTOP", "")))
