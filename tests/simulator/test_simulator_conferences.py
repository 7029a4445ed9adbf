"""Two legs placed by REST meet in a conference, wait for each other, and part."""

import pytest
from simulator.gateway_double import POOL, PUBLIC, House

from gateway.simulator.records import Status


def join(house: House, who: str, sender: str, markup: str) -> str:
    path = f"/join/{who}"
    house.double.answers[path] = markup
    number = house.network.phones[who].number
    sid = house.client.calls.create(to=number, from_=sender, url=house.double.url + path).sid
    phone = house.network.phones[who]
    house.until(lambda: phone.call is not None and phone.call.status is Status.RINGING)
    house.network.answer(who)
    house.until(lambda: house.network.calls[sid].room == "quiet-river")
    return sid


def hears(house: House, who: str) -> str:
    return house.network.phones[who].heard[-1].kind


def conference(attributes: str = "", dial: str = "") -> str:
    return f'<Dial {dial}><Conference beep="false" {attributes}>quiet-river</Conference></Dial>'


def test_the_first_waits_with_music_and_both_talk_when_the_second_comes(house: House) -> None:
    house.double.answers["/wait"] = f"<Play>{house.double.sound(4)}</Play>"
    wait = 'waitUrl="/wait" endConferenceOnExit="true"'
    join(house, "counselor", POOL, conference(wait))
    house.until(lambda: len(house.double.to("/wait")) >= 2)
    assert hears(house, "counselor") == "sound"
    assert house.double.to("/wait")[0]["FriendlyName"] == "quiet-river"
    caller = join(house, "caller", PUBLIC, conference(wait))
    house.until(lambda: (hears(house, "counselor"), hears(house, "caller")) == ("talking", "talking"))
    house.network.hang_up("counselor")
    house.settle()
    assert house.network.calls[caller].status is Status.COMPLETED
    assert house.network.faults == []


def test_nobody_starts_a_conference_who_may_not(house: House) -> None:
    quiet = 'waitUrl="" startConferenceOnEnter="false"'
    join(house, "counselor", POOL, conference(quiet))
    join(house, "caller", PUBLIC, conference(quiet))
    assert "talking" not in (hears(house, "counselor"), hears(house, "caller"))
    third = house.network.phone_at("+66899999999")
    join(house, third.name, POOL, conference('waitUrl=""'))
    house.until(lambda: hears(house, "counselor") == hears(house, "caller") == "talking")


def test_the_dials_action_follows_a_conference_that_ended(house: House) -> None:
    house.double.answers["/after"] = "<Hangup/>"
    plain = conference('waitUrl="" endConferenceOnExit="true"')
    join(house, "counselor", POOL, conference('waitUrl=""', 'action="/after"'))
    join(house, "caller", PUBLIC, plain)
    house.until(lambda: hears(house, "counselor") == "talking")
    house.network.hang_up("caller")
    house.settle()
    [fields] = house.double.to("/after")
    assert fields["DialCallStatus"] == "answered"
    assert "DialCallSid" not in fields


def test_star_leaves_a_conference_and_ends_it(house: House) -> None:
    leaving = conference('waitUrl="" endConferenceOnExit="true"', 'hangupOnStar="true"')
    join(house, "counselor", POOL, leaving)
    join(house, "caller", PUBLIC, leaving)
    house.until(lambda: hears(house, "counselor") == "talking")
    house.press("*", "caller")
    house.settle()
    assert all(call.status is Status.COMPLETED for call in house.network.calls.values())


def test_a_leg_sent_elsewhere_by_rest_leaves_its_conference(house: House) -> None:
    house.double.answers["/elsewhere"] = f"<Play>{house.double.sound(600)}</Play>"
    sid = join(house, "counselor", POOL, conference('waitUrl=""'))
    join(house, "caller", PUBLIC, conference('waitUrl=""'))
    house.client.calls(sid).update(url=house.double.url + "/elsewhere")
    house.until(lambda: house.network.calls[sid].room is None and hears(house, "counselor") == "sound")
    assert hears(house, "caller") == "talking"


def test_a_conference_reports_the_events_it_was_asked_for(house: House) -> None:
    asked = 'waitUrl="" endConferenceOnExit="true" statusCallback="/room" statusCallbackEvent="start end join leave"'
    join(house, "counselor", POOL, conference(asked))
    join(house, "caller", PUBLIC, conference(asked))
    house.network.hang_up("caller")
    house.settle()
    told = [fields["StatusCallbackEvent"] for fields in house.double.to("/room")]
    assert told == [
        "participant-join", "participant-join", "conference-start",
        "participant-leave", "conference-end", "participant-leave",
    ]  # fmt: skip
    assert all(seen.valid for seen in house.double.seen)


@pytest.mark.parametrize("verb", ["<Gather/>", "<Hangup/>", "<Dial><Conference>x</Conference></Dial>"])
def test_a_waiting_document_may_only_play_say_pause_and_redirect(house: House, verb: str) -> None:
    house.double.answers["/wait"] = verb
    house.double.answers["/join/caller"] = conference('waitUrl="/wait"')
    number = house.network.phones["caller"].number
    house.client.calls.create(to=number, from_=PUBLIC, url=house.double.url + "/join/caller")
    house.until(lambda: house.network.answer("caller"))
    house.settle()
    assert house.network.faults[0].code == 13238
