"""Whatever is changed in a signed webhook keeps it out; what is repeated, late or signed before does no harm."""

import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest
from front_door import CALLER, Hotline, Provider
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from trials import trials
from twilio.request_validator import RequestValidator

from gateway.services import housekeeping
from gateway.store.callbacks import callbacks

FORM = "application/x-www-form-urlencoded"
PATHS = [
    *("/twilio/voice", "/twilio/voice/status", "/twilio/voice/turn/1", "/twilio/voice/leg/abc"),
    *("/twilio/voice/leg/abc/over", "/twilio/voice/leg/abc/status", "/twilio/sms", "/twilio/sms/status"),
]


class Watch:
    """Tells whether anybody has committed anything, by SQLite's own word."""

    def __init__(self, hotline: Hotline) -> None:
        self._watch = sqlite3.connect(hotline.settings.data_dir / "hotline.db", check_same_thread=False)
        self._version = self._now()

    def changed(self) -> bool:
        before, self._version = self._version, self._now()
        return before != self._version

    def _now(self) -> int:
        return int(self._watch.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        self._watch.close()


def signed(hotline: Hotline, path: str, token: str | None = None, **more: str) -> tuple[bytes, str]:
    """A form as the carrier sends it, and its signature."""
    form = {
        "AccountSid": hotline.settings.twilio_account_sid,
        "CallSid": "CA" + secrets.token_hex(16),
        "MessageSid": "SM" + secrets.token_hex(16),
        "CallStatus": "completed",
        "From": CALLER,
        "To": hotline.settings.numbers[0].reveal("demo"),
        "Body": "11",
        **more,
    }
    validator = RequestValidator(token or hotline.settings.twilio_auth_token)
    return urlencode(form).encode(), validator.compute_signature(hotline.settings.public_url + path, form)


def send(hotline: Hotline, path: str, body: bytes, headers: list[tuple[str, str]]) -> int:
    return int(hotline.client.post(path, data=body, content_type=FORM, headers=headers).status_code)


@st.composite
def changed_bytes(draw: st.DrawFn, whole: bytes) -> bytes:
    """One byte is another, one more or one less."""
    at = draw(st.integers(0, len(whole) - 1))
    byte = bytes([draw(st.integers(0, 255))])
    before, after = whole[:at], whole[at + 1 :]
    return draw(st.sampled_from([before + byte + after, whole[:at] + byte + whole[at:], before + after]))


@pytest.mark.promise(5)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=trials(150, 10_000))
@given(data=st.data())
def test_no_change_to_a_signed_webhook_gets_in_or_costs_a_write(
    hotline: Hotline, data: st.DataObject
) -> None:
    watch = Watch(hotline)
    path = data.draw(st.sampled_from(PATHS))
    body, signature = signed(hotline, path)
    headers = [("X-Twilio-Signature", signature)]
    match data.draw(
        st.sampled_from(["body", "signature", "path", "query", "two", "none", "account", "field"])
    ):
        case "body":
            changed = data.draw(changed_bytes(body))
            # The same fields spelt otherwise are the same form, and are signed as such.
            assume(fields(changed) != fields(body))
            body = changed
        case "signature":
            headers = [("X-Twilio-Signature", data.draw(changed_bytes(signature.encode())).decode("latin-1"))]
            assume(headers[0][1].strip() != signature and headers[0][1].isprintable())
        case "path":
            other = data.draw(st.sampled_from(PATHS))
            assume(other != path)
            path = other
        case "query":
            path += "?" + data.draw(st.text("ab=&s", min_size=1, max_size=8))
        case "two":
            headers.append(("X-Twilio-Signature", data.draw(st.sampled_from([signature, "x", ""]))))
        case "none":
            headers = []
        case "account":
            body, again = signed(hotline, path, AccountSid="AC" + secrets.token_hex(16))
            headers = [("X-Twilio-Signature", again)]
        case "field":
            body += b"&" + data.draw(
                st.sampled_from([b"From=%2B959790009999", b"Digits=1", b"=1", b"AccountSid=x"])
            )
    status = send(hotline, path, body, headers)
    assert 400 <= status < 500
    assert not watch.changed()
    watch.close()


def fields(body: bytes) -> object:
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict")
    except ValueError:
        return None


# --- a token is replaced ------------------------------------------------------------------------------


@pytest.fixture
def with_tokens(template: Path, tmp_path: Path, provider: Provider) -> Callable[[str, str | None], Hotline]:
    def of(token: str, previous: str | None) -> Hotline:
        more = {"TWILIO_AUTH_TOKEN_PREVIOUS": previous} if previous else {}
        return Hotline(template, tmp_path / "hotline", provider, TWILIO_AUTH_TOKEN=token, **more)

    return of


@pytest.mark.promise(5)
def test_both_tokens_are_believed_while_one_is_replaced_and_then_one(
    with_tokens: Callable[[str, str | None], Hotline],
) -> None:
    old, new = secrets.token_hex(16), secrets.token_hex(16)
    answers = []
    for token, previous in ((old, None), (new, old), (new, None)):
        hotline = with_tokens(token, previous)
        for by in (old, new):
            body, signature = signed(hotline, "/twilio/sms", by)
            answers.append(send(hotline, "/twilio/sms", body, [("X-Twilio-Signature", signature)]))
        hotline.runtime.database.close()
    assert answers == [200, 403, 200, 200, 403, 200]


# --- late and again -----------------------------------------------------------------------------------


@pytest.mark.promise(6)
def test_a_webhook_that_comes_again_after_days_has_no_effect_and_a_neutral_answer(hotline: Hotline) -> None:
    call, text = "CA" + secrets.token_hex(16), "SM" + secrets.token_hex(16)
    assert hotline.text("11", sid=text) is not None
    assert hotline.text("10") is not None
    first = hotline.dial(sid=call)
    first.hang_up()
    hotline.later(days=3)
    housekeeping.sweep(hotline.runtime)
    assert hotline.text("11", sid=text) is None
    assert hotline.dial(sid=call).heard.verbs == ["Hangup"]
    waiting = select(func.count()).select_from(callbacks).where(callbacks.c.state == "waiting")
    assert hotline.one(waiting)[0] == 0


def test_keys_for_an_answer_that_is_past_change_nothing(hotline: Hotline) -> None:
    call = hotline.dial()
    before = call.heard.action
    assert before
    call.press("11")
    call.press("5")
    for keys in ("4", "11", "5", ""):
        late = (
            {**call.form, "CallSid": call.sid, "Digits": keys} if keys else {**call.form, "CallSid": call.sid}
        )
        heard = hotline.voice(before, late)
        assert "registered" not in heard.said
    assert hotline.one(select(callbacks)).state == "waiting", "what she asked for stands"
