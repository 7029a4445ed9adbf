"""Measures outreach: a do-not-contact list, how fast and how evenly calls are placed, what a recipient costs."""

import argparse
import io
import os
import random
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from statistics import median

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]  # run as a script

import phonenumbers  # noqa: E402
from front_door import build_template  # noqa: E402
from measuring import (  # noqa: E402
    ROOT,
    TICK,
    children,
    cpu_of,
    family,
    filesystem,
    free_port,
    seconds_of,
    table,
    write,
)
from real_redis import RedisServer  # noqa: E402
from sqlalchemy import event, text, update  # noqa: E402
from sqlalchemy.dialects import sqlite  # noqa: E402

from gateway import settings as gateway_settings  # noqa: E402
from gateway.phone import Msisdn  # noqa: E402
from gateway.runtime import Runtime, build_runtime  # noqa: E402
from gateway.services import campaigns, dispatch, results  # noqa: E402
from gateway.store import campaigns as rows  # noqa: E402
from gateway.store import contacts, legs, outreach  # noqa: E402
from gateway.store.database import Instant  # noqa: E402
from gateway.store.outreach import VersionState  # noqa: E402
from gateway.vault import Place  # noqa: E402

CHUNK = 10_000
LIST = 1_000_000
SLICE = 500  # of ever more recipients, how many are rung


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--parts", default="forbid,dispatch,pace,recipients", help="which, with commas")
    ask.add_argument("--calls", type=int, default=4_000, help="calls of the dispatch rate")
    ask.add_argument("--powers", default="3,4,5,6", help="how many recipients, as powers of ten")
    ask.add_argument("--list", type=int, default=LIST, help="lines of the do-not-contact list")
    asked = ask.parse_args()
    parts = asked.parts.split(",")
    if "forbid" in parts:
        _forbid(asked.list)
    if "dispatch" in parts:
        _dispatch(asked.calls)
    if "pace" in parts:
        _pace()
    if "recipients" in parts:
        _recipients([int(power) for power in asked.powers.split(",")])


@contextmanager
def _installation(**settings: str) -> Iterator[tuple[Runtime, dict[str, str], Path]]:
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as name:
        folder = Path(name)
        build_template(folder)
        redis = RedisServer(folder)
        redis.start()
        environment = gateway_settings.read_env_file(folder / "demo.env")
        environment |= {"HOTLINE_DATA_DIR": name, "REDIS_URL": redis.url, **settings}
        runtime = build_runtime(gateway_settings.load(environment), busy=5.0)
        # Whatever hour it is here, people are awake there.
        runtime.clock.skip_to(
            runtime.clock.now().astimezone(runtime.settings.timezone).replace(hour=10, minute=0)
        )
        try:
            yield runtime, environment, folder
        finally:
            runtime.database.close()
            redis.kill()


# --- a do-not-contact list ------------------------------------------------------------------------------


def _forbid(count: int) -> None:
    chance = random.Random(7)
    forms = ("09{}", "+959{}", "959{}", "09 {}", "၀၉{}")
    weights = (50, 30, 14, 4, 2)
    lines = [
        form.format(f"79{chance.randrange(10**7):07d}") for form in chance.choices(forms, weights, k=count)
    ]
    data = ("\n".join(lines) + "\n").encode()
    with (
        tempfile.NamedTemporaryFile(suffix=".csv") as file,
        _installation() as (runtime, environment, folder),
    ):
        file.write(data)
        file.flush()
        floor = _library(data)
        runtime.database.close()
        began = time.perf_counter()
        with open(file.name, "rb") as given:  # noqa: PTH123 - as a shell would give it
            command = subprocess.Popen(
                [sys.executable, "-m", "gateway", "contacts", "forbid"],
                cwd=ROOT, env={"PATH": os.environ["PATH"], **environment}, stdin=given, stdout=subprocess.PIPE,
                text=True,
            )  # fmt: skip
        memory, spent = _watched(command)
        took = time.perf_counter() - began
        assert command.stdout
        said = command.stdout.read()
        where = filesystem(folder)
    shown = [
        ("phonenumbers: parse, validate, format", f"{floor:.1f}", "1.0", "", ""),
        ("`hotline contacts forbid`", f"{spent:.1f}", f"{spent / floor:.2f}", f"{took:.1f}", f"{memory:.0f}"),
    ]
    how = f"""{count:,} lines, 94 % plain spellings, the rest with spaces or Burmese digits; one process each, SQLite
(`synchronous=FULL`, {where}), from a file on standard input, the whole command ({said.strip()})."""
    write(
        "forbid",
        "A do-not-contact list",
        how,
        table(("what", "processor s", "× floor", "from start to end, s", "peak MB"), shown),
    )


