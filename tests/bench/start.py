"""Measures what `hotline up` needs: seconds to the dial tone on a warm start, and memory when nothing happens."""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from statistics import median

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]  # run as a script

from measuring import ROOT, children, family, free_port, gunicorn, pss, table, write  # noqa: E402

IDLE = 5.0  # seconds after the dial tone, when what starts has started


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--rounds", type=int, default=3)
    rounds = ask.parse_args().rounds
    seconds: list[float] = []
    memory: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as name:
        _up(Path(name))  # makes keys, tables and sound: not measured
        for _ in range(rounds):
            took, used = _up(Path(name))
            seconds.append(took)
            for process, megabytes in (used | {"bare Flask hello, one worker": _hello()}).items():
                memory.setdefault(process, []).append(megabytes)
    rows = [("from `hotline up` to ready for calls, warm", f"{median(seconds):.1f} s", "< 10 s")]
    how = _HOW.format(rounds=rounds, idle=IDLE)
    rows += [(f"memory: {process}", f"{median(used):.0f} MB", "") for process, used in memory.items()]
    write("start", "Start and footprint", how, table(_HEAD, rows))


_HEAD = ("what", "measured", "goal")
_HOW = """From the command until the web says that it is ready for calls (`/health/ready`: database, keystore and Redis
behind it), the data folder being there from an earlier start. Memory is the proportional set size (shared pages
count in parts) of each process and what it started, {idle:g} s after the dial tone; {rounds} rounds, medians."""


def _up(folder: Path) -> tuple[float, dict[str, float]]:
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "HOTLINE_DATA_DIR": str(folder), "HOME": str(folder)}
    command = [sys.executable, "-m", "gateway", "up", "--port", str(port)]
    began = time.monotonic()
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    ) as process:
        try:
            _dial_tone(process, port, began)
            took = time.monotonic() - began
            time.sleep(IDLE)
            return took, _memory(process.pid)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def _dial_tone(process: subprocess.Popen[bytes], port: int, began: float) -> None:
    """Wait until the web answers that it is ready: database, keystore and Redis behind it."""
    while True:
        assert process.poll() is None, "hotline up ended"
        assert time.monotonic() - began < 180, "no dial tone"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2):
                return
        except OSError:
            time.sleep(0.05)


def _memory(top: int) -> dict[str, float]:
    used = {"supervisor": pss(top) / 1024}
    for child in children(top):
        words = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
        name = next(
            (n for n in ("valkey", "gunicorn", "worker", "clock") if re.search(rf"\b{n}", words)), words
        )
        name = "web" if name == "gunicorn" else name
        used[name] = used.get(name, 0.0) + sum(pss(one) for one in family(child)) / 1024
    return {**used, "all of `hotline up`": sum(used.values())}


def _hello() -> float:
    with gunicorn("hello:app", {}) as server:
        return pss(server.worker) / 1024


if __name__ == "__main__":
    main()
