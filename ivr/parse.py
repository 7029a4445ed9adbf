"""Tables (as TOML gives them) → `Script`, or `ScriptError` with every fault in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from ivr.script import (
    AGAIN,
    BACK,
    LEAVE,
    STARTS,
    EffectName,
    Line,
    Menu,
    Move,
    Option,
    Problem,
    Script,
    ScriptError,
    TextRule,
)

KEYS = frozenset("0123456789*#")
SPOKEN = frozenset({"@handle", "@fresh_handle", "@fresh_code"})
_OPTION_FIELDS = frozenset({"to", "say", "do", "keep", "only_if", "move", "connect", "language"})
_SINGLE = ("other", "silent", "then", "over", "nothing", "machine")
_MENU_FIELDS = frozenset(
    {
        "say",
        "later",
        "keys",
        "own",
        "entry",
        "length",
        "reject",
        "left",
        "programme",
        "whole",
        "everywhere",
        "wait",
        "tries",
        *_SINGLE,
    }
)
_TEXT_FIELDS = frozenset(
    {"reply", "instead", "do", "keep", "only_if", "language", "confirm", "first", "sent_code"}
)
_FIXED = ("wrong_key", "too_many", "goodbye", "not_saved", "neutral_text", "not_saved_text")


def parse_script(tables: Mapping[str, Any], *, file: str = "script.toml") -> Script:
    """Make a `Script` of the tables; raise `ScriptError` with file, key and fault for all that is wrong."""
    reader = _Reader(file)
    script = reader.script(tables)
    if reader.problems:
        raise ScriptError(tuple(reader.problems))
    return script


class _Reader:
    """Collects problems instead of stopping at the first, because an editor wants them all."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def wrong(self, key: str, words: str) -> None:
        self.problems.append(Problem(self.file, key, words))

    def script(self, tables: Mapping[str, Any]) -> Script:
        self.unknown("", tables, frozenset({"sentences", "everywhere", "starts", "menus", "texts"}))
        fixed = {
            name: self.word(f"sentences.{name}", self.table("sentences", tables).get(name)) for name in _FIXED
        }
        # A pack from before threads says of such a text what it says of any other.
        thread = self.table("sentences", tables).get("thread_text", fixed["neutral_text"])
        everywhere = {
            key: self.option(f"everywhere.{key}", value)
            for key, value in self.table("everywhere", tables).items()
            if self.key_is_one(f"everywhere.{key}", key)
        }
        menus = {
            name: self.menu(f"menus.{name}", name, value)
            for name, value in self.table("menus", tables).items()
        }
        texts = {
            name: self.text(f"texts.{name}", name, value)
            for name, value in self.table("texts", tables).items()
        }
        starts = {
            kind: self.word(f"starts.{kind}", name) for kind, name in self.table("starts", tables).items()
        }
        script = Script(
            starts=starts,
            menus=menus,
            texts=texts,
            everywhere=everywhere,
            thread_text=self.word("sentences.thread_text", thread),
            **fixed,
        )
        self.targets(script)
        return script

    # --- parts ----------------------------------------------------------------------------------------

    def menu(self, at: str, name: str, value: Any) -> Menu:
        if not isinstance(value, Mapping):
            self.wrong(at, "must be a table")
            return Menu(name)
        self.unknown(at, value, _MENU_FIELDS)
        single = {field: self.option(f"{at}.{field}", value[field]) for field in _SINGLE if field in value}
        return Menu(
            name=name,
            say=self.lines(f"{at}.say", value.get("say", [])),
            later=self.lines(f"{at}.later", value.get("later", [])),
            keys=self.keys(f"{at}.keys", value.get("keys", {})),
            own=self.group(f"{at}.own", value["own"]) if "own" in value else (),
            entry=self.group(f"{at}.entry", value["entry"]) if "entry" in value else (),
            length=self.number(f"{at}.length", value.get("length", 1), 1, 12),
            reject=self.effects(f"{at}.reject", value.get("reject", [])),
            left=self.effects(f"{at}.left", value.get("left", [])),
            programme=self.yes(f"{at}.programme", value.get("programme", False)),
            whole=self.yes(f"{at}.whole", value.get("whole", False)),
            everywhere=self.yes(f"{at}.everywhere", value.get("everywhere", True)),
            wait=self.number(f"{at}.wait", value.get("wait", 6), 1, 120),
            tries=self.number(f"{at}.tries", value.get("tries", 3), 1, 10),
            **single,
        )

    def keys(self, at: str, value: Any) -> dict[str, tuple[Option, ...]]:
        found: dict[str, tuple[Option, ...]] = {}
        if not isinstance(value, Mapping):
            self.wrong(at, "must be a table of keys")
            return found
        for written, what in value.items():
            options = self.group(f"{at}.{written}", what)
            for key in self.span(f"{at}.{written}", written):
                if key in found:
                    self.wrong(f"{at}.{written}", f"key {key} has two meanings here")
                found[key] = options
        return found

    def group(self, at: str, value: Any) -> tuple[Option, ...]:
        """One option, or several of which the first whose `only_if` holds counts."""
        return tuple(self.option(at, one) for one in (value if isinstance(value, list) else [value]))

    def span(self, at: str, written: str) -> Sequence[str]:
        """The keys meant by `4` or `4-8`."""
        first, dash, last = written.partition("-")
        if dash and first.isdecimal() and last.isdecimal() and len(first) == len(last) == 1 and first < last:
            return [str(digit) for digit in range(int(first), int(last) + 1)]
        return [written] if self.key_is_one(at, written) else []

    def key_is_one(self, at: str, key: str) -> bool:
        if key not in KEYS:
            self.wrong(at, f"{key!r} is no key of a telephone (0 to 9, *, #)")
        return key in KEYS

    def option(self, at: str, value: Any) -> Option:
        if isinstance(value, str):
            return Option(to=value)
        if not isinstance(value, Mapping):
            self.wrong(at, "must be the name of a menu or a table")
            return Option()
        self.unknown(at, value, _OPTION_FIELDS)
        move = value.get("move")
        if move is not None and move not in list(Move):
            self.wrong(f"{at}.move", f"{move!r} is none of {', '.join(Move)}")
            move = None
        return Option(
            to=self.word(f"{at}.to", value.get("to", LEAVE)),
            say=self.lines(f"{at}.say", value.get("say", [])),
            do=self.effects(f"{at}.do", value.get("do", [])),
            keep=self.kept(f"{at}.keep", value.get("keep", {})),
            only_if=self.word(f"{at}.only_if", value.get("only_if", "")),
            move=Move(move) if move else None,
            connect=self.yes(f"{at}.connect", value.get("connect", False)),
            language=self.word(f"{at}.language", value.get("language", "")),
        )

    def text(self, at: str, name: str, value: Any) -> TextRule:
        if not isinstance(value, Mapping):
            self.wrong(at, "must be a table")
            return TextRule(name)
        self.unknown(at, value, _TEXT_FIELDS)
        return TextRule(
            name=name,
            reply=self.word(f"{at}.reply", value.get("reply", "")),
            instead=self.kept(f"{at}.instead", value.get("instead", {})),
            do=self.effects(f"{at}.do", value.get("do", [])),
            keep=self.kept(f"{at}.keep", value.get("keep", {})),
            only_if=self.word(f"{at}.only_if", value.get("only_if", "")),
            language=self.word(f"{at}.language", value.get("language", "")),
            confirm=self.number(f"{at}.confirm", value.get("confirm", 0), 0, 86_400),
            first=self.word(f"{at}.first", value.get("first", "")),
            sent_code=self.yes(f"{at}.sent_code", value.get("sent_code", False)),
        )

    def lines(self, at: str, value: Any) -> tuple[Line, ...]:
        group = value if isinstance(value, list) else [value]
        return tuple(self.line(f"{at}[{n}]", one) for n, one in enumerate(group))

    def line(self, at: str, value: Any) -> Line:
        table = {"say": value} if isinstance(value, str) else value
        if not isinstance(table, Mapping) or "say" not in table:
            self.wrong(at, "must be the key of a wording, or a table with `say`")
            return Line("")
        self.unknown(at, table, frozenset({"say", "only_if", "unless"}))
        say = self.word(f"{at}.say", table["say"])
        if say.startswith("@") and say not in SPOKEN:
            self.wrong(at, f"{say!r} is none of {', '.join(sorted(SPOKEN))}")
        return Line(say, self.word(at, table.get("only_if", "")), self.word(at, table.get("unless", "")))

    # --- values ---------------------------------------------------------------------------------------

    def table(self, name: str, tables: Mapping[str, Any]) -> Mapping[str, Any]:
        value = tables.get(name)
        if not isinstance(value, Mapping):
            self.wrong(name, "this table is missing")
            return {}
        return value

    def unknown(self, at: str, table: Mapping[str, Any], known: frozenset[str]) -> None:
        for name in table.keys() - known:
            self.wrong(f"{at}.{name}".lstrip("."), f"is not known here; known are {', '.join(sorted(known))}")

    def word(self, at: str, value: Any) -> str:
        if not isinstance(value, str):
            self.wrong(at, "a word is missing here")
            return ""
        return value

    def yes(self, at: str, value: Any) -> bool:
        if not isinstance(value, bool):
            self.wrong(at, "must be true or false")
        return value is True

    def number(self, at: str, value: Any, least: int, most: int) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.wrong(at, f"must be a whole number from {least} to {most}")
            return least
        return value

    def effects(self, at: str, value: Any) -> tuple[EffectName, ...]:
        group = value if isinstance(value, list) else [value]
        for name in group:
            if name not in list(EffectName):
                self.wrong(at, f"{name!r} is no effect; effects are {', '.join(EffectName)}")
        return tuple(EffectName(name) for name in group if name in list(EffectName))

    def kept(self, at: str, value: Any) -> dict[str, str]:
        if not isinstance(value, Mapping) or not all(isinstance(one, str) for one in value.values()):
            self.wrong(at, "must be a table of words")
            return {}
        return dict(value)

    # --- what hangs together --------------------------------------------------------------------------

    def targets(self, script: Script) -> None:
        for kind in sorted(STARTS - script.starts.keys()):
            self.wrong(f"starts.{kind}", "this kind of call has no first menu")
        for kind, name in script.starts.items():
            if name not in script.menus:
                self.wrong(f"starts.{kind}", f"there is no menu {name!r}")
        for key, option in script.everywhere.items():
            self.leads_somewhere(script, f"everywhere.{key}", option)
        for menu in script.menus.values():
            self.goes_on(script, menu)
            self.circle(script, menu)
        for rule in script.texts.values():
            if rule.confirm and not rule.first:
                self.wrong(f"texts.{rule.name}", "wants to be confirmed but has no `first` answer")

    def leads_somewhere(self, script: Script, at: str, option: Option) -> None:
        if option.to not in {AGAIN, BACK, LEAVE, *script.menus}:
            self.wrong(at, f"leads to {option.to!r}, but there is no such menu")

    def goes_on(self, script: Script, menu: Menu) -> None:
        at = f"menus.{menu.name}"
        for option in menu.options():
            self.leads_somewhere(script, at, option)
        for name, onward in (("then", menu.then), ("nothing", menu.nothing)):
            if onward and (onward.to in {AGAIN, BACK} or onward.do):
                self.wrong(
                    f"{at}.{name}", "nobody pressed a key: must do nothing, and lead to a menu or `leave`"
                )
        if menu.entry and menu.length < 2:
            self.wrong(at, "has an `entry` but no `length`: how many digits are typed here?")
        if not menu.asks and menu.then is None and not menu.reject:
            self.wrong(at, "has neither keys nor `then`: nobody could go on from here")
        if menu.programme and menu.nothing is None:
            self.wrong(at, "plays a programme but has no `nothing` for when there is none")
        if menu.programme and menu.silent is None:
            self.wrong(at, "plays a programme but has no `silent` for when it is over")

    def circle(self, script: Script, start: Menu) -> None:
        """A chain of menus that ask for nothing must end: the engine walks it within one turn."""
        seen: set[str] = set()
        ahead = _unasked(start)
        while ahead:
            name = ahead.pop()
            if name == start.name:
                self.wrong(f"menus.{name}", "goes round in a circle without asking for a key")
                return
            if name in script.menus and name not in seen:
                seen.add(name)
                ahead += _unasked(script.menus[name])


def _unasked(menu: Menu) -> list[str]:
    """Where the conversation may go from `menu` by itself, without a key or a silence."""
    by_itself = [None if menu.asks else menu.then, menu.nothing if menu.programme else None]
    return [option.to for option in by_itself if option]