def _watched(process: subprocess.Popen[str]) -> tuple[float, float]:
    """Megabytes at its peak and processor time, of a process that ends by itself.

    What the system says of a child at its end would hold the memory of this process, of which it was a copy.
    """
    peak, spent = 0, 0.0
    while process.poll() is None:
        with suppress(OSError, IndexError):
            status = Path(f"/proc/{process.pid}/status").read_text()
            peak = max(peak, int(status.partition("VmHWM:")[2].split()[0]))
            spent = cpu_of(process.pid)
        time.sleep(0.02)
    return peak / 1024, spent


def _library(data: bytes) -> float:
    """What the library alone takes, with Burmese digits and spaces as it reads them by itself."""
    began = time.process_time()
    for line in io.BytesIO(data):
        try:
            parsed = phonenumbers.parse(line.decode().strip(), "MM")
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(parsed):
            phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return time.process_time() - began


# --- dispatch -------------------------------------------------------------------------------------------


def _dispatch(count: int) -> None:
    shown = []
    for workers in (1, 2):
        seen, spent = _campaign(count, "1000", workers)
        rate = (len(seen) - 1) / (max(seen) - min(seen))
        each = 1000 * spent / count
        shown.append((str(workers), f"{count}", f"{rate:.0f}", f"{each:.2f}", f"{1000 / each:.0f}"))
    how = f"""A campaign of {count:,} people at a set rate of 1,000 calls a second, from the first request to the
last as the API double on the same machine takes them (one more process, on the same cores); RQ workers, Valkey,
SQLite with `synchronous=FULL`. Processor time is that of the workers and their jobs, user and kernel, from the
launch to the last call, and what one core could place by it. {_load()}"""
    head = ("workers", "calls", "calls/s", "processor ms a call", "calls a second of processor time")
    write("dispatch", "Calls placed", how, table(head, shown))


def _load() -> str:
    """How busy the machine was: beside other work these figures say little."""
    return f"Load average of the machine meanwhile: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores."


def _pace() -> None:
    shown = []
    for rate, count in ((1, 60), (10, 300), (100, 3_000)):
        seen = sorted(_campaign(count, str(rate), 2)[0])
        real = (len(seen) - 1) / (seen[-1] - seen[0])
        most = max(bisect_left(seen, one + 1) - at for at, one in enumerate(seen))
        shown.append((str(rate), f"{real:.2f}", f"{real / rate:.3f}", str(most)))
    how = f"""The set rate against what the API double saw with two workers on two lanes: calls a second between the
first and the last, its share of the set rate (at least 0.95 is wanted), and the most in any second, sliding.
{_load()}"""
    write("pace", "Pace", how, table(("set", "calls/s", "share", "most in a second"), shown))


