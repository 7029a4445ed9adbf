"""Folds a text to the one form in which spellings of the same word are equal."""

import re
import unicodedata

# What folding drops: Unicode's white space, controls, format signs (zero-width, bidi) and
# punctuation, and signs that only change how their neighbour looks. Currency, mathematics and emoji stay: they
# carry meaning ("phone ❌" is not "phone").
_DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Zl", "Zp", "Zs"})
_DROPPED_SIGNS = frozenset("~`^|´¨¸¯˜\u034f\u115f\u1160\u17b4\u17b5\u20e3\u2800\u3164\uffa0")
_VARIATION_SELECTORS = (range(0xFE00, 0xFE10), range(0x180B, 0x1810), range(0xE0000, 0xE1000))
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_SURROGATES = range(0xD800, 0xE000)
_FULL_WIDTH = range(0xFF01, 0xFF5F)
_REPLACEMENT = "\ufffd"
_MEMORISED_BELOW = 0x20000  # what a hostile sender can make the tables below hold is bounded by this

_MARKS = re.compile("[\u102b-\u1032\u1036-\u1038\u103b-\u103e]{2,}")
_MARK_ORDER = {mark: rank for rank, mark in enumerate("ျြွှေိီဲုူါာံ့း")}
_ZERO_AMONG_DIGITS = re.compile("(?=ဝ*[0-9])[0-9ဝ]+(?![\u102b-\u103e])")


class _Bare(dict[int, str | None]):
    """Code point → what `bare` leaves of it, worked out when first met."""

    def __missing__(self, point: int) -> str | None:
        kept = None if _is_dropped(point) else _REPLACEMENT if point in _SURROGATES else chr(point)
        if point < _MEMORISED_BELOW:
            self[point] = kept
        return kept


class _Plain(dict[int, str]):
    """Code point → its plain form: ASCII digit, half width, lower case."""

    def __missing__(self, point: int) -> str:
        plain = _plain(_half_width(point))
        if point < _MEMORISED_BELOW:
            self[point] = plain
        return plain


def _is_dropped(point: int) -> bool:
    sign = _half_width(point)
    return (
        unicodedata.category(sign) in _DROPPED_CATEGORIES
        or sign in _DROPPED_SIGNS
        or point in _SKIN_TONES
        or any(point in block for block in _VARIATION_SELECTORS)
    )


def _half_width(point: int) -> str:
    return chr(point - 0xFEE0 if point in _FULL_WIDTH else point)


def _plain(sign: str) -> str:
    digit = unicodedata.decimal(sign, None)  # Burmese, Shan, Thai … digits alike
    return sign.lower() if digit is None else str(digit)


_BARE = _Bare()
_PLAIN = _Plain()


def bare(text: str) -> str:
    """`text` in NFC without the signs that carry no meaning; a lone surrogate becomes U+FFFD."""
    return unicodedata.normalize("NFC", text).translate(_BARE)


def in_order(text: str) -> str:
    """Unicode Burmese with each cluster's marks in Unicode's order, once each; typed otherwise they look so."""
    return unicodedata.normalize("NFC", _MARKS.sub(_ordered, text))


def _ordered(match: re.Match[str]) -> str:
    return "".join(sorted(set(match[0]), key=_MARK_ORDER.__getitem__))


def plain(text: str) -> str:
    """The second half of `fold`, for a text that is `bare` already."""
    folded = in_order(text.translate(_PLAIN))
    if folded == "ဝ":
        return "0"
    return _ZERO_AMONG_DIGITS.sub(lambda digits: digits[0].replace("ဝ", "0"), folded)


def fold(text: str) -> str:
    """The form in which spellings of one word are equal; takes any string and never raises.

    NFC; no white space, zero-width signs, bidi controls, punctuation, variation selectors; every script's
    decimal digits and full-width forms in ASCII; lower case; Burmese marks in Unicode's order. The letter ဝ
    becomes 0 where it touches a digit (through other ဝ) and carries no vowel, or is the whole text (0 does no
    harm); so `၁ဝ` is 10, while the ဝ of ဝမ်း stays a letter.
    """
    return plain(bare(text))
