"""What the hotline says, in every language: the wording, who reviewed it, and which voice speaks it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from flask import request
from flask.typing import ResponseReturnValue

from gateway.console.frame import page
from gateway.runtime import Runtime
from gateway.store import sounds
from gateway.store.sounds import PromptSound, text_hash
from prompts.library import Wording

PARTS = ("voice", "handle", "digit", "sms")


@dataclass(frozen=True, slots=True)
class Row:
    """One wording; `sound` is the hash of what is played for it, `old` whether that speaks another wording."""

    key: str
    text: str
    latin: str
    review: str
    sound: str
    engine: str
    robot: bool
    old: bool


@dataclass(frozen=True)
class Content:
    runtime: Runtime

    def page(self) -> ResponseReturnValue:
        library = self.runtime.library
        language = request.args.get("language", "")
        language = language if language in library.languages else library.languages[0]
        part = request.args.get("of", "")
        part = part if part in PARTS else PARTS[0]
        with self.runtime.database.read() as session:
            spoken = {one.key: one for one in sounds.prompts(session) if one.language == language}
        wordings = self._wordings(language, part)
        rows = [_row(key, wording, spoken.get(key)) for key, wording in wordings.items()]
        return page(
            "content",
            tongues=library.languages,
            language=language,
            parts=PARTS,
            part=part,
            rows=rows,
            reviews={one: self._reviews(one) for one in library.languages},
            engines=Counter(row.engine for row in rows if row.engine),
        )

    def _wordings(self, language: str, part: str) -> Mapping[str, Wording]:
        library = self.runtime.library
        if part == "sms":
            return library.texts[language]
        spoken = library.voices[language]
        kinds = {"handle", "digit"}
        return {
            key: wording
            for key, wording in spoken.items()
            if (key.partition(".")[0] == part if part in kinds else key.partition(".")[0] not in kinds)
        }

    def _reviews(self, language: str) -> Mapping[str, int]:
        library = self.runtime.library
        every = [*library.voices[language].values(), *library.texts[language].values()]
        return Counter(wording.review.value for wording in every)


def _row(key: str, wording: Wording, sound: PromptSound | None) -> Row:
    return Row(
        key=key,
        text=wording.text,
        latin=wording.latin if wording.latin != wording.text else "",
        review=wording.review.value,
        sound=sound.sound if sound else "",
        engine=sound.engine if sound else "",
        robot=bool(sound and sound.robot),
        old=bool(sound and sound.text_hash != text_hash(wording.text)),
    )
