"""What a stranger, a tired carrier or a broken part meets at the webhooks."""

import errno
import secrets
import shutil
import xml.etree.ElementTree as ET

import pytest
from front_door import CALLER, Hotline
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from twilio.request_validator import RequestValidator

from gateway.store.callbacks import callbacks
from gateway.store.conversations import conversations
from gateway.store.inbox import inbox
from prompts import audio
from prompts.audio import to_mp3
from prompts.shelf import Shelf

VOICE = "/twilio/voice"
FORM = "application/x-www-form-urlencoded"
WEBHOOKS = [
    VOICE, "/twilio/voice/status", "/twilio/voice/turn/1", "/twilio/voice/leg/abc", "/twilio/voice/leg/abc/over",
    "/twilio/voice/leg/abc/status", "/twilio/sms", "/twilio/sms/status",
]  # fmt: skip


def form_of(hotline: Hotline, **more: str) -> dict[str, str]:
    line = hotline.settings.numbers[0].reveal("demo")
    return {
        "AccountSid": hotline.settings.twilio_account_sid,
        "CallSid": "CA" + secrets.token_hex(16),
        "MessageSid": "SM" + secrets.token_hex(16),
        "From": CALLER,
        "To": line,
        "Body": "11",
        **more,
    }


@pytest.mark.promise(5)
@pytest.mark.parametrize("path", WEBHOOKS)
def test_refusals_come_in_their_order_before_any_field_is_used(hotline: Hotline, path: str) -> None:
    client = hotline.client
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
        refused = client.open(path, method=method, data=b"a" * 70_000)
        assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")
    assert client.post(path.replace("/", "//"), data=b"a=b", content_type=FORM).status_code == 404
    assert client.post(path, data=b"a" * 70_000, content_type="text/plain").status_code == 413
    assert client.post(path, data=b"{}", content_type="application/json").status_code == 415
    assert client.post(path, data=b"a=b", content_type=FORM).status_code == 403
    signed = {"X-Twilio-Signature": "wrong"}
    assert client.post(path, data=form_of(hotline), headers=signed).status_code == 403
    assert not hotline.rows(select(inbox))


@pytest.mark.parametrize("path", WEBHOOKS)
def test_a_refusal_has_no_words(hotline: Hotline, path: str) -> None:
    assert hotline.client.post(path, data=b"a=b", content_type=FORM).data == b""


def test_another_account_is_refused_though_the_signature_is_right(hotline: Hotline) -> None:
    assert hotline.post(VOICE, form_of(hotline, AccountSid="AC" + "0" * 32)).status_code == 403


def test_the_host_header_has_no_part_in_the_signature(hotline: Hotline) -> None:
    form = form_of(hotline)
    validator = RequestValidator(hotline.settings.twilio_auth_token)
    forged = validator.compute_signature("http://evil.example/twilio/voice", form)
    headers = {"X-Twilio-Signature": forged, "Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    assert hotline.client.post(VOICE, data=form, headers=headers).status_code == 403
    right = validator.compute_signature(hotline.settings.public_url + VOICE, form)
    headers = {"X-Twilio-Signature": right, "Host": "evil.example"}
    assert hotline.client.post(VOICE, data=form, headers=headers).status_code == 200


@pytest.mark.promise(29)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(WEBHOOKS),
    fields=st.dictionaries(
        st.sampled_from(["From", "To", "Body", "Digits", "CallStatus", "AnsweredBy", "Odd", "CallDuration"]),
        st.text(max_size=50),
    ),
)
def test_no_signed_form_gives_a_server_error(hotline: Hotline, path: str, fields: dict[str, str]) -> None:
    answer = hotline.post(path, {**form_of(hotline), **fields})
    assert answer.status_code in {200, 204, 400}
    if answer.status_code == 200:
        assert ET.fromstring(answer.data).tag == "Response"  # noqa: S314 - our own answer


def test_an_unknown_leg_is_hung_up_on_without_a_word(hotline: Hotline) -> None:
    heard = hotline.voice("/twilio/voice/leg/0123456789abcdef", form_of(hotline))
    assert heard.verbs == ["Hangup"]


# --- parts that break ----------------------------------------------------------------------------------


def broken(hotline: Hotline) -> None:
    """Take the database away: the file is no database any more, and open connections are gone."""
    hotline.runtime.database.close()
    for name in ("hotline.db", "hotline.db-wal", "hotline.db-shm"):
        (hotline.settings.data_dir / name).unlink(missing_ok=True)
    (hotline.settings.data_dir / "hotline.db").mkdir()


def mended(hotline: Hotline, kept: str) -> None:
    (hotline.settings.data_dir / "hotline.db").rmdir()
    shutil.copy(kept, hotline.settings.data_dir / "hotline.db")


@pytest.mark.promise(14)
def test_with_the_database_down_information_goes_on_and_the_truth_is_said(hotline: Hotline) -> None:
    hotline.dial()  # this process has served before: it knows its sounds
    broken(hotline)
    call = hotline.dial()
    assert call.heard.said == ["greeting", "main"]
    assert call.press("2").said[0] == "topics"
    assert call.press("1").said[0] == "topic_health"
    assert call.press("1").said[0] == "truth"
    call.press("1")
    heard = call.press("5")
    assert heard.said[0] == "not_saved", "never registered without a row"
    assert not heard.ends


