import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from console.browser import Asked, Browser, Person
from flask import Flask

from gateway.console import changes
from gateway.runtime import Runtime
from gateway.services import casework, counselors


@pytest.fixture
def mya(person: Person) -> Browser:
    return person("mya")


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams of a moment instead of twenty seconds."""
    monkeypatch.setattr(changes, "HOLDS", 0.5)
    monkeypatch.setattr(changes, "LOOKS", 0.05)


def told(browser: Browser) -> str:
    """All that one stream says until it ends."""
    with browser.get("/changes") as answer:
        return answer.text


def numbers(text: str) -> list[int]:
    return [int(line[6:]) for line in text.splitlines() if line.startswith("data: ")]


def test_a_stream_says_a_number_and_nothing_else(mya: Browser, asked: Asked, short: None) -> None:
    asked("mango-cat")
    answer = mya.get("/changes")
    assert answer.mimetype == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    lines = [line for line in answer.text.splitlines() if line]
    assert {line.split(": ")[0] for line in lines} == {"retry", "id", "data"}
    assert all(line.split(": ")[1].isdecimal() for line in lines)


def test_something_that_happens_is_told_while_the_stream_is_open(
    runtime: Runtime, mya: Browser, asked: Asked, short: None
) -> None:
    case = asked("mango-cat")
    account = next(one.id for one in counselors.everyone(runtime) if one.alias == "mya")
    happens = threading.Timer(0.2, casework.claim, (runtime, case, account))
    happens.start()
    said = numbers(told(mya))
    happens.join()
    assert len(said) >= 2
    assert said == sorted(set(said))


def test_a_second_stream_is_not_held_but_told_to_come_back(
    app: Flask, mya: Browser, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "HOLDS", 4)
    monkeypatch.setattr(changes, "LOOKS", 0.05)
    hla = person("hla")
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(told, mya)
        time.sleep(0.5)
        text = told(hla)
        assert not held.done()
        held.result()
    assert len(numbers(text)) == 1
    assert f"retry: {changes.AGAIN_AFTER}" in text


def test_a_place_is_free_again_when_a_stream_ends(mya: Browser, short: None) -> None:
    for _ in range(3):
        began = time.monotonic()
        assert numbers(told(mya))
        assert time.monotonic() - began > 0.3


def test_it_is_for_those_who_are_signed_in(app: Flask) -> None:
    assert app.test_client().get("/console/changes").status_code == 303
