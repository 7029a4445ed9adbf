"""A content pack read whole: the script, the wordings of each language, the keywords and the handles.

A `Library` once made is complete: every wording its script may need is there in every language. What is
merely not good (too long, a dead end, a listed word) is for `prompts.check` to say.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from pathlib import Path
from typing import Any, Literal

from ivr.burmese.encodings import Encoding, unicode_to_zawgyi
from ivr.burmese.keywords import KeywordError, KeywordTable, Match
from ivr.parse import parse_script
from ivr.script import EffectName, Problem, Script, ScriptError
from prompts.errors import ContentError

FIRST_LANGUAGE = "my"
EXTRA_VOICE = (
    "waiting",
    "busy_now",
    "closed_now",
    "out_of_reach",
    "sorry_later",
)  # said outside the script, when no script can run
DIGITS = tuple("0123456789")
SAMPLES = ("unicode", "zawgyi")  # placeholders: a wording's `sample` in both encodings
CODE = "code"  # the placeholder for a code that is sent; its `sample` stands for any

Display = Literal["unicode", "zawgyi", "latin"]


_AT_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_TABLE = re.compile(r"\[+([^\[\]]+)\]+\s*(?:#|$)")


class PackError(ContentError):
    """A content pack that cannot be used; `problems` says where and why, all at once."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class Review(StrEnum):
    """How far a wording has come: `reviewed` means by two native speakers, `recorded` spoken by a person."""

    DRAFT = "draft"
    REVIEWED = "reviewed"
    RECORDED = "recorded"


@dataclass(frozen=True, slots=True)
class Wording:
    """One text in one language. `latin` is the same for phones that show no Burmese (SMS only)."""

    text: str
    review: Review = Review.DRAFT
    latin: str = ""
    sample: str = ""


@dataclass(frozen=True)
class Words:
    """What people text: names of `script.texts` with the words for each, and polite endings allowed after."""

    words: Mapping[str, tuple[str, ...]]
    endings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Library:
    """A content pack. Wordings are reached by language and key; an unknown language means the first one."""

    script: Script
    languages: tuple[str, ...]
    voices: Mapping[str, Mapping[str, Wording]]
    texts: Mapping[str, Mapping[str, Wording]]
    codes: Words
    words: Mapping[str, Words]
    first_words: tuple[str, ...]
    second_words: tuple[str, ...]
    _keywords: KeywordTable  # names are `<language>:<name>`, or `:<name>` for codes

    @classmethod
    def load(cls, folder: Path | None = None) -> "Library":
        """Read the pack in `folder`, or the one shipped in this package; raise PackError with all faults."""
        folder = folder or Path(__file__).parent
        files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted([*folder.glob("*.toml"), *folder.glob("*/*.toml")])
        }
        return cls.read(files)

    @classmethod
    def read(cls, files: Mapping[str, bytes]) -> "Library":
        """Make a library of TOML files by their names in the pack (`my/texts.toml`); raise PackError."""
        reader = _Reader(files)
        library = reader.library()
        if library is None or reader.problems:
            raise PackError(tuple(reader.problems))
        return library

    def voice(self, language: str, key: str) -> Wording:
        """A wording to be spoken; keys are those of `spoken`."""
        return self.voices.get(language, self.voices[self.languages[0]])[key]

    def spoken(self, language: str) -> Mapping[str, str]:
        """Every text that needs a sound: voice keys with EXTRA_VOICE, `digit.<0-9>`, `handle.<word>`."""
        return {key: wording.text for key, wording in self.voices[language].items()}

    def sms(self, language: str, key: str, display: Display, code: str = "") -> str:
        """The answer `key`, with `code` where it asks for one, as the phone that gets it can show it."""
        wording = self.texts.get(language, self.texts[self.languages[0]])[key]
        match display:
            case "unicode":
                text = wording.text
            case "zawgyi":
                text = unicode_to_zawgyi(wording.text)
            case "latin":
                text = wording.latin
        samples = (wording.sample, unicode_to_zawgyi(wording.sample))
        for name, sample in zip(SAMPLES, samples, strict=True):
            text = text.replace(f"{{{name}}}", sample)
        return text.replace(f"{{{CODE}}}", code or wording.sample)

    def keyword(self, text: str, remembered: Encoding | None) -> tuple[Match, str | None]:
        """What the whole `text` means, and the language it was said in; a code of digits is of no language.

        The match's name is None where the text means nothing we know, or two things.
        """
        match = self._keywords.find(text, remembered)
        if match.name is None:
            return match, None
        language, _, name = match.name.partition(":")
        return Match(name, match.encoding), language or None

    @property
    def handles(self) -> tuple[str, ...]:
        """Every handle of two words, for example `mango-river`."""
        return tuple(f"{one}-{two}" for one, two in product(self.first_words, self.second_words))

    def handle_words(self, handle: str, language: str) -> tuple[str, ...]:
        """The words of `handle` in `language`; their sounds are `handle.<word>` of each English word."""
        return tuple(self.voice(language, f"handle.{word}").text for word in handle.split("-"))


