"""`step`: from a state and an event to the next state and the actions; nobody else decides what is heard."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

from ivr import actions as act
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
from ivr.script import (
    AGAIN,
    BACK,
    GIVEN,
    LEAVE,
    PRESSED,
    EffectName,
    Line,
    Menu,
    Move,
    Option,
    Script,
    TextRule,
)

TEXT_CODE_LENGTH = 4
TRAIL = 12  # menus remembered for `back`; deeper than any script


@dataclass(frozen=True, slots=True)
class State:
    """Where a call stands. Holds no number, and JSON keeps it."""

    menu: str
    language: str
    silences: int = 0
    wrongs: int = 0
    trail: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)
    programme: str = ""  # the name of the one that is heard; empty: the first there is
    piece: int = 0
    over: bool = False

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "State":
        # Calls that began before programmes had names hold a number, which names none.
        return cls(**{**data, "trail": tuple(data["trail"]), "programme": str(data["programme"])})


@dataclass(frozen=True, slots=True)
class Step:
    """What follows: the next state and, in order, what is said and done."""

    state: State
    actions: tuple[act.Action, ...]


def step(script: Script, state: State | None, event: CallEvent) -> Step:  # noqa: PLR0911 - one case an event
    """Decide the next step of a call; `state` is None exactly when the event is `CallStarted`."""
    match event:
        case CallStarted():
            return _start(script, event)
        case KeyPressed() | StayedSilent() | BridgeOver() | CallEnded() if state is None or state.over:
            language = state.language if state else ""
            left = () if isinstance(event, CallEnded) else (act.HangUp(),)
            return Step(State(menu="", language=language, over=True), left)
        case KeyPressed() | StayedSilent() if over := script.menus[state.menu].over:
            return _follow(script, state, over, event.facts)  # whatever comes from a conference: it is over
        case KeyPressed():
            return _pressed(script, state, event)
        case StayedSilent():
            return _silent(script, state, event.facts)
        case BridgeOver():
            return _follow(script, state, script.menus[state.menu].over or Option(), event.facts)
        case CallEnded():
            return _ended(script, state, event)
        case _:
            assert_never(event)


# --- the five things that can happen to a call --------------------------------------------------------


def _start(script: Script, event: CallStarted) -> Step:
    state = State(menu=script.starts[event.kind], language=event.language)
    menu = script.menus[state.menu]
    if menu.reject:
        effects = _effects(menu.reject, state, event.facts)
        return Step(replace(state, over=True), (*effects, act.Reject()))
    if event.machine:
        return _follow(script, state, menu.machine or Option(), event.facts)
    return _enter(script, state, event.facts, ())


def _pressed(script: Script, state: State, event: KeyPressed) -> Step:
    menu = script.menus[state.menu]
    option = _meaning(script, menu, event)
    if menu.programme:
        state = _listened_until(state, event.after, event.facts)
    if option is None:
        state = replace(state, wrongs=state.wrongs + 1, silences=0)
        if state.wrongs >= menu.tries:
            return _give_up(menu, state, event.facts, act.Prompt(script.too_many))
        return _enter(script, state, event.facts, (act.Prompt(script.wrong_key),))
    followed = _follow(script, state, option, event.facts, pressed=event.keys)
    return Step(followed.state, (*_heard(menu, state, event.facts), *followed.actions))


def _silent(script: Script, state: State, facts: Facts) -> Step:
    menu = script.menus[state.menu]
    state = replace(state, silences=state.silences + 1)
    if menu.programme and menu.silent:  # silence while it played: it was heard to its end
        ended = _follow(script, state, menu.silent, facts)
        return Step(ended.state, (*_heard(menu, _moved(state, Move.END, facts), facts), *ended.actions))
    if state.silences >= menu.tries:
        if menu.silent:
            return _follow(script, state, menu.silent, facts)
        return _give_up(menu, state, facts, act.Prompt(script.goodbye))
    if state.silences == 1 and menu.later:
        return Step(state, (act.AskForKeys(_sounds(menu.later, facts), menu.wait, menu.length),))
    lines = (*menu.say, *menu.later)
    return Step(state, (act.AskForKeys(_sounds(lines, facts), menu.wait, menu.length),))


def _ended(script: Script, state: State, event: CallEnded) -> Step:
    menu = script.menus[state.menu]
    effects: tuple[act.Action, ...] = _effects(menu.left, state, event.facts)
    if menu.programme:
        effects = (*_heard(menu, _listened_until(state, event.after, event.facts), event.facts), *effects)
    return Step(replace(state, over=True), effects)


# --- following an option ------------------------------------------------------------------------------


def _meaning(script: Script, menu: Menu, event: KeyPressed) -> Option | None:
    """What the pressed key means here: the person's own key, this menu's keys, the keys of everywhere."""
    opens = event.facts.own_keys or "1"
    own = menu.own if len(event.keys) == 1 and event.keys in opens else ()
    entry = menu.entry if len(event.keys) == menu.length and event.keys.isdecimal() else ()
    for option in (*own, *menu.keys.get(event.keys, ()), *entry):
        if not option.only_if or option.only_if in event.facts.flags:
            return option
    if menu.everywhere and event.keys in script.everywhere:
        return script.everywhere[event.keys]
    return menu.other


def _follow(script: Script, state: State, option: Option, facts: Facts, *, pressed: str = "") -> Step:
    if option.do and "no_saving" in facts.flags:
        return _unsaved(script, state, option, facts, pressed=pressed)
    given = {PRESSED: pressed, GIVEN: facts.fresh_handle}
    kept = {name: given.get(value, value) for name, value in option.keep.items()}
    state = replace(state, kept={**state.kept, **kept}, language=option.language or state.language)
    effects = _effects(option.do, state, facts)
    said = _sounds(option.say, facts)
    if option.connect:
        over = replace(state, menu=state.menu if option.to == LEAVE else option.to)
        spoken = (act.Play(said),) if said else ()
        return Step(over, (*effects, *spoken, act.Connect(facts.room, ends="transfer" not in facts.flags)))
    after = _go(script, state, option, facts, said)
    return Step(after.state, (*effects, *after.actions))


def _unsaved(script: Script, state: State, option: Option, facts: Facts, *, pressed: str) -> Step:
    """Nothing can be stored: who pressed a key is told so, and who would leave still leaves."""
    if option.to == LEAVE or (option.connect and not pressed):
        sentence = script.not_saved if pressed else script.goodbye
        return _hang_up(state, (act.Prompt(sentence),) if option.say or option.connect else ())
    first = replace(state, menu=(*state.trail, state.menu)[0], trail=(), silences=0, wrongs=0)
    return _enter(script, first, facts, (act.Prompt(script.not_saved),))


def _go(script: Script, state: State, option: Option, facts: Facts, said: tuple[act.Sound, ...]) -> Step:
    if option.move:
        state = _moved(state, option.move, facts)
    if option.to == LEAVE:
        return _hang_up(state, said)
    if option.to == AGAIN:
        return _enter(script, replace(state, silences=0), facts, said)
    fresh = replace(state, silences=0, wrongs=0)
    if option.to == BACK:
        trail = state.trail or (state.menu,)
        return _enter(script, replace(fresh, menu=trail[-1], trail=trail[:-1]), facts, said)
    walked = script.menus[state.menu].asks and option.to != state.menu
    trail = (*state.trail, state.menu)[-TRAIL:] if walked else state.trail
    if walked and script.menus[option.to].programme and not option.move:
        fresh = replace(fresh, programme="", piece=0)
    return _enter(script, replace(fresh, menu=option.to, trail=trail), facts, said)


def _enter(script: Script, state: State, facts: Facts, before: tuple[act.Sound, ...]) -> Step:
    """Say what the state's menu says, after `before`, and wait for keys or go on."""
    menu = script.menus[state.menu]
    said = before + _sounds(menu.say, facts)
    if menu.programme:
        programme = _programme(state, facts)
        if programme is None:
            nothing = menu.nothing or Option()
            return _go(script, state, nothing, facts, before + _sounds(nothing.say, facts))
        state = replace(state, programme=programme.name)
        said += tuple(act.Recording(sound) for sound in programme.sounds[state.piece :])
    if menu.asks:
        return Step(state, (act.AskForKeys(said, menu.wait, menu.length),))
    step_ = _follow(script, state, menu.then or Option(), facts)
    if menu.whole and said:
        return Step(step_.state, (act.Play(said), *step_.actions))
    return Step(step_.state, _said_first(said, step_.actions))