def _campaign(count: int, rate: str, workers: int) -> tuple[list[float], float]:
    """Send one campaign with real workers; give when the double took each call, and the workers' processor time."""
    port = free_port()
    with tempfile.NamedTemporaryFile("r", suffix=".times") as times, _installation(
        HOTLINE_CALLS_AT_ONCE="100000", HOTLINE_CALLS_PER_SECOND=rate, TWILIO_API_BASE_URL=f"http://127.0.0.1:{port}",
        HOTLINE_FACES="webhooks", HOTLINE_SPEND_PER_DAY="1000000",
    ) as (runtime, environment, _):  # fmt: skip
        version = _people(runtime, 0, count, numbers=True)
        double = _double(port, times.name)
        env = {"PATH": os.environ["PATH"], "OPENBLAS_NUM_THREADS": "1", **environment}
        command = [sys.executable, "-m", "gateway"]
        hotline = [
            subprocess.Popen([*command, name], cwd=ROOT, env=env) for name in [*["worker"] * workers, "clock"]
        ]
        try:
            time.sleep(4)
            before = sum(_spent(process.pid) for process in hotline[:workers])
            campaigns.launch(runtime, version, "bench")
            until = time.monotonic() + 60 + 2 * count / min(float(rate), 100)
            while (there := len(Path(times.name).read_text().splitlines())) < count:
                assert time.monotonic() < until, f"{there} of {count} calls"
                time.sleep(0.5)
            spent = sum(_spent(process.pid) for process in hotline[:workers]) - before
        finally:
            for process in [*hotline, double]:
                process.terminate()
            for process in [*hotline, double]:
                process.wait()
        called = [line.split() for line in Path(times.name).read_text().splitlines()]
        assert max(Counter(to for _, to in called).values()) == 1, "somebody was called twice"
    return [float(at) for at, _ in called], spent


def _double(port: int, times: str) -> subprocess.Popen[bytes]:
    """Stand in for the provider: the first to get a processor, or it would see calls later than they came."""
    command = [sys.executable, str(Path(__file__).parent / "peers" / "api_double.py"), str(port), times]
    process = subprocess.Popen(command)
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, process.pid, -10)
    time.sleep(1)
    return process


# --- ever more recipients -------------------------------------------------------------------------------


def _recipients(powers: Sequence[int]) -> None:
    """Grow one database, and at each size time what is asked of it, and let a real worker ring a slice of it."""
    times, slices, plans = [], [], {}
    first: dict[str, float] = {}
    port = free_port()
    with tempfile.NamedTemporaryFile("r", suffix=".times") as log, _installation(
        HOTLINE_CALLS_AT_ONCE="100000", HOTLINE_CALLS_PER_SECOND="1000", HOTLINE_SPEND_PER_DAY="1000000",
        TWILIO_API_BASE_URL=f"http://127.0.0.1:{port}", HOTLINE_FACES="webhooks",
    ) as (runtime, environment, folder):  # fmt: skip
        double = _double(port, log.name)
        try:
            there = 0
            for power in powers:
                version = _people(runtime, there, 10**power, numbers=there == 0)
                there = 10**power
                line = [f"10^{power}"]
                for name, deed in _deeds(runtime, there).items():
                    plans[name] = _plan(runtime, deed)
                    took = median(_timed(runtime, deed) for _ in range(5)) * 1e6
                    first.setdefault(name, took)
                    line.append(f"{took:.0f} ({took / first[name]:.2f})")
                times.append(line)
                slices.append((f"10^{power}", *_slice(runtime, environment, version, log.name)))
        finally:
            double.terminate()
            double.wait()
        where = filesystem(folder)
    names = list(plans)
    how = f"""Consents that are live, and as many recipients of one campaign, in the same SQLite database ({where}).
First, microseconds of one question inside an open transaction and, in brackets, the ratio to the fewest people:
20 calls a round, five rounds, median. The size of the audience is counted once for each look at the plan;
everything else is to stay flat. Then a campaign to all of them: launched, {SLICE} of them rung by a real worker
through the API double, ended, its results read, in processor time; of a call, that of the worker and its jobs, the
first of which lists whom it rings. Whoever launched made the people too; the worker's memory is the most that it or
one of its jobs held. {_load()}"""
    found = "\n".join(f"- {name}: `{plan}`" for name, plan in plans.items())
    head = (
        "people", "launch, ms", "a call, ms", "results, ms", "peak of who launched, MB", "peak of the worker, MB",
    )  # fmt: skip
    body = f"{table(('people', *names), times)}\n\n{table(head, slices)}\n\nHow SQLite finds them:\n\n{found}"
    write("recipients", "Ever more recipients", how, body)


