"""The script as frozen data: menus, what each key leads to, and what each text does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a content pack in the words of the person who edits it."""

    file: str
    key: str
    words: str

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.file, self.key, self.words)))


class ScriptError(Exception):
    """The tables are no script; `problems` says where and why, all at once."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class EffectName(StrEnum):
    """The effects a script may name, each made into its value in `ivr.engine`."""

    ASK = "ask"
    ASK_BY_CODE = "ask_by_code"
    ASK_FOR_CASE = "ask_for_case"
    WISH_DANGER = "wish_danger"
    WISH_WOMAN = "wish_woman"
    GUESSED_CASE = "guessed_case"
    RING_BACK = "ring_back"
    USE_SHEET_CODE = "use_sheet_code"
    WRONG_SHEET_CODE = "wrong_sheet_code"
    TAKE_NEXT = "take_next"
    SHIFT_ON = "shift_on"
    SHIFT_OFF = "shift_off"
    OUTCOME_DONE = "outcome_done"
    OUTCOME_NO_ANSWER = "outcome_no_answer"
    OUTCOME_LATER = "outcome_later"
    OUTCOME_COORDINATOR = "outcome_coordinator"
    OUTCOME_NOT_SAFE = "outcome_not_safe"
    WITHDRAW = "withdraw"
    STOP = "stop"
    FORGET = "forget"
    REMEMBER_LANGUAGE = "remember_language"
    REMEMBER_DISPLAY = "remember_display"
    OPT_IN = "opt_in"
    OPT_IN_TEXTS = "opt_in_texts"
    CONFIRM_TEXTS = "confirm_texts"
    RENEW = "renew"
    GATE_OPENED = "gate_opened"
    GATE_LATER = "gate_later"
    GATE_WRONG_PERSON = "gate_wrong_person"
    GATE_OTHER_KEY = "gate_other_key"
    GATE_SILENT = "gate_silent"
    GATE_LEFT = "gate_left"
    GATE_MACHINE = "gate_machine"
    COUNSELOR_HERE = "counselor_here"
    COUNSELOR_READY = "counselor_ready"
    COUNSELOR_LATER = "counselor_later"
    COUNSELOR_GIVES_BACK = "counselor_gives_back"
    COUNSELOR_REFUSES = "counselor_refuses"
    COUNSELOR_SILENT = "counselor_silent"
    COUNSELOR_LEFT = "counselor_left"
    COLLEAGUE_HERE = "colleague_here"
    COLLEAGUE_JOINS = "colleague_joins"
    COLLEAGUE_DECLINES = "colleague_declines"
    RING_AGAIN = "ring_again"
    STAY = "stay"
    STAY_JOINED = "stay_joined"
    STAY_LEFT = "stay_left"
    BRIDGE_ENDED = "bridge_ended"


class Move(StrEnum):
    """Moves within and between programmes."""

    NEXT = "next"
    AGAIN = "again"
    BACK = "back"
    FORWARD = "forward"
    STAY = "stay"
    END = "end"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing said, where the flag `only_if` holds and `unless` does not.

    It is a wording's key (`en:key` for one always said in English), `@handle` or `@fresh_handle`.
    """

    say: str
    only_if: str = ""
    unless: str = ""

    def holds(self, flags: frozenset[str]) -> bool:
        return (not self.only_if or self.only_if in flags) and (not self.unless or self.unless not in flags)


STARTS = frozenset(
    {
        "dialled", "missed", "counselors_line", "rung_back", "callback", "counselor", "colleague", "keypad",
        "programme", "confirm",
    }
)  # fmt: skip
AGAIN = "again"
BACK = "back"
LEAVE = "leave"
PRESSED = "$pressed"  # as a kept value: the key that was pressed
GIVEN = "$given"  # as a kept value: the handle that this turn gives away


@dataclass(frozen=True, slots=True)
class Option:
    """What a key, or silence, leads to. `to` is a menu, `again`, `back`, or `leave` (hang up)."""

    to: str = LEAVE
    say: tuple[Line, ...] = ()
    do: tuple[EffectName, ...] = ()
    keep: Mapping[str, str] = field(default_factory=dict)
    only_if: str = ""
    move: Move | None = None
    connect: bool = False
    language: str = ""


