"""kill -9 of whoever sends a text: it leaves at most once, and what never left is found out and sent."""

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest
from faults.conftest import Up
from faults.test_kill_nine import settle
from front_door import Provider
from real_hotline import RealHotline, lives, until
from sqlalchemy import select
from trials import trials

from gateway.services import casework, threads
from gateway.store.callbacks import callbacks
from gateway.store.messages import MessageState, messages

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]


class Slow:
    """A carrier with a text in hand for as long as it takes; then it sends it, or never does."""

    def __init__(self, *, sent: bool) -> None:
        self._sent = sent
        self.entered, self.go = threading.Event(), threading.Event()

    def take(self) -> tuple[int, int] | None:
        self.entered.set()
        self.go.wait(20)
        return None if self._sent else (503, 0)


def is_gone(pid: int) -> bool:
    return not lives(pid)


def answer(hotline: RealHotline, number: str, account: str) -> None:
    """Somebody texts, and is answered."""
    hotline.text("ကျွန်မ အိမ်မပြန်ရဲဘူး", number)
    waiting = select(callbacks.c.id).where(callbacks.c.state == "waiting").order_by(callbacks.c.asked.desc())
    case = hotline.rows(waiting)[0]  # an earlier one, not ended in the time of a claim, waits again
    casework.claim(hotline.runtime, case.id, account)
    threads.answer(hotline.runtime, case.id, account, "yes")


@pytest.mark.promise(12)
def test_a_worker_killed_while_it_sends_never_sends_twice(
    up: Up, provider: Provider, tried: Callable[[int], None]
) -> None:
    hotline = up(provider, HOTLINE_FEATURES="threads")
    account = hotline.counselor().id
    turns = trials(3, 1000)
    tried(turns)
    for turn in range(turns):
        carrier = Slow(sent=turn % 3 < 2)
        provider.refuse = carrier.take
        answer(hotline, f"+95979000{turn:04d}", account)
        assert carrier.entered.wait(40), "nobody sends"
        until(partial(is_gone, hotline.kill("worker" if turn % 20 == 1 else "job")), 10)
        provider.refuse = lambda: None
        carrier.go.set()
    hotline.later(seconds=70)
    settle(hotline)
    received = Counter(text.form["To"] for text in provider.texts)
    assert set(received.values()) == {1}
    assert len(received) == turns, "what never left is found out, and sent"
    ours = hotline.rows(select(messages).where(messages.c.state != MessageState.RECEIVED))
    assert {row.state for row in ours} == {MessageState.SENT}
    assert all(row.sid_digest for row in ours), "every text that left is known by its id"
