"""kill -9 of anything at any moment: what was acknowledged is there, once, and everything comes back."""

import itertools
import os
import random
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from functools import partial

import pytest
import requests
from faults.conftest import Up
from front_door import Provider
from real_hotline import ROOT, RealHotline, lives, until
from real_postgres import Postgres, PostgresServer
from sqlalchemy import bindparam, select
from trials import trials

from gateway.phone import Msisdn
from gateway.queue import JOB_DELETE_COPIES, JOB_RING_POOL
from gateway.store.callbacks import callbacks, moves
from gateway.store.consents import consents
from gateway.store.contacts import contacts
from gateway.store.database import Instant
from gateway.store.legs import legs
from gateway.store.outbox import outbox

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]

BUSY = {"HOTLINE_CALLS_AT_ONCE": "100000", "HOTLINE_CALLS_PER_SECOND": "1000"}


# Last what others wait for: the everyday run ends each once.
KINDS = ("job", "clock", "valkey", "worker", "web child", "web")
WITH_THE_DATABASE = ("job", "session of the database", "web child", "database")

Kill = Callable[[], object]


class Crowd:
    """People who ask, each from a number of their own; it remembers to whom it was promised."""

    numbers = itertools.count(1)

    def __init__(self, hotline: RealHotline) -> None:
        self.hotline = hotline
        self.sent: list[str] = []
        self.promised: dict[str, str] = {}
        self.goal = 0
        library = hotline.runtime.library
        self._asked = {library.sms("my", key, "unicode") for key in ("asked_hour", "asked_nobody")}

    def one(self, way: str) -> None:
        number = f"+95979{next(self.numbers):07d}"
        self.sent.append(number)
        try:
            if getattr(self, way)(number):
                self.promised[number] = way
        except requests.RequestException:
            pass  # nobody answered, so nothing was promised

    def text(self, number: str) -> bool:
        return self.hotline.text("11", number) in self._asked

    def text_again_and_again(self, number: str) -> bool:
        """As a carrier that delivers twice, and again where nobody answered."""
        sid = "SM" + secrets.token_hex(16)
        answers = [self.hotline.patiently(lambda: self.hotline.text("11", number, sid=sid)) for _ in range(2)]
        return not self._asked.isdisjoint(answers)

    def call(self, number: str) -> bool:
        return self._hears(number, "115") == ["registered"]

    def programmes(self, number: str) -> bool:
        """Asks for programmes by call: one call of ours must follow."""
        return self._hears(number, "816") == ["opted_in"]

    def _hears(self, number: str, keys: str) -> list[str]:
        line = self.hotline.dial(number)
        for key in keys:
            if line.heard.action:  # without a database a call may end with a word of regret
                line.press(key)
        return line.heard.said[:1]


WAYS = ("text", "text_again_and_again", "call", "programmes")


def settle(hotline: RealHotline, seconds: float = 900) -> None:
    """Workers do what is owed; what a dead one had in hand is free again after a minute, which is skipped.

    Looking for counselors, of whom there is none, goes on; and what is deleted at the provider may wait for it.
    """
    deadline = time.monotonic() + seconds
    owed = select(outbox.c.job, outbox.c.rings).where(
        outbox.c.done.is_(None), outbox.c.job.not_in((JOB_RING_POOL, JOB_DELETE_COPIES))
    )
    to_do = owed.where(outbox.c.due <= bindparam("now", type_=Instant), outbox.c.taken.is_(None))
    while undone := hotline.rows(owed):
        assert time.monotonic() < deadline, f"never done: {Counter(undone)}"
        if not hotline.rows(to_do.params(now=hotline.clock.now())):
            hotline.later(seconds=65)
        time.sleep(1)


def contacts_of(hotline: RealHotline, numbers: list[str]) -> dict[str, str]:
    ids = {bytes(row.number_index): row.id for row in hotline.rows(select(contacts))}
    found = {number: ids.get(hotline.runtime.vault.index(Msisdn.parse(number))) for number in numbers}
    return {number: contact for number, contact in found.items() if contact}


