"""Where a text may be breathed and cut: phrases and their pauses, and pieces no longer than a limit."""

import re
from dataclasses import dataclass
from itertools import accumulate, takewhile

from ivr.burmese.segments import syllables

_PAUSES = {"။": 0.45, ".": 0.45, "!": 0.45, "?": 0.45, "\n": 0.6, "၊": 0.22, ",": 0.22, ";": 0.3, ":": 0.3}
_BREAK = re.compile(r"[ \t]*([။၊\n]|[.,;:!?…](?=[\s\"'”’)။၊]|$)|[()\[\]“”\"—]|\s[-–]\s)")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A stretch said in one breath, and the silence after it in seconds."""

    text: str
    pause: float


def phrases(text: str) -> list[Phrase]:
    """Phrases of `text` in order, cut at ၊ ။, line ends and Latin punctuation; none is empty."""
    found: list[Phrase] = []
    at = 0
    for match in [*_BREAK.finditer(text), None]:
        said = text[at : match.start() if match else len(text)].strip()
        pause = _PAUSES.get(match[1], 0.12) if match else 0.0
        if said:
            found.append(Phrase(said, pause))
        elif found and pause > found[-1].pause:
            found[-1] = Phrase(found[-1].text, pause)
        at = match.end() if match else at
    return found


def pieces(text: str, limit: int = 100) -> list[str]:
    """`text` in pieces of at most `limit` characters: at ။ ၊, else at spaces, else between syllables.

    A syllable is never cut; joined, the pieces hold every character but the spaces at their ends.
    """
    found: list[str] = []
    for sentence in re.split("(?<=[။၊\n])", text):
        for part in _fitting(sentence.strip(), limit):
            if found and len(found[-1]) + 1 + len(part) <= limit and not found[-1].endswith("။"):
                found[-1] += " " + part
            else:
                found.append(part)
    return found


def _fitting(text: str, limit: int) -> list[str]:
    parts: list[str] = []
    while len(text) > limit:
        at = text.rfind(" ", 1, limit + 1)
        if at <= 0:
            at = _last_boundary(text, limit)
        parts.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [*parts, text] if text else parts


def _last_boundary(text: str, limit: int) -> int:
    """Where the last syllable ends that still fits; in the middle of one only if it alone is too long."""
    fitting = takewhile(lambda end: end <= limit, accumulate(map(len, syllables(text[: 2 * limit]))))
    return max(fitting, default=limit)
