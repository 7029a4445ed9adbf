"""What we ask of Twilio is what its own description allows, and every way it can fail is told apart."""

import base64
import json
import logging
import ssl
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from openapi_core import OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest
from openapi_core.exceptions import OpenAPIError
from twilio_double import Asked, Double
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request as WerkzeugRequest

from gateway.carriers.base import OPTED_OUT, LegStatus
from gateway.carriers.twilio import TwilioCarrier, rest
from gateway.errors import CarrierError
from gateway.phone import Msisdn

ACCOUNT, TOKEN = "AC" + "7" * 32, "5f2b8c1de94a03767c1e0b9d8a4f6e35"
CALL, TEXT = "CA" + "a" * 32, "SM" + "b" * 32
TO, LINE = Msisdn.parse("+959790000001"), Msisdn.parse("+12025550100")
PUBLIC = "https://hotline.example"
NOW = datetime(2026, 11, 23, 10, 0, 0, 700_000, tzinfo=UTC)
NUMBERS = ("959790000001", "12025550100")

DESCRIPTION = json.loads(
    (Path(__file__).parents[2] / "data" / "twilio_api_v2010.trimmed.json").read_text("utf-8")
)


def carrier(address: str) -> TwilioCarrier:
    return TwilioCarrier(account_sid=ACCOUNT, tokens=(TOKEN,), public_url=PUBLIC, api_base_url=address)


def place(on: TwilioCarrier, *, detect_machine: bool = True) -> str:
    return on.place_call(
        to=TO, line=LINE, leg="L-1", detect_machine=detect_machine, ring_seconds=25, talk_seconds=1800
    )


def send(on: TwilioCarrier, validity: int = 600) -> str:
    return on.send_text(to=TO, line=LINE, body="ရပါပြီ", validity=validity)


ASKS: dict[str, Callable[[TwilioCarrier], object]] = {
    "place_call": place,
    "end_call": lambda on: on.end_call(CALL),
    "move_call": lambda on: on.move_call(CALL, "L-1"),
    "call_status": lambda on: on.call_status(CALL),
    "find_calls": lambda on: on.find_calls(to=TO, line=LINE, since=NOW),
    "send_text": send,
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
    "forget_call": (204, ""),
    "forget_text": (204, ""),
}


def failure(name: str, address: str) -> CarrierError:
    with pytest.raises(CarrierError) as failed:
        ASKS[name](carrier(address))
    return failed.value


def told(error: CarrierError) -> tuple[bool, bool]:
    return error.retry, error.uncertain


# --- the requests themselves --------------------------------------------------------------------------


@cache
def description() -> OpenAPI:
    return OpenAPI.from_dict(DESCRIPTION)


def assert_described(asked: Asked) -> None:
    """Hold a request against Twilio's description, and its field names too: unknown ones are only ignored."""
    description().validate_request(
        WerkzeugOpenAPIRequest(
            WerkzeugRequest(
                EnvironBuilder(
                    path=asked.target,
                    base_url="https://api.twilio.com",
                    method=asked.method,
                    headers={k: v for k, v in asked.headers.items() if k != "Host"},
                    data=asked.body,
                ).get_environ()
            )
        )
    )
    template = asked.path.replace(ACCOUNT, "{AccountSid}").replace(CALL, "{Sid}").replace(TEXT, "{Sid}")
    operation = DESCRIPTION["paths"][template][asked.method.lower()]
    in_query = {p["name"] for p in operation["parameters"] if p["in"] == "query"}
    assert {name for name, _ in asked.query} <= in_query
    content = operation.get("requestBody", {"content": {"": {"schema": {"properties": {}}}}})["content"]
    (body,) = content.values()
    assert {name for name, _ in asked.form} <= set(body["schema"]["properties"])


