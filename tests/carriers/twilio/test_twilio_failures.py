"""Every way in which a request to Twilio can fail is told apart, and none of them tells a number."""

import logging
import ssl
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from carriers.twilio.twilio_asks import ASKS, GOOD, NUMBERS, ONCE, TOKEN, carrier, failure, told
from carriers.twilio.twilio_double import Double
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.carriers.base import OPTED_OUT
from gateway.carriers.twilio import rest

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


@pytest.mark.promise(1)
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
