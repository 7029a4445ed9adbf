"""The contract between the gateway and a carrier, in the gateway's words."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from gateway.errors import GatewayError
from gateway.phone import Msisdn
from ivr.actions import Action, Sound

OPTED_OUT: Final = 21610
"""`CarrierError.code` when the person stopped us at the carrier, whichever carrier it is."""

# --- what arrives -------------------------------------------------------------------------------------


class BadForm(GatewayError):  # noqa: N818 - named for what happened, as all of `gateway.errors`
    """A signed webhook that names no call or text of its own, or says one thing twice; carries no part of it."""


class LegStatus(StrEnum):
    """How a call stands, as far as we need to know."""

    UNDER_WAY = "under_way"  # placed, ringing or answered
    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    CANCELED = "canceled"


class TextStatus(StrEnum):
    """How an outgoing text stands."""

    UNDER_WAY = "under_way"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CallArrived:
    """Somebody dials `line`; `caller` is None where the number is withheld, `line` where it was not told."""

    sid: str
    line: Msisdn | None
    caller: Msisdn | None


@dataclass(frozen=True, slots=True)
class LegAnswered:
    """A call that we placed is answered; `machine` where the carrier's detector says so.

    `moved` where it was answered before and `move_call` made it come back.
    """

    sid: str
    leg: str
    machine: bool
    moved: bool = False


@dataclass(frozen=True, slots=True)
class KeysCame:
    """The answer to our answer number `step`: `keys` is empty after silence; `bridged` after a conference.

    `caller` is who dialled us: None where the number is withheld, and None in calls that we placed, which are
    `ours`: whoever presses there may be anybody who holds the phone.
    """

    sid: str
    step: int
    keys: str
    bridged: bool = False
    ours: bool = False
    caller: Msisdn | None = None
    line: Msisdn | None = None
    token: str = ""  # what our answer gave along because it could not be stored


@dataclass(frozen=True, slots=True)
class LegProgress:
    """A call's status report; `leg` is empty for calls that were dialled in; `order` counts from 0 where known."""

    sid: str
    leg: str
    status: LegStatus
    seconds: int | None = None
    order: int | None = None


@dataclass(frozen=True, slots=True)
class TextArrived:
    """A text to `line`; `sender` is None for short codes and names, `line` where it was not told.

    `sent` is when it was sent, where the carrier says so.
    """

    sid: str
    line: Msisdn | None
    sender: Msisdn | None
    text: str
    sent: datetime | None = None


@dataclass(frozen=True, slots=True)
class TextProgress:
    """A sent text's status report; `opted_out` where the carrier says the person stopped us, `message` our id of it."""

    sid: str
    status: TextStatus
    opted_out: bool = False
    message: str = ""


# --- what is looked at --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the doctor looked at, and what to do about it; `good` is None where only a person can tell."""

    what: str
    good: bool | None
    words: str


@dataclass(frozen=True, slots=True)
class Wiring:
    """How the carrier's side should be: our numbers by their use, our addresses, whom we ring, what is kept."""

    public: Sequence[Msisdn]
    missed: Sequence[Msisdn]
    counselors: Sequence[Msisdn]
    public_url: str
    fallback_url: str | None
    countries: frozenset[str]
    now: datetime
    kept: timedelta
    """How long the carrier may have copies of calls and texts."""


# --- what leaves --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VoiceAnswer:
    """What a call hears next: the actions of one turn (`Perform` is never among them) and the next turn's number.

    `token` travels in the next turn's address where the state could not be stored; it is sealed.
    """

    actions: Sequence[Action]
    step: int
    token: str = ""


Sounds = Callable[[Sound], Sequence[str]]  # a sound's addresses, in playing order


@dataclass(frozen=True, slots=True)
class Request:
    """A webhook as it came.

    `path` and `query` are as sent, with their percent-escapes; `query` is without its question mark. Header
    names are in lower case. `form` holds every field of the body in its order, empty and repeated ones too.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    form: Sequence[tuple[str, str]]


class Carrier(Protocol):
    """One carrier. Every REST call raises `CarrierError`, which says whether it may be tried again."""

    name: str

    def check(self, request: Request) -> None:
        """Raise `BadSignature` unless the carrier signed exactly this for our public address and account."""

    def prepare(self) -> None:
        """Load what asking takes: a worker does so once, and not anew in each of its forks."""

    def place_call(
        self,
        *,
        to: Msisdn,
        line: Msisdn,
        leg: str,
        detect_machine: bool,
        ring_seconds: int,
        talk_seconds: int,
        begins: Callable[[], None],
    ) -> str:
        """Ring `to` from `line`; its webhooks will name `leg`. Return the carrier's id of the call.

        `begins` is called when all is ready, right before the request leaves, and may wait or raise.
        """

    def end_call(self, sid: str) -> None:
        """End a call, ringing or answered; one that has ended already is no error."""

    def cancel_call(self, sid: str) -> bool:
        """End a call that is still queued or rings; False where it was answered, or has ended already."""

    def move_call(self, sid: str, leg: str) -> None:
        """Ask a live call to fetch its next answer from us now; one that has ended already is no error."""

    def call_status(self, sid: str) -> LegStatus:
        """How a call stands; one that the carrier does not know any more is `COMPLETED`."""

    def find_calls(self, *, to: Msisdn, line: Msisdn, since: datetime) -> Sequence[tuple[str, LegStatus]]:
        """What the carrier knows of calls from `line` to `to` since then: its id and status, newest first.

        `since` meets the carrier's clock, which counts whole seconds: leave room for the two to differ.
        """

    def send_text(self, *, to: Msisdn, line: Msisdn, body: str, validity: int, message: str) -> str:
        """Send a text that dies after `validity` seconds; its reports will name `message`. Return its id there."""

    def find_texts(self, *, to: Msisdn, line: Msisdn, since: datetime) -> Sequence[tuple[str, TextStatus]]:
        """What the carrier knows of texts sent by `send_text` from `line` to `to` since then, newest first.

        `since` is meant as in `find_calls`.
        """

    def forget_call(self, sid: str) -> None:
        """Delete the carrier's own copy of a call; one that is gone already is no error."""

    def forget_text(self, sid: str) -> None:
        """Delete the carrier's own copy of a text; one that is gone already is no error."""

    def examine(self, wiring: Wiring) -> Iterator[Finding]:
        """Ask the carrier how its side is set up, a finding after the other. Never raises."""
