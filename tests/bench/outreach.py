"""Measures outreach: a do-not-contact list, how fast and how evenly calls are placed, what a recipient costs."""

import argparse
import io
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]  # run as a script

import phonenumbers  # noqa: E402
from front_door import build_template  # noqa: E402
from measuring import ROOT, filesystem, free_port, seconds_of, table, write  # noqa: E402
from real_redis import RedisServer  # noqa: E402
from sqlalchemy import event, insert, text  # noqa: E402

from gateway import settings as gateway_settings  # noqa: E402
from gateway.phone import Msisdn  # noqa: E402
from gateway.runtime import Runtime, build_runtime  # noqa: E402
from gateway.services import campaigns  # noqa: E402
from gateway.store import campaigns as rows  # noqa: E402
from gateway.store import consents, contacts, outreach  # noqa: E402
from gateway.store.outreach import VersionState  # noqa: E402
from gateway.vault import Place  # noqa: E402

CHUNK = 10_000
LIST = 1_000_000


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--parts", default="forbid,dispatch,pace,recipients", help="which, with commas")
    ask.add_argument("--calls", type=int, default=4_000, help="calls of the dispatch rate")
    ask.add_argument("--million", action="store_true", help="also with 10^6 recipients: takes minutes")
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
        _recipients([3, 4, 5, *([6] if asked.million else [])])


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
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        with open(file.name, "rb") as given:  # noqa: PTH123 - as a shell would give it
            done = subprocess.Popen(
                [sys.executable, "-m", "gateway", "contacts", "forbid"],
                cwd=ROOT, env={"PATH": os.environ["PATH"], **environment}, stdin=given, stdout=subprocess.PIPE,
                text=True,
            )  # fmt: skip
            said = done.communicate()[0]
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
        took = time.perf_counter() - began
        where = filesystem(folder)
    memory = used.ru_maxrss / 1024
    spent = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
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
        seen = _campaign(count, "1000", workers)
        seconds = max(seen) - min(seen)
        shown.append((str(workers), f"{len(seen)}", f"{seconds:.1f}", f"{(len(seen) - 1) / seconds:.0f}"))
    how = f"""A campaign of {count:,} people at a set rate of 1,000 calls a second, from the first request to the
last as the API double on the same machine takes them (one more process, on the same cores); RQ workers, Valkey,
SQLite with `synchronous=FULL`. {_load()}"""
    write("dispatch", "Calls placed", how, table(("workers", "calls", "s", "calls/s"), shown))


def _load() -> str:
    """How busy the machine was: beside other work these figures say little."""
    return f"Load average of the machine meanwhile: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores."


def _pace() -> None:
    shown = []
    for rate, count in ((1, 15), (10, 150), (100, 1_500)):
        seen = sorted(_campaign(count, str(rate), 2))
        seconds = seen[-1] - seen[0]
        real = (len(seen) - 1) / seconds
        most = max(
            sum(1 for other in seen[at : at + 2 * rate + 5] if other < one + 1) for at, one in enumerate(seen)
        )
        shown.append((str(rate), f"{real:.2f}", f"{real / rate:.3f}", str(most)))
    how = f"""The set rate against what the API double saw with two workers on two lanes: calls a second between the
first and the last, its share of the set rate (at least 0.95 is wanted), and the most in any second, sliding.
{_load()}"""
    write("pace", "Pace", how, table(("set", "calls/s", "share", "most in a second"), shown))


def _campaign(count: int, rate: str, workers: int) -> list[float]:
    """Send one campaign with real workers; give the moment at which the double took each call."""
    port = free_port()
    with tempfile.NamedTemporaryFile("r", suffix=".times") as times, _installation(
        HOTLINE_CALLS_AT_ONCE="100000", HOTLINE_CALLS_PER_SECOND=rate, TWILIO_API_BASE_URL=f"http://127.0.0.1:{port}",
        HOTLINE_FACES="webhooks", HOTLINE_SPEND_PER_DAY="1000000",
    ) as (runtime, environment, _):  # fmt: skip
        version = _people(runtime, 0, count, numbers=True)
        env = {"PATH": os.environ["PATH"], "OPENBLAS_NUM_THREADS": "1", **environment}
        double = Path(__file__).parent / "peers" / "api_double.py"
        processes = [subprocess.Popen([sys.executable, str(double), str(port), times.name])]
        try:
            time.sleep(1)
            processes += [
                subprocess.Popen([sys.executable, "-m", "gateway", name], cwd=ROOT, env=env)
                for name in [*["worker"] * workers, "clock"]
            ]
            time.sleep(4)
            campaigns.launch(runtime, version, "bench")
            until = time.monotonic() + 30 + 1.5 * count / min(float(rate), 100)
            while (there := len(Path(times.name).read_text().splitlines())) < count:
                assert time.monotonic() < until, f"{there} of {count} calls"
                time.sleep(0.5)
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait()
        seen = [float(line.split()[0]) for line in Path(times.name).read_text().splitlines()]
        doubled = Counter(line.split()[1] for line in Path(times.name).read_text().splitlines())
        assert max(doubled.values()) == 1, "somebody was called twice"
    return seen


