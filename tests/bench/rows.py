"""Measures the queue: a duty accepted until it is done, and the next case and a claim among ever more rows."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from statistics import median

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]  # run as a script

from front_door import build_template  # noqa: E402
from measuring import ROOT, filesystem, seconds_of, table, write  # noqa: E402
from real_redis import RedisServer  # noqa: E402
from redis import Redis  # noqa: E402
from sqlalchemy import event, insert, text  # noqa: E402

from gateway import settings as gateway_settings  # noqa: E402
from gateway.queue import JOB_FORGET  # noqa: E402
from gateway.runtime import Runtime, build_runtime  # noqa: E402
from gateway.services import callbacks as service  # noqa: E402
from gateway.services.windows import Life  # noqa: E402
from gateway.store import callbacks, contacts, outbox  # noqa: E402
from gateway.store.callbacks import CallbackState  # noqa: E402
from gateway.store.counselors import Account, Role  # noqa: E402
from gateway.store.database import Session  # noqa: E402

CHUNK = 10_000


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--rounds", type=int, default=5)
    ask.add_argument("--jobs", type=int, default=30, help="jobs a round")
    ask.add_argument("--million", action="store_true", help="also with 10^6 rows: takes minutes")
    asked = ask.parse_args()
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as name:
        folder = Path(name)
        build_template(folder)
        redis = RedisServer(folder)
        redis.start()
        try:
            environment = gateway_settings.read_env_file(folder / "demo.env")
            environment |= {"HOTLINE_DATA_DIR": name, "REDIS_URL": redis.url}
            runtime = build_runtime(gateway_settings.load(environment), busy=5.0)
            _report_jobs(*_jobs(runtime, environment, redis.url, asked.jobs, asked.rounds), asked, folder)
            _report_rows(runtime, asked, [3, 4, 5, *([6] if asked.million else [])])
        finally:
            redis.kill()


# --- accepted → done ------------------------------------------------------------------------------------


def _jobs(
    runtime: Runtime, environment: dict[str, str], url: str, jobs: int, rounds: int
) -> tuple[list[float], list[float]]:
    """Seconds of the floor (a value pushed to a list and popped by another connection) and of whole duties."""
    floor: list[float] = []
    whole: list[float] = []
    command = [sys.executable, "-m", "gateway", "worker"]
    environment = {"PATH": os.environ["PATH"], "OPENBLAS_NUM_THREADS": "1", **environment}
    with subprocess.Popen(command, cwd=ROOT, env=environment) as worker:
        try:
            _duty(runtime)  # the worker is up now
            for _ in range(rounds):
                floor.append(median(_trip(url) for _ in range(jobs)))
                whole.append(median(_duty(runtime) for _ in range(jobs)))
        finally:
            worker.terminate()
    return floor, whole


def _trip(url: str) -> float:
    with Redis.from_url(url) as one, Redis.from_url(url) as other:
        one.ping(), other.ping()
        return seconds_of(lambda: (one.lpush("bench", b"1"), other.brpop(["bench"], timeout=1)), 1)


def _duty(runtime: Runtime) -> float:
    """One committed row and its bell, until a worker has done it: to forget somebody who is not there."""
    duty, now = runtime.new_id(), runtime.clock.now()
    began = time.perf_counter()
    with runtime.database.write() as session:
        outbox.add(
            session, duty, job=JOB_FORGET, subject="nobody", due=now, not_after=now + timedelta(hours=1)
        )
    assert runtime.queue.put(JOB_FORGET, duty)
    while True:
        with runtime.database.read() as session:
            done = session.execute(text("SELECT done FROM outbox WHERE id = :id"), {"id": duty}).scalar()
        if done is not None:
            return time.perf_counter() - began
        assert time.perf_counter() - began < 60, "no worker"
        time.sleep(0.0005)


def _report_jobs(floor: list[float], whole: list[float], asked: argparse.Namespace, folder: Path) -> None:
    low, high = median(floor) * 1e3, median(whole) * 1e3
    rows = [
        ("pushed to a Redis list and popped", f"{low:.2f}", "1.0"),
        ("row committed, bell rung, done by a worker", f"{high:.2f}", f"{high / low:.1f}"),
    ]
    how = f"""One `hotline worker` with nothing else to do, SQLite (`synchronous=FULL`, {filesystem(folder)}),
