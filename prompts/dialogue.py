"""Plays a conversation written down in plain text against a content pack, and shows where it went differently.

`docs/content.md` explains the lines: `#` a remark, `:` what is the case, `>` what the person does, `<` what is
heard or sent, `=` what is kept. The last two are what the pack is compared with.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import ndiff
from itertools import groupby
from typing import assert_never

from ivr import actions as act
from ivr.burmese.encodings import Encoding, unicode_to_zawgyi
from ivr.engine import State, step, step_text
from ivr.events import (
    BridgeOver,
    CallEnded,
    CallEvent,
    CallStarted,
    Facts,
    KeyPressed,
    Programme,
    StayedSilent,
    TextReceived,
)
from prompts.errors import ContentError
from prompts.library import Display, Library

FRESH_CODE = "482913"  # of a case; a text's code is its first four digits
PIECES = 3  # a programme of a dialogue has three pieces of 15 seconds
_PAUSE = 60.0  # seconds between two texts, unless the dialogue says that the person waits
_STARTS = {
    "dials": "dialled",
    "lets it ring": "missed",
    "rings the counselors' number": "counselors_line",
    "is rung back": "rung_back",
    "is rung back on the keypad": "keypad",
    "is rung": "callback",
    "is rung as counselor": "counselor",
    "is rung as colleague": "colleague",
    "is rung with a programme": "programme",
    "is rung to confirm": "confirm",
}
_MACHINE = ", a machine answers"
_PRESSES = re.compile(r"presses ([0-9*#]+)(?: after (\d+) seconds)?")
_HANGS_UP = re.compile(r"hangs up(?: after (\d+) seconds)?")
_TEXTS = re.compile(r"texts( in zawgyi)? ?(.*)")
_WAITS = re.compile(r"waits (\d+) minutes")
_OWN_NUMBER = re.compile(r"own number ([4-8]+)")
_PROGRAMMES = re.compile(r"programmes (\d)")
_TOPIC = re.compile(r"programme (\d) is about (\w+)")
_LANGUAGE = re.compile(r"language (\w+)")
_DISPLAY = re.compile(r"phone shows (unicode|zawgyi|latin)")


class DialogueError(ContentError):
    """A line of a dialogue that nobody could play."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """The dialogue went as written; `text` is it again, with the wordings under each line."""

    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """It went otherwise. `text` shows it line by line: `-` as written, `+` as it went; `actual` is all of that."""

    text: str
    actual: str


def play(library: Library, dialogue: str) -> Transcript | Difference:
    """Play `dialogue`, which may hold several calls and texts of one person; raise DialogueError."""
    player = _Player(library)
    played: list[str] = []
    worded: list[str] = []
    for number, line in enumerate(dialogue.splitlines(), start=1):
        if line.startswith(("<", "=")):
            continue
        played.append(line)
        worded.append(line)
        try:
            for said in player.follow(line):
                played.append(said.line)
                worded += [said.line, *(f"      {wording}" for wording in said.wordings)]
        except DialogueError as error:
            raise DialogueError(f"line {number}: {error}") from None
    if played == [line.rstrip() for line in dialogue.splitlines()]:
        return Transcript("\n".join(worded) + "\n")
    changed = [line for line in ndiff(dialogue.splitlines(), played) if not line.startswith("?")]
    return Difference("\n".join(changed), "\n".join(played) + "\n")


@dataclass(frozen=True, slots=True)
class _Said:
    """One line of what happened, and the wordings behind it."""

    line: str
    wordings: tuple[str, ...] = ()


@dataclass
class _Player:
    """One person with one phone: what is the case now, and where her call and her texts stand."""

    library: Library
    flags: set[str] = field(default_factory=lambda: {"neutral_due"})
    own_keys: str = ""
    programmes: int = 1
    topics: dict[int, str] = field(default_factory=dict)
    language: str = ""
    chosen: str = ""
    display: Display | None = None  # None until the person chose one: then answers come as she writes
    state: State | None = None
    asked: str = ""
    code: str = ""  # that was sent to this person
    waited: float | None = None

    def __post_init__(self) -> None:
        self.language = self.library.languages[0]

    def follow(self, line: str) -> Iterator[_Said]:
        mark, _, rest = line.partition(" ")
        match mark:
            case ">":
                yield from self.does(rest.strip())
            case ":":
                self.holds(rest.strip())
            case "" | "#":
                return
            case _:
                raise DialogueError(f"a line begins with one of # : > < =, not with {mark!r}")

    # --- what is the case -----------------------------------------------------------------------------

    def holds(self, fact: str) -> None:
        if found := _OWN_NUMBER.fullmatch(fact):
            self.own_keys = found[1]
        elif found := _PROGRAMMES.fullmatch(fact):
            self.programmes = int(found[1])
        elif found := _TOPIC.fullmatch(fact):
            self.topics[int(found[1])] = found[2]
        elif found := _LANGUAGE.fullmatch(fact):
            self.language = self.chosen = found[1]
        elif found := _DISPLAY.fullmatch(fact):
            self.display = _display(found[1])
        else:
            name = fact.removeprefix("no longer ").replace(" ", "_")
            if name not in self.library.script.flags():
                known = ", ".join(sorted(self.library.script.flags())).replace("_", " ")
                raise DialogueError(f"{fact!r} is nothing the script asks for; it asks for {known}")
            (self.flags.discard if fact.startswith("no longer ") else self.flags.add)(name)

    def facts(self) -> Facts:
        return Facts(
            flags=frozenset(self.flags),
            handle="mango-river",
            fresh_handle="mango-river",
            fresh_code=FRESH_CODE,
            own_keys=self.own_keys,
            programmes=tuple(
                Programme(
                    tuple(f"{number} {piece}" for piece in range(1, PIECES + 1)),
                    name=str(number),
                    topic=self.topics.get(number, ""),
                )
                for number in range(1, self.programmes + 1)
            ),
            room="room",
        )

    # --- what the person does -------------------------------------------------------------------------

    def does(self, deed: str) -> Iterator[_Said]:
        facts = self.facts()
        if deed.removesuffix(_MACHINE) in _STARTS:
            kind = _STARTS[deed.removesuffix(_MACHINE)]
            self.state = None
            yield from self.hears(CallStarted(kind, self.language, deed.endswith(_MACHINE), facts))
        elif found := _PRESSES.fullmatch(deed):
            yield from self.hears(KeyPressed(found[1], float(found[2] or 0), facts))
        elif found := _HANGS_UP.fullmatch(deed):
            yield from self.hears(CallEnded(float(found[1] or 0), facts))
        elif deed == "says nothing":
            yield from self.hears(StayedSilent(facts))
        elif deed == "is through talking":
            yield from self.hears(BridgeOver(facts))
        elif found := _WAITS.fullmatch(deed):
            self.waited = (self.waited or 0.0) + 60.0 * int(found[1])
        elif found := _TEXTS.fullmatch(deed):
            yield from self.reads(unicode_to_zawgyi(found[2]) if found[1] else found[2])
        else:
            raise DialogueError(f"nobody knows how a person {deed!r}")

    def hears(self, event: CallEvent) -> Iterator[_Said]:
        if isinstance(event, CallStarted) == (self.state is not None):
            raise DialogueError("there is no call in which this could happen")
        if self.state is not None and self.state.over:
            raise DialogueError("the call is over already")
        made = step(self.library.script, self.state, event)
        self.state = made.state
        yield from self.happens(made.actions, made.state.language)
        if isinstance(event, CallEnded):
            self.state = None
            if not made.actions:
                yield _Said("= nothing is kept")

    def reads(self, text: str) -> Iterator[_Said]:
        match, language = self.library.keyword(text, Encoding(self.display) if self.display else None)
        name = match.name
        if name is None and self.code and text.strip() == self.code:
            name, self.code = self.library.script.of_sent_code, ""
        event = TextReceived(name, self.waited, self.facts())
        made = step_text(self.library.script, self.asked, self.chosen or language or self.language, event)
        self.asked, self.waited = made.asked, _PAUSE
        yield from self.happens(made.actions, made.language, match.encoding)
        if not any(isinstance(action, act.SendText) for action in made.actions):
            yield _Said("< no answer")

    # --- what follows ---------------------------------------------------------------------------------

    def happens(
        self, actions: tuple[act.Action, ...], language: str, written: Encoding = Encoding.UNICODE
    ) -> Iterator[_Said]:
        for action in actions:
            match action:
                case act.Play(sounds) | act.AskForKeys(sounds=sounds):
                    yield self.heard(sounds, language)
                case act.Connect():
                    yield _Said("< is joined")
                case act.HangUp():
                    yield _Said("< the call ends")
                case act.Reject():
                    yield _Said("< is not answered")
                case act.SendText(key):
                    yield self.sent(key, language, written)
                case act.Perform(effect):
                    self.keeps(effect)
                    yield _Said(f"= {in_words(effect)}")
                case _:
                    assert_never(action)

    def heard(self, sounds: tuple[act.Sound, ...], language: str) -> _Said:
        names: list[str] = []
        wordings: list[str] = []
        for programme, group in groupby(sounds, _programme_of):
            if programme:
                first, *_ = group
                names.append(f"programme {programme} from part {_part(first)}")
                continue
            for sound in group:
                match sound:
                    case act.Prompt(key, of):
                        names.append(key)
                        wordings.append(self.library.voice(of or language, key).text)
                    case act.HandleWords(handle):
                        names.append("two words")
                        wordings.append(", ".join(self.library.handle_words(handle, language)))
                    case act.SpokenDigits(digits):
                        names.append(f"digits {digits}")
        return _Said(f"< {', '.join(names)}", tuple(wordings))

    def sent(self, key: str, language: str, written: Encoding) -> _Said:
        if key in (self.library.script.neutral_text, self.library.script.thread_text):
            self.flags.discard("neutral_due")
        burmese = language == self.library.languages[0]
        display = self.display or ("zawgyi" if written is Encoding.ZAWGYI and burmese else "unicode")
        kinds = [] if burmese else [language]
        kinds += [display] if display != "unicode" else []
        shown = f" ({', '.join(kinds)})" if kinds else ""
        text = self.library.sms(language, key, display)
        return _Said(f"< text: {key}{shown}", tuple(text.splitlines()))

    def keeps(self, effect: act.Effect) -> None:
        """What the gateway would remember of this person for the next call or text."""
        match effect:
            case act.RememberLanguage(language):
                self.language = self.chosen = language
            case act.RememberDisplay(display):
                self.display = _display(display)
            case act.Ask(own_key=own_key) | act.OptIn(own_key=own_key):
                self.own_keys = own_key
            case act.OptInTexts(code):
                self.code = code
            case _:
                pass


def in_words(effect: act.Effect) -> str:  # noqa: C901, PLR0911, PLR0912 - one case an effect
    """What is kept, as a dialogue says it."""
    match effect:
        case act.Ask(wish, own_key, _):
            return f"asked to be rung: {wish}" + (f", own number {own_key}" if own_key else "")
        case act.AskByCode(own_key, _, code):
            return f"asked without a number: code {code}, own number {own_key}"
        case act.AskForCase(code, wish):
            return f"to be rung here for the case of {code}: {wish}"
        case act.AddWish(_, what):
            return f"added: {what}"
        case act.KeepText():
            return "this text goes to a counselor"
        case act.GuessedCase(code):
            return f"no case of {code} and this own number"
        case act.RingBack():
            return "to be rung back"
        case act.UseSheetCode():
            return "the sheet's next code is used"
        case act.WrongSheetCode():
            return "a wrong code"
        case act.TakeNext():
            return "the counselor takes the next request"
        case act.SetShift(on):
            return f"the counselor goes {'on' if on else 'off'} shift"
        case act.Outcome(how):
            return f"outcome: {how.replace('_', ' ')}"
        case act.Withdraw():
            return "withdrawn"
        case act.Stop():
            return "never contacted again"
        case act.Forget():
            return "forgotten"
        case act.RememberLanguage(language):
            return f"language: {language}"
        case act.RememberDisplay(display):
            return f"phone shows {display}"
        case act.OptIn(own_key):
            return "asked for programmes by call" + (f", own number {own_key}" if own_key else "")
        case act.OptInTexts(code):
            return f"asked for programmes by text, code {code}"
        case act.ConfirmTexts():
            return "programmes by text for 30 days"
        case act.Renew():
            return "programmes by call for another 30 days"
        case act.GateOpened():
            return "it is her"
        case act.GateRefused(why):
            return f"not now: {why.replace('_', ' ')}"
        case act.CounselorHere():
            return "the counselor is here"
        case act.CounselorReady():
            return "the counselor is ready"
        case act.CounselorDeclined(why):
            return f"the counselor does not go on: {why.replace('_', ' ')}"
        case act.ColleagueHere():
            return "the colleague is here"
        case act.ColleagueJoins():
            return "the colleague joins the talk"
        case act.ColleagueDeclined():
            return "the colleague does not join"
        case act.RingAgain():
            return "the counselor has her rung once more"
        case act.Stay():
            return "stays on the line"
        case act.StayJoined():
            return "waits in the conference"
        case act.StayLeft():
            return "no longer on the line"
        case act.BridgeEnded():
            return "the conversation is over"
        case act.Heard(pieces, of):
            return f"heard: {pieces} of {of} parts"
        case _:
            assert_never(effect)


def _display(name: str) -> Display:
    shown: dict[str, Display] = {"unicode": "unicode", "zawgyi": "zawgyi", "latin": "latin"}
    return shown[name]


def _programme_of(sound: act.Sound) -> str:
    return sound.sound.split()[0] if isinstance(sound, act.Recording) else ""


def _part(sound: act.Sound) -> str:
    return sound.sound.split()[1] if isinstance(sound, act.Recording) else ""
