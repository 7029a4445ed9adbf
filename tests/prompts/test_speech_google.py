"""Google's voice at the wire: a local server that answers in the form of translate.google.com's batchexecute."""

import base64
import io
import json
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import soundfile

from prompts.audio import speech_level
from prompts.errors import SpeechError
from prompts.speech.google import ADDRESS, Google
from prompts.wav import duration

Answer = tuple[int, dict[str, str], bytes]


def mp3(seconds: float = 3.0) -> bytes:
    at = np.arange(int(24_000 * seconds)) / 24_000
    out = io.BytesIO()
    soundfile.write(out, 0.2 * np.sin(2 * np.pi * 220 * at), 24_000, format="MP3", subtype="MPEG_LAYER_III")
    return out.getvalue()


def spoken(sound: bytes) -> Answer:
    """The answer as Google sends it: a guard line, a length, and JSON within JSON."""
    inner = json.dumps([base64.b64encode(sound).decode()], separators=(",", ":"))
    outer = json.dumps([["wrb.fr", "jQ1olc", inner, None, None, None, "generic"]], separators=(",", ":"))
    return 200, {}, f')]}}\'\n\n{len(outer)}\n{outer}\n25\n[["e",4,null,null,132]]\n'.encode()


class Translate:
    """A made-up translate.google.com: answers in turn, the last one for ever, and what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer | Callable[[], Answer]] = [spoken(mp3())]
        self.asked: list[str] = []
        self.languages: list[str] = []
        self.times: list[float] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                text, language, *_ = json.loads(json.loads(form["f.req"][0])[0][0][1])
                outer.asked.append(text)
                outer.languages.append(language)
                outer.times.append(time.monotonic())
                answer = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                status, headers, body = answer() if callable(answer) else answer
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}{urllib.parse.urlsplit(ADDRESS).path}"


@pytest.fixture
def translate() -> Iterator[Translate]:
    made = Translate()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def google(translate: Translate, *, timeout: float = 2.0, gap: float = 0.0, rest: float = 60.0) -> Google:
    return Google(translate.address, timeout=timeout, gap=gap, rest=rest)


def test_the_answer_becomes_telephone_sound(translate: Translate) -> None:
    wav = google(translate).speak("မင်္ဂလာပါ", "my")
    info = soundfile.info(io.BytesIO(wav))
    assert (info.samplerate, info.channels, info.subtype) == (8000, 1, "ULAW")
    assert speech_level(soundfile.read(io.BytesIO(wav))[0]) == pytest.approx(-19, abs=1)
    assert (translate.asked, translate.languages) == (["မင်္ဂလာပါ"], ["my"])


def test_a_long_text_is_asked_in_pieces_cut_between_syllables(translate: Translate) -> None:
    text = "ကျွန်ုပ်တို့သည်မင်္ဂလာရှိသောကမ္ဘာ့နိုင်ငံများ" * 4 + "။ ပြီးပါပြီ။"
    wav = google(translate).speak(text, "my")
    assert len(translate.asked) > 2
    assert all(len(piece) <= 100 for piece in translate.asked)
    assert "".join("".join(translate.asked).split()) == "".join(text.split())
    assert all(not "\u102b" <= piece[0] <= "\u103e" and piece[1] != "\u103a" for piece in translate.asked)
    assert duration(wav) > len(translate.asked) * 0.9


def test_told_to_slow_down_it_waits_and_asks_only_that_piece_again(translate: Translate) -> None:
    translate.answers = [spoken(mp3()), (429, {"Retry-After": "1"}, b""), spoken(mp3())]
    google(translate).speak("က" * 101 + " ။", "my")
    assert len(translate.asked) == 3
    assert translate.asked[1] == translate.asked[2]
    assert translate.times[2] - translate.times[1] >= 1


def test_refused_too_often_it_leaves_google_alone_for_a_while(translate: Translate) -> None:
    translate.answers = [(429, {}, b"")]
    voice = google(translate)
    with pytest.raises(SpeechError, match="429"):
        voice.speak("ကာ", "my")
    asked = len(translate.asked)
    with pytest.raises(SpeechError, match="left alone"):
        voice.speak("ကာ", "my")
    assert len(translate.asked) == asked == 3


def test_requests_keep_their_distance(translate: Translate) -> None:
    voice = google(translate, gap=0.2)
    for _ in range(3):
        voice.speak("ကာ", "my")
    assert min(np.diff(translate.times)) >= 0.19


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b""),
        (200, {}, b')]}\'\n\n[["wrb.fr","jQ1olc",null]]'),
        (200, {}, b'jQ1olc","[\\"AAAA\\"]'),
        (200, {}, b'jQ1olc","[\\"A\\"]'),
        (
            200,
            {"Content-Type": "text/html"},
            b"<html><body>Our systems have detected unusual traffic</body></html>",
        ),
        (200, {}, spoken(mp3())[2][:2_000]),
        spoken(mp3()[:500]),
        (500, {}, b"<html>Error</html>"),
        (404, {}, b"no"),
        (302, {"Location": "http://127.0.0.1:1/sorry"}, b""),
        (200, {}, b"x" * 5_000_000),
    ],
    ids=[
        "empty",
        "no sound",
        "not mp3",
        "broken base64",
        "html",
        "cut answer",
        "cut mp3",
        "500 for ever",
        "404",
        "captcha",
        "huge",
    ],
)
def test_anything_but_sound_is_an_error_and_never_empty_sound(translate: Translate, answer: Answer) -> None:
    translate.answers = [answer]
    with pytest.raises(SpeechError):
        google(translate).speak("မင်္ဂလာပါ။ ဖုန်းခေါ်ပါတယ်။", "my")


def test_a_server_error_is_tried_again(translate: Translate) -> None:
    translate.answers = [(503, {}, b""), spoken(mp3())]
    assert google(translate).speak("ကာ", "my")


def test_a_silent_server_is_given_up_on_in_time(translate: Translate) -> None:
    released = threading.Event()

    def hang() -> Answer:
        released.wait(60)
        return spoken(mp3())

    translate.answers = [hang]
    started = time.monotonic()
    with pytest.raises(SpeechError, match="reached"):
        google(translate, timeout=0.3).speak("ကာ", "my")
    assert time.monotonic() - started < 30
    released.set()


def test_a_server_that_stops_in_mid_answer_is_given_up_on(translate: Translate) -> None:
    status, headers, body = spoken(mp3())
    translate.answers = [(status, {**headers, "Content-Length": str(len(body) + 9)}, body)]
    with pytest.raises(SpeechError, match="reached"):
        google(translate, timeout=0.3).speak("ကာ", "my")


def test_nobody_there_is_an_error_in_our_words() -> None:
    with pytest.raises(SpeechError, match="reached"):
        Google("http://127.0.0.1:9/", timeout=1).speak("ကာ", "my")


@pytest.mark.parametrize(("text", "language"), [("", "my"), (" \n", "my"), ("bonjour", "fr")])
def test_nothing_is_sent_for_what_it_cannot_say(translate: Translate, text: str, language: str) -> None:
    with pytest.raises(SpeechError):
        google(translate).speak(text, language)
    assert translate.asked == []


def test_errors_never_quote_the_text(translate: Translate) -> None:
    translate.answers = [(404, {}, b"")]
    with pytest.raises(SpeechError) as caught:
        google(translate).speak("လျှို့ဝှက်", "my")
    assert "လျှို့ဝှက်" not in str(caught.value)


def test_the_address_is_google_s_over_tls() -> None:
    assert ADDRESS.startswith("https://translate.google.com/")
