"""What the page and the terminal are shown: handsets, what they hear, and how far the demo has come."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from gateway.simulator.network import Network
from gateway.simulator.numbers import CALLER, COUNSELOR
from gateway.simulator.records import Hearing, Phone, Status
from prompts.preview import DISPLAYS, as_seen

ZONE = ZoneInfo("Asia/Yangon")
_SHOWN = 40
_LASTING = frozenset({"sound", "words", "talking", "ended"})


@dataclass(frozen=True, slots=True)
class Caption:
    """What a sound says in one language; `robot` when a machine speaks, `kind` as the library calls it."""

    text: str
    robot: bool
    kind: str


Captions = Callable[[str], Mapping[str, Caption]]


@dataclass(frozen=True, slots=True)
class Skip:
    """A button of the clock: its name in the page's POST, its label, and the instant it leads to."""

    name: str
    label: str
    at: datetime


def skips(now: datetime) -> tuple[Skip, ...]:
    """Return where the demo clock can be put from `now` (aware): always forward, in Yangon's time of day."""
    local = now.astimezone(ZONE)

    def following(hour: int) -> datetime:
        today = datetime.combine(local, time(hour), tzinfo=ZONE)
        return (today if today > local else today + timedelta(days=1)).astimezone(UTC)

    return (
        Skip("minutes", "+10 minutes", now + timedelta(minutes=10)),
        Skip("hour", "+1 hour", now + timedelta(hours=1)),
        Skip("morning", "Morning 07:00", following(7)),
        Skip("midday", "Midday 11:00", following(11)),
        Skip("evening", "Evening 17:00", following(17)),
        Skip("night", "Tonight 22:00", following(22)),
    )


def phone(network: Network, shown: Phone, captions: Captions) -> dict[str, Any]:
    """Return all a handset shows. Captions are looked up outside the lock: they may come from a database."""
    with network.changed:
        call = shown.call
        ear = call.hearing if call is not None else None
        heard = shown.heard
        still = {
            "name": shown.name,
            "number": shown.number,
            "machine": shown.machine,
            "state": _state(shown),
            "peer": None
            if call is None
            else (call.to_number if call.direction == "inbound" else call.from_number),
            "note": shown.note,
            "listening": call is not None and call.listening is not None and not call.listening.complete,
            "keys": call.listening.keys if call is not None and call.listening is not None else "",
            "calls": [
                {"way": entry.way, "number": entry.number, "at": _clock(entry.at)}
                for entry in reversed(shown.calls[-_SHOWN:])
            ],
            "sending": any(
                message.status == "receiving" and message.from_number == shown.number
                for message in network.messages.values()
            ),
            "texts": [
                {
                    "number": text.number,
                    "mine": text.mine,
                    "body": text.body,
                    "seen": _seen(text.body),
                    "at": _clock(text.at),
                }
                for text in shown.texts[-_SHOWN:]
            ],
        }
    return still | {
        "hearing": None if ear is None else _hearing(network, ear, captions),
        "heard": [_hearing(network, each, captions) for each in heard if each.kind in _LASTING or each.text],
    }


def everything(network: Network, captions: Captions) -> dict[str, Any]:
    """Return the state of both handsets, the network's refusals and the three steps of the demo."""
    with network.changed:
        caller, counselor = network.phones[CALLER], network.phones[COUNSELOR]
        still = {
            "live": any(not call.status.final for call in network.calls.values()),
            "steps": _steps(network, caller, counselor),
            "faults": [
                {"at": _clock(fault.at), "code": fault.code, "message": fault.message, "where": fault.where}
                for fault in reversed(network.faults[-20:])
            ],
        }
    return still | {"phones": [phone(network, shown, captions) for shown in (caller, counselor)]}


def _state(shown: Phone) -> str:
    call = shown.call
    if call is None:
        return "idle"
    if call.status is Status.RINGING:
        return "dialing" if call.direction == "inbound" else "ringing"
    return "machine" if call.answered_by is not None and call.answered_by != "human" else "call"


def _steps(network: Network, caller: Phone, counselor: Phone) -> list[bool]:
    talking = any(heard.kind == "talking" for heard in counselor.heard)
    rung = any(call.phone is counselor for call in network.calls.values())
    came = any(entry.way == "out" for entry in caller.calls) or any(text.mine for text in caller.texts)
    return [came, rung, talking]


def _hearing(network: Network, ear: Hearing, captions: Captions) -> dict[str, Any]:
    sound = None
    if ear.url is not None and ear.url.startswith(network.public_url + "/"):
        sound = ear.url.removeprefix(network.public_url)
    found = captions(ear.hash) if ear.hash is not None else {}
    return {
        "id": ear.id,
        "kind": ear.kind,
        "text": ear.text,
        "sound": sound,
        "began": round(ear.since, 2),
        "captions": {
            language: {"text": caption.text, "robot": caption.robot, "kind": caption.kind}
            for language, caption in found.items()
        },
    }


@lru_cache(maxsize=256)
def _seen(body: str) -> Mapping[str, str]:
    """What a phone that shows Burmese in another way makes of a text, where that is not the text itself."""
    return {phone: seen for phone in DISPLAYS if (seen := as_seen(body, phone)) != body}


def _clock(at: datetime) -> str:
    return f"{at.astimezone(ZONE):%H:%M}"