def _slice(runtime: Runtime, environment: dict[str, str], version: str, log: str) -> tuple[str, ...]:
    """Launch to all, ring some, end it, read the results: what each took."""

    def rung() -> int:
        return len(Path(log).read_text().splitlines())

    before = rung()
    env = {"PATH": os.environ["PATH"], "OPENBLAS_NUM_THREADS": "1", **environment}
    worker = subprocess.Popen([sys.executable, "-m", "gateway", "worker"], cwd=ROOT, env=env)
    try:
        time.sleep(5)
        idle, began = _spent(worker.pid), time.process_time()
        campaign = campaigns.launch(runtime, version, "bench")
        launch = time.process_time() - began
        peak, until = 0, time.monotonic() + 200
        while rung() - before < SLICE:
            assert time.monotonic() < until, f"{rung() - before} calls"
            peak = max(peak, *(_peak(pid) for pid in family(worker.pid)))
            dispatch.ring_due(runtime)  # as the clock would
            time.sleep(0.1)
        each = (_spent(worker.pid) - idle) / (rung() - before)
        campaigns.steer(runtime, campaign, "bench", to=rows.CampaignState.CANCELED)
        while not _closed(runtime, campaign):
            assert time.monotonic() < until, "the campaign does not end"
            peak = max(peak, *(_peak(pid) for pid in family(worker.pid)))
            dispatch.ring_due(runtime)  # as the clock would
            time.sleep(0.1)
        began = time.process_time()
        results.of_campaign(runtime, campaign)
        read = time.process_time() - began
    finally:
        worker.terminate()
        worker.wait()
    with (
        runtime.database.write() as session
    ):  # no reports come of these calls, and they must not stand for ever
        session.execute(update(legs.legs).values(ended=runtime.clock.now()))
        session.execute(text("DELETE FROM outbox"))
    own = _peak(os.getpid())
    return f"{1000 * launch:.1f}", f"{1000 * each:.2f}", f"{1000 * read:.1f}", f"{own}", f"{peak}"


def _closed(runtime: Runtime, campaign: str) -> bool:
    with runtime.database.read() as session:
        there = rows.get(session, campaign)
    return there is not None and there.all_listed


