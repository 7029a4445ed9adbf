"""What can happen in a conversation; facts the decision needs travel in the event."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Programme:
    """An approved programme as it will be heard: pieces of `seconds` each (the last may be shorter).

    `name` is opaque and lasting: others may come before it while somebody listens.
    """

    sounds: tuple[str, ...]
    seconds: int = 15
    name: str = ""
    topic: str = ""


# Of each of these at most one is the case.
ONE_OF = (
    frozenset({"nobody_on_shift", "closed", "live"}),
    frozenset({"nobody_on_shift", "opens_today", "opens_tomorrow", "opens_later", "live"}),
    frozenset({"nobody_came", "talked"}),
    frozenset({"on_shift", "off_missed", "off_long"}),
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true now outside the conversation.

    `flags` are names the script asks for (`nobody_on_shift`, `programme_calls`; `Script.flags` lists them).
    `handle` is the case this leg belongs to, `fresh_handle` a free one in case this turn makes a case.
    `own_keys` open the gate of a person who is rung; empty means that she chose none and `1` opens.
    `programmes` are newest first; `room` is the opaque name of the conference of this leg's case.
    `fresh_code` is a free case code of six digits in case this turn makes one; its first four are the code of a text.
    """

    flags: frozenset[str] = frozenset()
    handle: str = ""
    fresh_handle: str = ""
    fresh_code: str = ""
    own_keys: str = ""
    programmes: tuple[Programme, ...] = ()
    room: str = ""


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A call is answered or arrives; `kind` names one of the script's starting points."""

    kind: str
    language: str
    machine: bool = False
    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """Keys came, `after` seconds after the last answer left."""

    keys: str
    after: float = 0.0
    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True, slots=True)
class StayedSilent:
    """Nothing was pressed in time."""

    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True, slots=True)
class BridgeOver:
    """The conference this leg was in is over, or never came about."""

    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The line is free again, `after` seconds after the last answer left."""

    after: float = 0.0
    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True, slots=True)
class TextReceived:
    """A text: `keyword` is what the whole message means, None where it means nothing we know.

    `waited` is seconds since this number's last text, None where there was none in the last half hour.
    """

    keyword: str | None
    waited: float | None = None
    facts: Facts = field(default_factory=Facts)


CallEvent = CallStarted | KeyPressed | StayedSilent | BridgeOver | CallEnded
