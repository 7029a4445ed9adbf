"""What somebody who searches the handset finds after each flow: the thread of texts and the list of calls.

The flows are played on the script itself, so what stands here is what it does and nothing that was written by hand.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from ivr import actions as act
from ivr.burmese.encodings import Encoding, unicode_to_zawgyi, zawgyi_to_unicode
from ivr.engine import TEXT_CODE_LENGTH, State, step, step_text
from ivr.events import (
    BridgeOver,
    CallEnded,
    CallStarted,
    Facts,
    KeyPressed,
    Programme,
    StayedSilent,
    TextReceived,
)
from prompts.library import FIRST_LANGUAGE, Display, Library

Line = Literal["public", "missed"]
Way = Literal["out", "in", "missed"]

DISPLAYS: Final[tuple[Display, ...]] = ("unicode", "zawgyi", "latin")
BEGINS: Final = 10 * 60  # minutes after midnight at which each flow begins
_BURMESE: Final = re.compile("[\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f]")


# --- what a person does -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Texts:
    """She texts `words`, or what stands for her phone's display in it; `flags` are what is the case then."""

    words: str | Mapping[Display, str]
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Dials:
    """She dials a number of ours, presses these keys (a space is silence), and hangs up if nobody did."""

    keys: str = ""
    line: Line = "public"


@dataclass(frozen=True, slots=True)
class IsRung:
    """Her phone is rung as this kind of call, if what she did allows it; `keys` is None where nobody picks up."""

    kind: str
    keys: str | None


@dataclass(frozen=True, slots=True)
class Waits:
    """Minutes go by."""

    minutes: int


Deed = Texts | Dials | IsRung | Waits

_PICKS: Final[Mapping[Display, str]] = {"unicode": "51", "zawgyi": "52", "latin": "53"}
_TALK: Final[Mapping[Display, str]] = {
    "unicode": "မနက်ဖြန် ဈေးသွားမလား",
    "zawgyi": unicode_to_zawgyi("မနက်ဖြန် ဈေးသွားမလား"),
    "latin": "manet phyan zay thwar ma lar",
}

_FRESH_CODE: Final = "482913"
_ANSWERED: Final = frozenset({"threads"})  # people answer texts
_NOBODY: Final = frozenset({"nobody_on_shift"})

FLOWS: Final[Mapping[str, tuple[Deed, ...]]] = {
    "asked_by_call": (Dials("115"), Waits(20), IsRung("callback", "5")),
    "asked_and_not_reached": (Dials("125"), Waits(20), IsRung("callback", None)),
    "missed_call": (
        Dials(line="missed"),
        Waits(6),
        IsRung("rung_back", "115"),
        Waits(20),
        IsRung("callback", "5"),
    ),
    "no_number_kept": (Dials("165"),),
    "asked_by_text": (Texts("0"), Texts("1"), Texts("11"), Waits(15), IsRung("callback", "1")),
    "asked_while_nobody_is_there": (Texts("11", _NOBODY), Waits(30), IsRung("callback", "1")),
    "withdrawn_by_text": (Texts("12"), Waits(5), Texts("10"), Waits(20), IsRung("callback", None)),
    "withdrawn_by_call": (Dials("125"), Waits(5), Dials("4*"), Waits(20), IsRung("callback", None)),
    "stopped": (Texts("99"),),
    "forgotten": (Texts("77"), Waits(3), Texts("77")),
    "topics": (Texts("2"), Texts("21"), Texts("22")),
    "display": (Texts("5"), Texts(_PICKS), Texts("0")),
    "programmes": (Dials("815"), Waits(10), IsRung("confirm", "5"), Waits(180), IsRung("programme", "5 *")),
    "programmes_by_text": (Texts("88"), Waits(10), IsRung("confirm", "1")),
    "texts": (Texts("80"), Waits(2), Texts(_FRESH_CODE[:TEXT_CODE_LENGTH])),
    "unknown": (Texts(_TALK), Texts(_TALK)),
    "thread": (Texts(_TALK, _ANSWERED), Waits(4), Texts(_TALK, _ANSWERED)),
}
_CHOOSES_HERE: Final = frozenset({"display"})  # in the others she told us long ago what her phone shows


# --- what is left on the handset ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    """One text of the thread as it travels; `minute` counts from midnight."""

    mine: bool
    text: str
    minute: int


@dataclass(frozen=True, slots=True)
class Call:
    """One entry of the list of calls, always with a number of ours."""

    way: Way
    line: Line
    minute: int


@dataclass(frozen=True, slots=True)
class Handset:
    """All that one flow leaves behind."""

    messages: tuple[Message, ...]
    calls: tuple[Call, ...]


def played(library: Library, flow: str, display: Display, language: str) -> Handset:
    """Play a flow for somebody of this language whose phone shows Burmese so."""
    person = _Person(library, language, display, chosen=flow not in _CHOOSES_HERE)
    for deed in FLOWS[flow]:
        person.does(deed)
    return Handset(tuple(person.messages), tuple(person.calls))


def as_seen(text: str, phone: Display) -> str:
    """What a phone makes of a text, in signs that any screen with a Unicode font shows.

    A Zawgyi phone takes every text to be Zawgyi: what it draws is written back as Unicode, which is exact for
    Zawgyi texts and near enough for others, where the drawing is a jumble. A phone that shows only Latin draws a
    box for each sign of Burmese.
    """
    match phone:
        case "unicode":
            return text
        case "zawgyi":
            return zawgyi_to_unicode(text)
        case "latin":
            return _BURMESE.sub("□", text)


