"""What stands in each box of the map: what the menu says, and a row for every way on from it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ivr.script import AGAIN, BACK, LEAVE, PRESSED, EffectName, Line, Menu, Option, Script
from prompts.library import Library, Review
from prompts.map_words import Words

_SIGNS = {"@handle": "handle", "@fresh_handle": "handle", "@fresh_code": "code"}


@dataclass(frozen=True, slots=True)
class Row:
    """One way on: `key` names what leads there, `to` the menu (empty where it is none), `notes` all that happens.

    `key` is empty where it is that of the row before, and another condition holds.
    Each note is its kind (`if`, `to`, `do`, `say`, `note`) and its words.
    """

    key: str
    to: str
    notes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Content:
    """A menu as the map tells it; `says` are its lines, each with its kind (`say`, `later`)."""

    name: str
    says: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    reviews: tuple[tuple[str, Review], ...]
    footer: str


class Boxes:
    """Tells the menus of a library: wordings in `language`, everything else in `words`."""

    def __init__(self, library: Library, language: str, words: Words) -> None:
        self.library = library
        self.script: Script = library.script
        self.language = language
        self.words = words

    def of(self, menu: Menu) -> Content:
        return Content(
            name=menu.name,
            says=tuple(self._says(menu)),
            rows=tuple(self._rows(menu)),
            reviews=tuple(self._reviews(menu)),
            footer=self._footer(menu),
        )

    # --- what it says ---------------------------------------------------------------------------------

    def _says(self, menu: Menu) -> Iterator[tuple[str, str]]:
        said = " ".join(self._spoken(menu.say))
        if menu.programme:
            said = f"{said} [{self.words.label('programme')}]".strip()
        yield "say", said or f"[{self.words.label('silent_here')}]"
        if menu.later:
            yield "later", f"{self.words.label('later')}: {' '.join(self._spoken(menu.later))}"

    def _spoken(self, lines: Sequence[Line]) -> Iterator[str]:
        for line in lines:
            text = self._wording(line.say)
            if line.only_if:
                text = f"[{self.words.label('if', flag=_named(line.only_if))}] {text}"
            if line.unless:
                text = f"[{self.words.label('unless', flag=_named(line.unless))}] {text}"
            yield text

    def _wording(self, say: str) -> str:
        if say in _SIGNS:
            return self.words.label(_SIGNS[say])
        of, _, key = say.rpartition(":")
        return self.library.voice(of or self.language, key).text

    def _reviews(self, menu: Menu) -> Iterator[tuple[str, Review]]:
        """By language, how far the least advanced wording of this menu is."""
        lines = [*menu.say, *menu.later, *(line for option in menu.options() for line in option.say)]
        spoken = [line.say.rpartition(":") for line in lines if line.say not in _SIGNS]
        order = list(Review)
        for language in self.library.languages:
            states = [
                self.library.voice(language, key).review for of, _, key in spoken if of in {"", language}
            ]
            if states:
                yield language, min(states, key=order.index)

    def _footer(self, menu: Menu) -> str:
        if not menu.asks:
            return ""
        waits = self.words.label("wait", wait=menu.wait, tries=menu.tries)
        return waits if menu.everywhere else f"{waits} · {self.words.label('only_these')}"

    # --- what leads on --------------------------------------------------------------------------------

    def _rows(self, menu: Menu) -> Iterator[Row]:
        label = self.words.label
        for keys, group in _by_key(menu):
            yield from self._group(keys, group)
        yield from self._group(label("own"), menu.own)
        yield from self._group(label("digits", count=menu.length), menu.entry)
        silent = menu.silent
        if silent is None and menu.asks:
            silent = Option(to=LEAVE)  # the goodbye of all of them stands at the head of the map
        for name, option in (
            ("other", menu.other),
            ("heard_out" if menu.programme else "silent", silent),
            ("then", menu.then),
            ("over", menu.over),
            ("nothing", menu.nothing),
            ("machine", menu.machine),
        ):
            yield from self._group(label(name), () if option is None else (option,))
        if menu.left:
            yield Row(label("left"), "", tuple(self._done(menu.left)))
        if menu.reject:
            yield Row(label("reject"), "", tuple(self._done(menu.reject)))

    def _group(self, key: str, options: Sequence[Option]) -> Iterator[Row]:
        for number, option in enumerate(options):
            yield self.row(key if number == 0 else "", option)

    def row(self, key: str, option: Option) -> Row:
        """One option as a row: where it leads, when, and what else it does."""
        to = option.to if option.to in self.script.menus else ""
        return Row(key, to, tuple(self._notes(option, first=bool(key))))

    def _notes(self, option: Option, *, first: bool) -> Iterator[tuple[str, str]]:
        label = self.words.label
        if option.only_if:
            yield "if", label("if", flag=_named(option.only_if))
        elif not first:
            yield "if", label("else")
        yield "to", label(option.to) if option.to in {AGAIN, BACK, LEAVE} else f"→ {option.to}"
        yield from self._done(option.do)
        for name, value in option.keep.items():
            kept = label("pressed") if value == PRESSED else value
            yield "note", label("keep", what=_named(name), value=kept)
        if option.connect:
            yield "note", label("connect")
        if option.language:
            yield "note", label("language", language=option.language)
        if option.move:
            yield "note", label("move", move=self.words.move(option.move))
        if option.say:
            yield "say", f"“{' '.join(self._spoken(option.say))}”"

    def _done(self, effects: Sequence[EffectName]) -> Iterator[tuple[str, str]]:
        return (("do", self.words.effect(name)) for name in effects)


def _named(name: str) -> str:
    return name.replace("_", " ")


def _by_key(menu: Menu) -> Iterator[tuple[str, tuple[Option, ...]]]:
    """Keys in their order; neighbours that lead to the very same are one: `4–8`."""
    runs: list[tuple[list[str], tuple[Option, ...]]] = []
    for key, group in menu.keys.items():
        if runs and runs[-1][1] == group and key.isdecimal() and _follows(runs[-1][0][-1], key):
            runs[-1][0].append(key)
        else:
            runs.append(([key], group))
    for keys, group in runs:
        yield (keys[0] if len(keys) == 1 else f"{keys[0]}–{keys[-1]}"), group


def _follows(before: str, key: str) -> bool:
    return before.isdecimal() and int(key) == int(before) + 1