def _said_first(said: tuple[act.Sound, ...], actions: tuple[act.Action, ...]) -> tuple[act.Action, ...]:
    """Join what was said with the next `Play` or question, so that it stays interruptible there."""
    if not said:
        return actions
    for at, action in enumerate(actions):
        match action:
            case act.Perform():
                continue
            case act.AskForKeys():
                joined: act.Action = replace(action, sounds=said + action.sounds)
                return (*actions[:at], joined, *actions[at + 1 :])
            case act.Play():
                return (*actions[:at], act.Play(said + action.sounds), *actions[at + 1 :])
            case _:
                return (*actions[:at], act.Play(said), *actions[at:])
    return (*actions, act.Play(said))


def _give_up(menu: Menu, state: State, facts: Facts, sentence: act.Prompt) -> Step:
    """Too many tries: for the case it is as if the person had hung up here."""
    hung_up = _hang_up(state, (sentence,))
    return Step(hung_up.state, (*_effects(menu.left, state, facts), *hung_up.actions))


def _hang_up(state: State, said: tuple[act.Sound, ...]) -> Step:
    play = (act.Play(said),) if said else ()
    return Step(replace(state, over=True), (*play, act.HangUp()))


def _sounds(lines: tuple[Line, ...], facts: Facts) -> tuple[act.Sound, ...]:
    return tuple(_spoken(lines, facts))


