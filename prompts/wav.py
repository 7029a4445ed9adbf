"""The file of telephone sound, 8 kHz mono mu-law WAV: put together, taken apart, joined and cut, byte by byte."""

import struct
from collections.abc import Sequence

from prompts.errors import AudioError

RATE = 8000
SILENCE = b"\xff"  # mu-law for zero

_HEADER = 58  # bytes before the samples


def duration(wav: bytes) -> float:
    """Length in seconds of a telephone WAV."""
    return len(stream_of(wav)) / RATE


def seconds_of(size: int) -> float:
    """The same from a telephone WAV's size in bytes, within a sample."""
    return (size - _HEADER) / RATE


def join(wavs: Sequence[bytes], pause: float) -> bytes:
    """One telephone WAV from several, `pause` seconds of silence between; bytes are copied, not recoded."""
    return wav_of((SILENCE * round(pause * RATE)).join(stream_of(wav) for wav in wavs))


def cut(wav: bytes, seconds: float) -> list[bytes]:
    """Pieces of at most `seconds` of a telephone WAV; joined without a pause they are the same samples."""
    stream = stream_of(wav)
    step = max(1, round(seconds * RATE))
    return [wav_of(stream[at : at + step]) for at in range(0, len(stream), step)]


def wav_of(stream: bytes) -> bytes:
    """RIFF file with the 18-byte format chunk and the fact chunk that compressed formats must carry."""
    form = struct.pack("<4sIHHIIHHH", b"fmt ", 18, 7, 1, RATE, RATE, 1, 8, 0)
    fact = struct.pack("<4sII", b"fact", 4, len(stream))
    data = struct.pack("<4sI", b"data", len(stream)) + stream + b"\0" * (len(stream) % 2)
    body = b"WAVE" + form + fact + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def stream_of(wav: bytes) -> bytes:
    """The mu-law bytes of a telephone WAV; raises AudioError for any other kind."""
    if len(wav) < 12 or wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        raise AudioError("this is not a WAV file")
    at, form = 12, b""
    while at + 8 <= len(wav):
        name, size = struct.unpack_from("<4sI", wav, at)
        if name == b"fmt ":
            form = wav[at + 8 : at + 8 + 16]
        elif name == b"data":
            if form != struct.pack("<HHIIHH", 7, 1, RATE, RATE, 1, 8):
                raise AudioError("this is not 8 kHz mono mu-law sound")
            return wav[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    raise AudioError("this WAV file holds no sound")