@pytest.mark.parametrize("name", ASKS)
def test_every_request_is_as_twilio_describes_it(name: str, double: Double) -> None:
    double.will_answer(*GOOD[name])
    ASKS[name](carrier(double.address))
    (asked,) = double.asked
    assert_described(asked)
    credentials = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    assert asked.headers["Authorization"] == f"Basic {credentials}"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "Calls.json", "From=%2B12025550100"),  # To is missing
        ("POST", "Calls.json", "To=%2B1&From=%2B1&Timeout=soon"),
        ("POST", "Calls.json", "To=%2B1&From=%2B1&TimeOut=5"),
        ("POST", "Calls.json", "To=%2B1&From=%2B1&Method=PUT"),
        ("POST", f"Calls/{CALL}.json", "Status=ended"),
        ("PUT", "Calls.json", "To=%2B1&From=%2B1"),
        ("POST", "Call.json", "To=%2B1&From=%2B1"),
    ],
)
def test_the_description_catches_mistakes(method: str, path: str, body: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": "Basic eDp5"}
    account = f"/2010-04-01/Accounts/{ACCOUNT}"
    assert_described(Asked("POST", f"{account}/Calls.json", headers, b"To=%2B1&From=%2B1&Timeout=5"))
    with pytest.raises((OpenAPIError, AssertionError)):
        assert_described(Asked(method, f"{account}/{path}", headers, body.encode()))


def test_a_call_names_its_leg_and_reports_every_step(double: Double) -> None:
    double.will_answer(*GOOD["place_call"])
    assert place(carrier(double.address)) == CALL
    leg = f"{PUBLIC}/twilio/voice/leg/L-1"
    assert sorted(double.asked[0].form) == sorted(
        [
            ("To", "+959790000001"),
            ("From", "+12025550100"),
            ("Url", leg),
            ("Method", "POST"),
            ("StatusCallback", f"{leg}/status"),
            ("StatusCallbackMethod", "POST"),
            ("StatusCallbackEvent", "initiated"),
            ("StatusCallbackEvent", "ringing"),
            ("StatusCallbackEvent", "answered"),
            ("StatusCallbackEvent", "completed"),
            ("Timeout", "25"),
            ("TimeLimit", "1800"),
            ("MachineDetection", "Enable"),
        ]
    )


def test_machine_detection_only_where_asked(double: Double) -> None:
    double.will_answer(*GOOD["place_call"])
    place(carrier(double.address), detect_machine=False)
    assert "MachineDetection" not in dict(double.asked[0].form)


def test_a_call_is_ended_whether_it_rings_or_talks(double: Double) -> None:
    double.will_answer(*GOOD["end_call"])
    carrier(double.address).end_call(CALL)
    assert double.asked[0].form == [("Status", "completed")]


def test_a_call_is_moved_to_its_legs_own_address_where_it_is_known_as_moved(double: Double) -> None:
    double.will_answer(*GOOD["move_call"])
    carrier(double.address).move_call(CALL, "L/1")
    assert dict(double.asked[0].form) == {"Url": f"{PUBLIC}/twilio/voice/leg/L%2F1/over", "Method": "POST"}


def test_a_text_dies_by_itself_and_reports(double: Double) -> None:
    double.will_answer(*GOOD["send_text"])
    assert send(carrier(double.address)) == TEXT
    assert dict(double.asked[0].form) == {
        "To": "+959790000001",
        "From": "+12025550100",
        "Body": "ရပါပြီ",
        "ValidityPeriod": "600",
        "StatusCallback": f"{PUBLIC}/twilio/sms/status",
    }


def test_a_texts_validity_stays_within_what_all_of_twilios_pages_allow(double: Double) -> None:
    double.will_answer(*GOOD["send_text"])
    send(carrier(double.address), validity=86_400)
    assert dict(double.asked[0].form)["ValidityPeriod"] == "14400"


@pytest.mark.parametrize("validity", [0, -1])
def test_a_text_that_is_already_dead_is_never_sent(validity: int, double: Double) -> None:
    with pytest.raises(CarrierError) as refused:
        send(carrier(double.address), validity)
    assert told(refused.value) == (False, False)
    assert not double.asked


def test_the_environment_does_not_move_our_requests(
    double: Double, closed_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = f"http://127.0.0.1:{closed_port()}"
    for name, value in {
        "TWILIO_REGION": "ie1",
        "TWILIO_EDGE": "dublin",
        "TWILIO_ACCOUNT_SID": "AC0",
        "HTTP_PROXY": proxy,
        "http_proxy": proxy,
        "NO_PROXY": "",
        "no_proxy": "",
    }.items():
        monkeypatch.setenv(name, value)
    double.will_answer(*GOOD["place_call"])
    place(carrier(double.address))
    assert double.asked[0].path == f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json"


def test_a_base_address_with_a_path_is_kept(double: Double) -> None:
    double.will_answer(*GOOD["end_call"])
    carrier(f"{double.address}/simulator/api").end_call(CALL)
    assert double.asked[0].path == f"/simulator/api/2010-04-01/Accounts/{ACCOUNT}/Calls/{CALL}.json"


# --- looking up ---------------------------------------------------------------------------------------


def known(sid: str, status: str, seconds: float | None) -> dict[str, Any]:
    created = NOW.replace(microsecond=0) + timedelta(seconds=seconds or 0)
    stamp = None if seconds is None else created.strftime("%a, %d %b %Y %H:%M:%S +0000")
    return {"sid": sid, "status": status, "date_created": stamp, "start_time": None}


@pytest.mark.parametrize(
    ("word", "status"), [("in-progress", LegStatus.UNDER_WAY), ("no-answer", LegStatus.NO_ANSWER)]
)
def test_how_a_call_stands_can_be_asked(word: str, status: LegStatus, double: Double) -> None:
    double.will_answer(200, {"sid": CALL, "status": word})
    assert carrier(double.address).call_status(CALL) is status


def test_a_call_that_the_carrier_has_forgotten_is_over(double: Double) -> None:
    double.will_refuse(404, 20404)
    assert carrier(double.address).call_status(CALL) is LegStatus.COMPLETED


@pytest.mark.parametrize("body", ["{}", {"sid": CALL, "status": None}, {"status": ["x"]}])
def test_a_call_whose_state_cannot_be_read_is_not_over(body: object, double: Double) -> None:
    double.will_answer(200, body)
    assert carrier(double.address).call_status(CALL) is LegStatus.UNDER_WAY


def test_calls_are_found_newest_first_and_only_since_then(double: Double) -> None:
    sids = [f"CA{n:032x}" for n in range(5)]
    calls = [
        known(sids[0], "busy", 5),
        known(sids[1], "completed", -60),  # an earlier attempt
        known(sids[2], "in-progress", 60),
        known(sids[3], "queued", 0),  # in the same second as `since`, which is later within it
        known(sids[4], "queued", None),
    ]
    double.will_answer(
        200, {"calls": calls, "next_page_uri": f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json?Page=1"}
    )
    double.will_answer(200, {"calls": [], "next_page_uri": None})
    found = carrier(double.address).find_calls(to=TO, line=LINE, since=NOW)
    assert found == [
        (sids[4], LegStatus.UNDER_WAY),
        (sids[2], LegStatus.UNDER_WAY),
        (sids[0], LegStatus.BUSY),
        (sids[3], LegStatus.UNDER_WAY),
    ]
    assert dict(double.asked[0].query) == {"To": "+959790000001", "From": "+12025550100", "PageSize": "50"}


def test_one_full_page_is_enough(double: Double) -> None:
    calls = [known(f"CA{n:032x}", "completed", n) for n in range(50)]
    double.will_answer(
        200, {"calls": calls, "next_page_uri": f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json?Page=1"}
    )
    assert len(carrier(double.address).find_calls(to=TO, line=LINE, since=NOW)) == 50
    assert len(double.asked) == 1


# --- forgetting ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["end_call", "move_call", "forget_call", "forget_text"])
def test_what_is_gone_already_is_no_error(name: str, double: Double) -> None:
    double.will_refuse(404, 20404)
    ASKS[name](carrier(double.address))
    assert len(double.asked) == 1


@pytest.mark.parametrize("name", ["end_call", "move_call"])
def test_a_call_that_has_ended_is_no_error(name: str, double: Double) -> None:
    double.will_refuse(400, 21220)
    ASKS[name](carrier(double.address))


@pytest.mark.parametrize("name", ["end_call", "forget_call", "forget_text"])
def test_a_404_that_is_not_twilios_own_proves_nothing(name: str, double: Double) -> None:
    double.will_answer(404, "<html>nginx</html>")
    assert failure(name, double.address).code == 404


def test_a_call_that_is_not_over_is_forgotten_later(double: Double) -> None:
    double.will_refuse(409, 20009)
    error = failure("forget_call", double.address)
    assert (told(error), error.code) == ((True, False), 20009)


def test_a_text_that_cannot_be_deleted_yet_loses_its_words_now(double: Double) -> None:
    double.will_refuse(409, 20009)
    double.will_answer(200, {"sid": TEXT, "body": ""})
    assert told(failure("forget_text", double.address)) == (True, False)
    deleted, emptied = double.asked
    assert (deleted.method, emptied.method, emptied.form) == ("DELETE", "POST", [("Body", "")])
    assert_described(emptied)


def test_a_text_that_can_never_be_deleted_loses_its_words_and_is_told(double: Double) -> None:
    double.will_refuse(403, 20403)
    double.will_answer(200, {"sid": TEXT, "body": ""})
    assert told(failure("forget_text", double.address)) == (False, False)
    assert double.asked[1].form == [("Body", "")]


def test_a_text_is_not_emptied_where_the_carrier_is_merely_away(double: Double) -> None:
    double.will_answer(503)
    assert told(failure("forget_text", double.address)) == (True, False)
    assert len(double.asked) == 1


# --- failing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ASKS)
def test_nobody_listening_means_not_done(name: str, closed_port: Callable[[], int]) -> None:
    assert told(failure(name, f"http://127.0.0.1:{closed_port()}")) == (True, False)


@pytest.mark.parametrize("name", ASKS)
def test_a_dropped_connection_leaves_what_must_not_be_done_twice_uncertain(name: str, double: Double) -> None:
    double.will_drop()
    assert told(failure(name, double.address)) == ((False, True) if name in ONCE else (True, False))
    assert len(double.asked) == 1


@pytest.mark.parametrize("name", ASKS)
def test_no_answer_in_time_leaves_what_must_not_be_done_twice_uncertain(
    name: str, double: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "_TIMEOUT", (1.0, 0.1))
    double.will_drop()
    double.hold = threading.Event()
    assert told(failure(name, double.address)) == ((False, True) if name in ONCE else (True, False))


@pytest.mark.parametrize("name", ASKS)
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_leaves_what_must_not_be_done_twice_uncertain(
    name: str, status: int, double: Double
) -> None:
    double.will_answer(status, "<html>Bad gateway</html>")
    assert told(failure(name, double.address)) == ((False, True) if name in ONCE else (True, False))
    assert len(double.asked) == 1


@pytest.mark.parametrize("name", ["place_call", "send_text"])
@pytest.mark.parametrize(
    "body", ["", "<html>", "[]", "null", "{}", {"sid": None}, {"sid": "../x"}, {"sid": 7}]
)
def test_a_success_that_cannot_be_read_is_uncertain(name: str, body: object, double: Double) -> None:
    double.will_answer(201, body)
    assert told(failure(name, double.address)) == (False, True)


@pytest.mark.parametrize("name", ASKS)
def test_too_many_requests_means_not_done(name: str, double: Double) -> None:
    double.will_refuse(429, 20429)
    assert told(failure(name, double.address)) == (True, False)


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("place_call", 400, 10004),
        ("place_call", 400, 22005),
        ("send_text", 400, 21611),
        ("place_call", 401, 20003),
        ("send_text", 403, 20005),
    ],
)
def test_a_full_queue_or_a_closed_account_may_be_tried_later(
    name: str, status: int, code: int, double: Double
) -> None:
    double.will_refuse(status, code)
    error = failure(name, double.address)
    assert (told(error), error.code) == ((True, False), code)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("place_call", 21211),
        ("place_call", 21215),
        ("place_call", 21216),
        ("place_call", 20404),
        ("send_text", 21408),
        ("send_text", 21614),
        ("send_text", 21617),
    ],
)
def test_a_refusal_is_final(name: str, code: int, double: Double) -> None:
    double.will_refuse(404 if code == 20404 else 400, code)
    error = failure(name, double.address)
    assert (told(error), error.code) == ((False, False), code)


