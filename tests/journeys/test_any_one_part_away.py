"""One part is away, at any moment of a call; or all processes are new ones, between any two keys."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from front_door import CALLER, Hotline
from journeys.test_being_rung import called
from journeys.test_broken_parts import database_away
from sqlalchemy import create_engine, event
from trials import trials

from gateway.factory import create_app
from gateway.runtime import build_runtime
from workers import jobs


@contextmanager
def moved_away(hotline: Hotline, name: str) -> Iterator[None]:
    there = hotline.settings.data_dir / name
    there.rename(there.with_suffix(".away"))
    yield
    there.with_suffix(".away").rename(there)


@contextmanager
def keystore_away(hotline: Hotline) -> Iterator[None]:
    hotline.runtime.vault.close()
    with moved_away(hotline, "keystore.db"):
        yield


@contextmanager
def sounds_away(hotline: Hotline) -> Iterator[None]:
    with moved_away(hotline, "shelf"):
        yield


@contextmanager
def database_held(hotline: Hotline) -> Iterator[None]:
    other = create_engine(hotline.settings.database_url, connect_args={"isolation_level": None})
    with other.connect() as holder:
        holder.exec_driver_sql("BEGIN IMMEDIATE")
        yield
        holder.exec_driver_sql("ROLLBACK")
    other.dispose()


@contextmanager
def database_read_only(hotline: Hotline) -> Iterator[None]:
    def forbid(connection: object, *_rest: object) -> None:
        connection.execute("PRAGMA query_only = ON").fetchone()  # type: ignore[attr-defined]

    def allow(connection: object, *_rest: object) -> None:
        connection.execute("PRAGMA query_only = OFF").fetchone()  # type: ignore[attr-defined]

    engine = hotline.runtime.database.engine
    event.listen(engine, "checkout", forbid)
    event.listen(engine, "checkin", allow)
    yield
    event.remove(engine, "checkout", forbid)
    with engine.connect():
        pass  # what is in the pool may write again
    event.remove(engine, "checkin", allow)


FAULTS = [database_away, database_read_only, database_held, keystore_away, sounds_away]


@pytest.mark.promise(14)
@pytest.mark.parametrize("fault", FAULTS)
def test_with_any_one_part_away_in_any_turn_the_answer_is_a_true_one_in_time(
    fault: Callable[[Hotline], object], hotline: Hotline, tried: Callable[[int], None]
) -> None:
    """Redis is away in all of these; that every answer is a document, the front door looks at itself."""
    began = time.perf_counter()
    hotline.dial()
    undisturbed = time.perf_counter() - began
    calls, turns, slowest = trials(3, 100), 0, 0.0
    for at in range(calls):
        call = hotline.dial(f"+9597902{at:05d}")
        when = random.randrange(4)
        for turn, key in enumerate(
            random.choice(["115", "1485", "2115", "816", "77", "4", "52", "3114", "165"])
        ):
            if call.heard.ends or not call.heard.action:
                break
            began = time.perf_counter()
            if turn == when:
                with fault(hotline):  # type: ignore[attr-defined]
                    heard = call.press(key)
                    assert "registered" not in heard.said or fault is sounds_away
            else:
                heard = call.press(key)
            slowest, turns = max(slowest, time.perf_counter() - began), turns + 1
            assert heard.said or heard.ends
    assert slowest < 8 + 50 * undisturbed  # what is waited for, and as much work as this machine needs
    tried(turns)


def start_anew(hotline: Hotline) -> None:
    """All processes are new ones; what is known is in the database."""
    hotline.runtime.database.close()
    hotline.runtime.vault.close()
    hotline.runtime = build_runtime(hotline.settings)
    hotline.app = create_app(hotline.runtime)
    hotline.client = hotline.app.test_client()
    jobs.RUNTIME = hotline.runtime


@pytest.mark.promise(17)
@pytest.mark.parametrize("keys", ["1151", "14852", "21115", "2911", "8160", "47", "521115", "0009"])
def test_a_call_goes_on_though_every_process_is_a_new_one_for_every_key(
    keys: str, hotline: Hotline, tried: Callable[[int], None]
) -> None:
    steady, restarted = hotline.dial("+959790001111"), hotline.dial()
    for key in keys:
        expected = steady.press(key).said if steady.heard.action else None
        start_anew(hotline)
        if expected is not None:
            assert restarted.press(key).said == expected
    tried(len(keys))


@pytest.mark.promise(17)
def test_two_who_are_being_joined_are_joined_though_every_process_is_a_new_one(hotline: Hotline) -> None:
    _, _, counselor = called(hotline)
    for key in "11":
        start_anew(hotline)
        counselor.press(key)
    start_anew(hotline)
    hotline.work()
    placed = hotline.provider.calls[-1]
    assert placed.form["To"] == CALLER
    start_anew(hotline)
    caller = hotline.pick_up(placed)
    start_anew(hotline)
    assert caller.press("5").room == counselor.heard.room
    for line in (caller, counselor):
        start_anew(hotline)
        line.leave_room()
        line.hang_up()
