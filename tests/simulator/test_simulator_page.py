"""The page: what it shows, what it lets through, and the clock it puts forward."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
import requests
from simulator.gateway_double import PUBLIC, TOKEN, House

from gateway.simulator.numbers import demo_number
from gateway.simulator.view import skips

VOICE = "/twilio/voice"


def page(house: House) -> requests.Response:
    return requests.get(f"{house.double.url}/simulator/", timeout=5)


def post(house: House, path: str, body: object, **headers: str) -> requests.Response:
    token = re.search(r'simulator-token" content="([^"]+)"', page(house).text)[1]
    sent = {"X-Simulator-Token": token, "Origin": house.double.url} | headers
    return requests.post(f"{house.double.url}/simulator/{path}", json=body, headers=sent, timeout=5)


def state(house: House, since: str = "") -> requests.Response:
    return requests.get(f"{house.double.url}/simulator/state", params={"since": since}, timeout=5)


def test_the_page_has_no_inline_script_or_style_and_says_so_to_the_browser(house: House) -> None:
    answer = page(house)
    assert answer.status_code == 200
    assert "'unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
    assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|\sstyle=", answer.text)
    for asset in re.findall(r'(?:src|href)="(/simulator/static/[^"]+)"', answer.text):
        assert requests.get(house.double.url + asset, timeout=5).status_code == 200


def test_a_call_is_made_heard_and_ended_on_the_page(house: House) -> None:
    url = house.double.spoken(600, "မင်္ဂလာပါ", "Hello")
    house.double.answers[VOICE] = f'<Gather numDigits="1" action="/keys"><Play>{url}</Play></Gather>'
    house.double.answers["/keys"] = f"<Play>{house.double.sound(300)}</Play>"
    assert post(house, "phones/caller/dial", {"to": PUBLIC}).json() == {"done": True}
    house.until(lambda: house.network.phones["caller"].heard[-1].kind == "sound")
    caller = state(house).json()["phones"][0]
    assert (caller["state"], caller["peer"], caller["listening"]) == ("call", PUBLIC, True)
    assert caller["hearing"]["sound"] == url
    assert caller["hearing"]["captions"]["my"] == {"text": "မင်္ဂလာပါ", "robot": True, "kind": "prompt"}
    assert caller["hearing"]["captions"]["en"]["text"] == "Hello"
    assert post(house, "phones/caller/press", {"key": "1"}).json() == {"done": True}
    house.until(lambda: house.double.to("/keys"))
    assert post(house, "phones/caller/press", {"key": "1"}).json() == {"done": False}
    assert post(house, "phones/caller/hangup", {}).status_code == 200
    house.settle()
    caller = state(house).json()["phones"][0]
    assert (caller["state"], caller["note"]) == ("idle", "completed")
    assert [(entry["way"], entry["number"]) for entry in caller["calls"]] == [("out", PUBLIC)]


def test_nothing_is_sent_again_while_nothing_changes(house: House) -> None:
    first = state(house).json()
    assert state(house, first["stamp"]).status_code == 204
    house.reasons.append("quiet hours until 07:00")
    assert state(house, first["stamp"]).json()["reasons"] == ["quiet hours until 07:00"]


def test_what_the_network_refused_is_on_the_page(house: House) -> None:
    house.double.answers[VOICE] = "<Record/>"
    house.network.dial("caller", PUBLIC)
    house.settle()
    [fault] = state(house).json()["faults"]
    assert fault["code"] == 12200
    assert "never records" in fault["message"]


def test_the_three_steps_light_up_one_after_another(house: House) -> None:
    assert state(house).json()["steps"] == [False, False, False]
    house.double.answers[VOICE] = "<Hangup/>"
    house.network.dial("caller", PUBLIC)
    house.settle()
    assert state(house).json()["steps"] == [True, False, False]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Simulator-Token": "guessed"},
        {"X-Simulator-Token": "ဂ".encode().decode("latin-1")},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["phones/caller/dial", "clock", "reset"])
def test_another_site_can_press_no_key(house: House, path: str, headers: dict[str, str]) -> None:
    assert post(house, path, {"to": PUBLIC}, **headers).status_code == 403
    assert house.network.calls == {}
    assert house.resets == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("phones/nobody/dial", {"to": PUBLIC}, 404),
        ("phones/caller/explode", {}, 404),
        ("phones/caller/dial", {"to": 7}, 400),
        ("phones/caller/press", {"key": "၁"}, 400),
        ("phones/caller/press", {"key": "12"}, 400),
        ("phones/caller/text", [], 400),
        ("clock", {"to": "yesterday"}, 400),
        ("clock", [], 400),
    ],
)
def test_nonsense_from_the_page_is_refused(house: House, path: str, body: object, status: int) -> None:
    assert post(house, path, body).status_code == status


def test_the_clock_is_put_forward_and_the_demo_begins_again(house: House) -> None:
    yangon = ZoneInfo("Asia/Yangon")
    post(house, "clock", {"to": "evening"})
    assert house.clock.now().astimezone(yangon).hour == 17
    house.network.text("caller", PUBLIC, "hello")
    post(house, "reset", {})
    assert house.clock.now().astimezone(yangon).hour == 10
    assert house.resets == [True]
    assert state(house).json()["phones"][0]["texts"] == []


@pytest.mark.parametrize(
    ("now", "name", "then"),
    [
        ("2026-11-23T03:30", "morning", "2026-11-24T00:30"),
        ("2026-11-23T03:30", "midday", "2026-11-23T04:30"),
        ("2026-11-23T04:30", "midday", "2026-11-24T04:30"),
        ("2026-11-23T03:30", "night", "2026-11-23T15:30"),
        ("2026-11-23T17:00", "morning", "2026-11-24T00:30"),
        ("2026-11-23T03:30", "minutes", "2026-11-23T03:40"),
    ],
)
def test_the_clock_only_skips_forward(now: str, name: str, then: str) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    places = {place.name: place.at for place in skips(at)}
    assert places[name] == datetime.fromisoformat(then).replace(tzinfo=UTC)
    assert all(place > at for place in places.values())


def test_the_handsets_numbers_survive_a_restart_and_are_valid_mobiles() -> None:
    assert demo_number(TOKEN, "caller") == demo_number(TOKEN, "caller")
    assert demo_number(TOKEN, "caller") != demo_number(TOKEN + "x", "caller")
    for name, region in (("caller", "MM"), ("counselor", "TH"), ("another", "MM")):
        number = phonenumbers.parse(demo_number(TOKEN, name))
        assert phonenumbers.region_code_for_number(number) == region
        assert phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE
    assert demo_number(TOKEN, "caller").startswith("+9597")
