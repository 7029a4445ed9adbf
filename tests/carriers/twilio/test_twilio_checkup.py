"""What the doctor says of Twilio's side, asked over the wire of a double that answers as Twilio does."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from carriers.twilio.twilio_asks import ACCOUNT, CALL, PUBLIC, TEXT, carrier

from gateway.carriers.base import Finding, Wiring
from gateway.phone import Msisdn

SPARE = "https://static.example/spare"
PUBLIC_LINE, RUNG, POOL = "+12025550100", "+12025550101", "+12025550102"
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
RIGHT = {
    "sid": "PN" + "1" * 32,
    "voice_url": f"{PUBLIC}/twilio/voice#rc=2",
    "voice_method": "POST",
    "status_callback": f"{PUBLIC}/twilio/voice/status",
    "status_callback_method": "POST",
    "voice_fallback_url": f"{SPARE}/reject.xml",
    "voice_fallback_method": "GET",
    "sms_url": f"{PUBLIC}/twilio/sms",
    "sms_method": "POST",
    "sms_fallback_url": f"{SPARE}/sms.xml",
    "sms_fallback_method": "GET",
    "voice_caller_id_lookup": False,
    "voice_application_sid": "",
    "sms_application_sid": "",
    "trunk_sid": None,
}


class Account:
    """Twilio's side of one account, set up as it should be; tests spoil it."""

    def __init__(self) -> None:
        self.account: dict[str, Any] = {"sid": ACCOUNT, "status": "active", "type": "Full"}
        self.numbers = {line: dict(RIGHT) for line in (PUBLIC_LINE, RUNG, POOL)}
        self.numbers[PUBLIC_LINE]["voice_fallback_url"] = f"{SPARE}/voice.xml"
        self.dialling = {"MM": {"low": True, "special": False, "fraud": False}}
        self.lists: dict[str, list[dict[str, Any]]] = {"calls": [], "messages": [], "recordings": []}
        self.skew = timedelta()
        self.asked: list[str] = []

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, Any]:
        self.asked.append(path)
        name = path.rsplit("/", 1)[1].removesuffix(".json")
        match name:
            case "IncomingPhoneNumbers":
                found = [number for line, number in self.numbers.items() if line == query["PhoneNumber"]]
                return 200, {"incoming_phone_numbers": found, "next_page_uri": None}
            case "Calls" | "Messages" | "Recordings":
                rows = self.lists[name.lower()]
                before = query.get("StartTime<") or query.get("DateSent<")
                rows = [row for row in rows if not before or row.get("day", "2026-11-23") < before]
                return 200, {name.lower(): rows, "next_page_uri": None}
            case "Countries":
                wanted = "fraud" if "HighRiskTollfraudNumbersEnabled" in query else "low"
                content = [self.country(iso) for iso, on in self.dialling.items() if on[wanted]]
                return 200, {"content": content, "meta": {"key": "content", "next_page_url": None}}
            case _ if "/DialingPermissions/Countries/" in path:
                return (200, self.country(name)) if name in self.dialling else (404, {"code": 20404})
            case _:
                return 200, self.account

    def country(self, iso: str) -> dict[str, Any]:
        on = self.dialling[iso]
        return {
            "iso_code": iso,
            "low_risk_numbers_enabled": on["low"],
            "high_risk_special_numbers_enabled": on["special"],
            "high_risk_tollfraud_numbers_enabled": on["fraud"],
        }


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def address(account: Account) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            status, body = account.answer(url.path, query)
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002 - the server's
            return format_datetime(datetime.now(UTC) + account.skew, usegmt=True)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def findings(address: str, *, fallback: str | None = SPARE) -> dict[str, Finding]:
    wiring = Wiring(
        public=[Msisdn.parse(PUBLIC_LINE)],
        missed=[Msisdn.parse(RUNG)],
        counselors=[Msisdn.parse(POOL)],
        public_url=PUBLIC,
        fallback_url=fallback,
        countries=frozenset({"MM"}),
        now=NOW,
        kept=timedelta(days=8),
    )
    return {one.what: one for one in carrier(address).examine(wiring)}


def test_a_side_that_is_right_has_no_fault(address: str) -> None:
    found = findings(address)
    assert {what: one.good for what, one in found.items()} == dict.fromkeys(found, True)
    assert len(found) == 11


