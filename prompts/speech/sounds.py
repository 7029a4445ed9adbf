"""The sounds of Burmese: what each letter, medial and rhyme is said as, in the notation of the IPA.

The reading of letters follows J. Okell's and J. Wheatley's descriptions of the standard (Yangon) language;
the notation is that of the Unicode CLDR's `my-my_FONIPA` so that both can be compared.
"""

from enum import Enum


class Tone(Enum):
    """The four tones (a checked syllable is short and ends in a glottal stop), and the toneless schwa."""

    LOW = "low"
    HIGH = "high"
    CREAKY = "creaky"
    CHECKED = "checked"
    WEAK = "weak"


ONSETS = {
    "က": "k", "ခ": "kʰ", "ဂ": "ɡ", "ဃ": "ɡ", "င": "ŋ",
    "စ": "s", "ဆ": "sʰ", "ဇ": "z", "ဈ": "z", "ဉ": "ɲ", "ည": "ɲ",
    "ဋ": "t", "ဌ": "tʰ", "ဍ": "d", "ဎ": "d", "ဏ": "n",
    "တ": "t", "ထ": "tʰ", "ဒ": "d", "ဓ": "d", "န": "n",
    "ပ": "p", "ဖ": "pʰ", "ဗ": "b", "ဘ": "b", "မ": "m",
    "ယ": "j", "ရ": "j", "လ": "l", "ဝ": "w", "သ": "θ", "ဟ": "h", "ဠ": "l", "အ": "ʔ",
}  # fmt: skip

# Velars before medial ya or ra have become palatals; sibilant ʃ comes from three spellings with ha.
PALATALS = {"က": "t͡ɕ", "ခ": "t͡ɕʰ", "ဂ": "d͡ʑ", "ဃ": "d͡ʑ", "င": "ɲ"}
BREATHED = {"ŋ": "ŋ̊", "ɲ": "ɲ̥", "n": "n̥", "m": "m̥", "l": "l̥", "w": "w̥", "j": "ʃ"}

# Vowel signs without a final consonant: rhyme, and the tone it has when no tone sign is written.
OPEN_RHYMES = {
    "": ("a", Tone.CREAKY),
    "ာ": ("a", Tone.LOW),
    "ိ": ("i", Tone.CREAKY),
    "ီ": ("i", Tone.LOW),
    "ု": ("u", Tone.CREAKY),
    "ူ": ("u", Tone.LOW),
    "ေ": ("e", Tone.LOW),
    "ဲ": ("ɛ", Tone.HIGH),
    "ော": ("ɔ", Tone.HIGH),
    "ော်": ("ɔ", Tone.LOW),
    "ို": ("o", Tone.LOW),
    "ံ": ("aɴ", Tone.LOW),
    "ာံ": ("aɴ", Tone.LOW),
    "ိံ": ("eɪ̯ɴ", Tone.LOW),
    "ုံ": ("oʊ̯ɴ", Tone.LOW),
    "ွံ": ("ʊɴ", Tone.LOW),
}

_STOPS, _NASALS = "ကခဂဃစဆဇဈဋဌဍဎတထဒဓပဖဗဘသ", "ငဉဏနမ"
_VELARS, _PALATALS, _DENTALS = "ကခဂဃ", "စဆဇဈ", "ဋဌဍဎတထဒဓပဖဗဘသ"


def _closed() -> dict[str, str]:
    """Vowel signs + final consonant (asat understood) → rhyme, for every final that Burmese spelling uses."""
    table: dict[str, str] = {}
    for final in _VELARS:
        table |= {final: "ɛʔ", "ိ" + final: "eɪ̯ʔ", "ု" + final: "oʊ̯ʔ"}
        table |= {"ော" + final: "aʊ̯ʔ", "ို" + final: "aɪ̯ʔ", "ာ" + final: "ɛʔ"}
    for final in _PALATALS:
        table |= {final: "ɪʔ", "ိ" + final: "eɪ̯ʔ", "ု" + final: "oʊ̯ʔ", "ေ" + final: "ɪʔ"}
    for final in _DENTALS:
        table |= {final: "aʔ", "ာ" + final: "aʔ", "ိ" + final: "eɪ̯ʔ", "ု" + final: "oʊ̯ʔ", "ွ" + final: "ʊʔ"}
        table |= {
            "ေ" + final: "ɪʔ",
            "ို" + final: "aɪ̯ʔ",
            "ော" + final: "aʊ̯ʔ",
            "ီ" + final: "eɪ̯ʔ",
            "ူ" + final: "oʊ̯ʔ",
        }
    for final in "နမဏ":
        table |= {final: "aɴ", "ာ" + final: "aɴ", "ိ" + final: "eɪ̯ɴ", "ု" + final: "oʊ̯ɴ", "ွ" + final: "ʊɴ"}
        table |= {
            "ို" + final: "aɪ̯ɴ",
            "ီ" + final: "eɪ̯ɴ",
            "ူ" + final: "oʊ̯ɴ",
            "ေ" + final: "eɪ̯ɴ",
            "ော" + final: "aʊ̯ɴ",
        }
    for final in "ငဉ":
        table |= {final: "ɪɴ", "ာ" + final: "ɪɴ", "ိ" + final: "eɪ̯ɴ", "ု" + final: "oʊ̯ɴ"}
        table |= {"ော" + final: "aʊ̯ɴ", "ို" + final: "aɪ̯ɴ"}
    for vowels in ("", "ာ"):
        table |= {vowels + "ည": "ɛ", vowels + "ယ": "ɛ"}
    table |= {"ို" + "ယ": "o", "ု" + "ယ": "u", "ူ" + "ယ": "u", "ေ" + "ယ": "e", "ော" + "ယ": "ɔ"}
    return table


CLOSED_RHYMES = _closed()

# Finals of Pali and English words that are written but not said: the syllable keeps its open rhyme.
SILENT_FINALS = "ရလဝဟဠအ"

INDEPENDENT = {
    "ဣ": "အိ", "ဤ": "အီ", "ဥ": "အု", "ဦ": "အူ", "ဧ": "အေ", "ဩ": "အော", "ဪ": "အော်",
    "၌": "နှိုက်", "၏": "အိ",
}  # fmt: skip
