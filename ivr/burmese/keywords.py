"""Finds the one keyword a whole message is, in every spelling and encoding, or says that there is none."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Self

from ivr.burmese.encodings import Encoding, encoding_of, reads_alike, unicode_to_zawgyi, zawgyi_to_unicode
from ivr.burmese.folding import bare, fold, plain

_ENDINGS_AT_MOST = 2
# Two digits with one of these between them are a date, a time, an amount or a list: 9/9 is not 99.
_DIVIDERS = frozenset(".,:;/\\|-–—−_*+=×÷၊။／：．，－")
_BETWEEN_DIGITS = re.compile(r"(?<=[\dဝ])[\W_]+(?=[\dဝ])")
_MYANMAR = re.compile("[\u1000-\u103f]")
_BURMESE_NEGATIONS = ("နဲ့", "နှင့်", "ဘူး", "မဟုတ်")
_LATIN_NEGATIONS = frozenset({"no", "not", "never", "dont", "don't", "nae", "bu", "buu"})


class KeywordError(ValueError):
    """The words cannot be told apart; the sentences say which and what to change."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Match:
    """`name` is None where the message is no keyword; `encoding` is how it was written, if that shows."""

    name: str | None
    encoding: Encoding


@dataclass(frozen=True)
class KeywordTable:
    """Keywords by folded spelling, read as Unicode and as Zawgyi, and the endings a keyword may carry."""

    _unicode: Mapping[str, str]
    _zawgyi: Mapping[str, str]
    _endings: tuple[str, ...] = ()
    _longest: int = 0

    @classmethod
    def build(
        cls, words: Mapping[str, Sequence[str]], endings: Sequence[str], guarded: Collection[str] = ()
    ) -> Self:
        """The table of `words`: keyword's name → its spellings in Unicode Burmese, Latin letters or digits.

        No spelling of a `guarded` name (stop, forget) may lie one slip of a character from another name's.
        `KeywordError` names both keywords where two share a spelling, and any ending that would negate.
        """
        spellings = {
            name: frozenset(chain.from_iterable(map(_tabled, given))) for name, given in words.items()
        }
        problems = [
            *_empty(words),
            *_shared(spellings),
            *_negating(endings),
            *_within_a_slip(words, frozenset(guarded)),
        ]
        if problems:
            raise KeywordError(problems)
        table = {spelling: name for name, its in spellings.items() for spelling in its}
        zawgyi = {fold(unicode_to_zawgyi(word)): name for name, its in words.items() for word in its}
        folded_endings = tuple(sorted(set(map(fold, endings)), key=len, reverse=True))
        longest = max(map(len, table), default=0) + _ENDINGS_AT_MOST * max(
            map(len, folded_endings), default=0
        )
        built = cls(table, zawgyi, folded_endings, longest)
        if unread := list(built._unread(words)):
            raise KeywordError(unread)
        return built

    def find(self, text: str, remembered: Encoding | None = None) -> Match:
        """The keyword that the whole of `text` is, alone or with at most two of the polite endings.

        Read as Unicode and as Zawgyi; two different names are none. `encoding` is the one that the
        keyword was found in, else what `encoding_of` says of the text.
        """
        names, encoding = self._looked_up(text)
        return Match(
            next(iter(names)) if len(names) == 1 else None, encoding or encoding_of(text, remembered)
        )

    def _looked_up(self, text: str) -> tuple[set[str], Encoding | None]:
        """Every keyword the text can be, and the encoding if only one of the two gives it."""
        stripped = bare(text)
        # Zawgyi needs no more signs than Unicode for the same word, so the longest spelling bounds both.
        if len(stripped) > self._longest or _divides_digits(text):
            return set(), None
        as_unicode = self._names(plain(stripped), self._unicode)
        if not _MYANMAR.search(stripped):
            return as_unicode, None
        as_zawgyi = self._names(plain(zawgyi_to_unicode(stripped)), self._unicode)
        as_zawgyi |= self._names(plain(stripped), self._zawgyi)
        names = as_unicode | as_zawgyi
        if bool(as_unicode) == bool(as_zawgyi) or reads_alike(stripped):
            return names, None
        return names, Encoding.UNICODE if as_unicode else Encoding.ZAWGYI

    def _unread(self, words: Mapping[str, Sequence[str]]) -> Iterator[str]:
        """Words that would not be found although they are tabled, because another reads like them."""
        for name, given in words.items():
            for word in given:
                for way, written in (("Unicode", word), ("Zawgyi", unicode_to_zawgyi(word))):
                    names, _ = self._looked_up(written)
                    if names != {name}:
                        others = " and ".join(sorted(names - {name})) or "nothing"
                        yield f"{name}: “{word}” written in {way} is also read as {others}"

    def _names(self, folded: str, table: Mapping[str, str], endings_left: int = _ENDINGS_AT_MOST) -> set[str]:
        names = {table[folded]} if folded in table else set()
        if endings_left:
            for ending in self._endings:
                if folded.endswith(ending):
                    names |= self._names(folded.removesuffix(ending), table, endings_left - 1)
        return names


def _tabled(spelling: str) -> tuple[str, str]:
    """A spelling folded, and folded once more as it comes back from Zawgyi (rare clusters differ)."""
    return fold(spelling), fold(zawgyi_to_unicode(unicode_to_zawgyi(spelling)))


def _divides_digits(text: str) -> bool:
    return any(not _DIVIDERS.isdisjoint(between) for between in _BETWEEN_DIGITS.findall(text))


def _empty(words: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for name, given in words.items():
        yield from (
            f"{name}: “{word}” has no letter or digit to recognise" for word in given if not fold(word)
        )


def _shared(spellings: Mapping[str, frozenset[str]]) -> Iterator[str]:
    owners: dict[str, str] = {}
    for name, folded in spellings.items():
        for spelling in sorted(folded):
            owner = owners.setdefault(spelling, name)
            if owner != name:
                yield f"“{spelling}” stands for both {owner} and {name}: take it out of one"


def _negating(endings: Sequence[str]) -> Iterator[str]:
    for ending in endings:
        if not fold(ending):
            yield f"the ending “{ending}” is empty once spaces and marks are dropped"
        elif any(no in ending for no in _BURMESE_NEGATIONS) or not _LATIN_NEGATIONS.isdisjoint(
            ending.lower().split()
        ):
            yield f"the ending “{ending}” says no: it would turn a refusal into a request"


def _within_a_slip(words: Mapping[str, Sequence[str]], guarded: frozenset[str]) -> Iterator[str]:
    for name in sorted(guarded & words.keys()):
        for other in sorted(words.keys() - {name}):
            for word in map(fold, words[name]):
                for near in map(fold, words[other]):
                    if one_slip_apart(word, near):
                        yield f"one slip turns “{near}” ({other}) into “{word}” ({name}): change one"


def one_slip_apart(one: str, other: str) -> bool:
    """A single insertion, deletion, substitution or transposition of neighbours makes one of the other."""
    short, long = sorted((one, other), key=len)
    start = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(long) == len(short):
        rest, other_rest = short[start:], long[start:]
        return rest[1:] == other_rest[1:] or (rest[:2] == other_rest[1::-1] and rest[2:] == other_rest[2:])
    return len(long) - len(short) == 1 and short[start:] == long[start + 1 :]
