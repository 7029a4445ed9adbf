"""Telephone sound: samples brought to one rate and level, written as mu-law, and measured."""

import io
from typing import Final

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from prompts import native
from prompts.errors import AudioError
from prompts.wav import RATE, stream_of, wav_of

LEVEL = -19.0  # dBFS, RMS over active speech, full scale = 1.0

_FRAME = RATE // 100  # 10 ms
_ACTIVE_BELOW_LOUDEST = 30.0  # dB: a frame this far under the loudest is a pause, not speech
_AUDIBLE_BELOW_LOUDEST = 40.0  # dB: softer than this at either end is silence and is trimmed
_FLOOR = -60.0  # dBFS: a sound that never gets louder is no sound
_CEILING = 10 ** (-1.0 / 20)  # no sample above -1 dBFS
_KNEE = 10 ** (-4.0 / 20)  # from here peaks are bent, not cut

Samples = npt.NDArray[np.float32]


def _linear() -> Samples:
    """What each mu-law byte stands for, in ±1.0."""
    code = ~np.arange(256, dtype=np.uint8)
    size = (((code & 0x0F).astype(np.int32) << 3) + 0x84 << ((code & 0x70) >> 4)) - 0x84
    return (np.where(code & 0x80, -size, size) / 32768).astype(np.float32)


_LINEAR: Final = _linear()


def telephone_wav(samples: npt.NDArray[np.generic], rate: int) -> bytes:
    """8 kHz mono mu-law WAV of int16 or float (±1.0) samples, shape (n,) or (n, channels), at `rate` Hz.

    Trimmed of silence and clicks at both ends, faded, levelled to -19 dBFS ± 1 over active speech.
    Raises AudioError where there is nothing to hear.
    """
    mono = _mono(samples)
    if mono.size == 0:
        raise AudioError("the sound is empty")
    mono = resampled(mono, rate)
    mono -= mono.mean()
    return wav_of(_mulaw(_levelled(_trimmed(mono))))


def resampled(mono: Samples, rate: int) -> Samples:
    """Mono samples at `rate` Hz brought to 8 kHz."""
    if rate == RATE:
        return mono
    with native.in_use:
        brought: Samples = soxr.resample(mono, rate, RATE, quality="HQ").astype(np.float32, copy=False)
    return brought


def wave(wav: bytes, steps: int) -> str:
    """How loud a telephone WAV is along its way: `steps` digits from 0 to 9, fewer where it is very short."""
    stream = np.frombuffer(stream_of(wav), np.uint8)
    parts = np.array_split(stream, min(steps, max(1, stream.size // _FRAME)))
    loud = np.array([np.sqrt(np.mean(np.square(_LINEAR[part]))) for part in parts])
    return "".join(map(str, np.minimum(9, np.ceil(loud / max(loud.max(), 1e-6) * 9)).astype(int)))


def to_mp3(wav: bytes) -> bytes:
    """Small mono MP3 (constant 16 kbit/s) of any sound libsndfile reads, for the console."""
    samples, rate = read(wav)
    out = io.BytesIO()
    with native.in_use:
        soundfile.write(
            out,
            samples,
            rate,
            format="MP3",
            subtype="MPEG_LAYER_III",
            bitrate_mode="CONSTANT",
            compression_level=0.8,
        )
    return out.getvalue()


def read(data: bytes) -> tuple[Samples, int]:
    """Mono float samples and rate of a WAV, FLAC, OGG or MP3; raises AudioError."""
    try:
        with native.in_use:
            samples, rate = soundfile.read(io.BytesIO(data), dtype="float32")
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise AudioError("this is not a sound file that can be read") from error
    return _mono(samples), int(rate)


def speech_level(samples: npt.NDArray[np.generic]) -> float:
    """RMS in dBFS of 8 kHz samples over active speech: 10 ms frames within 30 dB of the loudest."""
    levels = _frame_levels(_mono(samples))
    active = levels[levels > levels.max() - _ACTIVE_BELOW_LOUDEST]
    return float(10 * np.log10(np.mean(10 ** (active / 10))))


# --- the sound itself -----------------------------------------------------------------------------------


def _mono(samples: npt.NDArray[np.generic]) -> Samples:
    scale = 32768.0 if samples.dtype == np.int16 else 1.0
    mono = samples.astype(np.float32)  # a copy, that is worked on
    mono /= np.float32(scale)
    return mono.mean(axis=1, dtype=np.float32) if mono.ndim == 2 else mono


def _frame_levels(mono: Samples) -> npt.NDArray[np.float64]:
    if mono.size < _FRAME:
        mono = np.pad(mono, (0, _FRAME - mono.size))
    frames = mono[: mono.size // _FRAME * _FRAME].reshape(-1, _FRAME)
    power = np.einsum("ij,ij->i", frames, frames, dtype=np.float64) / _FRAME  # no copy of an hour of sound
    levels: npt.NDArray[np.float64] = 10 * np.log10(np.maximum(power, 1e-12))
    return levels


def _trimmed(mono: Samples) -> Samples:
    levels = _frame_levels(mono)
    loudest = levels.max()
    if loudest < _FLOOR:
        raise AudioError("the sound is silent")
    runs = _without_clicks(_runs(levels > loudest - _AUDIBLE_BELOW_LOUDEST))
    first = max(0, runs[0][0] * _FRAME - RATE // 50)  # 20 ms of air before, 50 ms after
    last = min(mono.size, runs[-1][1] * _FRAME + RATE // 20)
    kept = mono[first:last].copy()
    fade_in, fade_out = min(RATE // 200, kept.size), min(RATE // 50, kept.size)
    kept[:fade_in] *= np.linspace(0, 1, fade_in, dtype=np.float32)
    kept[kept.size - fade_out :] *= np.linspace(1, 0, fade_out, dtype=np.float32)
    return kept


def _runs(active: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], active, [False])).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _without_clicks(runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Without a lone run of at most 20 ms at either end that 100 ms of silence parts from the rest."""
    while len(runs) > 1 and runs[0][1] - runs[0][0] <= 2 and runs[1][0] - runs[0][1] >= 10:
        runs = runs[1:]
    while len(runs) > 1 and runs[-1][1] - runs[-1][0] <= 2 and runs[-1][0] - runs[-2][1] >= 10:
        runs = runs[:-1]
    return runs


def _levelled(mono: Samples) -> Samples:
    """Brought to LEVEL; bending the peaks takes some level away, so it is done until it holds."""
    for _ in range(6):
        off = LEVEL - speech_level(mono)
        mono *= np.float32(10 ** (off / 20))
        over = np.flatnonzero((mono > _KNEE) | (mono < -_KNEE))
        if over.size:
            loud = mono[over]
            bent = _KNEE + (_CEILING - _KNEE) * np.tanh((np.abs(loud) - _KNEE) / (_CEILING - _KNEE))
            mono[over] = np.sign(loud) * bent
        if abs(off) < 0.1:
            break
    return mono


def _mulaw(mono: Samples) -> bytes:
    raw = io.BytesIO()
    with native.in_use:
        soundfile.write(raw, mono, RATE, format="RAW", subtype="ULAW")
    return raw.getvalue()
