"""What every speech engine offers, and the one error they all raise."""

from typing import Protocol

from prompts.errors import SpeechError

__all__ = ["SpeechEngine", "SpeechError"]


class SpeechEngine(Protocol):
    """Turns a text into sound. `version` changes whenever the same text would sound different."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def robot(self) -> bool:
        """Whether this voice must be labelled as a robot's, for trying things out."""

    def speak(self, text: str, language: str) -> bytes:
        """Telephone WAV (see `prompts.audio.telephone_wav`) of `text`; `language` is `my` or `en`.

        Raises SpeechError when it cannot; never returns empty or half-made sound.
        """
