"""Splits text where a carrier's calculator would: at the borders of user-perceived characters."""

import re
import unicodedata
from collections.abc import Iterator

# Spacing marks that Unicode's text segmentation (UAX #29) leaves outside: they start a piece of their own.
_APART = frozenset("\u102b\u102c\u1038\u1083\u108f\uaa7b\uaa7d\u1a61\u1a63\u1a64").union(
    map(chr, (*range(0x1062, 0x1065), *range(0x1067, 0x106E), *range(0x1087, 0x108D), *range(0x109A, 0x109D)))
)
_JOINER, _NON_JOINER = "\u200d", "\u200c"
_BREAKING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_SKIN_TONE = re.compile("[\U0001f3fb-\U0001f3ff]")
_REGIONAL = re.compile("[\U0001f1e6-\U0001f1ff]")


def graphemes(text: str) -> Iterator[str]:
    """The pieces of `text`, in order and complete.

    Combining and spacing marks stay with their letter, emoji with what a joiner ties to them, flags pair up.
    Not covered, because nobody here writes them: Hangul typed letter by letter and prepended signs of other
    Brahmic scripts, which come out as more pieces.
    """
    piece = ""
    for sign in text:
        if piece and _belongs(piece, sign):
            piece += sign
        else:
            if piece:
                yield piece
            piece = sign
    if piece:
        yield piece


def _belongs(piece: str, sign: str) -> bool:
    if sign.isascii() or _breaks(piece[-1]):
        return False
    category = unicodedata.category(sign)
    if category in {"Mn", "Me"} or sign in {_JOINER, _NON_JOINER}:
        return True
    if category == "Mc":
        return sign not in _APART
    if piece[-1] == _JOINER or _SKIN_TONE.match(sign):
        return category in {"So", "Sk"} and unicodedata.category(piece[0]) == "So"
    return bool(_REGIONAL.match(sign)) and len(piece) == 1 and bool(_REGIONAL.match(piece))


def _breaks(sign: str) -> bool:
    return sign not in {_JOINER, _NON_JOINER} and unicodedata.category(sign) in _BREAKING
