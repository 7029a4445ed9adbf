"""Measures how Burmese is spoken, and puts the tables into docs/burmese.md (`--check`: compares all but sounds)."""

import io
import re
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]  # run as a script, by name

import numpy as np  # noqa: E402 -- after the line above
import soundfile  # noqa: E402
from speech_measures import (  # noqa: E402
    KINDS,
    Agreement,
    agreement,
    formants,
    pitch,
    spoken_otherwise,
    stretch,
)

from prompts.audio import speech_level  # noqa: E402
from prompts.speech import burmese  # noqa: E402
from prompts.speech.offline import Offline, _library  # noqa: E402 -- measured below telephone quality
from prompts.speech.phonemes import CHECKED, RHYMES  # noqa: E402
from prompts.speech.phrases import phrases  # noqa: E402
from prompts.wav import duration  # noqa: E402

DOCUMENT = ROOT / "docs" / "burmese.md"
BEGIN, END = "<!-- speech:begin -->", "<!-- speech:end -->"


def main(arguments: list[str]) -> int:
    before = DOCUMENT.read_text(encoding="utf-8")
    if arguments == ["--check"]:
        return _check(before)
    part = f"{BEGIN}\n{reading()}\n\n{rhymes(_measured)}\n\n{sound(_spoken)}\n{END}"
    DOCUMENT.write_text(re.sub(f"{BEGIN}.*?{END}", lambda _: part, before, flags=re.DOTALL), encoding="utf-8")
    return 0


def _check(document: str) -> int:
    """Whether the page is what this writes, all but what sounds measure: it differs by machine and by run."""
    page = document.partition(BEGIN)[2].partition(END)[0].strip()
    said, _, measured = page.partition("\n\n## The rhymes")
    expected = f"{rhymes(lambda *_: '')}\n\n{sound(lambda *_: '')}"
    if said == reading() and _unmeasured(f"## The rhymes{measured}") == _unmeasured(expected):
        return 0
    sys.stderr.write("docs/burmese.md is not what is spoken: run `make burmese-report`\n")
    return 1


def _unmeasured(part: str) -> str:
    """The part with the first two cells alone of each line of a table."""
    return re.sub(r"^(\|[^|\n]+\|[^|\n]+\|).*$", r"\1", part, flags=re.MULTILINE)


def reading() -> str:
    total = agreement()
    rows = [_row(name, agreement(kind)) for kind, name in KINDS.items()] + [_row("all", total)]
    reasons = [
        f"| {count} | {why} | {' · '.join(total.examples[why][:4])} |"
        for why, count in total.reasons.most_common()
    ]
    otherwise = spoken_otherwise("udhr")
    return f"""## Reading aloud: our grapheme-to-phoneme rules beside ICU's `my-my_FONIPA`

Onset and rhyme of each syllable of `tests/data/burmese_icu.tsv` (ICU 72), our regular reading. A word
of running text is what stands between two spaces or marks, or a word of ICU's dictionary inside that.

| words from | distinct words | syllables | onset and rhyme agree | tone agrees, of these |
| --- | --- | --- | --- | --- |
{chr(10).join(rows)}

Where they differ (word, ours / ICU's):

| syllables | reason | examples |
| --- | --- | --- |
{chr(10).join(reasons)}

What is spoken departs from the regular reading where people do: a list of irregular words (`words.py`), numbers,
and the particles at the end of a sentence, voiced. No other voicing is done: it depends on how a word is made,
which spelling does not show. In the Declaration that changes {otherwise[0]} of {otherwise[1]} syllables
({100 * otherwise[0] / otherwise[1]:.1f} %); most are သည်, မည်, ပြည်, whose ည် is said i, and ကြ, မှ, ရ, said in full."""


def _row(name: str, found: Agreement) -> str:
    tone = found.same_tone / found.same
    return f"| {name} | {found.words} | {found.syllables} | {found.share:.1%} | {tone:.1%} |"


