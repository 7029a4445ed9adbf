"""Everything that is ever asked of the carrier, once each, and what a good answer to it is."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from gateway.carriers.twilio import TwilioCarrier
from gateway.errors import CarrierError
from gateway.phone import Msisdn

ACCOUNT, TOKEN = "AC" + "7" * 32, "5f2b8c1de94a03767c1e0b9d8a4f6e35"
CALL, TEXT = "CA" + "a" * 32, "SM" + "b" * 32
TO, LINE = Msisdn.parse("+959790000001"), Msisdn.parse("+12025550100")
PUBLIC = "https://hotline.example"
NOW = datetime(2026, 11, 23, 10, 0, 0, 700_000, tzinfo=UTC)
NUMBERS = ("959790000001", "12025550100")


def carrier(address: str) -> TwilioCarrier:
    return TwilioCarrier(account_sid=ACCOUNT, tokens=(TOKEN,), public_url=PUBLIC, api_base_url=address)


def place(
    on: TwilioCarrier, *, detect_machine: bool = True, begins: Callable[[], None] = lambda: None
) -> str:
    return on.place_call(
        to=TO, line=LINE, leg="L-1", detect_machine=detect_machine, ring_seconds=25, talk_seconds=1800, begins=begins
    )  # fmt: skip


def send(on: TwilioCarrier, validity: int = 600) -> str:
    return on.send_text(to=TO, line=LINE, body="ရပါပြီ", validity=validity, message="M-1")


ASKS: dict[str, Callable[[TwilioCarrier], object]] = {
    "place_call": place,
    "end_call": lambda on: on.end_call(CALL),
    "move_call": lambda on: on.move_call(CALL, "L-1"),
    "call_status": lambda on: on.call_status(CALL),
    "find_calls": lambda on: on.find_calls(to=TO, line=LINE, since=NOW),
    "send_text": send,
    "find_texts": lambda on: on.find_texts(to=TO, line=LINE, since=NOW),
    "forget_call": lambda on: on.forget_call(CALL),
    "forget_text": lambda on: on.forget_text(TEXT),
}
ONCE = {"place_call", "send_text", "move_call"}
"""What must not be done twice."""

GOOD: dict[str, tuple[int, object]] = {
    "place_call": (201, {"sid": CALL, "status": "queued"}),
    "end_call": (200, {"sid": CALL, "status": "completed"}),
    "move_call": (200, {"sid": CALL, "status": "in-progress"}),
    "call_status": (200, {"sid": CALL, "status": "in-progress"}),
    "find_calls": (200, {"calls": [], "next_page_uri": None}),
    "send_text": (201, {"sid": TEXT, "status": "queued"}),
    "find_texts": (200, {"messages": [], "next_page_uri": None}),
    "forget_call": (204, ""),
    "forget_text": (204, ""),
}


def failure(name: str, address: str) -> CarrierError:
    with pytest.raises(CarrierError) as failed:
        ASKS[name](carrier(address))
    return failed.value


def told(error: CarrierError) -> tuple[bool, bool]:
    return error.retry, error.uncertain
