"""Measures how Burmese text is read and written, and puts the tables into docs/burmese.md (`--check`: compares)."""

import json
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ivr.burmese.encodings import Encoding, read, unicode_to_zawgyi, zawgyi_to_unicode
from ivr.burmese.segments import count
from prompts.library import Library

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
DOCUMENT = ROOT / "docs" / "burmese.md"
OPENING = """# Burmese

How texts in Burmese are read and written, decided and measured. The tables between the markers are made by
`make burmese-report`; do not edit them by hand.
"""
BURMESE, SHAN, WIDE, WITH_WA = "၀၁၂၃၄၅၆၇၈၉", "႐႑႒႓႔႕႖႗႘႙", "０１２３４５６７８９", "ဝ၁၂၃၄၅၆၇၈၉"
FORMS: dict[str, Callable[[str], str]] = {
    "as written": lambda word: word,
    "Zawgyi": unicode_to_zawgyi,
    "Burmese digits": lambda word: word.translate(str.maketrans("0123456789", BURMESE)),
    "Shan digits": lambda word: word.translate(str.maketrans("0123456789", SHAN)),
    "full width": lambda word: word.translate(str.maketrans("0123456789", WIDE)),
    "ဝ for 0": lambda word: word.translate(str.maketrans("0123456789", WITH_WA)),
    "keycaps": lambda word: re.sub("([0-9])", "\\1\ufe0f\u20e3", word),
    "spaces": " ".join,
    "zero-width": "\u200b".join,
    "capitals": str.upper,
    "quoted, ။": "“{}”။".format,
    "ending": "{} ပါ".format,
    "two endings": "{} ပေးပါ ရှင်".format,
}
WHY_NOT_AS_ICU = {
    "ချုပ်နှောင်ခြင်းကို": "ICU keeps the long န, whose tail the ha below would cross",
    "အနှောင့်": "ICU keeps the long န, whose tail the ha below would cross",
    "ရွှေ့ပြောင်း": "ICU leaves the dot under wa and ha, we set it to their right",
    "စာပေမှဖြစ်စေ၊": "ICU moves the ha of မှ under the next letter: a fault of its rules",
}


def main(arguments: list[str]) -> int:
    before = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else OPENING
    after = before
    for name, body in sections():
        after = with_section(after, name, body)
    if arguments == ["--check"]:
        if before != after:
            sys.stderr.write("docs/burmese.md is not what is measured: run `make burmese-report`\n")
        return int(before != after)
    DOCUMENT.write_text(after, encoding="utf-8")
    return 0


def with_section(document: str, name: str, body: str) -> str:
    """The document with the part between the markers of `name` replaced, or added at its end."""
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    part = f"{start}\n{body.strip()}\n{end}"
    if start in document:
        return re.sub(f"{re.escape(start)}.*?{re.escape(end)}", lambda _: part, document, flags=re.DOTALL)
    return f"{document.rstrip()}\n\n{part}\n"


def sections() -> Iterator[tuple[str, str]]:
    yield "keywords", keyword_matrix()
    yield "encoding detection", detection()
    yield "converter agreement", conversion()
    yield "segment agreement", segments()


def lines(name: str) -> list[str]:
    text = (DATA / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("# ")]


def real_lines() -> list[tuple[str, str]]:
    return [(one, other) for one, _, other in (line.partition("\t") for line in lines("udhr_mya.tsv"))]


def real_words() -> list[tuple[str, str]]:
    return [pair for one, other in real_lines() for pair in zip(one.split(), other.split(), strict=True)]


def table_of(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    ruled: list[Sequence[object]] = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in ruled)


def keyword_matrix() -> str:
    library = Library.load()
    sources = (library.codes, *library.words.values())
    rows: list[list[object]] = []
    for name in library.script.texts:
        words = [word for source in sources for word in source.words.get(name, ())]
        found = [
            sum(library.keyword(write(word), None)[0].name == name for word in words)
            for write in FORMS.values()
        ]
        if words:
            rows.append([name, len(words), *(f"{number}/{len(words)}" for number in found)])
    traps = lines("traps.txt")
    caused = [
        text
        for trap in traps
        for text in (trap, unicode_to_zawgyi(trap))
        if library.keyword(text, None)[0].name
    ]
    total = sum(len(group) for source in sources for group in source.words.values())
    return f"""## Keywords in every form

Of the {total} shipped codes and words of each name (`prompts/codes.toml`, `prompts/*/keywords.toml`), how many are
found as that name when they are written so.

{table_of(["name", "number", *FORMS], rows)}

Traps (`tests/data/traps.txt`): {len(traps)} texts, each in Unicode and Zawgyi; with an effect: {len(caused)}."""


