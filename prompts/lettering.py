"""How wide a text will be, reckoned without a font, and texts broken to fit.

The widths are those of wide fonts in everyday use (Noto Sans Myanmar, DejaVu Sans), so that what fits here
fits on the screen; a browser test measures it there.
"""

import re
from collections.abc import Iterator

from ivr.burmese.segments import syllables

BOLD = 1.12  # bold letters are about so much wider

_WIDE = frozenset("ကဃဆဈညဏတထဘယလသဟအဢဣဿဤဩဪ၏")
_SPACING = {"\u102b": 0.28, "\u102c": 0.46, "\u1031": 0.63, "\u1038": 0.36, "\u103b": 0.27, "\u103c": 0.24}
_BURMESE = re.compile("[\u1000-\u109f]")
_MARK = re.compile("[\u102b-\u103e]")
_LATIN = {
    **dict.fromkeys("ijl.,:;'|!I[]()ft ", 0.4),
    **dict.fromkeys("-rJ\u201c\u201d·", 0.45),
    **dict.fromkeys("mwMW@%→…", 1.0),
}


def is_burmese(text: str) -> bool:
    return bool(_BURMESE.search(text))


def width(text: str, size: float, *, bold: bool = False) -> float:
    """At most how wide `text` is at `size`, both in pixels."""
    return sum(map(_em, text)) * size * (BOLD if bold else 1.0)


def _em(sign: str) -> float:
    if _BURMESE.match(sign):
        if _MARK.match(sign):
            return _SPACING.get(sign, 0.0)
        return 1.26 if sign in _WIDE else 0.74
    return _LATIN.get(sign, 0.8 if sign.isupper() or not sign.isascii() else 0.64)


def wrapped(text: str, size: float, room: float, *, most: int, bold: bool = False) -> list[str]:
    """`text` in at most `most` lines of `room` pixels; what does not fit any more is left out, with an ellipsis.

    Burmese is broken between syllables, the rest at spaces; a single word wider than a line is broken anywhere.
    """
    lines = [""]
    for piece in _pieces(" ".join(text.split()), size, room):
        if width(lines[-1] + piece.rstrip(), size, bold=bold) <= room:
            lines[-1] += piece
        else:
            lines.append(piece.lstrip())
    lines = [line.rstrip() for line in lines if line.strip()]
    if len(lines) > most:
        lines = [*lines[: most - 1], _shortened(lines[most - 1], size, room, bold=bold)]
    return lines


def _shortened(line: str, size: float, room: float, *, bold: bool) -> str:
    pieces = syllables(line)
    while pieces and width("".join(pieces).rstrip() + "…", size, bold=bold) > room:
        pieces.pop()
    return "".join(pieces).rstrip(" ၊။,.") + "…"


def _pieces(text: str, size: float, room: float) -> Iterator[str]:
    """What must stay together on a line, each with the space after it."""
    for word in re.findall(r"\S+\s*", text):
        if is_burmese(word) or width(word, size) * BOLD > room:
            yield from _joined(syllables(word))
        else:
            yield word


def _joined(pieces: list[str]) -> Iterator[str]:
    """Closing marks and spaces never begin a line."""
    held = ""
    for piece in pieces:
        if held and piece not in {" ", "၊", "။", "”", ",", ".", ")"}:
            yield held
            held = ""
        held += piece
    if held:
        yield held