def _spoken(lines: tuple[Line, ...], facts: Facts) -> Iterator[act.Sound]:
    for line in lines:
        if line.holds(facts.flags):
            match line.say:
                case "@handle":
                    yield act.HandleWords(facts.handle)
                case "@fresh_handle":
                    yield act.HandleWords(facts.fresh_handle)
                case "@fresh_code":
                    yield act.SpokenDigits(facts.fresh_code)
                case say:
                    language, _, key = say.rpartition(":")
                    yield act.Prompt(key, language)


# --- programmes ---------------------------------------------------------------------------------------


END = "-"  # behind the last programme


def _offered(state: State, facts: Facts) -> list[Programme]:
    """The newest first; of one topic, where she came from there."""
    topic = state.kept.get("topic", "")
    return [one for one in facts.programmes if not topic or one.topic == topic]


def _programme(state: State, facts: Facts) -> Programme | None:
    """The one she listens to, if it may still be heard; at the beginning the first."""
    offered = _offered(state, facts)
    if not state.programme:
        return offered[0] if offered else None
    return next((one for one in offered if one.name == state.programme), None)


def _after(state: State, facts: Facts) -> str:
    names = [one.name for one in _offered(state, facts)]
    at = names.index(state.programme) + 1 if state.programme in names else len(names)
    return names[at] if at < len(names) else END


