"""What we ask of Twilio is what its own description allows."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from carriers.twilio.twilio_asks import (
    ACCOUNT,
    ASKS,
    CALL,
    GOOD,
    LINE,
    NOW,
    PUBLIC,
    TEXT,
    TO,
    TOKEN,
    carrier,
    failure,
    place,
    send,
    told,
)
from carriers.twilio.twilio_double import Asked, Double
from openapi_core import OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest
from openapi_core.exceptions import OpenAPIError
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request as WerkzeugRequest

from gateway.carriers.base import LegStatus, TextStatus
from gateway.errors import CarrierError

DESCRIPTION = json.loads(
    (Path(__file__).parents[2] / "data" / "twilio_api_v2010.trimmed.json").read_text("utf-8")
)


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


def test_a_call_leaves_when_it_may_begin_and_not_at_all_where_it_may_not(double: Double) -> None:
    seen: list[int] = []
    double.will_answer(*GOOD["place_call"])
    place(carrier(double.address), begins=lambda: seen.append(len(double.asked)))
    assert (seen, len(double.asked)) == ([0], 1)

    def refuse() -> None:
        raise CarrierError("too late", retry=True)

    with pytest.raises(CarrierError, match="too late"):
        place(carrier(double.address), begins=refuse)
    assert len(double.asked) == 1


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
        "StatusCallback": f"{PUBLIC}/twilio/sms/status/M-1",
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


def test_texts_are_found_newest_first_without_replies_of_a_webhook(double: Double) -> None:
    sids = [f"SM{n:032x}" for n in range(4)]
    texts = [
        known(sids[0], "sent", 5) | {"direction": "outbound-api"},
        known(sids[1], "delivered", 6) | {"direction": "outbound-reply"},
        known(sids[2], "undelivered", 7) | {"direction": "outbound-api"},
        known(sids[3], "queued", -60) | {"direction": "outbound-api"},  # an earlier one
    ]
    double.will_answer(200, {"messages": texts, "next_page_uri": None})
    found = carrier(double.address).find_texts(to=TO, line=LINE, since=NOW)
    assert found == [(sids[2], TextStatus.FAILED), (sids[0], TextStatus.UNDER_WAY)]
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