def test_who_stopped_us_at_the_carrier_is_known_by_its_own_code(double: Double) -> None:
    double.will_refuse(400, 21610)
    error = failure("send_text", double.address)
    assert (told(error), error.code) == ((False, False), OPTED_OUT)


def test_a_refusal_in_the_newer_form_of_errors_is_read(double: Double) -> None:
    double.will_answer(429, {"type": "about:blank", "title": "Too many", "status": 429, "code": 20429})
    error = failure("place_call", double.address)
    assert (told(error), error.code) == ((True, False), 20429)


def test_a_redirect_is_not_followed(double: Double) -> None:
    double.will_answer(307, "")
    assert told(failure("place_call", double.address)) == (False, False)
    assert len(double.asked) == 1


@pytest.fixture
def stranger(tmp_path: Path) -> str:
    """The address of a TLS server that nobody vouches for; it counts on being refused."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "stranger.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.timeout = 5
    threading.Thread(target=lambda: (server.handle_request(), server.server_close()), daemon=True).start()
    return f"https://127.0.0.1:{server.server_address[1]}"


def test_a_carrier_whose_name_is_not_known_was_asked_nothing() -> None:
    assert told(failure("place_call", "http://no-such-carrier.invalid")) == (True, False)


def test_a_stranger_in_the_carriers_place_is_told_nothing(stranger: str) -> None:
    assert told(failure("place_call", stranger)) == (True, False)


# --- silence ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ASKS)
@pytest.mark.parametrize("way", ["refused", "dropped", "broken", "unreachable"])
def test_no_error_and_no_log_line_holds_a_number(
    name: str, way: str, double: Double, closed_port: Callable[[], int], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    address = double.address
    match way:
        case "refused":
            double.will_refuse(400, 21211)
        case "dropped":
            double.will_drop()
        case "broken":
            double.will_answer(GOOD[name][0], '{"to": "+959790000001"')
        case _:
            address = f"http://127.0.0.1:{closed_port()}"
    if (way, name) in {("broken", "forget_call"), ("broken", "forget_text")}:
        ASKS[name](carrier(address))  # nothing is read of the answer to a deletion
    else:
        error = failure(name, address)
        assert (error.__cause__, error.__context__) == (None, None)
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        ours = [
            frame for frame in shown.stack if "carriers/twilio/" in frame.filename.partition("gateway")[2]
        ]
        assert len(ours) >= 2
        assert not any(number in f"{error!r}{error}{[f.locals for f in ours]}" for number in NUMBERS)
    assert not any(number in caplog.text for number in NUMBERS)
    assert TOKEN not in caplog.text


def test_a_request_that_goes_well_leaves_no_log_line_either(
    double: Double, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    double.will_answer(*GOOD["find_calls"])
    ASKS["find_calls"](carrier(double.address))
    assert not any(number in caplog.text for number in NUMBERS)


def test_the_carrier_shows_no_token() -> None:
    assert TOKEN not in repr(carrier("http://127.0.0.1:1"))
