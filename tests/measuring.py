"""What the measurements of `tests/bench` share: servers, a cheap client, tables that write themselves."""

import os
import platform
import re
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "docs" / "performance.md"
TICK = os.sysconf("SC_CLK_TCK")

# --- servers ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Server:
    """One gunicorn master and its one worker."""

    port: int
    worker: int

    def cpu(self) -> float:
        """Seconds of processor time that the worker has used, all its threads, in user and kernel."""
        return cpu_of(self.worker)


def cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def family(pid: int) -> list[int]:
    """This process and everything below it."""
    return [pid, *(one for child in children(pid) for one in family(child))]


def pss(pid: int) -> int:
    """Kilobytes of memory of this process, where shared pages count in parts."""
    found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found
    return int(found[1])


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def gunicorn(app: str, environment: Mapping[str, str], *, port: int | None = None) -> Iterator[Server]:
    """`app` under the hotline's own gunicorn settings with one worker, until the block ends."""
    port = port or free_port()
    peers = ROOT / "tests" / "bench" / "peers"
    command = [
        sys.executable, "-m", "gunicorn", "--config", "python:gateway.serving", "--workers", "1",
        "--bind", f"127.0.0.1:{port}", "--pythonpath", f"{ROOT},{peers}", app,
    ]  # fmt: skip
    environment = {"PATH": os.defpath, "OPENBLAS_NUM_THREADS": "1", **environment}
    master = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        until = time.monotonic() + 30
        while not _listens(port) or not children(master.pid):
            assert master.poll() is None, f"{app} ended"
            assert time.monotonic() < until, f"{app} does not start"
            time.sleep(0.05)
        yield Server(port, children(master.pid)[0])
    finally:
        master.terminate()
        master.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


# --- a client -----------------------------------------------------------------------------------------


def http(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """A whole request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: bench", *(f"{k}: {v}" for k, v in headers.items())]
    if body:
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def drive(port: int, dialogues: Iterable[Sequence[bytes]], *, at_once: int) -> list[float]:
    """Send each dialogue's requests one after the other, `at_once` dialogues at a time, over kept connections.

    Return every request's seconds. An answer other than 200 ends the measurement.
    """
    waiting = iter(dialogues)
    took: list[float] = []
    with selectors.DefaultSelector() as selector:
        for _ in range(at_once):
            line = socket.create_connection(("127.0.0.1", port))
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(line, selectors.EVENT_READ, _talk(line, waiting, took))
            next(selector.get_key(line).data)
        while selector.get_map():
            for key, _events in selector.select():
                if next(key.data, None) is None:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()  # type: ignore[union-attr]  # a socket, as registered
    return took


def _talk(line: socket.socket, waiting: Iterator[Sequence[bytes]], took: list[float]) -> Iterator[bool]:
    for dialogue in waiting:
        for request in dialogue:
            began = time.perf_counter()
            line.sendall(request)
            answer = b""
            while not _whole(answer):
                yield True
                answer += line.recv(65_536)
            took.append(time.perf_counter() - began)
            assert answer.startswith(b"HTTP/1.1 200"), answer[:200]


def _whole(answer: bytes) -> bool:
    head, there, body = answer.partition(b"\r\n\r\n")
    if not there:
        return False
    length = re.search(rb"content-length: (\d+)", head.lower())
    assert length
    return len(body) >= int(length[1])


# --- figures ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Load:
    """What one round of requests cost: processor time in µs a request, latencies in ms, requests a second."""

    cpu: float
    p50: float
    p99: float
    rate: float


def load(server: Server, dialogues: Sequence[Sequence[bytes]], *, at_once: int) -> Load:
    cpu, began = server.cpu(), time.perf_counter()
    took = sorted(drive(server.port, dialogues, at_once=at_once))
    seconds, cpu = time.perf_counter() - began, server.cpu() - cpu
    count = len(took)
    return Load(cpu / count * 1e6, took[count // 2] * 1e3, took[int(count * 0.99)] * 1e3, count / seconds)


def middle(loads: Sequence[Load]) -> Load:
    """The median of each figure over the rounds."""
    names = Load.__dataclass_fields__
    return Load(**{name: median(getattr(one, name) for one in loads) for name in names})


def seconds_of(deed: Callable[[], object], times: int) -> float:
    """Mean seconds of one of `times` runs."""
    began = time.perf_counter()
    for _ in range(times):
        deed()
    return (time.perf_counter() - began) / times


# --- the report ---------------------------------------------------------------------------------------


def machine() -> str:
    """The machine, without its name."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return (
        f"{os.cpu_count()} × {cpu[1] if cpu else platform.machine()}, Python {platform.python_version()}, "
        f"gunicorn {version('gunicorn')}, Flask {version('flask')}"
    )


def filesystem(folder: Path) -> str:
    """The kind of file system under `folder`: on tmpfs an fsync costs nothing."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    where = str(folder.resolve())
    return max((m for m in mounts if where.startswith(m[0])), key=lambda m: len(m[0]))[1]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write(marker: str, title: str, how: str, body: str) -> None:
    """Print a section, and put it into the report between its own markers (at its end the first time)."""
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    text = f"## {title}\n\n{how} {machine()}; {day}.\n\n{body}\n"
    section = f"<!-- {marker} -->\n{text}<!-- /{marker} -->"
    print(text, flush=True)  # noqa: T201 - what `make bench` is for
    whole = REPORT.read_text(encoding="utf-8") if REPORT.exists() else _HEAD
    pattern = re.compile(rf"<!-- {marker} -->.*<!-- /{marker} -->", re.DOTALL)
    there = pattern.search(whole)
    whole = pattern.sub(lambda _: section, whole) if there else f"{whole.rstrip()}\n\n{section}\n"
    REPORT.write_text(whole, encoding="utf-8")


_HEAD = """# Performance

What things cost, measured. Machines differ and are noisy, so each figure stands beside a floor or a peer that was
measured in the same run, in turns, as the median of rounds. The tables between the markers are made by `make bench`;
do not edit them by hand. Nothing timed is a test.
"""
