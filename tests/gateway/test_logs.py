"""A log line holds what is listed, and never a number, a message or a traceback."""

import json
import logging
import subprocess
import sys
import threading
import urllib.parse
import warnings
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import logs
from gateway.errors import BadNumber, KeystoreDown
from gateway.phone import Msisdn

NUMBER = "+959420012345"
HOUSE = Path(__file__).resolve().parents[2]
SECRET = "please come quickly"  # what somebody wrote

SCRIPTS = [
    "0123456789",
    "၀၁၂၃၄၅၆၇၈၉",
    "႐႑႒႓႔႕႖႗႘႙",
    "٠١٢٣٤٥٦٧٨٩",
    "๐๑๒๓๔๕๖๗๘๙",
    "０１２３４５６７８９",
    "⁰¹²³⁴⁵⁶⁷⁸⁹",
    "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗",
]
BETWEEN = ["", " ", ".", "-", "/", "·", " - ", "\u200b", "\u00a0", "_", ",", ")(", "\n", "–"]
WRITTEN = [
    str,
    lambda digits: digits.encode("unicode_escape").decode("ascii"),
    urllib.parse.quote,
    lambda digits: str(digits.encode()),
    ascii,
    json.dumps,
]


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root, warned = logging.getLogger(), warnings.showwarning
    kept = (root.handlers[:], root.level, sys.excepthook, sys.unraisablehook, threading.excepthook)
    raising = logging.raiseExceptions
    logs.configure("DEBUG", json=True)
    yield
    root.handlers[:], root.level, sys.excepthook, sys.unraisablehook, threading.excepthook = kept
    logging.raiseExceptions = raising
    warnings.showwarning = warned


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    out, err = capsys.readouterr()
    assert out == ""
    return [json.loads(line) for line in err.splitlines()]


def test_a_line_holds_the_event_and_the_listed_keys(capsys: pytest.CaptureFixture[str]) -> None:
    logs.get("gateway.web").info("webhook answered", route="/twilio/voice", status=200, milliseconds=12.34567)
    (line,) = lines(capsys)
    assert line.pop("time")
    assert line == {
        "level": "info",
        "event": "webhook answered",
        "logger": "gateway.web",
        "route": "/twilio/voice",
        "status": 200,
        "milliseconds": 12.346,
    }


def test_a_key_that_is_not_listed_is_dropped_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    logs.get("gateway.web").warning("hello", caller=NUMBER, body=SECRET, count=3)
    (line,) = lines(capsys)
    assert line["dropped"] == 2
    assert line["count"] == 3
    assert not {"caller", "body"} & line.keys()
    assert SECRET not in str(line)


@given(
    st.text("0123456789", min_size=5, max_size=15),
    st.sampled_from(SCRIPTS),
    st.lists(st.sampled_from(BETWEEN), min_size=15, max_size=15),
    st.sampled_from(["", "x", "+", "call ", "ဖုန်း "]),
)
def test_five_digits_or_more_are_masked_in_any_script(
    digits: str, script: str, between: list[str], before: str
) -> None:
    written = "".join(script[int(digit)] + gap for digit, gap in zip(digits, between, strict=False))
    shown = logs.masked(f"{before}{written}end")
    assert sum(sign.isdigit() for sign in shown) == 0
    assert "[digits]" in shown


@pytest.mark.promise(1)
@pytest.mark.parametrize(
    "number", ["+959420012345", "၀၉၄၂၀၀၁၂၃၄၅", "႐႙႔႒႐႐႑႒႓႔႕", "０９４２００１２３４５", "09 420 012 345"]
)
@pytest.mark.parametrize("write", WRITTEN)
def test_a_number_is_masked_however_it_is_escaped(number: str, write: object) -> None:
    assert callable(write)
    shown = logs.masked(f"before {write(number)} after")
    assert "[digits]" in shown
    for four in ("9420", "0012", "1234", "၉၄၂၀", "%81%89", "\\u1049", "\\xe1"):
        assert four not in shown


def test_short_counts_and_codes_stay_readable() -> None:
    assert logs.masked("attempt 3 of 5, error 4213, gateway/web/voice.py:120") == (
        "attempt 3 of 5, error 4213, gateway/web/voice.py:120"
    )


@pytest.mark.promise(1)
@pytest.mark.parametrize(
    "value",
    [
        NUMBER,
        959420012345,
        -959420012345,
        959420012345.0,
        Msisdn.parse(NUMBER),
        [NUMBER],
        {"to": NUMBER},
        NUMBER.encode(),
        f"call-{NUMBER}-0",
        "959420012345",
        "၀၉၄၂၀၀၁၂၃၄၅",
        BadNumber(NUMBER),
    ],
)
def test_no_value_carries_a_number(value: object, capsys: pytest.CaptureFixture[str]) -> None:
    logs.get("gateway").error("done", id=value, job=value, reason=value)
    ((_, err),) = [capsys.readouterr()]
    assert "42001" not in err
    assert "၄၂၀၀၁" not in err
    assert "u1044" not in err


