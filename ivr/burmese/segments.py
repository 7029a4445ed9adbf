"""Counts what a text costs as SMS and cuts it without breaking a syllable."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from ivr.burmese.graphemes import graphemes

_GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_7_TWICE = frozenset("\f^{}\\[~]|€")  # behind an escape: two units each
_ROOM = {"GSM-7": (160, 153), "UCS-2": (70, 67)}  # units in a lone text, in each part of a longer one

_LETTER = re.compile(
    "[\u1000-\u102a\u103f\u104e\u1050-\u1055\u105a-\u105d\u1061\u1065\u1066\u106e-\u1070\u1075-\u1081]"
)
_SIGN = re.compile(
    "[\u102b-\u103e\u1056-\u1059\u105e-\u1060\u1062-\u1064\u1067-\u106d\u1071-\u1074\u1082-\u108d\u108f]"
)
_FINAL = re.compile("[\u1000-\u1021\u103f](?:\u1037?\u103a|\u1039)")
_VIRAMA = "\u1039"

Alphabet = Literal["GSM-7", "UCS-2"]


@dataclass(frozen=True)
class Segments:
    """What a text costs: `units` are septets (GSM-7, the extension twice) or UTF-16 units (UCS-2)."""

    alphabet: Alphabet
    units: int
    parts: int

    @property
    def room(self) -> int:
        """How many units fit into so many parts."""
        alone, joined = _ROOM[self.alphabet]
        return alone if self.parts == 1 else joined * self.parts


def count(text: str) -> Segments:
    """Units and parts as Twilio's `sms-segments-calculator` counts them, without its smart encoding.

    A part never ends inside a surrogate pair, an escaped pair or a user-perceived character, so a long text
    can need a part more than its units say. The empty text is one part.
    """
    alphabet: Alphabet = "GSM-7" if all(sign in _GSM_7 or sign in _GSM_7_TWICE for sign in text) else "UCS-2"
    sizes = [_units(piece, alphabet) for piece in (text if alphabet == "GSM-7" else graphemes(text))]
    units = sum(sizes)
    alone, joined = _ROOM[alphabet]
    return Segments(alphabet, units, 1 if units <= alone else _parts(sizes, joined))


def _units(piece: str, alphabet: Alphabet) -> int:
    if alphabet == "GSM-7":
        return 2 if piece in _GSM_7_TWICE else 1
    return sum(2 if sign > "\uffff" else 1 for sign in piece)


def _parts(sizes: Iterable[int], room: int) -> int:
    parts, free = 1, room
    for size in sizes:
        if size > free:
            parts, free = parts + 1, room
        free -= size
    return parts


def syllables(text: str) -> list[str]:
    """Unicode Burmese in the smallest pieces that may stand apart; joined again they are the text.

    A final consonant, a stacked pair and a kinzi stay with the syllable before them (`သတ္တိ`, `အင်္ဂါ` are one
    piece each). Everything that is not Burmese comes in user-perceived characters.
    """
    pieces: list[str] = []
    for piece in graphemes(text):
        if pieces and _LETTER.match(pieces[-1]) and _leans_back(pieces[-1], piece):
            pieces[-1] += piece
        else:
            pieces.append(piece)
    return pieces


def _leans_back(before: str, piece: str) -> bool:
    if before.endswith(_VIRAMA):
        return bool(_LETTER.match(piece))
    return bool(_SIGN.match(piece) or _FINAL.match(piece))


def cut(text: str, parts: int) -> str:
    """The longest beginning of `text` that costs at most `parts` parts and ends between two syllables.

    For Unicode: cut before converting to Zawgyi, which never needs more units, so that one part stays one; where
    more parts are exactly full, count again. `ValueError` if `parts` < 1.
    """
    if parts < 1:
        raise ValueError(f"a text has at least one part, not {parts}")
    if count(text).parts <= parts:
        return text
    ends = list(accumulate(map(len, syllables(text[: parts * _ROOM["GSM-7"][0] + 1]))))
    fitting = bisect_right(ends, parts, key=lambda end: count(text[:end]).parts)
    return text[: ends[fitting - 1]] if fitting else ""
