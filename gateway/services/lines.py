"""Our lines: which may take a call now, at which moment it may begin, and who leaves room for whom."""

import secrets
import threading
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from gateway.phone import Msisdn
from gateway.runtime import Runtime
from gateway.store import legs, paces
from gateway.store.database import Session
from gateway.store.legs import LegKind

RESERVED: Final = 2
"""Lines that programmes and rings back leave to somebody who waits for a counselor."""
_DIAL: Final = "dial"
_HEADROOM: Final = (
    1.02  # a request takes its time on the way, and at the other end no second may hold too many
)
_LATE: Final = timedelta(milliseconds=20)  # whoever is later than that would crowd those after it
_SOON: Final = timedelta(seconds=2)  # a worker waits so long for its moment rather than come again


def free(session: Session, runtime: Runtime, kind: LegKind) -> int:
    """How many calls of this kind may take a line now.

    Each counselor who waits has the caller's line reserved, unless she is on it already; programmes and rings back
    leave two more free, and she who would stay on the line needs one for whoever comes.
    """
    at_once, live = max(2, runtime.settings.calls_at_once), legs.live_kinds(session)
    waiting = live.get(LegKind.COUNSELOR, 0) - live.get(LegKind.CALLBACK, 0)
    alone = max(
        0, live.get(LegKind.LIVE, 0) - max(0, waiting)
    )  # they stay on the line, and nobody is there yet
    waiting = max(0, waiting - live.get(LegKind.LIVE, 0))
    used = sum(live.values())
    match kind:
        case LegKind.CALLBACK:
            left = at_once - used
        case LegKind.COUNSELOR:
            left = at_once - used - waiting - (0 if alone else 1) if used else at_once
        case LegKind.LIVE:
            left = at_once - used - waiting - alone - 1
        case LegKind.KEYPAD:
            left = at_once - used - waiting
        case LegKind.RING_BACK | LegKind.CONFIRM | LegKind.PROGRAMME:
            left = max(1, at_once - RESERVED) - used - waiting
    return max(0, left)


def spread(session: Session, runtime: Runtime, count: int) -> list[Msisdn]:
    """Public numbers for up to `count` calls, by chance, so that no number's records list all who are rung.

    None is given more calls at once than HOTLINE_CALLS_PER_LINE.
    """
    settings = runtime.settings
    used = Counter(legs.live_lines(session))
    room = {
        number: settings.calls_per_line - used[runtime.vault.index(number)] for number in settings.numbers
    }
    chosen: list[Msisdn] = []
    for _ in range(count):
        open_ = [number for number, left in room.items() if left > 0]
        if not open_:
            break
        number = secrets.choice(open_)
        room[number] -= 1
        chosen.append(number)
    return chosen


# --- the pace -----------------------------------------------------------------------------------------


def every(runtime: Runtime) -> timedelta:
    """How far two calls are apart."""
    return timedelta(seconds=_HEADROOM / runtime.settings.calls_per_second)


def moments(
    session: Session, runtime: Runtime, *, count: int = 1, ahead: timedelta = _SOON
) -> datetime | None:
    """Take the next `count` moments for calls of all hosts; None where the first is further off than `ahead`."""
    return paces.reserve(
        session, _DIAL, now=runtime.clock.now(), every=every(runtime), count=count, ahead=ahead
    )


def next_moment(session: Session, runtime: Runtime) -> datetime:
    """When the next moment is to be had."""
    return paces.free_at(session, _DIAL) or runtime.clock.now()


def wait(runtime: Runtime, moment: datetime) -> None:
    """Sleep until a moment that was taken."""
    left = (moment - runtime.clock.now()).total_seconds()
    if left > 0:
        time.sleep(min(left, 10.0))


class Pacer:
    """Lets the threads of one process begin their calls one after the other, each at the moment taken for it.

    One that comes too late for its moment takes a new one, or calls held up together would leave together.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._every = every(runtime)
        self._turn = threading.Lock()
        self._last: datetime | None = None

    def wait(self, moment: datetime) -> None:
        while True:
            with self._turn:
                begins = max(moment, self._last + self._every) if self._last else moment
                late = max(begins, self._runtime.clock.now()) - moment > _LATE
                if not late:
                    self._last = begins
            if not late:
                wait(self._runtime, begins)
                if self._runtime.clock.now() - begins <= _LATE:
                    return
            moment = self._taken_anew()

    def _taken_anew(self) -> datetime:
        while True:
            with self._runtime.database.write() as session:
                moment = moments(session, self._runtime)
            if moment is not None:
                return moment
            time.sleep(0.1)