def _listened_until(state: State, after: float, facts: Facts) -> State:
    programme = _programme(state, facts)
    if programme is None:
        return state
    piece = state.piece + int(max(0.0, after) // programme.seconds)
    return replace(state, piece=min(piece, len(programme.sounds) - 1))


def _heard(menu: Menu, state: State, facts: Facts) -> tuple[act.Action, ...]:
    programme = _programme(state, facts) if menu.programme and "no_saving" not in facts.flags else None
    return (act.Perform(act.Heard(state.piece + 1, len(programme.sounds))),) if programme else ()


def _moved(state: State, move: Move, facts: Facts) -> State:
    programme = _programme(state, facts)
    last = len(programme.sounds) - 1 if programme else 0
    match move:
        case Move.NEXT:
            return replace(state, programme=_after(state, facts), piece=0)
        case Move.AGAIN:
            return replace(state, piece=0)
        case Move.BACK:
            return replace(state, piece=max(0, state.piece - 1))
        case Move.FORWARD:
            return replace(state, piece=min(last, state.piece + 1))
        case Move.END:
            return replace(state, piece=last)
        case Move.STAY:
            return state
        case _:
            assert_never(move)


# --- texts --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TextStep:
    """What follows a text: `asked` is the keyword that waits for its second coming, else empty."""

    asked: str
    language: str
    actions: tuple[act.Action, ...]


def step_text(script: Script, asked: str, language: str, event: TextReceived) -> TextStep:
    """Decide the answer to a text; `asked` is what the last step asked to be repeated."""
    rule = script.texts.get(event.keyword) if event.keyword else None
    if rule is None or (rule.only_if and rule.only_if not in event.facts.flags):
        return TextStep("", language, _no_code(script, event.facts, known=rule is not None))
    language = rule.language or language
    if rule.do and "no_saving" in event.facts.flags:
        return TextStep("", language, _reply(script.not_saved_text if rule.reply else ""))
    if rule.confirm and not (
        asked == rule.name and event.waited is not None and event.waited <= rule.confirm
    ):
        return TextStep(rule.name, language, _reply(rule.first))
    effects = _text_effects(rule, language, event.facts)
    code = next((one.effect.code for one in effects if isinstance(one.effect, act.OptInTexts)), "")
    reply = next((key for flag, key in rule.instead.items() if flag in event.facts.flags), rule.reply)
    return TextStep("", language, (*effects, *_reply(reply, code)))


def _no_code(script: Script, facts: Facts, *, known: bool) -> tuple[act.Action, ...]:
    """What means nothing to us goes to a person where threads are on; a code that means nothing now does not."""
    if known or "threads" not in facts.flags:
        return _reply(script.neutral_text) if "neutral_due" in facts.flags else ()
    if "no_saving" in facts.flags:
        return _reply(script.not_saved_text)
    said = _reply(script.thread_text) if "neutral_due" in facts.flags else ()
    return (act.Perform(act.KeepText(facts.fresh_handle)), *said)


def _reply(key: str, code: str = "") -> tuple[act.Action, ...]:
    return (act.SendText(key, code),) if key else ()


def _text_effects(rule: TextRule, language: str, facts: Facts) -> tuple[act.Perform, ...]:
    return _effects(rule.do, State(menu="", language=language, kept=rule.keep), facts)


# --- effects ------------------------------------------------------------------------------------------


def _effects(names: tuple[EffectName, ...], state: State, facts: Facts) -> tuple[act.Perform, ...]:
    if "no_saving" in facts.flags:
        return ()
    return tuple(act.Perform(_effect(name, state, facts)) for name in names)


def _effect(name: EffectName, state: State, facts: Facts) -> act.Effect:  # noqa: C901, PLR0911, PLR0912 - one case an effect
    kept = state.kept
    match name:
        case EffectName.ASK:
            return act.Ask(kept["wish"], kept.get("own_key", ""), facts.fresh_handle)
        case EffectName.ASK_BY_CODE:
            return act.AskByCode(kept["own_key"], facts.fresh_handle, facts.fresh_code)
        case EffectName.ASK_FOR_CASE:
            return act.AskForCase(kept["code"], kept["wish"])
        case EffectName.WISH_DANGER | EffectName.WISH_WOMAN:
            return act.AddWish(kept.get("handle", ""), name.value.removeprefix("wish_"))
        case EffectName.GUESSED_CASE:
            return act.GuessedCase(kept.get("code", ""))
        case EffectName.RING_BACK:
            return act.RingBack()
        case EffectName.USE_SHEET_CODE:
            return act.UseSheetCode()
        case EffectName.WRONG_SHEET_CODE:
            return act.WrongSheetCode()
        case EffectName.TAKE_NEXT:
            return act.TakeNext()
        case EffectName.SHIFT_ON | EffectName.SHIFT_OFF:
            return act.SetShift(on=name is EffectName.SHIFT_ON)
        case (
            EffectName.OUTCOME_DONE
            | EffectName.OUTCOME_NO_ANSWER
            | EffectName.OUTCOME_LATER
            | EffectName.OUTCOME_COORDINATOR
            | EffectName.OUTCOME_NOT_SAFE
        ):
            return act.Outcome(name.value.removeprefix("outcome_"))
        case EffectName.WITHDRAW:
            return act.Withdraw()
        case EffectName.STOP:
            return act.Stop()
        case EffectName.FORGET:
            return act.Forget()
        case EffectName.REMEMBER_LANGUAGE:
            return act.RememberLanguage(state.language)
        case EffectName.REMEMBER_DISPLAY:
            return act.RememberDisplay(kept["display"])
        case EffectName.OPT_IN:
            return act.OptIn(kept.get("own_key", ""))
        case EffectName.OPT_IN_TEXTS:
            return act.OptInTexts(facts.fresh_code[:TEXT_CODE_LENGTH])
        case EffectName.CONFIRM_TEXTS:
            return act.ConfirmTexts()
        case EffectName.RENEW:
            return act.Renew()
        case EffectName.GATE_OPENED:
            return act.GateOpened()
        case (
            EffectName.GATE_LATER
            | EffectName.GATE_WRONG_PERSON
            | EffectName.GATE_OTHER_KEY
            | EffectName.GATE_SILENT
            | EffectName.GATE_LEFT
            | EffectName.GATE_MACHINE
        ):
            return act.GateRefused(name.value.removeprefix("gate_"))
        case EffectName.COUNSELOR_HERE:
            return act.CounselorHere()
        case EffectName.COUNSELOR_READY:
            return act.CounselorReady()
        case EffectName.COUNSELOR_LATER | EffectName.COUNSELOR_SILENT | EffectName.COUNSELOR_LEFT:
            return act.CounselorDeclined(name.value.removeprefix("counselor_"))
        case EffectName.COUNSELOR_GIVES_BACK:
            return act.CounselorDeclined("give_back")
        case EffectName.COUNSELOR_REFUSES:
            return act.CounselorDeclined("refuse")
        case EffectName.COLLEAGUE_HERE:
            return act.ColleagueHere()
        case EffectName.COLLEAGUE_JOINS:
            return act.ColleagueJoins()
        case EffectName.COLLEAGUE_DECLINES:
            return act.ColleagueDeclined()
        case EffectName.RING_AGAIN:
            return act.RingAgain()
        case EffectName.STAY:
            return act.Stay()
        case EffectName.STAY_JOINED:
            return act.StayJoined()
        case EffectName.STAY_LEFT:
            return act.StayLeft()
        case EffectName.BRIDGE_ENDED:
            return act.BridgeEnded()
        case _:
            assert_never(name)