class _Reader:
    """Collects problems instead of stopping at the first, because an editor wants them all."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        self.parsed: dict[str, Mapping[str, Any]] = {}
        self.problems: list[Problem] = []
        self.unreadable: set[str] = set()

    def wrong(self, file: str, key: str, words: str) -> None:
        self.problems.append(Problem(file, key, words))

    def library(self) -> Library | None:
        script = self.script()
        languages = self.languages()
        if script is None or not languages:
            return None
        handles = self.handles(languages)
        voices = {language: self.voices(language, script, handles) for language in languages}
        texts = {language: self.texts(language, script) for language in languages}
        codes = self.words("codes.toml", script)
        words = {language: self.words(f"{language}/keywords.toml", script) for language in languages}
        keywords = self.keywords(script, {"": codes} | words)
        return Library(
            script=script,
            languages=languages,
            voices=voices,
            texts=texts,
            codes=codes,
            words=words,
            first_words=tuple(handles["first"]),
            second_words=tuple(handles["second"]),
            _keywords=keywords,
        )

    # --- files ----------------------------------------------------------------------------------------

    def tables(self, file: str) -> Mapping[str, Any]:
        if file not in self.parsed:
            self.parsed[file] = self.parse(file)
        return self.parsed[file]

    def parse(self, file: str) -> Mapping[str, Any]:
        if file not in self.files:
            self.wrong(file, "", "this file is missing")
            self.unreadable.add(file)
            return {}
        try:
            text = self.files[file].decode()
            return tomllib.loads(text)
        except UnicodeDecodeError:
            self.wrong(file, "", "is not UTF-8 text")
        except tomllib.TOMLDecodeError as error:
            self.wrong(file, *_unreadable(text, str(error)))
        self.unreadable.add(file)
        return {}

    def table(self, file: str, name: str, tables: Mapping[str, Any]) -> Mapping[str, Any]:
        found = tables.get(name, {})
        if not isinstance(found, Mapping):
            self.wrong(file, name, "must be a table")
            return {}
        return found

    def script(self) -> Script | None:
        tables = self.tables("script.toml")
        if not tables:
            return None
        try:
            return parse_script(tables)
        except ScriptError as error:
            self.problems += error.problems
            return None

    def languages(self) -> tuple[str, ...]:
        found = {file.partition("/")[0] for file in self.files if file.endswith("/texts.toml")}
        if not found:
            self.wrong("my/texts.toml", "", "there is no language in this pack")
        return tuple(sorted(found, key=lambda language: (language != FIRST_LANGUAGE, language)))

    # --- wordings -------------------------------------------------------------------------------------

    def voices(
        self, language: str, script: Script, handles: Mapping[str, Mapping[str, Mapping[str, Wording]]]
    ) -> Mapping[str, Wording]:
        file = f"{language}/texts.toml"
        tables = self.tables(file)
        for name in tables.keys() - {"voice", "sms", "digit"}:
            self.wrong(file, name, "is not known here; known are voice, sms, digit")
        needed = script.voice_keys(language) | set(EXTRA_VOICE)
        said = self.wordings(file, "voice", tables, needed)
        digits = self.wordings(file, "digit", tables, frozenset(DIGITS))
        words = {
            f"handle.{word}": by_language[language]
            for half in handles.values()
            for word, by_language in half.items()
            if language in by_language
        }
        return said | {f"digit.{digit}": wording for digit, wording in digits.items()} | words

    def texts(self, language: str, script: Script) -> Mapping[str, Wording]:
        file = f"{language}/texts.toml"
        found = self.wordings(file, "sms", self.tables(file), script.text_keys())
        for key, wording in found.items():
            if not wording.latin:
                self.wrong(file, f"sms.{key}", "has no `latin` for phones that show no Burmese")
        return found

    def wordings(
        self, file: str, kind: str, tables: Mapping[str, Any], needed: frozenset[str] | set[str]
    ) -> dict[str, Wording]:
        given = self.table(file, kind, tables)
        if file in self.unreadable:  # said once; what it holds would only hide that
            return {}
        for key in sorted(needed - given.keys()):
            self.wrong(file, f"{kind}.{key}", "this wording is missing")
        for key in sorted(given.keys() - needed):
            self.wrong(file, f"{kind}.{key}", "nothing in the script asks for this wording")
        return {key: self.wording(file, f"{kind}.{key}", value) for key, value in given.items()}

    def wording(self, file: str, at: str, value: Any) -> Wording:
        if not isinstance(value, Mapping) or not all(isinstance(part, str) for part in value.values()):
            self.wrong(file, at, "must be a table of `text` and `review`, both in quotes")
            return Wording("")
        known = {"text", "review"} | ({"latin", "sample"} if at.startswith("sms.") else set())
        for name in sorted(value.keys() - known):
            self.wrong(file, f"{at}.{name}", f"is not known here; known are {', '.join(sorted(known))}")
        text = value.get("text", "").strip()
        if not text:
            self.wrong(file, at, "has no text")
        latin = value.get("latin", text if text.isascii() else "").strip()
        return Wording(text, self.review(file, at, value.get("review")), latin, value.get("sample", ""))

    def review(self, file: str, at: str, value: object) -> Review:
        if not isinstance(value, str) or value not in set(Review):
            self.wrong(file, f"{at}.review", f"must be one of {', '.join(Review)}")
            return Review.DRAFT
        return Review(value)

    # --- handles and keywords ---------------------------------------------------------------------------

    def handles(self, languages: Sequence[str]) -> dict[str, dict[str, dict[str, Wording]]]:
        """`first` and `second` → word → language → wording."""
        file, tables = "handles.toml", self.tables("handles.toml")
        found: dict[str, dict[str, dict[str, Wording]]] = {"first": {}, "second": {}}
        for half, words in found.items():
            for word, value in self.table(file, half, tables).items():
                at = f"{half}.{word}"
                if not (word.isascii() and word.isalpha() and word.islower()):
                    self.wrong(file, at, "must be one English word in small letters")
                if not isinstance(value, Mapping):
                    self.wrong(file, at, "must be a table of languages")
                    continue
                review = self.review(file, at, value.get("review"))
                words[word] = {
                    language: Wording(str(value[language]), review)
                    for language in languages
                    if value.get(language)
                }
                for language in languages:
                    if language not in words[word]:
                        self.wrong(file, at, f"has no word in {language!r}")
            if not words:
                self.wrong(file, half, "there are no words here")
        for word in sorted(found["first"].keys() & found["second"].keys()):
            self.wrong(
                file,
                f"second.{word}",
                "stands among the first words too; swapped halves must not be a handle",
            )
        return found

    def words(self, file: str, script: Script) -> Words:
        tables = self.tables(file)
        for name in sorted(tables.keys() - {"words", "endings"}):
            self.wrong(file, name, "is not known here; known are words, endings")
        words: dict[str, tuple[str, ...]] = {}
        for name, given in self.table(file, "words", tables).items():
            if name not in script.texts:
                self.wrong(file, f"words.{name}", "there is no such name under [texts] of script.toml")
            words[name] = self.listed(file, f"words.{name}", given)
        return Words(words, self.listed(file, "endings", tables.get("endings", [])))

    def listed(self, file: str, at: str, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
            self.wrong(file, at, "must be a list of words in quotes")
            return ()
        return tuple(value)

    def keywords(self, script: Script, sources: Mapping[str, Words]) -> KeywordTable:
        """One table of all languages; no slip of one character may turn a word into one that stops or forgets."""
        words = {
            f"{of}:{name}": group for of, source in sources.items() for name, group in source.words.items()
        }
        endings = [ending for source in sources.values() for ending in source.endings]
        guarded = {
            f"{of}:{name}"
            for name, rule in script.texts.items()
            if {EffectName.STOP, EffectName.FORGET} & set(rule.do)
            for of in sources
        }
        try:
            return KeywordTable.build(words, endings, guarded)
        except KeywordError as error:
            for problem in error.problems:
                self.wrong("keywords.toml", "words", problem)
            return KeywordTable.build({}, ())


def _unreadable(text: str, fault: str) -> tuple[str, str]:
    """The table in which a TOML file cannot be read, and why, for somebody who never heard of TOML."""
    found = _AT_LINE.search(fault)
    if not found:
        return "", f"cannot be read: {fault}"
    lines = text.split("\n")[: int(found[1])]
    table = next((head[1] for line in reversed(lines[:-1]) if (head := _TABLE.match(line))), "")
    line, why = lines[-1].strip(), fault[: found.start()].rstrip()
    if why == "Cannot overwrite a value":
        return table, f"says twice what one key or name means, again at line {found[1]}: “{line}”"
    return "" if line.startswith("[") else table, f"cannot be read at line {found[1]}, “{line}”: {why}"
