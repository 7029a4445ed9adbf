"""The robot voice that needs no network: eSpeak NG, given our own Burmese phonemes, in this process."""

import ctypes
import functools
import logging
import re
from collections.abc import Iterator

import espeakng_loader
import numpy as np
import numpy.typing as npt

from prompts import native
from prompts.audio import telephone_wav
from prompts.errors import AudioError, SpeechError
from prompts.speech import burmese, phonemes
from prompts.speech.phrases import phrases, pieces

_log = logging.getLogger(__name__)

_SYNCHRONOUS, _DONT_EXIT = 2, 0x8000
_UTF8, _PHONEMES = 1, 0x100
_RATE_PARAMETER = 1
_WORDS_A_MINUTE = {"my": 125, "en": 150}  # about five Burmese syllables a second
_VOICES = {"my": b"my", "en": b"en"}
_LONGEST_CALL = 300  # characters of English: eSpeak reads clauses of up to 800 and cuts silently beyond
_QUIET = 150  # of 32767: below this the ends of a call are eSpeak's own silence; pauses are ours to set

_BURMESE = re.compile("[\u1000-\u109f\u200b-\u200d]+(?: +[\u1000-\u109f]+)*")
_ENGLISH = re.compile(r"(?:[A-Za-z]*[a-z][A-Za-z]+|[A-Z]{7,})(?:['’ -]+[A-Za-z]*[a-z][A-Za-z]+)*", re.ASCII)

Pcm = npt.NDArray[np.int16]


class Offline:
    """eSpeak NG as a `SpeechEngine` for `my` and `en`; safe in threads, forked jobs and process pools."""

    name = "offline"
    robot = True

    @functools.cached_property
    def version(self) -> str:
        return f"espeak-ng-{_library().espeak_version}+my{phonemes.REVISION}"

    def speak(self, text: str, language: str) -> bytes:
        if language not in _VOICES:
            raise SpeechError(f"the offline voice does not speak {language!r}")
        sound: list[Pcm] = []
        left_out = 0
        library = _library()
        for phrase in phrases(text.encode(errors="ignore").decode()):
            for piece, voice in _in_voices(phrase.text, language):
                said, skipped = _said(piece, voice)
                left_out += skipped
                sound += said
            if sound:
                sound.append(np.zeros(round(phrase.pause * library.rate), np.int16))
        if left_out:
            _log.warning("speech_left_out pieces=%d", left_out)  # how many, never what
        try:
            return telephone_wav(np.concatenate(sound or [np.zeros(0, np.int16)]), library.rate)
        except AudioError as error:
            raise SpeechError(f"there is nothing to say in this text ({error})") from error


def _in_voices(text: str, language: str) -> Iterator[tuple[str, str]]:
    """A phrase in pieces and the voice of each: a foreign word keeps its own language."""
    foreign, other = (_ENGLISH, "en") if language == "my" else (_BURMESE, "my")
    at = 0
    for match in foreign.finditer(text):
        yield text[at : match.start()], language
        yield match[0], other
        at = match.end()
    yield text[at:], language


def _said(text: str, voice: str) -> tuple[list[Pcm], int]:
    """The sound of a piece in one voice, and how many signs of it have none."""
    if voice == "en":
        return [_library().say(call, voice) for call in pieces(text, _LONGEST_CALL)], 0
    reading = burmese.read(text)
    calls = phonemes.calls(reading.groups)
    return [sound for words in calls for sound in _whole(words)], len(reading.skipped)


def _whole(words: phonemes.Words) -> list[Pcm]:
    """The words said with none lost: in one call, or, where eSpeak dropped a stretch of it, in two or more."""
    library = _library()
    sound = library.say(phonemes.written(words), "my")
    parts = phonemes.halves(words)
    if parts is None or sound.size >= phonemes.least_seconds(words) * library.rate:
        return [sound]
    return [*_whole(parts[0]), *_whole(parts[1])]


class _Library:
    """One initialised eSpeak NG; it holds global state, so one call at a time."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._voice = ""
        self._lib = ctypes.CDLL(str(espeakng_loader.get_library_path()))
        self._lib.espeak_Info.restype = ctypes.c_char_p
        self.rate: int = self._lib.espeak_Initialize(
            _SYNCHRONOUS, 0, str(espeakng_loader.get_data_path()).encode(), _DONT_EXIT
        )
        if self.rate <= 0:
            raise SpeechError("eSpeak NG could not start: its data files are missing")
        callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
        self._callback = callback(self._keep)  # held here: C keeps only a pointer
        self._lib.espeak_SetSynthCallback(self._callback)

    @property
    def espeak_version(self) -> str:
        return str(self._lib.espeak_Info(None).decode().split()[0])

    def say(self, text: str, voice: str) -> Pcm:
        """Samples of one call without the silence around them; only our own phonemes are read as `[[…]]`."""
        data = text.encode()
        with native.in_use:
            self._chunks.clear()
            if voice != self._voice:
                if self._lib.espeak_SetVoiceByName(_VOICES[voice]) != 0:
                    raise SpeechError(f"eSpeak NG has no voice {voice!r}")
                self._lib.espeak_SetParameter(_RATE_PARAMETER, _WORDS_A_MINUTE[voice], 0)
                self._voice = voice
            flags = _UTF8 | _PHONEMES if voice == "my" else _UTF8
            if self._lib.espeak_Synth(data, len(data) + 1, 0, 1, 0, flags, None, None) != 0:
                raise SpeechError("eSpeak NG refused a phrase")
            samples = np.frombuffer(b"".join(self._chunks), dtype=np.int16)
        loud = np.flatnonzero(np.abs(samples, dtype=np.int32) > _QUIET)
        return samples[loud[0] : loud[-1] + 1] if loud.size else samples[:0]

    def _keep(self, samples: int | None, count: int, _events: int | None) -> int:
        if samples and count > 0:
            self._chunks.append(ctypes.string_at(samples, count * 2))
        return 0


_started: list[_Library] = []


def _library() -> _Library:
    """This process's eSpeak NG, started when first needed."""
    with native.in_use:
        if not _started:
            _started.append(_Library())
        return _started[0]
