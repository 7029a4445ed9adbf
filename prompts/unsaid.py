"""What may stand in no text that leaves for a phone: numbers to ring, links, unseen signs, and words that tell."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from ivr.burmese.encodings import zawgyi_to_unicode
from ivr.burmese.folding import fold

UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
BURMESE_LETTER = re.compile("[\u1000-\u102a\u103f\u104e]")

_PHONE_NUMBER = re.compile(r"\d(?:[\s.\-/()]*\d){5,}", re.ASCII)
# Three digits can be rung (199 is the police). Codes have fewer, and an amount of something says of what.
_SHORT_NUMBER = re.compile(
    r"(?<!\d)(?:\d{3,5}|\d(?:[ .\-/]\d){2,4})(?!\d)(?!\s?(?:mg|ml|kg|g|km|m|%|kyats?|ကျပ်|မီလီ|မီတာ|ဂရမ်|ကီလို)(?![a-z]))",
    re.ASCII | re.IGNORECASE,
)
_LINK = re.compile(r"https?:|www\.|\b\w+\.(?:com|org|net|info|mm|me|ly)\b", re.IGNORECASE)
_WA_FOR_ZERO = re.compile("(?<=[0-9])ဝ+(?![\u102b-\u103e])|ဝ+(?=[0-9])", re.ASCII)


def unfit(text: str, *, word_list: frozenset[str] = frozenset(), latin: bool = False) -> tuple[str, ...]:
    """Why `text`, in Unicode, may not be sent to a phone, or to one that shows only `latin` letters, as names.

    They are `text_unseen`, `text_number`, `text_link`, `text_listed` and `text_burmese`.
    """
    looked = {
        "text_unseen": any(unicodedata.category(sign) in UNSEEN and sign not in "\n\u200b" for sign in text),
        "text_number": bool(number_in(text)),
        "text_link": holds_link(text),
        "text_listed": holds_listed(text, word_list) or bool(telling_word(text)),
        "text_burmese": latin and bool(BURMESE_LETTER.search(text)),
    }
    return tuple(name for name, found in looked.items() if found)


def holds_phone_number(text: str) -> bool:
    """Whether six digits or more stand there, whatever divides them."""
    return bool(_PHONE_NUMBER.search(_ascii_digits(text)))


def number_in(text: str) -> str:
    """The first number in `text` that somebody could ring, a short one too; empty where there is none."""
    digits = _ascii_digits(text)
    found = _PHONE_NUMBER.search(digits) or _SHORT_NUMBER.search(digits)
    return found[0] if found else ""


def _ascii_digits(text: str) -> str:
    digits = "".join(str(unicodedata.decimal(sign, sign)) for sign in text)
    return _WA_FOR_ZERO.sub(lambda typed: "0" * len(typed[0]), digits)


def holds_link(text: str) -> bool:
    return bool(_LINK.search(text))


def holds_listed(text: str, words: Iterable[str]) -> bool:
    """Whether one of `words` stands in `text`, even inside another word; either may be Unicode or Zawgyi."""
    texts = _folded_both(text)
    return any(word in folded for one in words for word in _folded_both(one) for folded in texts)


def telling_word(text: str) -> str:
    """The first word of `unsaid.txt` that `text` holds; empty where it holds none."""
    latin, burmese = _telling()
    if found := latin.search(unicodedata.normalize("NFKC", text).casefold()):
        return found[0]
    texts = _folded_both(text)
    return next((word for word, folded in burmese if any(folded in one for one in texts)), "")


def _folded_both(text: str) -> set[str]:
    return {fold(text), fold(zawgyi_to_unicode(text))} - {""}


@cache
def _telling() -> tuple[re.Pattern[str], tuple[tuple[str, str], ...]]:
    lines = Path(__file__).with_name("unsaid.txt").read_text(encoding="utf-8").splitlines()
    words = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    latin = [r"[\W_]*".join(map(re.escape, word.casefold().split())) for word in words if word.isascii()]
    burmese = tuple((word, fold(word)) for word in words if not word.isascii())
    return re.compile(rf"(?<![a-z])(?:{'|'.join(latin)})"), burmese