def test_a_sentence_is_no_value(capsys: pytest.CaptureFixture[str]) -> None:
    logs.get("gateway").error("done", reason=SECRET, outcome="ကူညီပါ", id="two\nlines")
    (line,) = lines(capsys)
    assert {line["reason"], line["outcome"], line["id"]} == {"[text]"}


@pytest.mark.parametrize(
    "opaque",
    [
        uuid4(),
        "3f2a9912345678a0bc1d2e3f",
        "place_call-3f2a9912345678a0bc1d2e3f-0",
        "3f2a9912345678a0bc1d2e3f3f2a9912",
        "Qm7xT0aPzR2k_Lw9-hVbYg",
    ],
)
def test_a_random_id_stays_readable(opaque: object, capsys: pytest.CaptureFixture[str]) -> None:
    logs.get("gateway").info("done", id=opaque)
    (line,) = lines(capsys)
    assert line["id"] == str(opaque)


def test_an_error_is_its_class_its_causes_and_our_own_line(capsys: pytest.CaptureFixture[str]) -> None:
    log = logs.get("gateway")
    try:
        try:
            Msisdn.parse(SECRET)
        except BadNumber as error:
            raise KeyError(NUMBER, SECRET) from error
    except KeyError:
        log.exception("it failed")
    (line,) = lines(capsys)
    assert line["error"] == "KeyError<BadNumber"
    assert str(line["at"]).startswith("gateway/phone.py:")
    assert SECRET not in str(line)
    assert "42001" not in str(line)


def test_a_hidden_cause_stays_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        try:
            int(NUMBER + "x")
        except ValueError:
            raise KeystoreDown("down") from None
    except KeystoreDown as error:
        logs.get("gateway").error("it failed", exc_info=error)
    (line,) = lines(capsys)
    assert line["error"] == "KeystoreDown"


@pytest.mark.parametrize(
    "name",
    [
        "twilio.http_client",
        "sqlalchemy.engine",
        "werkzeug",
        "rq.worker",
        "urllib3.connectionpool",
        "some.other",
    ],
)
def test_libraries_say_nothing_of_their_arguments(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger(name)
    log.debug("%s", SECRET)
    log.info("POST %s", SECRET)
    log.warning("POST %s to %s took %d, try %.1f", SECRET, NUMBER, 12, 2.5)
    log.warning("%(to)s", {"to": SECRET})
    log.warning("wrong %d", SECRET)
    log.warning("number %d", 959420012345)
    log.warning("failed: %s", ValueError(SECRET))
    try:
        int(SECRET)
    except ValueError:
        log.exception("job %s failed\n%s", SECRET, SECRET)
    found = lines(capsys)
    assert [line["event"] for line in found] == [
        "POST [text] to [text] took 12, try 2.5",
        "[text]",
        "wrong %d",
        "number [digits]",
        "failed: ValueError",
        "job [text] failed [text]",
    ]
    assert found[-1]["error"] == "ValueError"
    assert {line["logger"] for line in found} == {name}


def test_handlers_that_libraries_brought_along_are_taken_from_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = logging.getLogger("rq.worker")
    log.addHandler(logging.StreamHandler())
    log.propagate = False
    logs.configure("INFO", json=True)
    log.warning("%s", SECRET)
    assert len(lines(capsys)) == 1


def test_text_for_people_goes_through_the_same_masks(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", json=False)
    logs.get("gateway").info(f"ring {NUMBER}\nဖုန်း", reason=SECRET, status=7)
    logs.get("gateway").debug("not at this level")
    _, err = capsys.readouterr()
    assert len(err.splitlines()) == 1
    assert "info     ring +[digits] [text]" in err
    assert "status=7" in err
    assert SECRET not in err


CRASH = """
import threading, warnings, logging
from gateway import logs
{configured}
def fail(): raise ValueError("{secret} {number}")
log = logs.get("gateway")
log.info("started", caller="{number}")
thread = threading.Thread(target=fail); thread.start(); thread.join()
class Broken:
    def __del__(self): fail()
broken = Broken(); del broken
warnings.warn("{secret} {number}")
logging.getLogger("x").warning("%s")
logging.getLogger("x").warning("a %s", "{secret}", "{number}")
fail()
"""


def test_a_crashing_process_tells_only_classes() -> None:
    script = CRASH.format(secret=SECRET, number=NUMBER, configured='logs.configure("INFO", json=True)')
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=HOUSE, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    told = ended.stdout + ended.stderr
    assert SECRET not in told
    assert "42001" not in told
    assert "Traceback" not in told
    assert told.count('"error": "ValueError"') == 3


def test_a_logger_used_before_it_is_configured_is_as_careful() -> None:
    script = CRASH.format(secret="x", number=NUMBER, configured="").split("thread =")[0]
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=HOUSE, capture_output=True, text=True, check=True
    )
    assert ended.stdout == ""
    assert "42001" not in ended.stderr
    assert json.loads(ended.stderr)["dropped"] == 1