def fingerprint(library: Library) -> str:
    """A hash of everything that any flow leaves on any handset, in every language: 24 signs."""
    shown = [
        (flow, language, display, [(one.mine, one.text, one.minute) for one in handset.messages],
         [(one.way, one.line, one.minute) for one in handset.calls])
        for flow in FLOWS
        for language in library.languages
        for display in DISPLAYS
        for handset in (played(library, flow, display, language),)
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:24]


def displays(language: str) -> Sequence[Display]:
    """The ways of showing a language that differ: only Burmese has Zawgyi."""
    return DISPLAYS if language == FIRST_LANGUAGE else ("unicode",)


# --- playing ------------------------------------------------------------------------------------------


@dataclass
class _Person:
    """One person with one phone. `allowed` are the kinds of calls that she made possible, and from which number."""

    library: Library
    language: str
    display: Display
    chosen: bool
    minute: int = BEGINS
    messages: list[Message] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    allowed: dict[str, Line] = field(default_factory=dict)
    line: Line = "public"
    own_key: str = ""
    flags: set[str] = field(default_factory=lambda: {"neutral_due", "programme_calls", "texts_open"})
    asked: str = ""
    code: str = ""  # that was sent to her
    texted: int | None = None

    def does(self, deed: Deed) -> None:
        match deed:
            case Waits(minutes):
                self.minute += minutes
            case Texts(words, flags):
                self.flags |= flags
                self.text(words if isinstance(words, str) else words[self.display])
            case Dials(keys, line):
                self.line = line
                self.calls.append(Call("out", line, self.minute))
                self.call("missed" if line == "missed" else "dialled", keys)
            case IsRung(kind, keys):
                if kind in self.allowed:
                    self.line = self.allowed[kind]
                    self.calls.append(Call("missed" if keys is None else "in", self.line, self.minute))
                    if keys is not None:
                        self.call(kind, keys)

    def facts(self) -> Facts:
        return Facts(
            flags=frozenset(self.flags),
            handle=self.library.handles[0],
            fresh_handle=self.library.handles[0],
            fresh_code=_FRESH_CODE,
            own_keys=self.own_key,
            programmes=(Programme(("sound",)),),
            room="room",
        )

    def text(self, words: str) -> None:
        self.messages.append(Message(mine=True, text=words, minute=self.minute))
        match, written_in = self.library.keyword(words, Encoding(self.display) if self.chosen else None)
        waited = None if self.texted is None else 60.0 * (self.minute - self.texted)
        sent = self.library.script.of_sent_code if words == self.code else None
        event = TextReceived(match.name or sent, waited, self.facts())
        made = step_text(self.library.script, self.asked, self.language or written_in or "", event)
        self.asked, self.texted = made.asked, self.minute
        for action in made.actions:
            if isinstance(action, act.Perform):
                self.keeps(action.effect, "text")
        for action in made.actions:
            if isinstance(action, act.SendText):
                self.is_answered(action.key, made.language, action.code)
        self.minute += 1

    def is_answered(self, key: str, language: str, code: str) -> None:
        if key in (self.library.script.neutral_text, self.library.script.thread_text):
            self.flags.discard("neutral_due")
        display = self.display if self.chosen else "unicode"
        text = self.library.sms(language, key, display, code)
        self.messages.append(Message(mine=False, text=text, minute=self.minute))

    def call(self, kind: str, keys: str) -> None:
        state = self.hears(kind, None, CallStarted(kind, self.language, facts=self.facts()))
        for key in keys:
            if state.over:
                break
            silent = key == " "
            state = self.hears(
                kind, state, StayedSilent(self.facts()) if silent else KeyPressed(key, 1.0, self.facts())
            )
        if not state.over:
            bridged = self.library.script.menus[state.menu].over is not None
            self.hears(kind, state, BridgeOver(self.facts()) if bridged else CallEnded(1.0, self.facts()))
        self.minute += 2

    def hears(
        self,
        kind: str,
        state: State | None,
        event: CallStarted | KeyPressed | StayedSilent | BridgeOver | CallEnded,
    ) -> State:
        made = step(self.library.script, state, event)
        for action in made.actions:
            if isinstance(action, act.Perform):
                self.keeps(action.effect, kind)
        return made.state

    def keeps(self, effect: act.Effect, kind: str) -> None:
        """What the gateway would do about it later, as far as a handset shows it: ring, or not."""
        match effect:
            case act.Ask(own_key=own_key):
                self.own_key = own_key
                self.allowed["callback"] = self.line
            case act.RingBack():
                self.allowed["rung_back"] = self.line
            case act.OptIn(own_key):
                self.own_key = own_key
                self.allowed["confirm"] = self.line
            case act.OptInTexts(code):
                self.code = code
            case act.GateOpened() if kind == "confirm":
                self.allowed["programme"] = self.line
            case act.Withdraw():
                self.allowed.pop("callback", None)
            case act.Stop() | act.Forget():
                self.allowed.clear()
            case act.RememberDisplay():
                self.chosen = True
            case act.RememberLanguage(language):
                self.language = language
            case _:
                pass