def detection() -> str:
    rows: list[list[object]] = []
    for kind, pairs in (("lines", real_lines()), ("single words", real_words())):
        for encoding, texts in zip(
            (Encoding.UNICODE, Encoding.ZAWGYI), zip(*pairs, strict=True), strict=True
        ):
            burmese = [text for text in texts if re.search("[\u1000-\u103f]", text)]
            told = Counter(read(text, None).encoding for text in burmese)
            wrong = sum(told.values()) - told[encoding] - told[Encoding.UNKNOWN]
            rows.append([kind, encoding, len(burmese), told[encoding], told[Encoding.UNKNOWN], wrong])
    return f"""## Telling Unicode from Zawgyi

The Universal Declaration of Human Rights (google/myanmar-tools, Apache-2.0), without a remembered display.
"Left open" is a text that reads the same in both, or that the detector is less than 95 % sure of.

{table_of(["texts", "encoding", "number", "right", "left open", "wrong"], rows)}"""


def conversion() -> str:
    pairs = real_words()
    other = sorted({(one, two) for one, two in pairs if unicode_to_zawgyi(one) != two})
    exact = sum(unicode_to_zawgyi(one) == two for one, two in pairs)
    read_back = [word for word, _ in pairs if zawgyi_to_unicode(unicode_to_zawgyi(word)) != nfc(word)]
    from_icu = [word for word, two in pairs if zawgyi_to_unicode(two) != nfc(word)]
    rows: list[list[object]] = [
        [
            word,
            points(two),
            points(unicode_to_zawgyi(word)),
            WHY_NOT_AS_ICU.get(word, "**to be looked into**"),
        ]
        for word, two in other
    ]
    return f"""## Converting

{
        table_of(
            ["what", "words", "exact", "share"],
            [
                ["Unicode → Zawgyi, as ICU writes it", len(pairs), exact, share(exact, len(pairs))],
                [
                    "our Zawgyi read back",
                    len(pairs),
                    len(pairs) - len(read_back),
                    share(len(pairs) - len(read_back), len(pairs)),
                ],
                [
                    "ICU's Zawgyi read",
                    len(pairs),
                    len(pairs) - len(from_icu),
                    share(len(pairs) - len(from_icu), len(pairs)),
                ],
            ],
        )
    }

Read otherwise: {", ".join(from_icu) or "none"}. Written otherwise:

{table_of(["word", "ICU", "ours", "why"], rows)}"""


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def points(text: str) -> str:
    return " ".join(f"{ord(sign):04x}" for sign in text)


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %"


def segments() -> str:
    texts = [json.loads(line) for line in lines("segments.jsonl")]
    costs = [(count(line["text"]), line) for line in texts]
    twilio = sum(
        (cost.alphabet, cost.units, cost.parts) == (line["alphabet"], line["units"], line["parts"])
        for cost, line in costs
    )
    smsutil = [(cost, line) for cost, line in costs if cost.parts != line["smsutil_parts"]]
    rows: list[list[object]] = [
        [line["text"][:24].strip() + " …", cost.units, cost.parts, line["smsutil_parts"]]
        for cost, line in smsutil
    ]
    return f"""## Counting segments

`tests/data/segments.jsonl`: {len(texts)} texts with the numbers of npm `sms-segments-calculator` 1.3.0 and
PyPI `smsutil` 1.1.3.

- Twilio's calculator: alphabet, units and parts equal on {twilio} of {len(texts)}.
- smsutil: parts equal on {len(texts) - len(smsutil)} of {len(texts)}; the others are exactly full, and smsutil
  splits between a letter and its marks where Twilio's calculator, and we, begin a new part:

{table_of(["text", "units", "ours and Twilio's", "smsutil"], rows)}"""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
