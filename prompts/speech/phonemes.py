"""Burmese syllables as eSpeak NG phonemes of its voice `my`.

eSpeak's own Burmese spelling rules are broken and use none of this, but its phoneme table (ph_myanmar, drawn
from a speaker's recordings) holds every rhyme in every tone, each with its spelling beside it.
"""

from collections.abc import Iterable, Sequence

from prompts.speech.burmese import Syllable
from prompts.speech.sounds import Tone

REVISION = 2  # raise with every change of the tables or of the reading: old sound is then made anew

# Rhyme → phoneme in creaky, low and high tone.
RHYMES = {
    "a": ("a01", "a02", "a03"),
    "i": ("a04", "a05", "a06"),
    "u": ("a07", "a08", "a09"),
    "e": ("a11", "a10", "a12"),
    "ɛ": ("a14", "a13", "a15"),
    "ɔ": ("a17", "a18", "a16"),
    "aɴ": ("a20", "a19", "a21"),
    "o": ("a23", "a22", "a24"),
    "ɪɴ": ("a29", "a28", "a30"),
    "aɪ̯ɴ": ("a32", "a31", "a33"),
    "aʊ̯ɴ": ("a35", "a34", "a36"),
    "eɪ̯ɴ": ("a43", "a42", "a44"),
    "ʊɴ": ("a49", "a48", "a50"),
    "oʊ̯ɴ": ("a46", "a45", "a47"),
}
CHECKED = {
    "ɛʔ": "a25", "aʊ̯ʔ": "a26", "aɪ̯ʔ": "a27", "ɪʔ": "a37",
    "aʔ": "a38", "eɪ̯ʔ": "a39", "oʊ̯ʔ": "a40", "ʊʔ": "a41",
}  # fmt: skip
# A checked syllable is high and short like a creaky one; the table's own mark for it (4) is the low tone's.
TONES = {Tone.LOW: "1", Tone.HIGH: "2", Tone.CREAKY: "3", Tone.CHECKED: "3"}
STOPPED = "?"  # glottal stop: measured as 50 ms of closure; between vowels it also keeps syllables apart
WEAK = "@-"  # 60 ms; the table's own schwa is longer than its full vowels

# Own samples of the table where they measured well, else eSpeak's common consonants: X for h (the table's own is
# a silence of 110 ms) and as the breath before voiceless sonorants; c for t͡ɕ, whose friction is half that of tS.
ONSETS = {
    "ʔ": ("?",), "k": ("k",), "kʰ": ("kh",), "ɡ": ("g",), "ŋ": ("N",), "ŋ̊": ("X", "N"),
    "s": ("s",), "sʰ": ("hs",), "z": ("z",), "ɲ": ("n^",), "ɲ̥": ("X", "n^"),
    "t": ("t",), "tʰ": ("ht",), "d": ("d",), "n": ("n",), "n̥": ("X", "n"),
    "p": ("p",), "pʰ": ("ph",), "b": ("b",), "m": ("m",), "m̥": ("X", "m"),
    "j": ("j",), "l": ("l",), "l̥": ("X", "l"), "w": ("w",), "w̥": ("X", "w"),
    "θ": ("th",), "ð": ("D",), "h": ("X",), "ʃ": ("S",), "t͡ɕ": ("c",), "t͡ɕʰ": ("tS",), "d͡ʑ": ("dZ",),
}  # fmt: skip
GLIDES = {"j": ";", "w": "w"}  # after a consonant the table's j would stop for 30 ms first

_WORD = 8  # syllables written without a space: at about 45 in one word eSpeak overruns its buffer and dies
_CALL = 16  # syllables a call: more is often lost, see `least_seconds`
_BY_TONE = {Tone.CREAKY: 0, Tone.LOW: 1, Tone.HIGH: 2}
# Measured on 4,000 calls: whole ones take 0.87 times this and more (pairs 0.73), those that lost a stretch 0.6 at most.
_SECONDS, _WEAK_SECONDS, _WHOLE = 0.2, 0.06, 0.7

Words = Sequence[Sequence[Syllable]]


def calls(groups: Iterable[Sequence[Syllable]]) -> list[Words]:
    """The syllables in calls of few words each, for `written`."""
    found: list[list[Sequence[Syllable]]] = []
    room = 0
    for group in groups:
        for word in (group[at : at + _WORD] for at in range(0, len(group), _WORD)):
            if len(word) > room:
                found.append([])
                room = _CALL
            found[-1].append(word)
            room -= len(word)
    return list(found)


def written(words: Words) -> str:
    """A `[[…]]` text that makes eSpeak's voice `my` say the words."""
    return f"[[{' '.join('||'.join(map(mnemonics, word)) for word in words)}]]"


def least_seconds(words: Words) -> float:
    """How long the words take at least if none of them is lost.

    eSpeak keeps 170 commands ahead, and the rhymes of this voice take up to 20 each: when a syllable overruns the
    rest of that ring, all that waits in it is silently lost, ten syllables or so, from the middle of the call.
    """
    syllables = [syllable for word in words for syllable in word]
    return _WHOLE * sum(_WEAK_SECONDS if one.tone is Tone.WEAK else _SECONDS for one in syllables)


def halves(words: Words) -> tuple[Words, Words] | None:
    """The words in two parts, between words where there are several; None for a single syllable."""
    if len(words) > 1:
        middle = len(words) // 2
        return words[:middle], words[middle:]
    (word,) = words
    middle = len(word) // 2
    return ([word[:middle]], [word[middle:]]) if middle else None


def mnemonics(syllable: Syllable) -> str:
    """One syllable, its phonemes set apart by bars."""
    onset = syllable.onset
    glides: list[str] = []
    while onset not in ONSETS:
        glides.insert(0, GLIDES[onset[-1]])
        onset = onset[:-1]
    return "|".join([*ONSETS[onset], *glides, *_rhyme(syllable)])


def _rhyme(syllable: Syllable) -> tuple[str, ...]:
    match syllable.tone:
        case Tone.WEAK:
            return (WEAK,)
        case Tone.CHECKED:
            return CHECKED[syllable.rhyme] + TONES[Tone.CHECKED], STOPPED
        case tone:
            return (RHYMES[syllable.rhyme][_BY_TONE[tone]] + TONES[tone],)
