"""What the conversation asks the world to do: sounds to play, keys to wait for, effects to store."""

from dataclasses import dataclass

# --- sounds: what one `Play` is made of -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Prompt:
    """A wording of the content pack by its key, in `language` or else that of the conversation."""

    key: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class HandleWords:
    """A case handle, spoken as its two words; `handle` is the pair as stored, for example `mango-river`."""

    handle: str


@dataclass(frozen=True, slots=True)
class SpokenDigits:
    """Digits spoken one by one."""

    digits: str


@dataclass(frozen=True, slots=True)
class Recording:
    """A sound by the hash of its bytes: one piece of an approved programme."""

    sound: str


Sound = Prompt | HandleWords | SpokenDigits | Recording


# --- effects: what must be stored in the same transaction as the turn --------------------------------


@dataclass(frozen=True, slots=True)
class Ask:
    """Ring me: `wish` is hour, morning, midday or evening; `own_key` is empty where none was chosen."""

    wish: str
    own_key: str
    handle: str


@dataclass(frozen=True, slots=True)
class AskByCode:
    """Keep a request without any number: it is found again by `code` and `own_key`, from any phone."""

    own_key: str
    handle: str
    code: str


@dataclass(frozen=True, slots=True)
class AskForCase:
    """Ring this phone for the case of `code`, which was opened with its own key before."""

    code: str
    wish: str


@dataclass(frozen=True, slots=True)
class KeepText:
    """This very text goes to a counselor, in the thread of her case, or in a new one called `handle`."""

    handle: str


@dataclass(frozen=True, slots=True)
class AddWish:
    """Added in the same call to the request of `handle`: `what` is danger (today) or woman (to talk with one)."""

    handle: str
    what: str


@dataclass(frozen=True, slots=True)
class GuessedCase:
    """A case's code with a key that is not its own, or a code of no case."""

    code: str


@dataclass(frozen=True, slots=True)
class RingBack:
    """This line was rung and rejected: ring the number back, once for rings that are minutes apart."""


@dataclass(frozen=True, slots=True)
class UseSheetCode:
    """The counselor's next sheet code was typed: it works no more."""


@dataclass(frozen=True, slots=True)
class WrongSheetCode:
    """A code was typed that is not the next of the sheet."""


@dataclass(frozen=True, slots=True)
class TakeNext:
    """The counselor on this line takes the request that is next."""


@dataclass(frozen=True, slots=True)
class SetShift:
    """The counselor on this line goes on or off shift."""

    on: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went, said by keys: done, no_answer, later, coordinator or not_safe."""

    how: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take back whatever was asked from this phone."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Never ring or text this number again until it asks."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Destroy all that is kept about this number."""


@dataclass(frozen=True, slots=True)
class RememberLanguage:
    """Greet this number in `language` from now on: said so when chosen."""

    language: str


@dataclass(frozen=True, slots=True)
class RememberDisplay:
    """How this phone shows Burmese: unicode, zawgyi or latin."""

    display: str


@dataclass(frozen=True, slots=True)
class OptIn:
    """Programmes by call wished; provisional until the one confirming call is answered with `own_key`."""

    own_key: str


@dataclass(frozen=True, slots=True)
class OptInTexts:
    """Programmes by text wished; nothing is live until exactly `code` is texted back from the same number."""

    code: str


@dataclass(frozen=True, slots=True)
class ConfirmTexts:
    """The code that was sent to this number came back: programmes by text are live."""


@dataclass(frozen=True, slots=True)
class Renew:
    """Her own key once more, in the last days of her consent: it goes on."""


@dataclass(frozen=True, slots=True)
class GateOpened:
    """The person who was rung proved herself with her own key: the consent asked for is live."""


@dataclass(frozen=True, slots=True)
class GateRefused:
    """The person who was rung: `why` is later, wrong_person, other_key, silent, machine or left."""

    why: str


@dataclass(frozen=True, slots=True)
class CounselorHere:
    """A counselor's right key: of several who are rung, the first one's request it is."""


@dataclass(frozen=True, slots=True)
class CounselorReady:
    """The counselor heard the handle and wants the caller rung now."""


@dataclass(frozen=True, slots=True)
class CounselorDeclined:
    """The counselor does not go on: `why` is later, give_back, refuse, silent or left."""

    why: str


@dataclass(frozen=True, slots=True)
class ColleagueHere:
    """The right key or code of a colleague who is asked to join a talk."""


@dataclass(frozen=True, slots=True)
class ColleagueJoins:
    """The colleague heard the handle and joins the talk."""


@dataclass(frozen=True, slots=True)
class ColleagueDeclined:
    """The colleague does not join: the talk is as it was before."""


@dataclass(frozen=True, slots=True)
class RingAgain:
    """The line dropped while they talked: the counselor on this line wants her rung once more."""


@dataclass(frozen=True, slots=True)
class Stay:
    """Who asked in this very turn stays on the line, and whoever is there is rung for her at once."""


@dataclass(frozen=True, slots=True)
class StayJoined:
    """She who stays on the line is in the conference, where whoever comes finds her."""


@dataclass(frozen=True, slots=True)
class StayLeft:
    """She who stayed on the line is in the conference no more."""


@dataclass(frozen=True, slots=True)
class BridgeEnded:
    """This leg is back from the conference."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A programme was listened to: `pieces` of `of` begun when the listener went on or hung up."""

    pieces: int
    of: int


Effect = (
    Ask
    | AskByCode
    | AskForCase
    | AddWish
    | KeepText
    | GuessedCase
    | RingBack
    | UseSheetCode
    | WrongSheetCode
    | TakeNext
    | SetShift
    | Outcome
    | Withdraw
    | Stop
    | Forget
    | RememberLanguage
    | RememberDisplay
    | OptIn
    | OptInTexts
    | ConfirmTexts
    | Renew
    | GateOpened
    | GateRefused
    | CounselorHere
    | CounselorReady
    | CounselorDeclined
    | ColleagueHere
    | ColleagueJoins
    | ColleagueDeclined
    | RingAgain
    | Stay
    | StayJoined
    | StayLeft
    | BridgeEnded
    | Heard
)


CounselorEffect = (
    UseSheetCode
    | WrongSheetCode
    | TakeNext
    | SetShift
    | Outcome
    | CounselorHere
    | CounselorReady
    | CounselorDeclined
    | ColleagueHere
    | ColleagueJoins
    | ColleagueDeclined
    | RingAgain
)


# --- actions ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Play:
    """Play these sounds one after another; keys do not interrupt."""

    sounds: tuple[Sound, ...]


@dataclass(frozen=True, slots=True)
class AskForKeys:
    """Play the sounds, interruptible, then wait `wait` seconds for `digits` keys; silence answers too."""

    sounds: tuple[Sound, ...]
    wait: int
    digits: int = 1


@dataclass(frozen=True, slots=True)
class Connect:
    """Join the conference `room` (an opaque name), hearing the waiting sound until the other one comes.

    With `ends` it ends for everybody when this one leaves.
    """

    room: str
    ends: bool = True


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Do not answer: it costs the caller nothing."""


@dataclass(frozen=True, slots=True)
class SendText:
    """Answer a text with the wording `key`; `code` stands where it asks for one."""

    key: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Perform:
    """Store this effect in the turn's own transaction."""

    effect: Effect


Action = Play | AskForKeys | Connect | HangUp | Reject | SendText | Perform
