"""The order in which voices are asked: a recorded human first, then engines, until one has spoken."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from prompts.errors import SpeechError
from prompts.speech.base import SpeechEngine
from prompts.speech.google import Google
from prompts.speech.offline import Offline
from prompts.speech.recorded import Recorded

_log = logging.getLogger(__name__)

ENGINES: Mapping[str, Callable[[], SpeechEngine]] = {"google": Google, "offline": Offline}


@dataclass(frozen=True, slots=True)
class Spoken:
    """A telephone WAV, and who said it in which version; a robot's voice must be labelled as one."""

    wav: bytes
    engine: str
    version: str
    robot: bool


class Chain:
    """Engines in the order they are tried; `recorded`, where given, overrides them all for its keys."""

    def __init__(self, engines: Sequence[SpeechEngine], recorded: Recorded | None = None) -> None:
        self.engines = tuple(engines)
        self.recorded = recorded

    def speak(self, text: str, language: str, key: str | None = None) -> Spoken:
        """Sound of the wording `text` that stands under `key` in the content pack (None: no fixed wording).

        Raises SpeechError with every engine's reason when none could speak.
        """
        reasons = []
        try:
            if self.recorded and key and (wav := self.recorded.sound(key, language)):
                return Spoken(wav, self.recorded.name, self.recorded.version(key, language), robot=False)
        except SpeechError as error:  # better a robot than silence; the content check names the file too
            _log.warning("recording_unusable language=%s key=%s", language, key)
            reasons.append(f"recorded: {error}")
        for engine in self.engines:
            try:
                return Spoken(engine.speak(text, language), engine.name, engine.version, engine.robot)
            except SpeechError as error:
                _log.warning("speech_engine_failed engine=%s", engine.name)
                reasons.append(f"{engine.name}: {error}")
        raise SpeechError("; ".join(reasons) or "no speech engine is set up")


def build_chain(names: Sequence[str], content: Path) -> Chain:
    """The chain a setting names, for example `("recorded", "google", "offline")`, over a content folder.

    Raises ValueError for a name that is no engine.
    """
    if unknown := [name for name in names if name != "recorded" and name not in ENGINES]:
        raise ValueError(f"no such speech engine: {', '.join(unknown)}")
    recorded = Recorded(content) if "recorded" in names else None
    return Chain([ENGINES[name]() for name in names if name in ENGINES], recorded)
