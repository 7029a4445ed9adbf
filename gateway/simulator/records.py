"""What the simulated network remembers, in memory only: lines, handsets, calls, messages and faults.

Whatever holds a number has no telling `repr`: it must not slip into a log or a traceback.
"""

import time
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gateway.simulator.twiml import Gather


class Status(StrEnum):
    """A call's status, in Twilio's words."""

    QUEUED = "queued"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def final(self) -> bool:
        return self not in (Status.QUEUED, Status.RINGING, Status.IN_PROGRESS)


@dataclass(frozen=True, slots=True, repr=False)
class Line:
    """A number the gateway owns and the addresses that answer for it."""

    number: str
    kind: str
    sid: str
    voice_url: str
    status_url: str
    sms_url: str


@dataclass(frozen=True, slots=True)
class Document:
    """Where a call's next TwiML comes from: an address to ask, or the document itself (base `None`)."""

    url: str | None
    method: str = "POST"
    twiml: bytes | None = None
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Callback:
    """A status callback: its address and the events it was asked for."""

    url: str
    method: str = "POST"
    events: frozenset[str] = frozenset({"completed"})


@dataclass(frozen=True, slots=True)
class Hearing:
    """What a handset's ear hears now: `kind` is sound, words, silence, ringing, waiting, talking or ended."""

    id: int
    kind: str
    text: str = ""
    url: str | None = None
    hash: str | None = None
    seconds: float | None = None
    since: float = field(default_factory=time.monotonic)


@dataclass(slots=True)
class Listening:
    """A `<Gather>` that waits for keys."""

    gather: Gather
    keys: str = ""

    @property
    def finished_by(self) -> str:
        return self.keys[-1] if self.keys and self.keys[-1] == self.gather.finish_on_key else ""

    @property
    def digits(self) -> str:
        return self.keys.removesuffix(self.finished_by)

    @property
    def complete(self) -> bool:
        enough = self.gather.num_digits is not None and len(self.keys) >= self.gather.num_digits
        return enough or bool(self.finished_by)


@dataclass(slots=True, eq=False, repr=False)
class Call:
    """A call and everything its REST resource, its callbacks and its handset show."""

    sid: str
    direction: str
    from_number: str
    to_number: str
    phone: "Phone"
    status: Status
    created: datetime
    updated: datetime
    source: Document
    line: Line
    callback: Callback | None = None
    timeout: float = 60.0
    time_limit: float = 14400.0
    detection: str | None = None
    answered_by: str | None = None
    answered: datetime | None = None
    answered_at: float | None = None
    picked_up: bool = False
    limit_at: float | None = None
    ended: datetime | None = None
    moved_to: Document | None = None
    listening: Listening | None = None
    hearing: Hearing | None = None
    room: str | None = None
    sequence: int = 0
    seconds: int = 0


@dataclass(slots=True, eq=False, repr=False)
class Message:
    """A message and what its REST resource shows."""

    sid: str
    direction: str
    from_number: str
    to_number: str
    body: str
    status: str
    created: datetime
    updated: datetime
    segments: int
    callback: str | None = None
    sent: datetime | None = None
    error_code: int | None = None

    @property
    def final(self) -> bool:
        return self.status in ("delivered", "undelivered", "failed", "received", "canceled")


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """A line of the handset's call list, as a searched phone shows it: `way` is in, out or missed."""

    way: str
    number: str
    at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class Text:
    """One message in a handset's thread with `number`."""

    number: str
    mine: bool
    body: str
    at: datetime


@dataclass(slots=True, eq=False, repr=False)
class Phone:
    """A simulated handset."""

    name: str
    number: str
    machine: bool = False
    call: Call | None = None
    note: str = ""
    calls: list[Entry] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    heard: list[Hearing] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something the network refused; `where` is the address or the resource, without a number."""

    at: datetime
    code: int
    message: str
    where: str


_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_TWICE = frozenset("^{}\\[~]|€\f")


def segments(body: str) -> int:
    """Return how many parts a message takes on the air: 160/153 letters in GSM-7, 70/67 units otherwise."""
    if set(body) <= _GSM7 | _GSM7_TWICE:
        length, single, part = len(body) + sum(c in _GSM7_TWICE for c in body), 160, 153
    else:
        length, single, part = len(body.encode("utf-16-le")) // 2, 70, 67
    return 1 if length <= single else -(-length // part)