the bundled Valkey; {asked.jobs} jobs a round, {asked.rounds} rounds in turns, median of the rounds' medians. It takes
three commits, a forked child, and the job itself (to forget somebody who is not there)."""
    write("jobs", "From accepted to done", how, table(("what", "ms", "× floor"), rows))


# --- ever more rows -------------------------------------------------------------------------------------


def _report_rows(runtime: Runtime, asked: argparse.Namespace, powers: list[int]) -> None:
    there, rows, plans = 0, [], {}
    first: dict[str, float] = {}
    for power in powers:
        _fill(runtime, there, 10**power)
        there = 10**power
        line = [f"10^{power}"]
        for name, deed in _deeds(runtime).items():
            plans[name] = _plan(runtime, deed)
            took = median(_timed(runtime, deed) for _ in range(asked.rounds)) * 1e6
            first.setdefault(name, took)
            line.append(f"{took:.0f} ({took / first[name]:.2f})")
        rows.append(line)
    how = f"""Open requests and due duties in the same SQLite database, as many of each. Microseconds of one call
inside an open transaction and, in brackets, the ratio to the fewest rows: 20 calls a round, {asked.rounds} rounds,
median."""
    shown = "\n".join(f"- {name}: `{plan}`" for name, plan in plans.items())
    body = table(("rows", *plans), rows) + f"\n\nHow SQLite finds them:\n\n{shown}"
    write("rows", "Ever more rows", how, body)


def _deeds(runtime: Runtime):  # type: ignore[no-untyped-def]  # noqa: ANN202 - each takes an open session
    now = runtime.clock.now()
    later, earlier = now + timedelta(minutes=20), now - timedelta(hours=2)
    helper = Account(
        id="bench", alias="bench", role=Role.COUNSELOR, language="my", on_shift=True, disabled=False,
        has_phone=True, speaks=frozenset({"my"}),
    )  # fmt: skip
    return {
        "the next cases (50)": lambda s: callbacks.waiting(s, most=50),
        "the next case for one person": lambda s: callbacks.due(s, now, person=helper, last_chance=now),
        "the same while all wait for their window": lambda s: callbacks.due(
            s, earlier, person=helper, last_chance=earlier
        ),
        "about to die": lambda s: callbacks.dying(s, before=now + timedelta(minutes=15), now=now, most=500),
        "a request": lambda s: _ask(s, runtime),
        "a claim": lambda s: callbacks.claim(s, "0", account="bench", now=now, lease_until=later),
        "the duties that are due (20)": lambda s: outbox.due(s, now=now, stale=now, most=20),
        "a duty taken": lambda s: outbox.take(s, "d0", now=now, stale=later),
    }


def _ask(session: Session, runtime: Runtime) -> None:
    """A new contact asks: what a webhook stores of it."""
    new, now = runtime.new_id(), runtime.clock.now()
    contacts.add(session, new, new.encode(), b"sealed", now)
    service.ask(
        session, runtime, new, wish="hour", own_key="5", handle=new, language="my", line_index=b"", now=now
    )


def _timed(runtime: Runtime, deed) -> float:  # type: ignore[no-untyped-def]  # noqa: ANN001 - see _deeds
    with runtime.database.write() as session:
        return seconds_of(lambda: deed(session), 20)


def _plan(runtime: Runtime, deed) -> str:  # type: ignore[no-untyped-def]  # noqa: ANN001 - see _deeds
    asked: list[tuple[str, object]] = []
    engine = runtime.database.engine
    listener = lambda _c, _u, statement, values, _x, _m: asked.append((statement, values))  # noqa: E731 - for removal
    with runtime.database.write() as session:
        event.listen(engine, "before_cursor_execute", listener)
        deed(session)
        event.remove(engine, "before_cursor_execute", listener)
        plans = [
            session.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, values)  # type: ignore[arg-type]
            for statement, values in asked
            if not statement.startswith("INSERT")
        ]
        return "; ".join(row[-1] for plan in plans for row in plan)


def _fill(runtime: Runtime, start: int, end: int) -> None:
    now = runtime.clock.now()
    hour = timedelta(hours=1)
    for begin in range(start, end, CHUNK):
        numbers = range(begin, min(begin + CHUNK, end))
        people = [
            {"id": str(n), "number_index": n.to_bytes(16), "sealed_number": b"", "created": now}
            for n in numbers
        ]
        cases = [
            {
                "id": str(n), "contact": str(n), "handle": f"handle-{n}", "state": CallbackState.WAITING,
                "wish": "hour", "own_keys": "5", "language": "my", "line_index": b"", "asked": now,
                "room": str(n), "changed": now,
                **service.times(Life(now, now + hour + timedelta(seconds=n), repeats=0)),
            }
            for n in numbers
        ]  # fmt: skip
        duties = [
            {
                "id": f"d{n}", "job": JOB_FORGET, "subject": str(n), "due": now - hour + timedelta(milliseconds=n),
                "not_after": now + hour,
            }
            for n in numbers
        ]  # fmt: skip
        with runtime.database.write() as session:
            session.execute(insert(contacts.contacts), people)
            session.execute(insert(callbacks.callbacks), cases)
            session.execute(insert(outbox.outbox), duties)


if __name__ == "__main__":
    main()
