"""A stranger's sound file made into telephone sound, decoded in a process that can do nothing else.

`telephone_sound` starts this very file as a program. That program reads the file from its standard input, and
before it looks at the first byte it has given up opening files and sockets, and has bounds of time and memory:
a fault in a decoder finds nothing to reach. What comes back is made anew from samples, so nothing else of the
original, such as its tags, is in it.
"""

import io
import os
import re
import resource
import subprocess
import sys
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import soxr

import prompts
from prompts.audio import Samples, telephone_wav
from prompts.errors import AudioError
from prompts.wav import RATE

_KINDS: Final = re.compile(rb"RIFF....WAVE|fLaC|OggS|ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", re.DOTALL)
_MEMORY: Final = 1_500_000_000  # address space, most of it libraries that are only mapped
_BLOCK_SECONDS: Final = 10
_MOST_CHANNELS: Final = 8
_MOST_RATE: Final = 192_000
_ANSWERS: Final = {3: "no_sound_file", 4: "sound_too_long", 5: "silent_sound"}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is taken: bytes of the file, seconds of sound, and seconds of work that decoding it may cost."""

    size: int
    seconds: int
    work: int


WORDING: Final = Bounds(size=10_000_000, seconds=60, work=10)
PROGRAMME: Final = Bounds(size=64_000_000, seconds=3600, work=60)


class Unusable(AudioError):  # noqa: N818 - named for what it says of a file, as the tree in errors.py does
    """A file that is not kept; `why`: no_sound_file, sound_too_big, sound_too_long, silent_sound."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def telephone_sound(data: bytes, bounds: Bounds = WORDING) -> bytes:
    """Telephone WAV of a WAV, FLAC, Ogg or MP3 file within `bounds`; raises Unusable."""
    if len(data) > bounds.size:
        raise Unusable("sound_too_big")
    if not _KINDS.match(data):
        raise Unusable("no_sound_file")
    home = Path(prompts.__file__).parents[1]
    try:
        done = subprocess.run(  # noqa: S603 - this very file, and three numbers of ours
            [sys.executable, "-m", __spec__.name, *map(str, astuple(bounds))],
            input=data,
            capture_output=True,
            cwd=home,
            env={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
            timeout=2 * bounds.work,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unusable("no_sound_file") from None
    if done.returncode != 0:  # a decoder that was killed for what it tried is no sound file either
        raise Unusable(_ANSWERS.get(done.returncode, "no_sound_file"))
    return done.stdout


# --- in the other process -----------------------------------------------------------------------------


def _alone(bounds: Bounds) -> int:
    """Read, shut oneself in, decode, write; the exit code says why not."""
    os.nice(10)  # whoever is in a call goes first
    data = sys.stdin.buffer.read(bounds.size + 1)
    telephone_wav(np.sin(np.arange(48_000) / 50) / 4, 48_000)  # what loads at first use must load now
    _shut_in(bounds)
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            if file.channels > _MOST_CHANNELS or not 1000 <= file.samplerate <= _MOST_RATE:
                return 3
            samples = _narrowed(file, bounds.seconds * file.samplerate)
        if samples is None:
            return 4
        wav = telephone_wav(samples, RATE)
    except AudioError:
        return 5
    except Exception:  # noqa: BLE001 - whatever a decoder makes of a stranger's file, it is none
        return 3
    sys.stdout.buffer.write(wav)
    sys.stdout.buffer.flush()
    return 0


def _narrowed(file: soundfile.SoundFile, most: int) -> Samples | None:
    """Mono samples at 8 kHz, brought there block by block; None where there are more than `most` frames."""
    stream = soxr.ResampleStream(file.samplerate, RATE, 1, dtype="float32", quality="HQ")
    parts, count = [], 0
    while len(block := file.read(_BLOCK_SECONDS * file.samplerate, dtype="float32", always_2d=True)):
        count += len(block)
        if count > most:
            return None
        parts.append(stream.resample_chunk(block.mean(axis=1)))
    parts.append(stream.resample_chunk(np.zeros(0, np.float32), last=True))
    return np.concatenate(parts)


def _shut_in(bounds: Bounds) -> None:
    for what, most in (
        (resource.RLIMIT_CPU, bounds.work),
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 0),  # no file and no socket can be opened from here on
    ):
        resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    os._exit(_alone(Bounds(*map(int, sys.argv[1:]))))  # nothing is tidied up: nothing was opened
