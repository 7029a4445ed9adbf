"""Google Translate's voice over the network, through gTTS: unofficial, and told every text it says.

gTTS writes the requests; we send them, because gTTS itself sends without checking the server's certificate,
and whoever sits on the line could then speak in the hotline's name.
"""

import base64
import binascii
import importlib.metadata
import re
import threading
import time
import unicodedata

import numpy as np
import requests
from gtts import gTTS

from prompts.audio import Samples, read, resampled, telephone_wav
from prompts.errors import AudioError, SpeechError
from prompts.speech.phrases import pieces
from prompts.wav import RATE

ADDRESS = "https://translate.google.com/_/TranslateWebserverUi/data/batchexecute"
LANGUAGES = frozenset({"my", "en"})

_SOUND = re.compile(rb'jQ1olc","\[\\"([A-Za-z0-9+/=]+)\\"]')
_LARGEST_ANSWER = 4_000_000
_LEAST_SECONDS_A_LETTER = 0.02  # a third of what a quick speaker needs: less was cut off
_PAUSE_BETWEEN_PIECES = np.zeros(int(0.15 * RATE), np.float32)


class Google:
    """A `SpeechEngine` that needs the network, for making sounds ahead of time, never inside a call.

    All seconds: `timeout` for each answer, `gap` between requests, `rest` for which everything is refused at
    once after Google said 429 too often or could not be reached; `tries` counts attempts for each piece.
    """

    name = "google"
    robot = True  # better than the offline voice, but a machine all the same
    version = f"gtts-{importlib.metadata.version('gtts')}"

    def __init__(
        self,
        address: str = ADDRESS,
        *,
        timeout: float = 10.0,
        gap: float = 1.0,
        tries: int = 3,
        rest: float = 300.0,
    ) -> None:
        self._address = address
        self._timeout = timeout
        self._gap = gap
        self._tries = tries
        self._rest = rest
        self._one_at_a_time = threading.Lock()
        self._next_request = 0.0
        self._resting_until = 0.0

    def speak(self, text: str, language: str) -> bytes:
        """See `SpeechEngine`; may take many seconds, as it keeps the gap and waits when told to."""
        if language not in LANGUAGES:
            raise SpeechError(f"Google's voice is not used for {language!r}")
        if not text.strip():
            raise SpeechError("there is nothing to say in this text")
        with self._one_at_a_time:
            if (left := self._resting_until - time.monotonic()) > 0:
                raise SpeechError(f"Google is left alone for {left:.0f} s more, it refused or did not answer")
            with requests.Session() as session:
                sounds = [(self._piece(session, piece, language), piece) for piece in pieces(text)]
        try:
            parts = [part for mp3, piece in sounds for part in (_decoded(mp3, piece), _PAUSE_BETWEEN_PIECES)]
            return telephone_wav(np.concatenate(parts[:-1]), RATE)
        except AudioError as error:
            raise SpeechError(f"Google sent no usable sound: {error}") from error

    def _piece(self, session: requests.Session, piece: str, language: str) -> bytes:
        for attempt in range(self._tries):
            self._keep_gap()
            status, wait, body = self._sent(session, piece, language)
            if status == requests.codes.ok:
                return _sound(body)
            if status != requests.codes.too_many_requests and status < 500:
                raise SpeechError(f"Google answered {status}")
            self._next_request = time.monotonic() + max(wait, self._gap * 2 ** (attempt + 1))
        self._resting_until = time.monotonic() + self._rest
        raise SpeechError(f"Google answered {status} {self._tries} times")

    def _keep_gap(self) -> None:
        time.sleep(max(0.0, self._next_request - time.monotonic()))
        self._next_request = time.monotonic() + self._gap

    def _sent(self, session: requests.Session, piece: str, language: str) -> tuple[int, float, bytes]:
        """Status, seconds the server asks to wait (at most 30), and body."""
        request = gTTS(piece, lang=language, lang_check=False, pre_processor_funcs=[], tokenizer_func=pieces)
        try:
            with session.post(
                self._address,
                data=request.get_bodies()[0],
                headers=gTTS.GOOGLE_TTS_HEADERS,
                timeout=(min(5.0, self._timeout), self._timeout),
                allow_redirects=False,
                stream=True,
            ) as answer:
                body = self._body(answer)
                asked = answer.headers.get("Retry-After", "")
                return answer.status_code, min(30.0, float(asked)) if asked.isdecimal() else 0.0, body
        except (requests.RequestException, OSError) as error:
            self._resting_until = time.monotonic() + self._rest
            raise SpeechError("Google could not be reached") from error

    def _body(self, answer: requests.Response) -> bytes:
        """At most a little over the largest answer, and never longer under way than two time-outs."""
        body, until = b"", time.monotonic() + 2 * self._timeout
        for chunk in answer.iter_content(16_384):
            body += chunk
            if len(body) > _LARGEST_ANSWER:
                break
            if time.monotonic() > until:
                raise requests.Timeout
        return body


def _sound(body: bytes) -> bytes:
    found = _SOUND.search(body)
    if len(body) > _LARGEST_ANSWER or not found:
        raise SpeechError("Google's answer holds no sound")
    try:
        return base64.b64decode(found[1], validate=True)
    except binascii.Error as error:
        raise SpeechError("Google's answer holds broken sound") from error


def _decoded(mp3: bytes, piece: str) -> Samples:
    sound = resampled(*read(mp3))
    if sound.size < _LEAST_SECONDS_A_LETTER * RATE * sum(
        unicodedata.category(sign)[0] in "LMN" for sign in piece
    ):
        raise SpeechError("Google's sound breaks off")
    return sound
