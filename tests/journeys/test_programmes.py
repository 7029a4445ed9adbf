"""A programme is written, rendered, approved by another, heard on the line, and sent to who asked."""

from datetime import timedelta

import pytest
from front_door import Hotline
from sqlalchemy import select

from gateway.errors import Refused
from gateway.services import campaigns, housekeeping, programmes
from gateway.store import consents as consent_rows
from gateway.store import outreach as rows
from gateway.store.contacts import contacts
from gateway.store.counselors import Role
from gateway.store.outreach import VersionState

TEXT = (
    "ရေကို သောက်ခါနီး ဆူပွက်အောင် တည်ပါ။ ဆူပြီး တစ်မိနစ်လောက် ဆက်တည်ပါ။ အဖုံးပါတဲ့ သန့်ရှင်းတဲ့ ဘူးထဲမှာ ထည့်ထားပါ။ လက်ကို ဆပ်ပြာနဲ့ ဆေးပါ။ "
) * 3


def written(hotline: Hotline, text: str = TEXT) -> tuple[str, str, str]:
    """A rendered version, its author, and somebody else."""
    author = hotline.counselor("author", "+66812345011", Role.COORDINATOR)
    second = hotline.counselor("second", "+66812345012")
    until = hotline.clock.now() + timedelta(days=7)
    draft = programmes.Draft("Water", "health", until, [programmes.Content("my", text)])
    (version,) = programmes.write(hotline.runtime, author.id, draft)
    hotline.work()
    return version, author.id, second.id


def version_of(hotline: Hotline, version: str) -> rows.Version:
    with hotline.runtime.database.read() as session:
        there = rows.version(session, version)
    assert there
    return there


def approved(hotline: Hotline) -> tuple[str, str]:
    version, author, second = written(hotline)
    manifest = version_of(hotline, version).manifest
    assert manifest
    programmes.approve(hotline.runtime, version, second, manifest)
    return version, author


def opted_in(hotline: Hotline, caller: str = "+959790002001", own: str = "6") -> None:
    hotline.dial(caller).press("81" + own)
    before = len(hotline.provider.calls)
    hotline.work()
    call = hotline.pick_up(hotline.provider.calls[before])
    assert call.press(own).said == ["confirmed"]
    call.hang_up()


def test_a_text_becomes_telephone_sound_in_pieces_of_fifteen_seconds(hotline: Hotline) -> None:
    version, _, _ = written(hotline)
    there = version_of(hotline, version)
    assert there.state is VersionState.READY
    assert there.seconds > 20
    assert len(there.sounds) == -(-there.seconds // 15)
    assert there.robot
    for sound in there.sounds:
        with hotline.client.get(f"/audio/{sound}.wav") as answer:
            assert answer.status_code == 200
            assert answer.mimetype == "audio/wav"


def test_nobody_hears_what_was_not_approved(hotline: Hotline) -> None:
    version, _, _ = written(hotline)
    assert "listen_nothing" in hotline.dial().press("3").said
    with pytest.raises(Refused, match="not_approved"):
        campaigns.launch(hotline.runtime, version, "x")


def test_its_author_cannot_approve_it_and_other_bytes_cannot_be_approved(hotline: Hotline) -> None:
    version, author, second = written(hotline)
    manifest = version_of(hotline, version).manifest
    assert manifest
    with pytest.raises(Refused, match="own_text"):
        programmes.approve(hotline.runtime, version, author, manifest)
    with pytest.raises(Refused, match="changed"):
        programmes.approve(hotline.runtime, version, second, "0" * 64)
    assert version_of(hotline, version).state is VersionState.READY


def test_key_three_plays_the_latest_programme_with_keys_to_move_in_it(hotline: Hotline) -> None:
    approved(hotline)
    call = hotline.dial()
    heard = call.press("3")
    pieces = heard.said.count("sound")
    assert heard.said[0] == "listen_keys"
    assert pieces >= 2
    hotline.later(seconds=16)
    assert call.press("3").said.count("sound") == pieces, "back fifteen seconds from the second piece"
    assert call.press("4").said.count("sound") == pieces - 1
    assert call.press("5").said == ["paused"]
    assert call.press("5").said.count("sound") == pieces - 1
    assert call.silence().said == ["listen_end"]
    assert "listen_nothing" in call.press("1").said


def test_an_expired_programme_is_heard_by_nobody(hotline: Hotline) -> None:
    approved(hotline)
    hotline.later(days=8)
    assert "listen_nothing" in hotline.dial().press("3").said


@pytest.mark.promise(18)
def test_an_opt_in_is_live_only_when_its_one_call_is_answered_with_the_own_key(hotline: Hotline) -> None:
    version, _ = approved(hotline)
    hotline.dial().press("816")
    assert campaigns.audience(hotline.runtime, version_of(hotline, version)) == "0"
    hotline.work()
    call = hotline.pick_up(hotline.provider.calls[-1])
    assert call.heard.said == ["gate"]
    call.press("6")
    call.hang_up()
    assert hotline.one(select(consent_rows.consents)).live
    assert campaigns.audience(hotline.runtime, version_of(hotline, version)) == "<5"


@pytest.mark.promise(18)
@pytest.mark.parametrize("answer", ["other", "silent", "machine", "no-answer"])
def test_an_opt_in_that_is_not_confirmed_ends_after_one_call(hotline: Hotline, answer: str) -> None:
    hotline.dial().press("816")
    hotline.work()
    (placed,) = hotline.provider.calls
    match answer:
        case "other":
            assert hotline.pick_up(placed).press("5").said == ["harmless"]
        case "silent":
            call = hotline.pick_up(placed)
            call.silence()
            assert call.silence().ends
        case "machine":
            assert hotline.pick_up(placed, by="machine_start").heard.verbs == ["Hangup"]
        case _:
            hotline.not_answered(placed)
    hotline.later(hours=30)
    housekeeping.expire(hotline.runtime)
    hotline.work()
    assert not hotline.rows(select(consent_rows.consents))
    assert not hotline.rows(select(contacts))
    assert len(hotline.provider.calls) == 1


@pytest.mark.promise(20)
def test_in_quiet_hours_nobody_is_rung_to_confirm(hotline: Hotline) -> None:
    hotline.at(22)
    hotline.dial().press("816")
    hotline.work()
    assert not hotline.provider.calls
    hotline.at(7, 1, days=1)
    hotline.work()
    assert len(hotline.provider.calls) == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"text": "  "}, "empty"),
        ({"title": ""}, "empty"),
        ({"text": "က" * 100_000}, "too_long"),
        ({"topic": "war"}, "no_topic"),
        ({"language": "xx"}, "no_language"),
        ({"valid_until": None}, "not_valid"),
    ],
)
def test_a_bad_draft_is_refused_with_what_is_wrong(
    hotline: Hotline, change: dict[str, str], why: str
) -> None:
    now = hotline.clock.now()
    good = {
        "title": "T",
        "topic": "health",
        "language": "my",
        "text": TEXT,
        "valid_until": now + timedelta(1),
    }
    values = {**good, **change}
    values["valid_until"] = values["valid_until"] or now
    content = programmes.Content(values.pop("language"), values.pop("text"))  # type: ignore[arg-type]
    with pytest.raises(Refused, match=why):
        programmes.write(hotline.runtime, "x", programmes.Draft(**values, contents=[content]))  # type: ignore[arg-type]
