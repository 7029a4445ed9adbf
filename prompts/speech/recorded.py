"""Human recordings shipped with the content: `<language>/audio/<text key>.wav`, or mp3, flac, ogg."""

import hashlib
import re
from pathlib import Path

from prompts.audio import read, telephone_wav
from prompts.errors import AudioError, SpeechError

SUFFIXES = ("wav", "flac", "ogg", "mp3")


class Recorded:
    """A content folder's recordings, found by text key: a voice for fixed wordings only, not for any text."""

    name = "recorded"
    robot = False

    def __init__(self, content: Path) -> None:
        self._content = content

    def path(self, key: str, language: str) -> Path | None:
        """The recording of a key, or None; a key or language that is no plain name finds nothing."""
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", key, re.ASCII) or not re.fullmatch(
            r"[a-z]{2,3}", language, re.ASCII
        ):
            return None
        folder = self._content / language / "audio"
        return next((file for suffix in SUFFIXES if (file := folder / f"{key}.{suffix}").is_file()), None)

    def sound(self, key: str, language: str) -> bytes | None:
        """Telephone WAV of a key's recording, or None where there is none; SpeechError if it is unusable."""
        file = self.path(key, language)
        if file is None:
            return None
        try:
            return telephone_wav(*read(file.read_bytes()))
        except (AudioError, OSError) as error:
            raise SpeechError(f"the recording {file.name} cannot be used: {error}") from error

    def version(self, key: str, language: str) -> str:
        """Changes with the recording's bytes; empty where there is none."""
        file = self.path(key, language)
        return hashlib.sha256(file.read_bytes()).hexdigest()[:16] if file else ""
