"""The robot voice that needs no network: eSpeak NG, given our own Burmese phonemes, in this process."""

import ctypes
import functools
import logging
import os
import re
import threading

import espeakng_loader
import numpy as np
import numpy.typing as npt

from prompts.audio import telephone_wav
from prompts.errors import AudioError, SpeechError
from prompts.speech import burmese, phonemes
from prompts.speech.phrases import Phrase, phrases

_log = logging.getLogger(__name__)

_SYNCHRONOUS, _DONT_EXIT = 2, 0x8000
_UTF8, _PHONEMES = 1, 0x100
_RATE_PARAMETER = 1
_WORDS_A_MINUTE = {"my": 150, "en": 155}
_VOICES = {"my": b"my", "en": b"en"}
_GROUP_OF_SYLLABLES = 16  # one call is cut silently when it grows long; so much was measured to be whole
_LATIN_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*(?:\s+[A-Za-z][A-Za-z'’-]*)*", re.ASCII)

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
        library = _library()
        for phrase in phrases(text):
            said = _burmese(library, phrase) if language == "my" else [library.say(phrase.text, "en")]
            if any(part.size for part in said):
                sound += [*said, np.zeros(round(phrase.pause * library.rate), np.int16)]
        if not sound:
            raise SpeechError("there is nothing to say in this text")
        try:
            return telephone_wav(np.concatenate(sound), library.rate)
        except AudioError as error:
            raise SpeechError(str(error)) from error


def _burmese(library: "_Library", phrase: Phrase) -> list[Pcm]:
    """A Burmese phrase; Latin words in it are said by the English voice, abbreviations are spelled."""
    reading = burmese.read(phrase.text)
    if reading.skipped:
        _log.warning("text_skipped_in_speech count=%d", len(reading.skipped))
    return [library.say(phonemes.mnemonics(reading.groups), "my")]


class _Library:
    """One initialised eSpeak NG; it holds global state, so one call at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
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
        """Samples of one phrase; `[[…]]` in it is taken as phonemes."""
        data = text.encode()
        with self._lock:
            self._chunks.clear()
            if voice != self._voice:
                if self._lib.espeak_SetVoiceByName(_VOICES[voice]) != 0:
                    raise SpeechError(f"eSpeak NG has no voice {voice!r}")
                self._lib.espeak_SetParameter(_RATE_PARAMETER, _WORDS_A_MINUTE[voice], 0)
                self._voice = voice
            if self._lib.espeak_Synth(data, len(data) + 1, 0, 1, 0, _UTF8 | _PHONEMES, None, None) != 0:
                raise SpeechError("eSpeak NG refused a phrase")
            return np.frombuffer(b"".join(self._chunks), dtype=np.int16)

    def _keep(self, samples: int | None, count: int, _events: int | None) -> int:
        if samples and count > 0:
            self._chunks.append(ctypes.string_at(samples, count * 2))
        return 0


_state: dict[str, _Library] = {}
_starting = threading.Lock()


def _library() -> _Library:
    """This process's eSpeak NG, started when first needed."""
    with _starting:
        if "library" not in _state:
            _state["library"] = _Library()
        return _state["library"]


def _after_fork() -> None:
    """A child may have been forked in the middle of a call: it starts its own, with a lock nobody holds."""
    global _starting  # noqa: PLW0603 -- the parent's lock may be held for ever in the child
    _starting = threading.Lock()
    _state.clear()


os.register_at_fork(after_in_child=_after_fork)
