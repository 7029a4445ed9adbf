"""The jobs: each takes one id, calls one service, and may run twice, for the row it claims decides."""

from collections.abc import Callable
from datetime import timedelta

from gateway.errors import GatewayError, VaultLocked
from gateway.logs import get
from gateway.queue import SEALED
from gateway.runtime import Runtime
from gateway.services import (
    campaign_calls,
    campaign_ends,
    dispatch,
    forgetting,
    halting,
    pool,
    provider_copies,
    publishing,
    rendering,
    sending,
    staying,
)
from gateway.store.outbox import Duty

_log = get(__name__)
_AFTER_A_FAULT = timedelta(seconds=5)
_UNTIL_UNSEALED = timedelta(seconds=5)

RUNTIME: Runtime | None = None  # set by the worker before it forks


def ring_counselor(duty: str) -> None:
    _do(duty, dispatch.ring_counselor)


def ring_pool(duty: str) -> None:
    _do(duty, pool.ring)


def ring_pooled(duty: str) -> None:
    _do(duty, dispatch.ring_pooled)


def ring_keypad(duty: str) -> None:
    _do(duty, dispatch.ring_keypad)


def ring_colleague(duty: str) -> None:
    _do(duty, dispatch.ring_colleague)


def ring_back(duty: str) -> None:
    _do(duty, dispatch.ring_back)


def ring_caller(duty: str) -> None:
    _do(duty, dispatch.ring_caller)


def confirm(duty: str) -> None:
    _do(duty, dispatch.confirm)


def look_up(duty: str) -> None:
    _do(duty, dispatch.look_up)


def recall(duty: str) -> None:
    _do(duty, campaign_ends.recall)


def move_call(duty: str) -> None:
    _do(duty, dispatch.move_call)


def end_call(duty: str) -> None:
    _do(duty, dispatch.end_call)


def stop_waiting(duty: str) -> None:
    _do(duty, staying.stop_waiting)


def send_text(duty: str) -> None:
    _do(duty, sending.send)


def render(duty: str) -> None:
    _do(duty, rendering.render)


def speak(duty: str) -> None:
    _do(duty, publishing.speak)


def campaign(duty: str) -> None:
    _do(duty, campaign_calls.run)


def forget(duty: str) -> None:
    _do(duty, forgetting.run)


def delete_copies(duty: str) -> None:
    _do(duty, provider_copies.run)


def _do(duty_id: str, service: Callable[[Runtime, Duty], None]) -> None:
    """Claim the row, do it, and where that failed let its due time try again: never RQ."""
    if RUNTIME is None:
        raise RuntimeError("the worker has not set its runtime")
    duty = dispatch.take(RUNTIME, duty_id)
    if duty is None:
        return
    if RUNTIME.switches.halted and duty.job not in halting.WHILE_HALTED:
        dispatch.again(RUNTIME, duty, halting.LOOK_AGAIN, count=False)
        return
    try:
        service(RUNTIME, duty)
    except VaultLocked:  # until somebody types the root key; what is too late by then dies
        RUNTIME.queue.beat(SEALED)
        dispatch.again(RUNTIME, duty, _UNTIL_UNSEALED, count=False)
    except Exception as error:
        kind = type(error).__name__
        (_log.warning if isinstance(error, GatewayError) else _log.error)(
            "job_failed", job=duty.job, error=kind
        )
        dispatch.again(RUNTIME, duty, _AFTER_A_FAULT * 2 ** min(duty.rings, 6))
        raise