@dataclass(frozen=True, slots=True)
class Menu:
    """A place in the conversation. Without keys it says its lines and goes on as `then` tells.

    `own` is what the person's own key leads to, `other` what any key without a meaning leads to (else: the
    wrong-key sentence and again), `silent` what `tries` silences lead to (else: goodbye). `later` is said
    only after the first silence. `left` are the effects of hanging up here. `programme` plays the programme.
    With `whole` what it says is said to its end, whatever is pressed.
    `entry` is what `length` digits typed here lead to. A menu with `reject` never answers the call: it only
    has these effects.
    """

    name: str
    say: tuple[Line, ...] = ()
    later: tuple[Line, ...] = ()
    keys: Mapping[str, tuple[Option, ...]] = field(default_factory=dict)
    own: tuple[Option, ...] = ()
    entry: tuple[Option, ...] = ()
    length: int = 1
    reject: tuple[EffectName, ...] = ()
    other: Option | None = None
    silent: Option | None = None
    then: Option | None = None
    over: Option | None = None
    nothing: Option | None = None
    machine: Option | None = None
    left: tuple[EffectName, ...] = ()
    programme: bool = False
    whole: bool = False
    everywhere: bool = True
    wait: int = 6
    tries: int = 3

    @property
    def asks(self) -> bool:
        """Whether this menu waits for keys."""
        return bool(self.keys or self.own or self.entry or self.other)

    def options(self) -> tuple[Option, ...]:
        """Every option of this menu, in no particular order."""
        single = (self.other, self.silent, self.then, self.over, self.nothing, self.machine)
        grouped = tuple(o for group in self.keys.values() for o in group)
        return tuple(o for o in single if o) + self.own + self.entry + grouped

    def flags(self) -> frozenset[str]:
        """Every flag of `Facts` that this menu asks for."""
        options = self.options()
        lines = [*self.say, *self.later, *(line for option in options for line in option.say)]
        asked = {flag for line in lines for flag in (line.only_if, line.unless)}
        return frozenset(asked | {option.only_if for option in options}) - {""}


@dataclass(frozen=True, slots=True)
class TextRule:
    """What one keyword does: the wording of the answer (empty: none) and its effects.

    Where a flag of `instead` holds, the answer is its wording.
    With `sent_code` no word means this, but the code that was sent to this very number.
    Where `only_if` does not hold the keyword means nothing. With `confirm` the effects happen only when the
    same keyword comes twice within `confirm` seconds; the first time is answered with `first`.
    """

    name: str
    reply: str = ""
    instead: Mapping[str, str] = field(default_factory=dict)
    do: tuple[EffectName, ...] = ()
    keep: Mapping[str, str] = field(default_factory=dict)
    only_if: str = ""
    language: str = ""
    confirm: int = 0
    first: str = ""
    sent_code: bool = False

    def flags(self) -> frozenset[str]:
        """Every flag of `Facts` that this rule asks for."""
        return frozenset({self.only_if, *self.instead}) - {""}


@dataclass(frozen=True, slots=True, eq=False)  # one is read per version: it is itself, and may key a cache
class Script:
    """The whole conversation: `starts` names the first menu of each kind of call."""

    starts: Mapping[str, str]
    menus: Mapping[str, Menu]
    texts: Mapping[str, TextRule]
    everywhere: Mapping[str, Option]
    wrong_key: str
    too_many: str
    goodbye: str
    not_saved: str
    neutral_text: str
    not_saved_text: str
    thread_text: str

    def voice_keys(self, language: str) -> frozenset[str]:
        """Every wording that may be spoken in `language`, so without lines that are always in another."""
        lines = [line for menu in self.menus.values() for line in (*menu.say, *menu.later)]
        lines += [line for menu in self.menus.values() for option in menu.options() for line in option.say]
        lines += [line for option in self.everywhere.values() for line in option.say]
        fixed = {self.wrong_key, self.too_many, self.goodbye, self.not_saved}
        spoken = [line.say.rpartition(":") for line in lines if not line.say.startswith("@")]
        return frozenset({key for of, _, key in spoken if of in {"", language}} | fixed)

    def text_keys(self) -> frozenset[str]:
        """Every wording a text may be answered with."""
        rules = self.texts.values()
        replies = {r for rule in rules for r in (rule.reply, rule.first, *rule.instead.values()) if r}
        return frozenset(replies | {self.neutral_text, self.not_saved_text, self.thread_text})

    @property
    def of_sent_code(self) -> str | None:
        """What the code that was sent to a number means."""
        return next((rule.name for rule in self.texts.values() if rule.sent_code), None)

    def flags(self) -> frozenset[str]:
        """Every flag of `Facts` that changes what is said or done, the engine's own four among them."""
        asked = {flag for menu in self.menus.values() for flag in menu.flags()}
        asked |= {flag for rule in self.texts.values() for flag in rule.flags()}
        return frozenset(asked) | {"no_saving", "neutral_due", "threads", "transfer"}