def test_nothing_told_holds_a_number_or_an_address(account: Account, address: str) -> None:
    for number in account.numbers.values():
        number |= {"voice_url": "https://demo.twilio.example/a", "voice_fallback_url": ""}
    account.lists["messages"] = [{"sid": TEXT, "body": "ရပါပြီ", "day": "2026-11-01"}]
    told = " ".join(one.words + one.what for one in findings(address).values())
    assert "demo.twilio" not in told
    assert "1202" not in told
    assert "ရ" not in told
    assert "static.example" not in told


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("voice_url", f"{PUBLIC}/twilio/voice/", "set voice to POST"),
        ("voice_url", "http://hotline.example/twilio/voice", "set voice to POST"),
        ("voice_method", "GET", "set voice to POST"),
        ("status_callback", "", "call status changes"),
        ("voice_fallback_url", "", "voice's fallback"),
        ("voice_fallback_method", "POST", "voice's fallback"),
        ("voice_application_sid", "AP" + "2" * 32, "bound to an application"),
        ("trunk_sid", "TK" + "2" * 32, "bound to an application or a trunk"),
        ("voice_caller_id_lookup", True, "lookup"),
        ("sms_url", "", "set texts to POST"),
        ("sms_fallback_url", "", "the texts' fallback"),
        ("sms_application_sid", "AP" + "2" * 32, "texts are bound"),
    ],
)
def test_a_wrong_address_of_a_number_is_told_with_what_to_do(
    account: Account, address: str, field: str, value: object, words: str
) -> None:
    account.numbers[PUBLIC_LINE][field] = value
    found = findings(address)
    assert found["public number 1 of 1"].good is False
    assert words in found["public number 1 of 1"].words
    assert [what for what, one in found.items() if not one.good] == ["public number 1 of 1"]


def test_a_number_of_another_account_is_told(account: Account, address: str) -> None:
    del account.numbers[POOL]
    assert findings(address)["counselors' number 1 of 1"].good is False


def test_a_line_that_is_only_rung_must_not_be_answered_by_its_fallback(
    account: Account, address: str
) -> None:
    account.numbers[RUNG]["voice_fallback_url"] = f"{SPARE}/voice.xml"
    assert "reject.xml" in findings(address)["missed-call number 1 of 1"].words


def test_without_an_address_of_ours_any_fallback_will_do(account: Account, address: str) -> None:
    account.numbers[RUNG]["voice_fallback_url"] = "https://handler.twilio.example/bin"
    assert findings(address, fallback=None)["missed-call number 1 of 1"].good
    account.numbers[RUNG]["voice_fallback_url"] = ""
    assert findings(address, fallback=None)["missed-call number 1 of 1"].good is False


@pytest.mark.parametrize(
    ("on", "words"),
    [
        ({"low": False, "special": False, "fraud": False}, "switched off"),
        ({"low": True, "special": True, "fraud": False}, "high-risk"),
        ({"low": True, "special": False, "fraud": True}, "high-risk"),
    ],
)
def test_what_may_be_dialled_in_a_country_is_looked_at(
    account: Account, address: str, on: dict[str, bool], words: str
) -> None:
    account.dialling["MM"] = on
    found = findings(address)["dialling MM"]
    assert found.good is False
    assert words in found.words


def test_other_countries_are_for_a_person_to_judge_and_paying_numbers_never_right(
    account: Account, address: str
) -> None:
    account.dialling["TH"] = {"low": True, "special": False, "fraud": False}
    assert findings(address)["other countries"].good is None
    account.dialling["LV"] = {"low": False, "special": False, "fraud": True}
    assert findings(address)["other countries"].good is False


def test_old_copies_at_the_provider_are_a_fault(account: Account, address: str) -> None:
    account.lists["calls"] = [{"sid": CALL, "day": "2026-11-20"}]
    assert findings(address)["copies left"].good
    account.lists["calls"] = [{"sid": CALL, "day": "2026-11-10"}]
    assert findings(address)["copies left"].good is False


def test_a_call_that_was_ever_recorded_is_a_fault(account: Account, address: str) -> None:
    account.lists["recordings"] = [{"sid": "RE" + "1" * 32}]
    assert findings(address)["sound kept"].good is False


def test_bodies_in_the_log_are_for_a_person_to_judge(account: Account, address: str) -> None:
    account.lists["messages"] = [{"sid": TEXT, "body": "11"}]
    assert findings(address)["bodies of texts"].good is None
    account.lists["messages"] = [{"sid": TEXT, "body": "*********"}]
    assert findings(address)["bodies of texts"].good


def test_calls_that_wait_at_the_provider_mean_a_wrong_pace(account: Account, address: str) -> None:
    account.lists["calls"] = [{"sid": CALL, "queue_time": "5300"}]
    assert findings(address)["pace of calls"].good is False


def test_a_clock_that_is_off_is_a_fault(account: Account, address: str) -> None:
    account.skew = timedelta(minutes=3)
    assert "seconds off" in findings(address)["provider's clock"].words


@pytest.mark.parametrize(("field", "value"), [("status", "suspended"), ("type", "Trial")])
def test_an_account_that_cannot_ring_everybody_is_a_fault(
    account: Account, address: str, field: str, value: str
) -> None:
    account.account[field] = value
    assert findings(address)["provider"].good is False


def test_a_provider_that_is_away_is_one_fault_and_the_rest_could_not_be_asked() -> None:
    found = findings("http://127.0.0.1:9")
    assert [what for what, one in found.items() if one.good is False] == ["provider"]
    assert all("could not be asked" in one.words for what, one in found.items() if what != "provider's clock")
