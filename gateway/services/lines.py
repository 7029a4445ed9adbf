"""Our lines: which may take a call now, at which moment it may begin, and who leaves room for whom."""

import secrets
import threading
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from gateway.errors import CarrierError, StoreDown
from gateway.phone import Msisdn
from gateway.runtime import Runtime
from gateway.store import legs, paces
from gateway.store.database import Session
from gateway.store.legs import LegKind
from gateway.store.paces import Moment

RESERVED: Final = 2
"""Lines that programmes and rings back leave to somebody who waits for a counselor."""
_DIAL: Final = "dial"
_SECOND: Final = timedelta(seconds=1)
_HEADROOM: Final = 1.02  # moments lie a little further apart, and so:
_SLACK: Final = (
    0.02  # of a second is to spare between a call and the one that must not begin in the same second
)
_PROMPT: Final = 0.7  # of that, for a call that begins late; the rest is for its way to the carrier
_AT_LEAST: Final = timedelta(milliseconds=10)  # that a late call is given to leave in
_TOO_LATE: Final = timedelta(seconds=10)  # what was true when a call was decided on is to be looked at again
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
        case LegKind.KEYPAD | LegKind.COLLEAGUE:
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


def moments(session: Session, runtime: Runtime, *, count: int = 1, ahead: timedelta = _SOON) -> Moment | None:
    """Take the next `count` moments for calls of all hosts; None where the first is further off than `ahead`."""
    return paces.reserve(
        session, _DIAL, now=runtime.clock.now(), every=every(runtime), count=count, ahead=ahead
    )


def next_moment(session: Session, runtime: Runtime) -> datetime:
    """When the next moment is to be had."""
    return paces.free_at(session, _DIAL) or runtime.clock.now()


def wait(runtime: Runtime, until: datetime) -> None:
    """Sleep until then."""
    left = (until - runtime.clock.now()).total_seconds()
    if left > 0:
        time.sleep(min(left, 10.0))


class Pacer:
    """Lets the threads of one process begin their calls, each at the moment taken for it, and never before.

    No second holds more calls than are set, for a call is followed by the one as many places after it only a second
    later. One that is held up leaves as soon as it can, after it has put off whoever that would come too close to;
    those held up together leave one after the other.
    """

    def __init__(self, runtime: Runtime) -> None:
        rate = runtime.settings.calls_per_second
        self._runtime = runtime
        self._every = every(runtime)
        self._most = max(1, int(rate))
        self._span = _SECOND * self._most / rate
        self._prompt = self._span * _SLACK * _PROMPT
        self._turn = threading.Lock()
        self._last: datetime | None = None
        self._excused: Moment | None = None  # this call was put down as so late, and those after it likewise

    def wait(self, moment: Moment) -> None:
        """Return at that moment, or later; raises `CarrierError` where that would be much too late."""
        try:
            self._wait(moment)
        except StoreDown:  # nobody could be put off: this call has not left, and may be tried again
            raise CarrierError("the pace cannot be asked for", retry=True) from None

    def _wait(self, moment: Moment) -> None:
        while True:
            wait(self._runtime, moment.at)
            with self._turn:
                leaves = self._in_turn(moment)
                if leaves <= self._latest(moment):
                    self._last = leaves
                    return
                excused = self._excuse(moment, leaves)
            if not excused:
                moment = self._taken_anew(moment)

    def _in_turn(self, moment: Moment) -> datetime:
        """Wait until it is a little after the call before. Return what time it is then."""
        if self._last:
            wait(self._runtime, min(self._last + self._every / 2, moment.at + _TOO_LATE))
        now = self._runtime.clock.now()
        if now - moment.at > _TOO_LATE:
            raise CarrierError("its moment is long past", retry=True)
        return now

    def _latest(self, moment: Moment) -> datetime:
        """When a call may begin without anybody being put off for it."""
        prompt = moment.at + self._prompt
        excused = self._excused
        if excused is None or excused.number > moment.number:
            return prompt
        return max(prompt, excused.at + (moment.number - excused.number) * self._every)

    def _excuse(self, moment: Moment, leaves: datetime) -> bool:
        """Put off those who would come too soon after a late call, and a little more, for others may be late too."""
        until = leaves + max((leaves - moment.at) / 4, _AT_LEAST)
        with self._runtime.database.write() as session:
            excused = paces.leave_late(
                session, _DIAL, moment, until=until, every=self._every, most=self._most,
                span=self._span * (1 + _SLACK * (1 - _PROMPT)),
            )  # fmt: skip
        if excused:
            self._excused = Moment(until, moment.number)
        return excused

    def _taken_anew(self, moment: Moment) -> Moment:
        """Another moment, where somebody has that of the call which would have to wait for this one."""
        while self._runtime.clock.now() - moment.at <= _TOO_LATE:
            with self._runtime.database.write() as session:
                anew = moments(session, self._runtime)
            if anew is not None:
                return anew
            time.sleep(0.1)
        raise CarrierError("its moment is long past", retry=True)
