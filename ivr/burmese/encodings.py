"""Tells Unicode Burmese from Zawgyi, reads both, and writes Zawgyi for phones that know nothing else."""

import re
import unicodedata
import warnings
from dataclasses import dataclass
from enum import StrEnum

from myanmartools import ZawgyiDetector
from para import zg_to_unicode

from ivr.burmese.folding import in_order
from ivr.burmese.zawgyi import unicode_to_zawgyi

__all__ = [
    "Encoding",
    "Reading",
    "encoding_of",
    "holds_zawgyi",
    "in_unicode",
    "read",
    "unicode_to_zawgyi",
    "zawgyi_to_unicode",
]

# Letters and vowels of the Myanmar blocks; its digits and ၊ ။ say nothing about the encoding.
_MYANMAR_LETTER = re.compile("[\u1000-\u103f\u104c-\u108f\u109a-\u109f\ua9e0-\ua9ef\uaa60-\uaa7f]")
_LATIN_LETTER = re.compile("[A-Za-z]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

_SENTENCE = re.compile(r"(?<=[။\n])")
_PART = re.compile(r"([\s၊,.;:!?()\[\]“”\"]+)")
# What no Unicode Burmese word has and nine of ten in Zawgyi do: letters of its own, a vowel or medial with no consonant
# before it, an asat after the wrong sign, a stack with nothing below.
_TORN = re.compile(
    "[\u1060-\u1097]|(?<![က-အဿျြွှ္်])[ျြွှ]|(?<![က-အဿဣဥဩျြွှ])ေ|(?<![က-အဿျြွှာိီုူဲါဉဥ့])်|္(?![က-အ])|(?<![က-အ်])္|ေ[ိီုူဲ]"
)
_STACK = re.compile("(?<!င်)(?<=([က-အ]))္([က-အ])")
_STACKED = ("ကခဂဃင", "စဆဇဈညဉ", "ဋဌဍဎဏ", "တထဒဓန", "ပဖဗဘမ")  # each on another of its row, or on itself
_STACKED_TOO = frozenset(
    ("သမ", "လမ", "ရမ", "ဟမ", "တမ", "ကမ", "ကလ", "လက", "လပ", "လတ", "သတ", "သပ", "သက", "နသ", "ဂလ")
)
_OF_UNICODE_ALONE = "\u103e"

# The detector costs about 1.5 µs a character and is sure after a few words: longer looks buy nothing.
_INSPECTED = 400
# Measured on single words of the test texts: with these bounds one in a thousand is taken wrongly.
_SURELY_UNICODE, _SURELY_ZAWGYI = 0.05, 0.95


class Encoding(StrEnum):
    """How a phone writes; `LATIN` is also what a phone that shows boxes asks for."""

    UNICODE = "unicode"
    ZAWGYI = "zawgyi"
    LATIN = "latin"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Reading:
    """`text` is Unicode, not folded, and can be stored and sent: no NUL, no lone surrogate."""

    text: str
    encoding: Encoding


def _load_detector() -> ZawgyiDetector:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it opens its model with importlib's old call
        return ZawgyiDetector()


_DETECTOR = _load_detector()


def zawgyi_to_unicode(text: str) -> str:
    """`text`, taken to be Zawgyi, in Unicode (NFC, marks in Unicode's order), whether or not it is Zawgyi."""
    if not _MYANMAR_LETTER.search(text):
        return text
    return in_order(zg_to_unicode(text, force=True))


def read(text: str, remembered: Encoding | None) -> Reading:
    """What somebody texted, in Unicode, and how their phone writes as far as the text shows.

    `remembered` is the contact's display of earlier times; it decides only where the text leaves it open.
    Digits, marks, emoji and other scripts show nothing: the remembered encoding, or `UNKNOWN`.
    """
    clean = _clean(text)
    encoding = encoding_of(clean, remembered)
    if encoding is Encoding.ZAWGYI:
        clean = zawgyi_to_unicode(clean)
    return Reading(clean, encoding)


def _clean(text: str) -> str:
    return _LONE_SURROGATE.sub("\ufffd", text).replace("\0", "")


def encoding_of(text: str, remembered: Encoding | None) -> Encoding:
    """The encoding that `read` would find, without reading."""
    shown = _shown_by(text)
    return (remembered or shown) if shown is Encoding.UNKNOWN else shown


def _shown_by(text: str) -> Encoding:
    letter = _MYANMAR_LETTER.search(text)
    if letter is None:
        return Encoding.LATIN if _LATIN_LETTER.search(text) else Encoding.UNKNOWN
    sample = text[letter.start() : letter.start() + _INSPECTED]
    if reads_alike(sample):
        return Encoding.UNKNOWN
    zawgyi: float = _DETECTOR.get_zawgyi_probability(sample)
    if zawgyi < _SURELY_UNICODE:
        return Encoding.UNICODE
    return Encoding.ZAWGYI if zawgyi > _SURELY_ZAWGYI else Encoding.UNKNOWN


def reads_alike(text: str) -> bool:
    """The text has the same letters in both encodings, so nothing can or need tell them apart (`အစားအစာ`)."""
    return zawgyi_to_unicode(text) == unicodedata.normalize("NFC", text)


def holds_zawgyi(text: str) -> bool:
    """Whether any sentence of `text` is surely Zawgyi, or a part of one has a shape that Unicode has not."""
    return any(
        any(map(_torn, _PART.split(one))) or encoding_of(one, None) is Encoding.ZAWGYI
        for one in _SENTENCE.split(text)
    )


def in_unicode(text: str) -> str:
    """`text` with what is surely Zawgyi in Unicode, sentence by sentence and, where both stand in one, word by word.

    A word that holds both is left as it is, so that `holds_zawgyi` goes on saying so.
    """
    return "".join(map(_sentence_in_unicode, _SENTENCE.split(_clean(text))))


def _sentence_in_unicode(sentence: str) -> str:
    parts = _PART.split(sentence)
    torn = [_torn(part) for part in parts]
    told = [encoding_of(part, None) for part in parts]
    if not any(torn):
        return read(sentence, None).text
    if not any(one is Encoding.UNICODE and not ill for one, ill in zip(told, torn, strict=True)):
        return zawgyi_to_unicode(sentence)
    found: list[str] = []
    zawgyi = torn[0]
    for part, ill, one in zip(parts, torn, told, strict=True):
        if one in {Encoding.UNICODE, Encoding.ZAWGYI} or ill:
            zawgyi = ill or one is Encoding.ZAWGYI
        read_so = zawgyi_to_unicode(part)
        mixed = ill and (one is Encoding.UNICODE or _OF_UNICODE_ALONE in part)
        found.append(read_so if zawgyi and not mixed and not _torn(read_so) else part)
    return "".join(found)


def _torn(part: str) -> bool:
    return bool(_TORN.search(part)) or any(
        above != below
        and above + below not in _STACKED_TOO
        and not any(above in row and below in row for row in _STACKED)
        for above, below in _STACK.findall(part)
    )
