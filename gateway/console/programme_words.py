"""The words of programmes and of what became of sending them."""

from collections.abc import Mapping
from typing import Final

from gateway.console.words import _l

VERSION_STATES: Final[Mapping[str, str]] = {
    "rendering": _l("being made into sound"),
    "ready": _l("ready to be listened to"),
    "approved": _l("approved"),
    "failed": _l("no sound could be made"),
    "retired": _l("taken back"),
}

CAMPAIGN_STATES: Final[Mapping[str, str]] = {
    "running": _l("under way"),
    "paused": _l("paused"),
    "canceled": _l("ended by hand"),
    "capped": _l("stopped: what it may cost is used up"),
    "done": _l("finished"),
}

RECIPIENT_STATES: Final[Mapping[str, str]] = {
    "pending": _l("still to come"),
    "calling": _l("under way now"),
    "reached": _l("heard it"),
    "texted": _l("text sent"),
    "later": _l("said later"),
    "other_key": _l("pressed another key"),
    "wrong_person": _l("was another person"),
    "silent": _l("pressed no key"),
    "machine": _l("a machine answered"),
    "left": _l("hung up"),
    "busy": _l("engaged"),
    "no_answer": _l("no answer"),
    "failed": _l("could not be reached"),
    "not_allowed": _l("a number or phone that is not contacted"),
    "stopped": _l("wanted no more"),
    "expired": _l("not in time"),
    "canceled": _l("ended by hand before"),
}

CURVE: Final[Mapping[str, str]] = {
    "call": _l("heard it"),
    "text": _l("text sent"),
    "others": _l("not reached"),
}

LISTENED: Final[Mapping[str, str]] = {
    "heard_4": _l("to the end"),
    "heard_3": _l("three quarters or more"),
    "heard_2": _l("half or more"),
    "heard_1": _l("a quarter or more"),
    "heard_0": _l("less than a quarter"),
    "asked": _l("asked for a counselor"),
    "enough": _l("pressed: never again"),
}
