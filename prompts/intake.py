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
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

import prompts
from prompts.audio import telephone_wav
from prompts.errors import AudioError

MOST_BYTES: Final = 10_000_000
MOST_SECONDS: Final = 60

_KINDS: Final = re.compile(rb"RIFF....WAVE|fLaC|OggS|ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", re.DOTALL)
_MEMORY: Final = 1_500_000_000  # address space, most of it libraries that are only mapped
_SECONDS_OF_WORK: Final = 10
_SECONDS_OF_WAITING: Final = 20
_MOST_CHANNELS: Final = 8
_MOST_RATE: Final = 192_000
_ANSWERS: Final = {3: "no_sound_file", 4: "sound_too_long", 5: "silent_sound"}


class Unusable(AudioError):  # noqa: N818 - named for what it says of a file, as the tree in errors.py does
    """A file that is not kept; `why`: no_sound_file, sound_too_big, sound_too_long, silent_sound."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def telephone_sound(data: bytes) -> bytes:
    """Telephone WAV of a WAV, FLAC, Ogg or MP3 file of at most a minute; raises Unusable."""
    if len(data) > MOST_BYTES:
        raise Unusable("sound_too_big")
    if not _KINDS.match(data):
        raise Unusable("no_sound_file")
    home = Path(prompts.__file__).parents[1]
    try:
        done = subprocess.run(  # noqa: S603 - this very file, with no argument
            [sys.executable, "-m", __spec__.name],
            input=data,
            capture_output=True,
            cwd=home,
            env={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
            timeout=_SECONDS_OF_WAITING,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unusable("no_sound_file") from None
    if done.returncode != 0:  # a decoder that was killed for what it tried is no sound file either
        raise Unusable(_ANSWERS.get(done.returncode, "no_sound_file"))
    return done.stdout


# --- in the other process -----------------------------------------------------------------------------


def _alone() -> int:
    """Read, shut oneself in, decode, write; the exit code says why not."""
    data = sys.stdin.buffer.read(MOST_BYTES + 1)
    telephone_wav(np.sin(np.arange(48_000) / 50) / 4, 48_000)  # what loads at first use must load now
    _shut_in()
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            if file.channels > _MOST_CHANNELS or not 1000 <= file.samplerate <= _MOST_RATE:
                return 3
            most = MOST_SECONDS * file.samplerate
            samples = file.read(most + 1, dtype="float32")
            rate = int(file.samplerate)
        if len(samples) > most:
            return 4
        wav = telephone_wav(samples, rate)
    except AudioError:
        return 5
    except Exception:  # noqa: BLE001 - whatever a decoder makes of a stranger's file, it is none
        return 3
    sys.stdout.buffer.write(wav)
    sys.stdout.buffer.flush()
    return 0


def _shut_in() -> None:
    for what, most in (
        (resource.RLIMIT_CPU, _SECONDS_OF_WORK),
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 0),  # no file and no socket can be opened from here on
    ):
        resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    os._exit(_alone())  # nothing is tidied up: nothing was opened
