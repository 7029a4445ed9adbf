"""Says in plain words what is wrong or not good in a content pack, with file and key, for those who edit it."""

import functools
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from ivr.burmese.encodings import holds_zawgyi
from ivr.burmese.folding import fold
from ivr.burmese.segments import count, syllables
from ivr.events import ONE_OF
from ivr.script import AGAIN, BACK, LEAVE, STARTS, Line, Menu, Option, Problem, Script
from prompts.library import CODE, FIRST_LANGUAGE, SAMPLES, Library, PackError, Review
from prompts.unsaid import (
    BURMESE_LETTER,
    UNSEEN,
    holds_link,
    holds_listed,
    holds_phone_number,
    number_in,
    telling_word,
)

Sound = Callable[[str, str], float | None]

MAIN, MAIN_SECONDS = "main", 12.0
SECONDS = 20.0
CONTENT_SECONDS = 30.0  # where no key is asked for: true content, not a menu
SYLLABLES_A_SECOND, WORDS_A_SECOND = 5.0, 2.5  # a clear voice on the telephone
PAUSES = {"။": 0.5, "၊": 0.25}  # seconds; in English they are part of the pace
PARTS = 1

# What providers answer by themselves, in English, on many numbers; only `provider_stop` may stand on these.
PROVIDER_WORDS = frozenset(
    {
        "stop",
        "stopall",
        "end",
        "cancel",
        "quit",
        "unsubscribe",
        "help",
        "info",
        "start",
        "yes",
        "unstop",
    }
)
PROVIDER_RULE = "provider_stop"

_PLACEHOLDER = re.compile(r"\{[^{}]*\}|[{}]")
_MARK = re.compile("[\u102b-\u1032\u1036-\u103e]")


def check(
    pack: Library | Path, *, word_list: frozenset[str] = frozenset(), sound: Sound | None = None
) -> list[Problem]:
    """Every fault of `pack`: those of its tree, its lengths, its wordings, its messages and its keywords.

    `word_list` holds words that must stand in no wording, not even inside another word. `sound` gives
    the seconds of the sound made for (language, key), None where there is none; without it, lengths are
    estimated and missing sounds are not looked for.
    """
    if isinstance(pack, Path):
        try:
            pack = Library.load(pack)
        except PackError as error:
            return list(error.problems)
    return [
        *_tree(pack.script),
        *_conditions(pack.script),
        *_lengths(pack, sound),
        *_wordings(pack, word_list),
        *_messages(pack),
        *_keywords(pack),
        *_handles(pack),
    ]


# --- the tree -----------------------------------------------------------------------------------------


def _tree(script: Script) -> Iterator[Problem]:
    def wrong(menu: str, words: str) -> Problem:
        return Problem("script.toml", f"menus.{menu}", words)

    reached = _reachable(script)
    for name, menu in script.menus.items():
        if name not in reached:
            yield wrong(name, "no key leads here")
        if menu.asks and not menu.programme and not menu.say:
            yield wrong(name, "asks for a key but says nothing")
        if menu.asks and not _goes_on(menu):
            yield wrong(name, "is a dead end: no key leads on from here, or out")
        if _never_ends(script, menu):
            yield wrong(name, "somebody who says nothing would go round in a circle and never be hung up on")
        for kept in _kept_nowhere(script, menu):
            yield wrong(name, f"needs {kept!r}, but a way here does not keep it first")


def _conditions(script: Script) -> Iterator[Problem]:
    asked = {f"menus.{name}": menu.flags() for name, menu in script.menus.items()}
    asked |= {f"texts.{name}": rule.flags() for name, rule in script.texts.items()}
    for place, flags in asked.items():
        for flag in sorted(flags - _known_flags()):
            yield Problem("script.toml", place, f"asks whether {flag!r}: no such condition is known")


@functools.cache
def _known_flags() -> frozenset[str]:
    """What the gateway says of a turn; the shipped script asks for all of it."""
    return Library.load().script.flags()


def _reachable(script: Script) -> set[str]:
    found: set[str] = set()
    ahead = [script.starts[kind] for kind in STARTS]
    everywhere = [option.to for option in script.everywhere.values()]
    while ahead:
        name = ahead.pop()
        if name in script.menus and name not in found:
            found.add(name)
            ahead += [option.to for option in script.menus[name].options()] + everywhere
    return found


def _goes_on(menu: Menu) -> bool:
    """Whether a key leads away; the keys of everywhere lead only back, so they do not count as a way on."""
    by_key = [option for group in menu.keys.values() for option in group]
    return any(
        option.to not in {AGAIN, menu.name}
        for option in (*by_key, *menu.own, *menu.entry, *_some(menu.other))
    )


def _some(option: Option | None) -> tuple[Option, ...]:
    return (option,) if option else ()


def _never_ends(script: Script, menu: Menu) -> bool:
    seen: set[str] = set()
    while menu.name not in seen:
        seen.add(menu.name)
        silence = menu.silent if menu.asks else menu.then
        if silence is None or silence.to == LEAVE:
            return False
        if silence.to in {AGAIN, BACK}:
            return True
        menu = script.menus[silence.to]
    return True


