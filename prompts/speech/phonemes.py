"""Burmese syllables as eSpeak NG phonemes of its voice `my`.

eSpeak's own Burmese spelling rules are broken and use none of this, but its phoneme table (ph_myanmar, drawn
from a speaker's recordings) holds every rhyme in every tone, each with its spelling beside it.
"""

from collections.abc import Iterable

from prompts.speech.burmese import Syllable
from prompts.speech.sounds import Tone

REVISION = 1  # raise with every change of the tables or of the reading: old sound is then made anew

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
TONES = {Tone.LOW: "1", Tone.HIGH: "2", Tone.CREAKY: "3", Tone.CHECKED: "4", Tone.WEAK: ""}
ONSETS = {
    "ʔ": (), "k": ("k",), "kʰ": ("kh",), "ɡ": ("g",), "ŋ": ("N",), "ŋ̊": ("h", "N"),
    "s": ("s",), "sʰ": ("hs",), "z": ("z",), "ɲ": ("n^",), "ɲ̥": ("h", "n^"),
    "t": ("t",), "tʰ": ("ht",), "d": ("d",), "n": ("n",), "n̥": ("h", "n"),
    "p": ("p",), "pʰ": ("ph",), "b": ("b",), "m": ("m",), "m̥": ("h", "m"),
    "j": ("j",), "l": ("l",), "l̥": ("h", "l"), "w": ("w",), "w̥": ("h", "w"),
    "θ": ("th",), "ð": ("D",), "h": ("h",), "ʃ": ("S",), "t͡ɕ": ("tS",), "t͡ɕʰ": ("q1",), "d͡ʑ": ("dZ",),
}  # fmt: skip
_BY_TONE = {Tone.CREAKY: 0, Tone.LOW: 1, Tone.HIGH: 2}


def mnemonics(groups: Iterable[Iterable[Syllable]]) -> str:
    """The `[[…]]` text that makes eSpeak's voice `my` say the syllables; one word for each group."""
    return "[[" + " ".join("||".join(map(_one, group)) for group in groups) + "]]"


def _one(syllable: Syllable) -> str:
    onset = syllable.onset
    glides: list[str] = []
    while onset and onset not in ONSETS:
        glides.insert(0, onset[-1])
        onset = onset[:-1]
    return "|".join([*ONSETS[onset], *glides, _rhyme(syllable)])


def _rhyme(syllable: Syllable) -> str:
    match syllable.tone:
        case Tone.WEAK:
            return "@"
        case Tone.CHECKED:
            return CHECKED[syllable.rhyme] + TONES[Tone.CHECKED]
        case tone:
            return RHYMES[syllable.rhyme][_BY_TONE[tone]] + TONES[tone]