def rhymes(measured: Callable[[str], str]) -> str:
    said = [
        (rhyme, f"{name}{tone}")
        for rhyme, names in RHYMES.items()
        for name, tone in zip(names, "312", strict=True)
    ] + [(rhyme, f"{name}3") for rhyme, name in CHECKED.items()]
    rows = [f"| {rhyme} | {phoneme} |{measured(phoneme)}" for rhyme, phoneme in said]
    return f"""## The rhymes of eSpeak NG's voice `my`, each measured

After l, formants by linear prediction at 55 % and 85 % of the syllable, pitch at 30 % and 70 %. The tones in each
row of three: creaky, low, high.

| rhyme | phoneme | F1/F2 early | F1/F2 late | pitch, Hz | ms |
| --- | --- | --- | --- | --- | --- |
{chr(10).join(rows)}"""


def _measured(phoneme: str) -> str:
    library = _library()
    samples, rate = library.say(f"[[l|{phoneme}]]", "my").astype(float) / 32768, library.rate
    early, late = (
        "/".join(f"{hertz:.0f}" for hertz in formants(stretch(samples, rate, at), rate)[:2])
        for at in (0.55, 0.85)
    )
    tune = " → ".join(f"{pitch(stretch(samples, rate, at, 0.04), rate):.0f}" for at in (0.3, 0.7))
    return f" {early} | {late} | {tune} | {1000 * len(samples) / rate:.0f} |"


def sound(spoken: Callable[[str, list[str]], str]) -> str:
    rows = []
    for language in ("my", "en"):
        texts = _texts(language)
        rows.append(f"| {language} | {len(texts)} |{spoken(language, texts)}")
    return f"""## The offline voice on the shipped texts

{Offline().version}, telephone WAV (8 kHz mu-law). Level: RMS over active speech; the aim is -19 dBFS ± 1.

| language | texts | sound | made in (one core) | level, lowest to highest | highest peak | ms a syllable, by phrase |
| --- | --- | --- | --- | --- | --- | --- |
{chr(10).join(rows)}

Found on the way, and minded in `prompts/speech/`:

- eSpeak NG dies when one word of phonemes grows to about 45 syllables. Words are parted after 8.
- It silently loses ten syllables or so from the middle of a call when a rhyme overruns its queue of 170 commands:
  from 9 syllables on, one call in six at 24. Calls end after 16, each is measured, and one that is too short for its
  syllables is said again in two halves.
- Its state goes on from call to call: the same text never gives the same bytes twice. A sound is therefore known
  by the text and voice it stands for, and by the hash of the bytes that were kept.
- Copied by `fork` in the middle of a call it dies in the child, and libsndfile hangs (1 of 400): `prompts/native.py`
  lets a fork wait for the call to end; 0 of 1,500 forks then failed while another thread spoke without pause.
- Text from outside is never read as phonemes: `[[…]]` is only understood in what we wrote ourselves.
- gTTS 2.5 sends its requests without checking the server's certificate. Its requests are used, its sending is not.
- Open, for native speakers to judge by ear: ɡ and k differ little in this voice; creaky a and i are told from the
  low tone by pitch, not by length; `words.py` as a whole."""


def _texts(language: str) -> list[str]:
    content = tomllib.loads((ROOT / "prompts" / language / "texts.toml").read_text(encoding="utf-8"))
    return [
        entry["text"] for kind in ("voice", "digit") for entry in content[kind].values() if entry.get("text")
    ]


def _spoken(language: str, texts: list[str]) -> str:
    voice = Offline()
    voice.speak("၁ one", language)
    started = time.process_time()
    sounds = [voice.speak(text, language) for text in texts]
    spent = time.process_time() - started
    heard = [soundfile.read(io.BytesIO(wav))[0] for wav in sounds]
    levels = [speech_level(samples) for samples in heard]
    peak = 20 * np.log10(max(np.abs(samples).max() for samples in heard))
    total = sum(map(duration, sounds))
    return (
        f" {total:.0f} s | {spent:.1f} s "
        f"| {min(levels):.1f} to {max(levels):.1f} dBFS | {peak:.1f} dBFS "
        f"| {_pace(texts, voice) if language == 'my' else ''} |"
    )


def _pace(texts: list[str], voice: Offline) -> str:
    """Milliseconds a syllable of the fastest and the slowest phrase; a phrase that was cut would be far below."""
    found = []
    for said in dict.fromkeys(phrase.text for text in texts for phrase in phrases(text)):
        syllables = burmese.read(said).syllables
        if len(syllables) > 3:
            found.append(1000 * duration(voice.speak(said, "my")) / len(syllables))
    return f"{min(found):.0f} to {max(found):.0f}, middle {sorted(found)[len(found) // 2]:.0f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
