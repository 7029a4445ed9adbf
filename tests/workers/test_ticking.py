"""The clock process: rings again and again, whatever happens to it."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Start = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def run(manner: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [
                sys.executable,
                str(Path(__file__).with_name("clock_for_tests.py")),
                str(tmp_path / "notes"),
                manner,
            ],
            env={"PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def notes(tmp_path: Path) -> Callable[[], Counter[str]]:
    def read() -> Counter[str]:
        written = tmp_path / "notes"
        lines = written.read_text(encoding="utf-8").splitlines() if written.exists() else []
        return Counter(line.split()[0] for line in lines)

    return read


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_due_rows_are_rung_each_tick_and_the_rest_now_and_then(
    start: Start, notes: Callable[[], Counter[str]]
) -> None:
    start("well")
    until(lambda: notes()["ring"] >= 10)
    counted = notes()
    assert (counted["expire"], counted["sweep"], counted["beat"]) == (1, 1, 1)


def test_once_does_every_duty_one_time_and_ends(start: Start, notes: Callable[[], Counter[str]]) -> None:
    assert start("once").wait(20) == 0
    assert notes() == {"ring": 1, "expire": 1, "sweep": 1, "beat": 1}


@pytest.mark.promise(13)
def test_a_duty_that_fails_is_told_by_class_tried_later_and_holds_up_no_other(
    start: Start, notes: Callable[[], Counter[str]]
) -> None:
    process = start("broken")
    until(lambda: notes()["ring"] >= 2)  # two seconds after the first
    assert notes()["sweep"] == 1
    assert process.poll() is None
    process.terminate()
    _, log = process.communicate(timeout=10)
    assert "RuntimeError" in log
    assert "canary77" not in log


@pytest.mark.parametrize("manner", ["well", "stuck"])
def test_sigterm_ends_it_also_in_the_middle_of_a_duty_of_ten_minutes(
    start: Start, notes: Callable[[], Counter[str]], manner: str
) -> None:
    process = start(manner)
    until(lambda: notes()["ring"])
    process.terminate()
    assert process.wait(30) == 0
