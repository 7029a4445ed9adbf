"""What strangers send as sound: made into telephone sound, or refused with a reason, and never more than that."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from prompts.intake import Unusable, telephone_sound
from prompts.wav import duration

ROOT = Path(__file__).parents[2]


def tone(
    seconds: float, *, rate: int = 16_000, channels: int = 1, kind: str = "WAV", subtype: str = ""
) -> bytes:
    at = np.arange(int(seconds * rate)) / rate
    wave = 0.3 * np.sin(2 * np.pi * 300 * at) * (1 + np.sin(2 * np.pi * 3 * at))
    out = io.BytesIO()
    with soundfile.SoundFile(out, "w", rate, channels, subtype=subtype or None, format=kind) as file:
        if kind in {"WAV", "FLAC", "OGG"}:
            file.title, file.artist = "a secret title", "Daw Somebody"
        file.write(np.stack([wave] * channels, 1))
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [("WAV", "PCM_24"), ("FLAC", ""), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "")],
)
def test_48_khz_stereo_with_tags_becomes_bare_telephone_sound(kind: str, subtype: str) -> None:
    wav = telephone_sound(tone(2, rate=48_000, channels=2, kind=kind, subtype=subtype))
    assert duration(wav) == pytest.approx(2, abs=0.1)
    assert len(wav) < 2.2 * 8000
    for tag in (b"secret", b"Somebody", b"LIST", b"libsndfile"):
        assert tag not in wav


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("voice.wav", tone(1))
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no_sound_file"),
        (b"This is a text file that was renamed to voice.wav.", "no_sound_file"),
        (b"RIFF\x00\x00\x00\x00WAVE" + b"not really" * 50, "no_sound_file"),
        (b"OggS" + b"\0" * 2000, "no_sound_file"),
        (b"fLaC" + b"\xff" * 2000, "no_sound_file"),
        (b"\x1aE\xdf\xa3" + b"webm" * 100, "no_sound_file"),
        (b"RIFF" + b"\0" * 10_000_000, "sound_too_big"),
    ],
)
def test_what_is_no_sound_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(Unusable) as refused:
        telephone_sound(data)
    assert refused.value.why == why


def test_a_zip_is_refused() -> None:
    with pytest.raises(Unusable) as refused:
        telephone_sound(zipped())
    assert refused.value.why == "no_sound_file"


@pytest.mark.parametrize(
    ("seconds", "kind", "why"),
    [(0, "WAV", "silent_sound"), (61, "WAV", "sound_too_long"), (900, "FLAC", "sound_too_long")],
)
def test_too_short_and_too_long_are_refused(seconds: float, kind: str, why: str) -> None:
    with pytest.raises(Unusable) as refused:
        telephone_sound(tone(seconds, rate=8000, kind=kind))
    assert refused.value.why == why


def test_silence_is_refused_and_a_minute_is_not() -> None:
    out = io.BytesIO()
    soundfile.write(out, np.zeros(16_000), 16_000, format="WAV")
    with pytest.raises(Unusable) as refused:
        telephone_sound(out.getvalue())
    assert refused.value.why == "silent_sound"
    assert duration(telephone_sound(tone(59.9))) == pytest.approx(59.9, abs=0.1)


def test_the_process_that_decodes_can_open_nothing() -> None:
    script = """
import socket
from prompts import intake
intake._shut_in(intake.WORDING)
for what in (lambda: open("/etc/hostname"), lambda: socket.socket(), lambda: open("/tmp/x", "w")):
    try:
        what()
    except OSError:
        print("refused")
try:
    bytearray(2_000_000_000)
except MemoryError:
    print("refused")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["refused"] * 4