@pytest.mark.promise(9)
@pytest.mark.parametrize("kinds", [KINDS, WITH_THE_DATABASE], ids=["sqlite", "postgresql"])
def test_what_was_acknowledged_is_there_once_after_kills_of_everything(
    up: Up,
    provider: Provider,
    tried: Callable[[int], None],
    request: pytest.FixtureRequest,
    kinds: Sequence[str],
) -> None:
    """Looked at some times in between: who asks for a ring within the hour is known for 45 minutes only."""
    provider.refuse = partial(time.sleep, 0.1)  # type: ignore[assignment]  # a carrier takes its time
    looks, rounds, wanted = trials(1, 6), trials(1, 25), trials(12, 500)
    with ExitStack() as stack:
        kills: dict[str, Kill] = {}
        addresses: dict[str, str] = {}
        if kinds is WITH_THE_DATABASE:
            postgres: Postgres = request.getfixturevalue("postgres")
            addresses = stack.enter_context(postgres.addresses())
            kills = {
                "database": partial(_out_for_a_moment, postgres.server),
                "session of the database": partial(until, postgres.server.kill_session, 30),
            }
        hotline = up(provider, **BUSY, **addresses)
        kills = {kind: kills.get(kind) or partial(_killed, hotline, kind) for kind in kinds}
        promised = 0
        for _ in range(looks):
            crowd = Crowd(hotline)
            asking_under_kills(crowd, [kills[kind] for kind in kinds * rounds], wanted)
            until(lambda: {"web", "worker", "clock", "valkey"} <= hotline.processes().keys(), 30)
            everything_is_there_once(crowd, provider)
            promised += len(crowd.promised)
            nobody_waits_any_more(hotline)
        tried(promised)
        hotline.close()


def nobody_waits_any_more(hotline: RealHotline) -> None:
    """Their time is over: there are two words for each of some 1,400 requests, and no more."""
    hotline.later(minutes=46)
    waiting = select(callbacks.c.id).where(callbacks.c.state == "waiting")
    until(lambda: not hotline.rows(waiting), 120)


def asking_under_kills(crowd: Crowd, kills: Sequence[Kill], wanted: int) -> None:
    """Two ask; what dies next dies when some more were promised something, while as many are about to be."""
    over, some = threading.Event(), wanted // len(kills)

    def ask() -> None:
        while not over.is_set() or len(crowd.promised) < wanted:
            if over.is_set() or len(crowd.promised) < crowd.goal:
                crowd.one(random.choice(WAYS))
            else:
                time.sleep(0.01)

    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(ask) for _ in range(2)]
        try:
            for kill in kills:
                before = len(crowd.promised)
                crowd.goal = before + 2 * some
                until(partial(_more_than, crowd, before + some - 1), 120)
                kill()
        finally:
            over.set()
        for one in asking:
            one.result()


def everything_is_there_once(crowd: Crowd, provider: Provider) -> None:
    hotline, there = crowd.hotline, contacts_of(crowd.hotline, crowd.sent)
    known = set(there.values())
    requests_of = {row.contact: row for row in hotline.rows(select(callbacks)) if row.contact in known}
    lost = [
        way
        for number, way in crowd.promised.items()
        if way != "programmes" and there.get(number) not in requests_of
    ]
    assert not lost, f"{len(lost)} of {len(crowd.promised)} promises were not kept"
    assert {row.asks for row in requests_of.values()} == {1}
    assert {row.state for row in requests_of.values()} == {"waiting"}, "all are in the queue, and at once"
    asked = Counter(row.callback for row in hotline.rows(select(moves).where(moves.c.why == "asked")))
    assert {asked[row.id] for row in requests_of.values()} == {1}
    settle(hotline)
    rung = Counter(call.form["To"] for call in provider.calls)
    opted = [number for number, way in crowd.promised.items() if way == "programmes"]
    assert {rung[number] for number in opted} <= {1}, "one call each, and none forgotten"
    assert max(rung.values(), default=0) <= 1
    assert len(hotline.rows(select(consents))) >= len(opted)
    until(lambda: hotline.runtime.queue.workers() > 0, 40)


def _killed(hotline: RealHotline, kind: str) -> None:
    until(partial(_is_gone, hotline.kill(kind)), 10)


def _out_for_a_moment(server: PostgresServer) -> None:
    server.kill()
    time.sleep(random.random())
    server.start()