_NEEDS = {"ask": "wish", "wish_danger": "handle", "wish_woman": "handle", "remember_display": "display"}


def _kept_nowhere(script: Script, menu: Menu) -> Iterator[str]:
    """What an effect of this menu needs kept, where neither the option itself nor every way here keeps it."""
    for option in menu.options():
        for effect in option.do:
            needed = _NEEDS.get(effect)
            if (
                needed
                and needed not in option.keep
                and not _kept_before(script, menu.name, needed, {menu.name})
            ):
                yield needed


def _kept_before(script: Script, menu: str, needed: str, seen: set[str]) -> bool:
    """Whether every way to `menu`, from however far, keeps what is needed."""
    ways = [
        (other.name, option)
        for other in script.menus.values()
        for option in other.options()
        if option.to == menu and other.name != menu
    ]
    return bool(ways) and all(
        needed in option.keep
        or (origin not in seen and _kept_before(script, origin, needed, seen | {origin}))
        for origin, option in ways
    )


# --- how long it takes to hear ------------------------------------------------------------------------


def _lengths(library: Library, sound: Sound | None) -> Iterator[Problem]:
    for language in library.languages:
        file = f"{language}/texts.toml"
        if sound:
            for key in library.spoken(language):
                if sound(language, key) is None:
                    yield Problem(*_place(language, key), "has no sound yet")
        for menu in library.script.menus.values():
            for lines, most in _said_at_once(library.script, menu):
                ways = {
                    said: sum(_seconds(library, language, key, sound) for key in said)
                    for said in _ways(lines)
                }
                said = max(ways, key=lambda one: ways[one])
                seconds = ways[said]
                if seconds > most:
                    yield Problem(
                        file,
                        f"voice.{said[-1]}",
                        f"menu {menu.name!r} takes {seconds:.0f} seconds to hear ({' + '.join(said)}); "
                        f"at most {most:.0f}",
                    )


def _said_at_once(script: Script, menu: Menu) -> Iterator[tuple[tuple[Line, ...], float]]:
    """What is heard in one breath and how long that may take: the menu alone, and after what leads here."""
    for lines in dict.fromkeys((menu.say, menu.later)):
        if lines:
            yield lines, MAIN_SECONDS if menu.name == MAIN else SECONDS if menu.asks else CONTENT_SECONDS
    if menu.asks and not menu.programme:
        options = [option for other in script.menus.values() for option in other.options()]
        for lines in dict.fromkeys(option.say for option in options if option.to == menu.name):
            if lines:
                yield (*lines, *menu.say), SECONDS


def _ways(lines: Sequence[Line]) -> Iterator[tuple[str, ...]]:
    """The keys of the wordings heard there, whatever may be the case."""
    flags = sorted({flag for line in lines for flag in (line.only_if, line.unless)} - {""})
    for many in range(len(flags) + 1):
        for held in map(frozenset, combinations(flags, many)):
            if all(len(held & one) < 2 for one in ONE_OF):
                yield tuple(line.say for line in lines if line.holds(held) and not line.say.startswith("@"))


def _seconds(library: Library, language: str, key: str, sound: Sound | None) -> float:
    of, _, key = key.rpartition(":")
    language = of if of in library.languages else language
    made = sound(language, key) if sound else None
    return made if made is not None else estimated_seconds(library.voice(language, key).text)


def estimated_seconds(text: str) -> float:
    """How long a clear voice takes for `text`, within a fifth or so."""
    if BURMESE_LETTER.search(text):
        pauses = sum(seconds * text.count(mark) for mark, seconds in PAUSES.items())
        return sum(map(_spoken, syllables(text))) / SYLLABLES_A_SECOND + pauses
    return len(text.split()) / WORDS_A_SECOND


def _spoken(syllable: str) -> int:
    return 1 if BURMESE_LETTER.match(syllable) or syllable.isdecimal() else 0


# --- what is said and sent ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Text:
    """One text of the pack and where it stands."""

    file: str
    key: str
    text: str
    sms: bool


def _place(language: str, key: str) -> tuple[str, str]:
    """File and key at which the wording spoken as `key` is edited."""
    kind, _, rest = key.partition(".")
    if kind == "handle":
        return "handles.toml", f"{rest}.{language}"
    return f"{language}/texts.toml", key if kind == "digit" else f"voice.{key}"


def _texts(library: Library) -> Iterator[_Text]:
    for language in library.languages:
        file = f"{language}/texts.toml"
        for key, wording in library.voices[language].items():
            yield _Text(*_place(language, key), wording.text, sms=False)
        for key, wording in library.texts[language].items():
            yield _Text(file, f"sms.{key}", wording.text, sms=True)
            yield _Text(file, f"sms.{key}.latin", wording.latin, sms=True)


