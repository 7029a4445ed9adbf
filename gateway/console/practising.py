"""The practice queue: invented people, a call that is played through in words, and what to make of how it went.

Nothing of it is stored, dialled or counted: where somebody stands in a call is in the address of the page.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final

from flask import abort, request
from flask.typing import ResponseReturnValue

from gateway.console import typed, words
from gateway.console.cards import Card, handle_words
from gateway.console.frame import page
from gateway.console.words import tell as _
from gateway.runtime import Runtime

_FOLDER: Final = Path(__file__).parent / "practice"
OPENING: Final = "opening"
FIRST, END = "ring", "end"
Said = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Choice:
    """What one may do in a scene, where that leads, and what to think of it; `good` ones lead on."""

    to: str
    good: bool
    said: Said
    why: Said


@dataclass(frozen=True, slots=True)
class Scene:
    """What is heard now; `stage` as in a real case: one's own phone, the other phone, joined."""

    name: str
    stage: int
    said: Said
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Invented:
    """A whole case: who never was."""

    key: str
    review: str
    title: Said
    wish: str
    language: str
    minutes: int
    best: str
    scenes: Mapping[str, Scene]
    outcomes: Mapping[str, Said]


@cache
def cases() -> Mapping[str, Invented]:
    """Every invented case by its key, the easiest first."""
    read = {
        file.stem: tomllib.loads(file.read_text(encoding="utf-8")) for file in sorted(_FOLDER.glob("*.toml"))
    }
    opening = _scenes(read.pop(OPENING))
    return {
        key: Invented(
            key=key,
            scenes={**opening, **_scenes(file)},
            outcomes=file["outcome"],
            **{name: file[name] for name in ("review", "title", "wish", "language", "minutes", "best")},
        )
        for key, file in sorted(read.items(), key=lambda one: one[1]["order"])
    }


def _scenes(file: dict[str, list[dict[str, object]]]) -> dict[str, Scene]:
    return {str(one["name"]): _scene(one) for one in file["scene"]}


def _scene(one: dict[str, object]) -> Scene:
    choices = one["choice"]
    assert isinstance(choices, list)  # noqa: S101 - files of ours, read by a test
    return Scene(
        str(one["name"]),
        int(str(one["stage"])),
        {language: str(one[language]) for language in ("en", "my")},
        tuple(
            Choice(
                to=choice["to"],
                good=choice["good"],
                said={language: choice[language] for language in ("en", "my")},
                why={language: choice[f"{language}_why"] for language in ("en", "my")},
            )
            for choice in choices
        ),
    )


@dataclass(frozen=True)
class Practice:
    runtime: Runtime

    def page(self) -> ResponseReturnValue:
        now = self._now()
        shown = [
            (self._card(at, one, now), one.title[words.reading()]) for at, one in enumerate(cases().values())
        ]
        return page("practice", shown=shown)

    def case(self, case: str) -> ResponseReturnValue:
        """Taken: what a real case shows before the call."""
        return self._show(self._known(case), None)

    def call(self, case: str, scene: str) -> ResponseReturnValue:
        """One moment of the call; `from` and `chose` say what led here, for the sentence about it."""
        one = self._known(case)
        if scene != END and scene not in one.scenes:
            abort(404)
        return self._show(one, scene)

    def outcome(self, case: str, outcome: str) -> ResponseReturnValue:
        one = self._known(case)
        if outcome not in one.outcomes:
            abort(404)
        return self._show(one, END, outcome=outcome)

    def _show(self, one: Invented, scene: str | None, outcome: str = "") -> ResponseReturnValue:
        at = list(cases()).index(one.key)
        card = self._card(at, one, self._now())
        keys = list(cases())
        chose = _chosen(one)
        return page(
            "practice_case",
            one=card,
            title_of_it=one.title[words.reading()],
            scene=one.scenes.get(scene or ""),
            ended=scene == END,
            chose=chose,
            outcome=outcome,
            right=outcome == one.best,
            told=one.outcomes[outcome][words.reading()] if outcome else "",
            following=keys[(at + 1) % len(keys)],
            reading=words.reading(),
            fill=lambda text: text.replace("{words}", card.handle),
        )

    def _card(self, at: int, one: Invented, now: datetime) -> Card:
        handles = self.runtime.library.handles
        handle = handles[(at + 1) * len(handles) // (len(cases()) + 2)]
        reading = words.reading()
        return Card(
            id=one.key,
            handle=handle_words(self.runtime, handle, reading),
            handle_too=tuple(
                (language, handle_words(self.runtime, handle, language))
                for language in self.runtime.library.languages
                if language != reading
            ),
            state="waiting",
            wish=words.said(words.WISHES, one.wish),
            language=words.said(words.TONGUES, one.language),
            asked=words.at(now - timedelta(minutes=one.minutes), now),
            safe=True,
            when=_("practice: nobody is rung"),
            tries="",
            over=False,
            in_a_call=False,
            reached=False,
        )

    def _known(self, case: str) -> Invented:
        found = cases().get(case)
        if found is None:
            abort(404)
        return found

    def _now(self) -> datetime:
        return self.runtime.clock.now().astimezone(self.runtime.settings.timezone)


def _chosen(one: Invented) -> Choice | None:
    """What was chosen in the scene before, where the address names it."""
    before = one.scenes.get(request.args.get("from", ""))
    given = request.args.get("chose", "")
    at = typed.number(given)
    if before is None or at is None or at >= len(before.choices):
        return None
    return before.choices[at]