# --- ever more recipients -------------------------------------------------------------------------------


def _recipients(powers: Sequence[int]) -> None:
    shown, plans = [], {}
    first: dict[str, float] = {}
    with _installation(HOTLINE_CALLS_AT_ONCE="100000") as (runtime, _, folder):
        there = 0
        for power in powers:
            version = _people(runtime, there, 10**power, numbers=False)
            there = 10**power
            line = [f"10^{power}"]
            for name, deed in _deeds(runtime, version).items():
                plans[name] = _plan(runtime, deed)
                took = median(_timed(runtime, deed) for _ in range(5)) * 1e6
                first.setdefault(name, took)
                line.append(f"{took:.0f} ({took / first[name]:.2f})")
            shown.append(line)
        where = filesystem(folder)
    names = list(plans)
    how = f"""Consents that are live, and as many recipients of one campaign, in the same SQLite database ({where}).
Microseconds of one call inside an open transaction and, in brackets, the ratio to the fewest: 20 calls a round, five
rounds, median. The size of the audience is counted, once for each look at the plan; everything else stays flat."""
    found = "\n".join(f"- {name}: `{plan}`" for name, plan in plans.items())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    body = (
        table(("people", *names), shown)
        + f"\n\nHow SQLite finds them:\n\n{found}\n\nPeak memory of the process that did all this: {peak:.0f} MB."
    )
    write("recipients", "Ever more recipients", how, body)


def _deeds(runtime: Runtime, version: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - each takes an open session
    now = runtime.clock.now()
    audience = rows.Audience("my")
    return {
        "the next 500 of the audience": lambda s: rows.next_consents(
            s, audience, after="8", now=now, most=500
        ),
        "20 recipients who are due": lambda s: rows.due_recipients(s, "c" * 16, lane=0, now=now, most=20),
        "the results": lambda s: rows.totals(s, "c" * 16),
        "whether anybody is left": lambda s: rows.anybody_left(s, "c" * 16),
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
    """People who asked and confirmed; with `numbers` such as can be dialled, else also recipients of a campaign."""
    now = runtime.clock.now()
    version = _version(runtime)
    line = runtime.vault.index(runtime.settings.numbers[0])
    chance = random.Random(start)
    for begin in range(start, end, CHUNK):
        people, asked, listed = [], [], []
        for at in range(begin, min(begin + CHUNK, end)):
            contact, consent = runtime.new_id(), f"{chance.getrandbits(64):016x}"
            msisdn = Msisdn.parse(f"+95979{at:07d}")
            sealed = b""
            if numbers:
                keys = runtime.vault.create_keys(contact)
                sealed = keys.seal_number(Place("contacts", "number", contact), msisdn)
            people.append(
                {
                    "id": contact,
                    "number_index": runtime.vault.index(msisdn),
                    "sealed_number": sealed,
                    "created": now,
                }
            )
            asked.append(
                {
                    "id": consent, "contact": contact, "own_key": "5", "language": "my", "line_index": line,
                    "live": True, "asked": now - timedelta(days=1), "until": now + timedelta(days=30),
                }
            )  # fmt: skip
            listed.append(
                {"id": runtime.new_id(), "campaign": "c" * 16, "consent": consent, "lane": at % 2, "due": now}
            )
        with runtime.database.write() as session:
            session.execute(insert(contacts.contacts), people)
            session.execute(insert(consents.consents), asked)
            if not numbers:
                session.execute(insert(rows.recipients), listed)
                rows.tally(session, "c" * 16, {"listed": len(listed)}, now=now)
    with runtime.database.write() as session:
        session.execute(text("ANALYZE"))
    return version


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
