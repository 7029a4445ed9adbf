"""Burmese spelling to sound: text to syllables of onset, rhyme and tone, as people say them.

Two layers, in the terms of the CLDR's rules: the *lexical* one is regular spelling (`citation`); over it come
words whose sound the spelling does not give (`words`), numbers (`numbers`), and voicing where it never fails:
the little words that end a sentence. Voicing inside words depends on what the word is made of, which spelling
does not show, so there the plain reading stays: slower, and always understood.
"""

import re
import unicodedata
from dataclasses import dataclass

from prompts.speech import numbers, words
from prompts.speech.sounds import (
    BREATHED,
    CLOSED_RHYMES,
    INDEPENDENT,
    ONSETS,
    OPEN_RHYMES,
    PALATALS,
    SILENT_FINALS,
    Tone,
)

_TONE_MARKS = {
    Tone.LOW: "\u0300",
    Tone.HIGH: "\u0301",
    Tone.CREAKY: "\u0330",
    Tone.CHECKED: "",
    Tone.WEAK: "",
}
_VOWEL_ORDER = "ောိီုူဲံ"

_SYLLABLE = re.compile(
    "(?P<letter>[က-အ])(?P<medials>[ျြွှ]*)(?P<vowels>[ောိီုူဲံ]*)(?P<killed>်?)(?P<tone>[့း]*)"
    "(?:(?P<final>[က-အ])(?P<tone2>့?)်(?P<tone3>[့း]*))?"
    "(?:[က-အ][ျြွှ]*့?်[့း]*)*"  # a second final, of English words: written, not said
)
# Digits typed for what looks like them: ၎င်း as ၄င်း, and ဝ and ရ as zero and seven where a syllable goes on or in
# words that end so (ဘဝ, သဘာဝ, လုံးဝ).
_LOOKALIKE = re.compile(
    "(?<![0-9၀-၉])၄(?=င်း)|[၀၇](?=[\u102b-\u103e]|[က-အ]့?[်္])|(?:(?<=ဘ)|(?<=သဘာ)|(?<=လုံး))၀(?![0-9၀-၉])"
)
_LETTER_MEANT = str.maketrans("၀၇၄", "ဝရ၎")
_VOICED = {"k": "ɡ", "kʰ": "ɡ", "s": "z", "sʰ": "z", "t": "d", "tʰ": "d", "p": "b", "pʰ": "b", "θ": "ð"}
_VOICED |= {"t͡ɕ": "d͡ʑ", "t͡ɕʰ": "d͡ʑ"}


