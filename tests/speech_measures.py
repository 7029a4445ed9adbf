"""What the speech tests and the speech report both measure: agreement with ICU, and sound."""

import difflib
import functools
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import numpy as np

from prompts.speech import burmese
from prompts.speech.sounds import CLOSED_RHYMES, OPEN_RHYMES

ICU_WORDS = Path(__file__).parent / "data" / "burmese_icu.tsv"
KINDS = {
    "udhr": "running text: Universal Declaration of Human Rights",
    "gtk": "running text: GTK 3 in Burmese",
    "cldr": "names in CLDR (mostly foreign)",
    "built": "built to cover letters and rhymes",
}
_RHYMES = {rhyme for rhyme, _ in OPEN_RHYMES.values()} | set(CLOSED_RHYMES.values()) | {"ə"}
_TONES = "\u0300\u0301\u0330"

Sound = tuple[str, str, str]  # onset with its glide, rhyme, tone mark


def icu_words(kind: str | None = None) -> Iterator[tuple[str, str]]:
    for line in ICU_WORDS.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            this, word, reading = line.split("\t")
            if kind in (None, this):
                yield word, reading


def parted(ipa: str) -> Sound:
    """An IPA syllable in onset, rhyme and tone."""
    plain = unicodedata.normalize("NFD", ipa)
    tone = "".join(sign for sign in plain if sign in _TONES)
    plain = "".join(sign for sign in plain if sign not in _TONES)
    onset = re.match("[^aeiouəɛɔɪʊ]*", plain)[0]
    return onset, plain[len(onset) :], tone


def pairs(word: str, icu: str) -> list[tuple[Sound | None, Sound | None]]:
    """Our syllables of a word beside ICU's; None where one has a syllable that the other has not."""
    ours = [parted(syllable.ipa) for syllable in burmese.citation(word)]
    theirs = [parted(syllable) for syllable in icu.split(".") if syllable]
    if len(ours) == len(theirs):
        return list(zip(ours, theirs, strict=True))
    matcher = difflib.SequenceMatcher(None, [s[:2] for s in ours], [s[:2] for s in theirs], autojunk=False)
    found: list[tuple[Sound | None, Sound | None]] = []
    for _, a, b, c, d in matcher.get_opcodes():
        found += zip_longest(ours[a:b], theirs[c:d])
    return found


_LETTERS = set("kɡŋszɲtdnpbmjlwθhʔʃɕʑð͡ʰ̥̯̊ɴaeiouəɛɔɪʊ")
_REASONS: list[tuple[str, Callable[[Sound, Sound], bool]]] = [
    (
        "a spelling ICU has no rule for (a foreign or doubled final, a word mistyped): its rhyme is none of Burmese",
        lambda ours, icu: ours[0] == icu[0] and icu[1] not in _RHYMES,
    ),
    (
        "ွံ, and ဝ before a closing consonant, are said ʊ (ခွံ, ဝန်, ဝတ်); ICU writes wa",
        lambda ours, icu: ours[1].startswith("ʊ") and icu[1].startswith(("a", "wa")),
    ),
    ("ငြ is said ɲ; ICU writes ŋj", lambda ours, icu: ours[0].startswith("ɲ") and icu[0].startswith("ŋj")),
    (
        "အ် after a vowel sign, in foreign names: ICU closes the throat, we leave it silent",
        lambda ours, icu: icu[:2] == (ours[0], ours[1] + "ʔ"),
    ),
    ("သြ typed for the letter ဩ", lambda ours, icu: (ours[1], icu[1]) == ("ɔ", "ə")),
    (
        "letters out of order: ICU leaves a sign or a syllable without a vowel",
        lambda _, icu: not icu[1] or any(sign not in _LETTERS for sign in "".join(icu[:2])),
    ),
]


def reason(ours: Sound | None, icu: Sound | None) -> str:
    """Why a syllable differs from ICU's, or an empty string where no known reason fits."""
    if not (ours and icu):
        return "a syllable that only one of the two sees, beside one of the other reasons"
    return next((why for why, fits in _REASONS if fits(ours, icu)), "")


@dataclass
class Agreement:
    words: int = 0
    syllables: int = 0
    same: int = 0
    same_tone: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def __add__(self, other: "Agreement") -> "Agreement":
        examples = defaultdict(list, {why: [*found] for why, found in self.examples.items()})
        for why, found in other.examples.items():
            examples[why] += found
        return Agreement(
            self.words + other.words,
            self.syllables + other.syllables,
            self.same + other.same,
            self.same_tone + other.same_tone,
            self.reasons + other.reasons,
            examples,
        )

    @property
    def share(self) -> float:
        return self.same / self.syllables


@functools.cache
def agreement(kind: str | None = None) -> Agreement:
    """How far our regular reading and ICU's agree on onset and rhyme, and why not where they do not."""
    if kind is None:
        return sum(map(agreement, KINDS), Agreement())
    total = Agreement()
    for word, icu in icu_words(kind):
        total.words += 1
        for ours, theirs in pairs(word, icu):
            total.syllables += 1
            if ours and theirs and ours[:2] == theirs[:2]:
                total.same += 1
                total.same_tone += ours[2] == theirs[2]
                continue
            why = reason(ours, theirs)
            total.reasons[why] += 1
            ours_, theirs_ = ("".join(sound[:2]) if sound else "–" for sound in (ours, theirs))
            total.examples[why].append(f"{word} {ours_}/{theirs_}")
    return total


def formants(samples: np.ndarray, rate: int, order: int = 24) -> list[float]:
    """Formant frequencies in Hz of a short stretch of a vowel, by linear prediction."""
    shaped = np.append(samples[0], samples[1:] - 0.97 * samples[:-1]) * np.hamming(len(samples))
    correlated = np.correlate(shaped, shaped, "full")[len(shaped) - 1 : len(shaped) + order]
    correlated[0] *= 1.0001
    matrix = correlated[np.abs(np.subtract.outer(np.arange(order), np.arange(order)))]
    roots = np.roots(np.concatenate([[1], -np.linalg.solve(matrix, correlated[1:])]))
    roots = roots[roots.imag > 0.01]
    frequency = np.angle(roots) * rate / 2 / np.pi
    width = -np.log(np.abs(roots)) * rate / np.pi
    return sorted(frequency[(frequency > 150) & (width < 600)])


def pitch(samples: np.ndarray, rate: int) -> float:
    """Fundamental frequency in Hz of a short voiced stretch, by autocorrelation."""
    level = samples - samples.mean()
    correlated = np.correlate(level, level, "full")[len(level) - 1 :]
    low, high = rate // 300, rate // 60
    return rate / (low + int(np.argmax(correlated[low:high])))


def stretch(samples: np.ndarray, rate: int, at: float, seconds: float = 0.03) -> np.ndarray:
    """`seconds` of samples around the fraction `at` of their length."""
    centre, half = int(len(samples) * at), int(seconds * rate / 2)
    return samples[max(0, centre - half) : centre + half].astype(float)


def spoken_otherwise(kind: str) -> tuple[int, int]:
    """How many syllables of a kind of words are spoken otherwise than regular spelling says, and of how many."""
    changed = total = 0
    for word, _ in icu_words(kind):
        regular, spoken = burmese.citation(word), burmese.read(word).syllables
        total += len(regular)
        changed += sum(one != other for one, other in zip_longest(regular, spoken))
    return changed, total