@pytest.mark.promise(14)
def test_a_process_that_starts_while_the_database_is_down_still_speaks(hotline: Hotline) -> None:
    hotline.dial()
    broken(hotline)
    from gateway.factory import create_app
    from gateway.runtime import build_runtime

    hotline.runtime = build_runtime(hotline.settings)
    hotline.client = create_app(hotline.runtime).test_client()
    assert hotline.dial().heard.said == ["greeting", "main"]


def test_a_call_that_began_without_the_database_is_kept_once_it_is_back(hotline: Hotline) -> None:
    hotline.dial()
    hotline.runtime.database.close()
    kept = str(hotline.settings.data_dir / "kept.db")
    shutil.copy(hotline.settings.data_dir / "hotline.db", kept)
    broken(hotline)
    call = hotline.dial()
    call.press("1")
    hotline.runtime.database.close()
    mended(hotline, kept)
    call.press("1")
    assert call.press("5").said[0] == "registered"
    assert hotline.one(select(callbacks)).own_keys == "5"
    assert hotline.rows(select(conversations))


@pytest.mark.promise(14, 11)
def test_a_text_that_cannot_be_stored_is_told_so(hotline: Hotline) -> None:
    broken(hotline)
    library = hotline.runtime.library
    assert hotline.text("11") == library.sms("my", "not_saved", "unicode")
    assert hotline.text("0") == library.sms("my", "list", "unicode")


@pytest.mark.promise(11, 14)
def test_with_the_keystore_down_nothing_is_called_registered(hotline: Hotline) -> None:
    call = hotline.dial()
    call.press("11")
    (hotline.settings.data_dir / "keystore.db").rename(hotline.settings.data_dir / "away.db")
    heard = call.press("5")
    assert "registered" not in heard.said
    assert heard.said[0] == "not_saved"
    assert not hotline.rows(select(callbacks))


def test_health_tells_one_word(hotline: Hotline) -> None:
    assert hotline.client.get("/health/live").data == b"ok"
    assert hotline.client.get("/health/ready").data == b"ok"
    broken(hotline)
    assert hotline.client.get("/health/ready").status_code == 503


def test_sounds_are_immutable_and_can_be_fetched_in_part(hotline: Hotline) -> None:
    sound = hotline.runtime.sound("my", "greeting")
    assert sound
    with hotline.client.get(f"/audio/{sound.sound}.wav") as whole:
        assert "immutable" in whole.headers["Cache-Control"]
        assert whole.headers["ETag"] == f'"{sound.sound}"'
        size = len(whole.data)
    with hotline.client.get(f"/audio/{sound.sound}.wav", headers={"Range": "bytes=0-99"}) as part:
        assert part.status_code == 206
        assert part.headers["Content-Range"] == f"bytes 0-99/{size}"
    for odd in ("bytes=0-1,4-5", "bytes=x", "lines=1-2"):
        with hotline.client.get(f"/audio/{sound.sound}.wav", headers={"Range": odd}) as all_of_it:
            assert (all_of_it.status_code, len(all_of_it.data)) == (200, size)
    with hotline.client.get(f"/audio/{sound.sound}.wav", headers={"Range": f"bytes={size}-"}) as beyond:
        assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")
    again = {"If-None-Match": f'"{sound.sound}"'}
    with hotline.client.get(f"/audio/{sound.sound}.wav", headers=again) as known:
        assert known.status_code == 304
    with hotline.client.get(f"/audio/{sound.sound}.mp3") as small:
        assert small.mimetype == "audio/mpeg"
        assert len(small.data) < size / 2


@pytest.mark.promise(16)
def test_a_small_sound_is_made_once_however_often_a_stranger_asks_for_it(
    hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = hotline.runtime.sound("my", "greeting")
    assert sound
    made: list[int] = []
    monkeypatch.setattr(audio, "to_mp3", lambda wav: made.append(1) or to_mp3(wav))
    for _ in range(5):
        with hotline.client.get(f"/audio/{sound.sound}.mp3") as small:
            assert small.status_code == 200
    assert len(made) == 1


@pytest.mark.promise(14)
@pytest.mark.parametrize("suffix", ["wav", "mp3"])
def test_with_a_full_disk_a_sound_that_this_host_has_not_yet_is_heard(
    hotline: Hotline, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    sound = hotline.runtime.sound("my", "greeting")
    assert sound
    for file in (hotline.settings.data_dir / "shelf").glob(f"{sound.sound}.*"):
        file.unlink()

    def full(*_: object, **__: object) -> str:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Shelf, "put", full)
    with hotline.client.get(f"/audio/{sound.sound}.{suffix}") as heard:
        assert heard.status_code == 200
        assert len(heard.data) > 1_000


@pytest.mark.parametrize("name", ["x", "../../etc/passwd", "0" * 64, "0" * 63, "A" * 64])
def test_no_other_name_finds_a_sound(hotline: Hotline, name: str) -> None:
    assert hotline.client.get(f"/audio/{name}.wav").status_code == 404