@pytest.mark.promise(12)
def test_a_worker_killed_while_it_dials_never_dials_twice(
    up: Up, provider: Provider, tried: Callable[[int], None]
) -> None:
    """Killed while the carrier has the request in hand; which then places the call, or never does."""
    hotline = up(provider, **BUSY)
    turns, lost = trials(4, 1000), 0
    tried(turns)
    for turn in range(turns):
        victim = "worker" if turn % 20 in {1, 3} else "job"  # a worker takes longer and longer to come back
        placed = turn % 4 < 2
        carrier = _Slow(placed=placed)
        provider.refuse = carrier.take
        hotline.dial(f"+95979000{turn:04d}").press("816")
        assert carrier.entered.wait(40), "nobody dials"
        dead = hotline.kill(victim)
        until(partial(_is_gone, dead), 10)
        provider.refuse = lambda: None
        carrier.go.set()
        lost += not placed
    hotline.later(seconds=70)
    settle(hotline)
    rung = Counter(call.form["To"] for call in provider.calls)
    assert set(rung.values()) <= {1}
    assert len(rung) == turns, "what was never placed is found out, and done"
    assert len(hotline.rows(select(legs))) == turns + lost, (
        "one attempt each, and one more where none was made"
    )
    uncertain = hotline.rows(select(legs).where(legs.c.state == "placed", legs.c.sid.is_(None)))
    assert not uncertain, "every call that was placed is known by its id"


def _more_than(crowd: Crowd, count: int) -> bool:
    return len(crowd.promised) > count


class _Slow:
    """A carrier that has the request in hand while the worker dies."""

    def __init__(self, *, placed: bool) -> None:
        self.entered, self.go = threading.Event(), threading.Event()
        self._refusal = None if placed else (500, 20500)

    def take(self) -> tuple[int, int] | None:
        self.entered.set()
        self.go.wait(30)
        return self._refusal


def _is_gone(pid: int) -> bool:
    return not lives(pid)


@pytest.mark.promise(17)
def test_ctrl_c_ends_every_process_and_what_was_there_is_there_again(up: Up) -> None:
    hotline = up()
    crowd = Crowd(hotline)
    for way in ("text", "call", "text", "call"):
        crowd.one(way)
    assert len(crowd.promised) == 4
    before = hotline.status()
    assert before["callbacks"]["waiting"] == 4
    pids = hotline.everything()
    assert len(pids) >= 6
    assert hotline.interrupt() == 0
    until(lambda: not any(lives(pid) for pid in pids), 5)
    assert "Traceback" not in hotline.screen.read_text()
    hotline.start()
    until(lambda: hotline.status()["workers"] == 1, 40)
    assert hotline.status() == before | {"workers": 1}
    assert len(contacts_of(hotline, crowd.sent)) == 4
    assert hotline.text("11", crowd.sent[0])
    assert hotline.status()["callbacks"]["waiting"] == 4


def test_two_clocks_at_once_double_nothing(up: Up, provider: Provider) -> None:
    hotline = up(provider, **BUSY)
    others = [
        subprocess.Popen(
            [sys.executable, "-m", "gateway", "clock"],
            cwd=ROOT, env=hotline.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]  # fmt: skip
    try:
        crowd = Crowd(hotline)
        for _ in range(trials(8, 200)):
            crowd.one("text")
            crowd.one("programmes")
        settle(hotline)
        hotline.clock.skip_to(hotline.clock.now() + timedelta(minutes=46))
        expired = select(callbacks).where(callbacks.c.state == "expired")
        until(lambda: len(hotline.rows(expired)) == trials(8, 200), 30)
        settle(hotline)
        ends = Counter(row.callback for row in hotline.rows(select(moves).where(moves.c.why == "expired")))
        assert set(ends.values()) == {1}
        rung = Counter(call.form["To"] for call in provider.calls)
        assert sorted(rung.values()) == [1] * trials(8, 200)
        assert all(other.poll() is None for other in others)
    finally:
        for other in others:
            other.send_signal(signal.SIGTERM)
        said = [other.communicate(timeout=10)[1].decode() for other in others]
    assert not any("error" in words for words in said), said
    assert "a duty of the clock failed" not in hotline.log()


@pytest.mark.promise(10)
def test_the_file_of_valkey_may_be_lost(up: Up, provider: Provider) -> None:
    """Redis emptied at any moment: the database knows what is owed."""
    hotline = up(provider, **BUSY)
    os.kill(hotline.processes()["worker"][0], signal.SIGSTOP)
    crowd = Crowd(hotline)
    for _ in range(5):
        crowd.one("programmes")
    for file in (hotline.folder / "valkey").rglob("*.aof*"):
        file.unlink()
    dead = [hotline.kill("valkey"), hotline.kill("worker")]
    until(lambda: not any(lives(pid) for pid in dead), 10)
    settle(hotline)
    until(lambda: len(provider.calls) == 5, 30)
