"""The hard calls, on a page each: short texts of both languages from the files beside this one."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from flask import abort, request
from flask.typing import ResponseReturnValue

from gateway.console import words
from gateway.console.frame import page

_FOLDER: Final = Path(__file__).parent / "guidance"


@dataclass(frozen=True, slots=True)
class Text:
    """What to do, what to say and what never, in one language."""

    title: str
    first: str
    do: tuple[str, ...]
    say: tuple[str, ...]
    never: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Guide:
    """One kind of hard call; `review` says whether people who know have read it."""

    key: str
    review: str
    texts: Mapping[str, Text]


@cache
def guides() -> Mapping[str, Guide]:
    """Every guide by its key, the most pressing first."""
    files = [(file.stem, tomllib.loads(file.read_text(encoding="utf-8"))) for file in _FOLDER.glob("*.toml")]
    return {
        key: Guide(
            key,
            file["review"],
            {
                language: Text(
                    text["title"], text["first"], tuple(text["do"]), tuple(text["say"]), tuple(text["never"])
                )
                for language, text in file.items()
                if isinstance(text, dict)
            },
        )
        for key, file in sorted(files, key=lambda one: one[1]["order"])
    }


@dataclass(frozen=True)
class Guidance:
    """Open to whoever is signed in; `case` in the address is where they came from, to lead back there."""

    def page(self) -> ResponseReturnValue:
        return page("guidance", guides=guides().values(), reading=words.reading(), case=_case())

    def one(self, topic: str) -> ResponseReturnValue:
        found = guides().get(topic)
        if found is None:
            abort(404)
        text = found.texts[words.reading()]
        return page(
            "guide", guide=found, text=text, guides=guides().values(), reading=words.reading(), case=_case()
        )


def _case() -> str:
    """The id of a case, as far as it looks like one: it goes into an address of ours and nowhere else."""
    given = request.args.get("case", "")
    return given if given.isalnum() and len(given) <= 24 else ""
