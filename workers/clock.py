"""The clock process: it rings what is due each second and tidies now and then; two of them do no harm."""

import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway import logs
from gateway.runtime import Runtime
from gateway.services import attending, dispatch, housekeeping

_BEAT_EVERY: Final = 10.0
_EXPIRE_EVERY: Final = 5.0
_SWEEP_EVERY: Final = 60.0
_LONGEST_PAUSE: Final = 30.0

_log = logs.get(__name__)


@dataclass(slots=True)
class _Duty:
    name: str
    every: float
    do: Callable[[], object]
    due: float = 0.0
    failures: int = 0


def run(runtime: Runtime, *, tick: float = 1.0, once: bool = False) -> None:
    """Do each duty when its time comes, until SIGTERM or SIGINT, which end it at once.

    A duty that fails is tried again later and later, at most half a minute apart, and holds up no other.
    `tick`: seconds between two looks at what is due. `once`: do every duty one time and return.
    """
    duties = (
        _Duty("ring", tick, lambda: dispatch.ring_due(runtime)),
        _Duty("expire", _EXPIRE_EVERY, lambda: housekeeping.expire(runtime)),
        _Duty("shifts", _EXPIRE_EVERY, lambda: attending.tick(runtime)),
        _Duty("sweep", _SWEEP_EVERY, lambda: housekeeping.sweep(runtime)),
        _Duty("beat", _BEAT_EVERY, lambda: runtime.queue.beat("clock")),
    )
    if once:
        for duty in duties:
            _attend(duty)
        return
    for number in (signal.SIGTERM, signal.SIGINT):  # a duty cut short is rolled back, as after a kill
        signal.signal(number, lambda *_: sys.exit())
    while True:
        for duty in duties:
            _attend(duty)
        time.sleep(max(0.0, min(duty.due for duty in duties) - time.monotonic()))


def _attend(duty: _Duty) -> None:
    now = time.monotonic()
    if now < duty.due:
        return
    pause = duty.every
    try:
        duty.do()
        duty.failures = 0
    except Exception as error:  # noqa: BLE001 - whatever it is, the clock must go on
        duty.failures += 1
        pause = max(duty.every, min(2.0 ** min(duty.failures, 5), _LONGEST_PAUSE))
        _log.error("a duty of the clock failed", step=duty.name, exc_info=error)
    duty.due = now + pause