def _spent(pid: int) -> float:
    """Processor time of a worker, of the jobs that it has ended, and of those that run."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(one) for one in fields[11:15]) / TICK + sum(cpu_of(child) for child in children(pid))


def _peak(pid: int) -> int:
    """Megabytes that a process held at its most; 0 where it has ended."""
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0]) // 1024
    return 0


def _deeds(runtime: Runtime, people: int):  # type: ignore[no-untyped-def]  # noqa: ANN202 - each takes an open session
    now = runtime.clock.now()
    audience = rows.Audience("my")
    all_of_them = "c" * 16
    return {
        "the next 500 of the audience": lambda s: rows.next_consents(
            s, audience, after=f"{people // 2:08x}", now=now, most=500
        ),
        "20 recipients who are due": lambda s: rows.due_recipients(s, all_of_them, lane=0, now=now, most=20),
        "who of 20 must not be rung": lambda s: contacts.forbidden_among(
            s, [b"%016d" % at for at in range(20)]
        ),
        "the results": lambda s: rows.totals(s, all_of_them),
        "how many are being called": lambda s: rows.standing(s, all_of_them),
        "when the next is due": lambda s: rows.next_due(s, all_of_them, 0),
        "whether anybody is left": lambda s: rows.anybody_left(s, all_of_them),
        "whether the audience is empty": lambda s: rows.anybody(s, audience, now=now),
        "size of the audience": lambda s: rows.size(s, audience, now=now),
    }


def _timed(runtime: Runtime, deed) -> float:  # type: ignore[no-untyped-def]  # noqa: ANN001 - see _deeds
    with runtime.database.read() as session:
        return seconds_of(lambda: deed(session), 20)


def _plan(runtime: Runtime, deed) -> str:  # type: ignore[no-untyped-def]  # noqa: ANN001 - see _deeds
    asked: list[tuple[str, object]] = []
    engine = runtime.database.engine
    listener = lambda _c, _u, statement, values, _x, _m: asked.append((statement, values))  # noqa: E731 - for removal
    with runtime.database.read() as session:
        event.listen(engine, "before_cursor_execute", listener)
        deed(session)
        event.remove(engine, "before_cursor_execute", listener)
        statement, values = asked[0]
        plan = session.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, values)  # type: ignore[arg-type]
        return "; ".join(row[-1] for row in plan)


def _people(runtime: Runtime, start: int, end: int, *, numbers: bool) -> str:
    """People who asked and confirmed; with `numbers` such as can be dialled."""
    now = runtime.clock.now()
    version = _version(runtime)
    line = runtime.vault.index(runtime.settings.numbers[0])
    chance = random.Random(start)
    at_ms, asked, until = (
        Instant().process_bind_param(moment, sqlite.dialect())
        for moment in (now, now - timedelta(days=1), now + timedelta(days=30))
    )
    _without_syncing_each_key(runtime)
    for begin in range(start, end, CHUNK):
        people, consented, listed = [], [], []
        for at in range(begin, min(begin + CHUNK, end)):
            # In the order of their ids, for by chance a million rows would take their pages an hour.
            contact, consent, recipient = (f"{at:08x}{chance.getrandbits(32):08x}" for _ in range(3))
            msisdn = Msisdn.parse(f"+95979{at:07d}")
            sealed = b""
            if numbers:
                keys = runtime.vault.create_keys(contact)
                sealed = keys.seal_number(Place("contacts", "number", contact), msisdn)
            people.append((contact, runtime.vault.index(msisdn), sealed, at_ms))
            consented.append((consent, contact, "5", "my", line, 1, asked, until))
            listed.append((recipient, "c" * 16, consent, at % 2, at_ms))
        with runtime.database.write() as session:
            for table_, rows_ in (("contacts", people), ("consents", consented), ("recipients", listed)):
                session.exec_driver_sql(_INSERT[table_], rows_)
            rows.tally(session, "c" * 16, {"listed": len(listed)}, now=now)
    return version


_INSERT = {
    "contacts": "INSERT INTO contacts (id, number_index, sealed_number, created) VALUES (?, ?, ?, ?)",
    "consents": "INSERT INTO consents (id, contact, own_key, language, line_index, live, asked, until)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "recipients": "INSERT INTO recipients (id, campaign, consent, lane, due) VALUES (?, ?, ?, ?, ?)",
}


def _without_syncing_each_key(runtime: Runtime) -> None:
    """Nobody measures here how keys are made, and thousands of them one by one would take minutes."""
    with runtime.vault._keystore._engine().connect() as keystore:  # no door leads there
        keystore.exec_driver_sql("PRAGMA synchronous = OFF")


def _version(runtime: Runtime) -> str:
    now = runtime.clock.now()
    with runtime.database.write() as session:
        if there := outreach.latest_versions(session, most=1):
            return there[0].id
        outreach.add_programme(
            session,
            id="p" * 16,
            title="Bench",
            topic="health",
            valid_until=now + timedelta(days=9),
            created=now,
        )
        outreach.add_version(
            session, id="v" * 16, programme="p" * 16, language="my", text="x", author="a", created=now,
            state=VersionState.RENDERING, sounds="a" * 64, seconds=30,
        )  # fmt: skip
        there = outreach.version(session, "v" * 16)
        assert there
        outreach.change_version(
            session, "v" * 16, state=VersionState.APPROVED, manifest=there.fingerprint(),
            approved_manifest=there.fingerprint(), approved_by="b", approved=now,
        )  # fmt: skip
        rows.add(
            session, id="c" * 16, version="v" * 16, launched_by="a", launched=now, starts=now,
            not_after=now + timedelta(days=2), per_day=1_000_000_000, all_listed=True,
        )  # fmt: skip
        rows.move(session, "c" * 16, from_=rows.OPEN, to=rows.CampaignState.DONE)
    return "v" * 16


if __name__ == "__main__":
    main()
