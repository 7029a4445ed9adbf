"""Text messages: from the handset through the webhook and back, and from the gateway by REST."""

import pytest
from simulator.gateway_double import PUBLIC, SID, House
from twilio.base.exceptions import TwilioRestException

from gateway.simulator.deeds import perform
from gateway.simulator.records import segments
from gateway.simulator.view import phone
from ivr.burmese.zawgyi import unicode_to_zawgyi

SMS = "/twilio/sms"
BURMESE = "ဖုန်းခေါ်ပါ ၁၂"


def threads(house: House, name: str = "caller") -> list[tuple[bool, str]]:
    return [(text.mine, text.body) for text in house.network.phones[name].texts]


def test_a_burmese_text_arrives_signed_and_is_answered(house: House) -> None:
    house.double.answers[SMS] = "<Message>ရပါသည်</Message>"
    house.network.text("caller", PUBLIC, BURMESE)
    house.until(lambda: len(threads(house)) == 2)
    assert threads(house) == [(True, BURMESE), (False, "ရပါသည်")]
    [fields] = house.double.to(SMS)
    assert fields["Body"] == BURMESE
    assert fields["MessageSid"] == fields["SmsSid"] == fields["SmsMessageSid"]
    assert (fields["AccountSid"], fields["NumMedia"], fields["NumSegments"]) == (SID, "0", "1")
    assert (fields["FromCountry"], fields["FromCity"], fields["SmsStatus"]) == ("MM", "", "received")
    assert all(seen.valid for seen in house.double.seen)
    assert house.network.faults == []


def test_an_empty_answer_sends_nothing(house: House) -> None:
    house.double.answers[SMS] = ""
    house.network.text("caller", PUBLIC, "hello")
    house.until(lambda: house.double.to(SMS))
    assert threads(house) == [(True, "hello")]


def test_a_message_by_rest_is_sent_and_delivered_and_says_so(house: House) -> None:
    sent = house.client.messages.create(
        to=house.network.phones["caller"].number,
        from_=PUBLIC,
        body=BURMESE,
        validity_period=600,
        status_callback=house.double.url + "/receipt",
    )
    assert (sent.status, sent.num_segments, sent.direction) == ("queued", "1", "outbound-api")
    house.until(lambda: len(house.double.to("/receipt")) == 2)
    told = house.double.to("/receipt")
    assert [fields["MessageStatus"] for fields in told] == ["sent", "delivered"]
    assert told[1]["MessageSid"] == told[1]["SmsSid"] == sent.sid
    assert len(told[1]["RawDlrDoneDate"]) == 10
    assert all(seen.valid for seen in house.double.seen)
    assert threads(house) == [(False, BURMESE)]
    assert house.client.messages(sent.sid).fetch().date_sent is not None


def test_a_delivered_message_is_redacted_then_deleted(house: House) -> None:
    number = house.network.phones["caller"].number
    sid = house.client.messages.create(to=number, from_=PUBLIC, body="hello").sid
    with pytest.raises(TwilioRestException) as refused:
        house.client.messages(sid).delete()
    assert refused.value.code == 20009
    house.until(lambda: house.network.messages[sid].final)
    assert house.client.messages(sid).update(body="").body == ""
    with pytest.raises(TwilioRestException) as refused:
        house.client.messages(sid).update(body="other words")
    assert refused.value.code == 30400
    assert [message.sid for message in house.client.messages.list(to=number)] == [sid]
    assert house.client.messages(sid).delete()
    with pytest.raises(TwilioRestException) as refused:
        house.client.messages(sid).fetch()
    assert refused.value.code == 20404


def test_whoever_texted_stop_is_not_reached_until_start(house: House) -> None:
    house.double.answers[SMS] = ["<Message>too late</Message>", ""]
    house.network.text("caller", PUBLIC, " stop ")
    house.until(lambda: house.network.faults)
    assert house.network.faults[0].code == 21610
    number = house.network.phones["caller"].number
    with pytest.raises(TwilioRestException) as refused:
        house.client.messages.create(to=number, from_=PUBLIC, body="hello")
    assert refused.value.code == 21610
    house.network.text("caller", PUBLIC, "START")
    house.client.messages.create(to=number, from_=PUBLIC, body="hello")
    house.until(lambda: (False, "hello") in threads(house))
    assert (False, "too late") not in threads(house)


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ("a" * 160, 1), ("a" * 161, 2), ("€" * 80, 1), ("€" * 81, 2),
        ("က" * 70, 1), ("က" * 71, 2), ("က" * 135, 3), ("😀" * 35, 1), ("😀" * 36, 2),
    ],
)  # fmt: skip
def test_segments_are_counted_as_on_the_air(body: str, parts: int) -> None:
    assert segments(body) == parts


def test_a_zawgyi_phone_writes_zawgyi_and_each_kind_of_phone_shows_it_its_own_way(house: House) -> None:
    assert perform(house.network, "caller", "text", {"to": PUBLIC, "words": "မြန်မာ", "shows": "zawgyi"})
    house.until(lambda: house.double.to(SMS))
    [fields] = house.double.to(SMS)
    assert fields["Body"] == unicode_to_zawgyi("မြန်မာ") != "မြန်မာ"
    [text] = phone(house.network, house.network.phones["caller"], lambda _: {})["texts"]
    assert text["body"] == fields["Body"]
    assert text["seen"] == {"zawgyi": "မြန်မာ", "latin": "□" * len(fields["Body"])}