def _wordings(library: Library, word_list: frozenset[str]) -> Iterator[Problem]:
    for one in _texts(library):
        if one.text and not any(unicodedata.category(sign)[0] in "LN" for sign in one.text):
            yield Problem(one.file, one.key, "holds no letter and no digit: there is nothing to say in it")
        for words in (*_letters(one.text), *_safety(one, library)):
            yield Problem(one.file, one.key, words)
        if holds_listed(one.text, word_list):  # which word is not said: the list is private
            yield Problem(one.file, one.key, "holds a word of the word list")
        if one.key.endswith(".latin") and BURMESE_LETTER.search(one.text):
            yield Problem(one.file, one.key, "holds Burmese letters, which the phone it is for does not show")


def _letters(text: str) -> Iterator[str]:
    if any(unicodedata.category(sign) in UNSEEN and sign != "\n" for sign in text):
        yield "holds a sign that nobody sees or that no phone shows"
    for at, sign in enumerate(text):
        if _MARK.match(sign) and (
            at == 0 or not (BURMESE_LETTER.match(text[at - 1]) or _MARK.match(text[at - 1]))
        ):
            yield f"a Burmese sign stands alone, torn from its letter, at “{text[max(0, at - 8) : at + 4]}”"
            break
    for sentence in text.split("။"):
        if holds_zawgyi(sentence):
            yield f"is written in Zawgyi, at least here: “{sentence.strip()}”; write it in Unicode"
            break


def _safety(one: _Text, library: Library) -> Iterator[str]:
    samples = _sample_of(one, library)
    for found in _PLACEHOLDER.findall(one.text):
        if not samples or found.strip("{}") not in (*SAMPLES, CODE):
            yield f"{found!r} is no placeholder here"
    if holds_phone_number(one.text):
        yield "holds a phone number"
    elif one.sms and (number := number_in(one.text)):
        yield f"holds a number that can be rung, “{number}”; in a text only codes of one or two digits stand"
    if holds_link(one.text):
        yield "holds a link"
    if one.sms and (word := telling_word(one.text)):
        yield f"holds “{word}”, which tells whoever searches the phone what this is: say it in another way"


def _sample_of(one: _Text, library: Library) -> str:
    kind, _, rest = one.key.partition(".")
    language = one.file.partition("/")[0]
    return library.texts[language][rest.removesuffix(".latin")].sample if kind == "sms" else ""


def _messages(library: Library) -> Iterator[Problem]:
    for language in library.languages:
        for key in library.texts[language]:
            for display in (
                ("unicode", "zawgyi", "latin") if language == FIRST_LANGUAGE else ("unicode", "latin")
            ):
                cost = count(library.sms(language, key, display))
                if cost.parts > PARTS:
                    yield Problem(
                        f"{language}/texts.toml",
                        f"sms.{key}",
                        f"is too long for one message as {display}: {cost.units} units, "
                        f"{70 if cost.alphabet == 'UCS-2' else 160} fit",
                    )


# --- what people text, and handles --------------------------------------------------------------------


def _keywords(library: Library) -> Iterator[Problem]:
    files = {"codes.toml": library.codes} | {
        f"{language}/keywords.toml": words for language, words in library.words.items()
    }
    for file, words in files.items():
        for name, group in words.words.items():
            for word in group:
                if (fold(word) in PROVIDER_WORDS) != (name == PROVIDER_RULE):
                    yield Problem(
                        file,
                        f"words.{name}",
                        f"{word!r}: providers answer their own words by themselves, so those stand under "
                        f"{PROVIDER_RULE!r} and nothing else does",
                    )
                elif word.isdecimal() and file != "codes.toml":
                    yield Problem(file, f"words.{name}", f"{word!r}: codes of digits belong in codes.toml")
    named = {name for words in files.values() for name in words.words}
    named |= {name for name, rule in library.script.texts.items() if rule.sent_code}
    for name in sorted(library.script.texts.keys() - named):
        yield Problem("script.toml", f"texts.{name}", "no word and no code means this")


def _handles(library: Library) -> Iterator[Problem]:
    """Each word is told apart by ear: none is another one, or the beginning of another one."""
    words = (*library.first_words, *library.second_words)
    for language in library.languages:
        sounds = {word: fold(library.voice(language, f"handle.{word}").text) for word in words}
        for word, spoken in sounds.items():
            for other, longer in sounds.items():
                if word != other and longer.startswith(spoken):
                    yield Problem(
                        "handles.toml", f"{word}.{language}", f"cannot be told from {other!r} by ear"
                    )


# --- review -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reviewed:
    """How far one language has come: how many wordings in each state, and the keys of the drafts."""

    counts: Mapping[Review, int]
    drafts: tuple[str, ...]


def review(library: Library) -> Mapping[str, Reviewed]:
    """For each language: its wordings by review state; the drafts by their keys in texts.toml and handles.toml."""
    found: dict[str, Reviewed] = {}
    for language in library.languages:
        states = {
            f"voice.{key}" if "." not in key else key: wording.review
            for key, wording in library.voices[language].items()
        } | {f"sms.{key}": wording.review for key, wording in library.texts[language].items()}
        counts = {state: sum(1 for one in states.values() if one is state) for state in Review}
        found[language] = Reviewed(
            counts, tuple(key for key, state in states.items() if state is Review.DRAFT)
        )
    return found