@dataclass(frozen=True, slots=True)
class Syllable:
    """One syllable: `onset` with its glide, `rhyme` without tone, both in IPA; see `sounds`."""

    onset: str
    rhyme: str
    tone: Tone

    @property
    def ipa(self) -> str:
        """As the CLDR writes it: the tone mark on the first vowel, a checked syllable with ʔ, weak with ə."""
        return unicodedata.normalize(
            "NFC", self.onset + self.rhyme[:1] + _TONE_MARKS[self.tone] + self.rhyme[1:]
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as syllables, one tuple for each stretch without a space, and what could not be read."""

    groups: tuple[tuple[Syllable, ...], ...]
    skipped: tuple[str, ...]

    @property
    def syllables(self) -> tuple[Syllable, ...]:
        return tuple(syllable for group in self.groups for syllable in group)


def read(text: str) -> Reading:
    """Syllables of Unicode Burmese `text` without punctuation, as spoken; short capitals are spelled.

    Never raises: what has no sound in Burmese is named in `skipped`, for the caller to warn about.
    """
    groups: list[tuple[Syllable, ...]] = []
    skipped: list[str] = []
    text = _LOOKALIKE.sub(lambda typed: typed[0].translate(_LETTER_MEANT), text)
    for group in _normal(numbers.spelled_out(words.letters_spelled(text))).split():
        found: list[Syllable] = []
        for piece in re.findall("[\u1000-\u104f\u200c]+|[^\u1000-\u104f\u200c]+", group):
            if "က" <= piece[0] <= "၏":
                found += _run(words.respelled(piece), skipped)
            elif any(map(_means, piece)):
                skipped.append(piece)
        if found:
            groups.append(tuple(found))
    if groups:
        groups[-1] = _ending_voiced(groups[-1])
    return Reading(tuple(groups), tuple(skipped))


def _means(sign: str) -> bool:
    """Whether leaving `sign` out changes what is said; the marks of Shan, Mon and Karen letters do."""
    return sign in "%&@" or "\u1050" <= sign <= "\u109f" or unicodedata.category(sign)[0] in "LNS"


def citation(word: str) -> tuple[Syllable, ...]:
    """The regular reading of one word's spelling, without the list of irregular words and without voicing."""
    return tuple(_run(_normal(word), []))


def _normal(text: str) -> str:
    """One spelling for what looks and sounds the same, with stacked letters unstacked."""
    text = unicodedata.normalize("NFC", text)
    text = re.sub("[\u200b-\u200d\u2060\ufeff]", "", text).replace("ါ", "ာ").replace("ဿ", "သ်သ")
    text = text.replace("သြော", "ဩော").replace("ဩော်", "ဪ").replace("ဥ်", "ဉ်").replace("ဥ့်", "ဉ့်")
    text = re.sub("သြ(?=[က-အ](?!်))", "ဩ", text).replace("ဦ", "ဦ")
    text = text.replace("ဥာ", "ဉာ").replace("စျ", "ဈ")  # ဥာဏ်, စျေး: typed so, never meant so
    text = re.sub("၎(?:င်း)?", "လဂေါင်း".replace("ါ", "ာ"), text).replace("၍", "ရွေ့")
    text = re.sub("့*့်*", lambda m: "့်" if "့" in m[0] else "်", text)  # dot and asat in one order
    text = text.replace("ော့်", "ော့်")  # တော့်: here the asat belongs to the vowel
    text = re.sub("([က-အ]်?)္", lambda m: m[1] if m[1].endswith("်") else m[1] + "်", text)
    text = re.sub("်([ျြွှ]+)(?![ောိီုူဲံ့း])", r"\1်", text)  # a foreign final typed asat first
    text = re.sub("([က-အ])်(?=[ျြွှောိီုူဲံ])", r"\1်\1", text)  # ယောက်ျား: the letter is said twice
    text = re.sub("[ျြွှ]{2,}", lambda m: "".join(sorted(m[0])), text)
    return re.sub("[ောိီုူဲံ]{2,}", lambda m: "".join(sorted(m[0], key=_VOWEL_ORDER.index)), text)


def _run(text: str, skipped: list[str]) -> list[Syllable]:
    for sign, spelled in INDEPENDENT.items():
        text = text.replace(sign, spelled)
    text = re.sub("([ိုေ])([ီူိုေ])(?=[့း]?)", _merged, text)
    found: list[Syllable] = []
    at = 0
    while at < len(text):
        match = _SYLLABLE.match(text, at)
        if match:
            at = match.end()
            found.append(_syllable(match, last=at == len(text)))
        else:
            skipped.append(text[at])
            at += 1
    return found


def _merged(match: re.Match[str]) -> str:
    """A vowel sign on an independent vowel that already has it (ဦး, ဥုံ): said once."""
    first, second = match[1], match[2]
    return match[0] if (first, second) == ("ိ", "ု") else second


def _syllable(match: re.Match[str], *, last: bool) -> Syllable:
    letter, medials, vowels, final = match["letter"], match["medials"], match["vowels"], match["final"]
    marks = match["tone"] + (match["tone2"] or "") + (match["tone3"] or "")
    if final and not _silent(vowels, final, match["tone"]):
        rhyme, medials = _closed(letter, medials, vowels, final)
        tone = Tone.CHECKED if rhyme.endswith("ʔ") else Tone.LOW
    else:
        open_vowels = vowels + match["killed"] if vowels == "ော" else vowels
        if "ွ" in medials and vowels == "ံ":
            open_vowels, medials = "ွံ", medials.replace("ွ", "")
        rhyme, tone = OPEN_RHYMES.get(open_vowels) or OPEN_RHYMES.get(open_vowels[:1], ("a", Tone.CREAKY))
        if final and not vowels:
            tone = Tone.LOW  # အရ် and the like: long
        if not (vowels or final or marks or last):
            return Syllable(_onset(letter, medials), "ə", Tone.WEAK)
    if tone is not Tone.CHECKED and marks:
        tone = Tone.CREAKY if "့" in marks else Tone.HIGH
    return Syllable(_onset(letter, medials), rhyme, tone)


def _silent(vowels: str, final: str, tone_before: str) -> bool:
    """Whether a written final only marks a foreign word: ဗိုလ်, လာဂိုစ်, ဖို့တ်."""
    return final in SILENT_FINALS or (
        bool(vowels) and (vowels + final not in CLOSED_RHYMES or bool(tone_before))
    )


def _closed(letter: str, medials: str, vowels: str, final: str) -> tuple[str, str]:
    """Rhyme of a closed syllable, and the medials that are left for the onset."""
    if "ွ" in medials and (rhyme := CLOSED_RHYMES.get("ွ" + vowels + final)):
        return rhyme, medials.replace("ွ", "")
    if letter == "ဝ" and not vowels and (rhyme := CLOSED_RHYMES.get("ွ" + final)):
        return rhyme, medials  # ဝန် is wʊ̀ɴ, ဝတ် is wʊʔ
    return CLOSED_RHYMES[vowels + final], medials


def _onset(letter: str, medials: str) -> str:
    glide = "w" if "ွ" in medials else ""
    palatal = "ျ" in medials or "ြ" in medials
    breathed = "ှ" in medials
    if palatal and breathed and letter in "သလ" and "ျ" in medials:
        return "ʃ" + glide
    base = ONSETS[letter]
    if palatal and letter in PALATALS:
        base, palatal = PALATALS[letter], False
    if breathed:
        base = BREATHED.get(base, base)
    if palatal and not glide and base not in ("j", "ʃ"):
        return base + "j"
    return base + ("" if base in ("w", "w̥") else glide)


def _ending_voiced(group: tuple[Syllable, ...]) -> tuple[Syllable, ...]:
    """The particles that close a sentence, voiced after an open or nasal syllable: …ပါတယ် is …bàdɛ̀."""
    said = list(group)
    for at in range(len(said) - 1, 0, -1):
        if said[at].ipa not in words.ENDINGS:
            break
        if said[at - 1].tone not in (Tone.CHECKED, Tone.WEAK):
            said[at] = Syllable(_voiced(said[at].onset), said[at].rhyme, said[at].tone)
    return tuple(said)


def _voiced(onset: str) -> str:
    glide = onset[-1] if len(onset) > 1 and onset[-1] in "jw" else ""
    base = onset.removesuffix(glide)
    return _VOICED.get(base, base) + glide
