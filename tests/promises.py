"""What the project promises, and what its tests showed of it: `make promises` writes `docs/promises.md`.

The large N take hours: a run with `--promises=tests/data/long_runs/SOMETHING.json` keeps its results there, and
the page shows them from then on, with their day, for tests of its own run that tried less.

A test names what it shows with `@pytest.mark.promise(9)`, and how often it tried with the fixture `tried`; of tests
by hypothesis the examples that ran to their end are counted. Every answer to a call and every text that any of these
tests meets is looked at as well (`front_door.LOOKED_AT`). Nothing in that page is written by hand but the sentences
below.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from front_door import LOOKED_AT
from hypothesis import settings

LOOKING = "tests/front_door.py::"  # what is looked at in every test of a run
LONG_RUNS = Path(__file__).parent / "data" / "long_runs"

PROMISES = {
    1: "A phone number is nowhere in clear: no table, log, queue, file name, page, address or command line.",
    2: "Nor is the text of a message or a note.",
    3: "Each account sees only what its role allows, and a page without a declared gate is not built.",
    4: "The database and its backups reveal no number without the keystore, nor to who tries every number.",
    5: "A forged webhook changes nothing and costs nothing.",
    6: "A webhook repeated, in parallel or on two hosts, has one effect and one answer.",
    7: "Reports of the provider, in any order, doubled or missing, end in the same state.",
    8: "A caller's number alone reveals and resumes nothing: known and unknown hear the same.",
    9: "What was acknowledged is there, once, after any process was killed.",
    10: "Redis may be emptied at any moment: nothing is lost.",
    11: "“Registered” is never said without a committed row.",
    12: "A worker killed in the middle of a call or a text never calls or texts twice.",
    13: "Of two who take a case one wins; a request past its time is never rung; a poisoned job holds nobody up.",
    14: "With any one part down the caller hears a true sentence, in time.",
    15: "With everything down the fallback documents speak.",
    16: "A flood does not keep out who is in need, and spending ends at its cap.",
    17: "A restart ends no call.",
    18: "Nobody is rung or texted beyond the one neutral attempt without a consent of theirs.",
    19: "Stop ends everything, in every writing, at once.",
    20: "Quiet hours and ends are looked at when dialling, whatever the clock does.",
    21: "A machine hears nothing; a person one neutral line, and only the own number opens more.",
    22: "Nothing is ever recorded.",
    23: "Every text that leaves fits its budget and holds no listed word.",
    24: "To be forgotten makes number, notes and messages unreadable, in backups too.",
    25: "Past its age nothing is left: no row, no file, no key.",
    26: "The panic wipe leaves nothing readable, with any part failing.",
    27: "Two factors for everybody; a code works once; guessing is slow and locks nobody out.",
    28: "Every change needs a token; an account that is ended or changed is signed out everywhere.",
    29: "No input ends in an error of ours, a traceback or a hang.",
    30: "A wrong configuration stops the start, one clear line for each fault, no value printed.",
}


@dataclass
class Shown:
    """What one test showed, over its parameters."""

    trials: int = 0
    failures: int = 0
    skipped: int = 0
    day: str = ""  # of a longer run, elsewhere


class Results:
    """Collects what the tests that name a promise report, from all processes of the run."""

    def __init__(self, page: Path) -> None:
        self.page = page
        self.shown: dict[int, dict[str, Shown]] = defaultdict(lambda: defaultdict(Shown))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        told: dict[str, Any] = dict(report.user_properties)
        if report.when != "call" and report.outcome == "passed":
            return
        if report.outcome == "passed":
            for promise, what, count in told.get("looked_at", ()):
                self.shown[promise][LOOKING + what].trials += count
        for promise in told.get("promises", ()):
            shown = self.shown[promise][report.nodeid.split("[")[0]]
            if report.outcome == "passed":
                shown.trials += told.get("trials", 1)
            elif report.outcome == "failed":
                shown.failures += 1
            else:
                shown.skipped += 1

    def pytest_sessionfinish(self) -> None:
        if self.shown and self.page.suffix == ".json":
            self.page.write_text(json.dumps(self._kept(), indent=1), encoding="utf-8")
        elif self.shown:
            for other in sorted(LONG_RUNS.glob("*.json")):
                self._add(json.loads(other.read_text(encoding="utf-8")))
            self.page.write_text("\n".join(self._lines()) + "\n", encoding="utf-8")

    def _kept(self) -> dict[str, Any]:
        rows = [
            (promise, test, asdict(shown))
            for promise, tests in self.shown.items()
            for test, shown in tests.items()
            if not test.startswith(LOOKING)
        ]
        return {"day": f"{datetime.now(UTC):%Y-%m-%d}", "rows": rows}

    def _add(self, kept: dict[str, Any]) -> None:
        """Where the other run tried more, its numbers stand; a failure of either stays."""
        for promise, test, row in kept["rows"]:
            if test not in self.shown[promise]:  # its name is another now, or it was not run
                continue
            own = self.shown[promise][test]
            failures = own.failures + row["failures"]
            if row["trials"] > own.trials:
                own = self.shown[promise][test] = Shown(**{**row, "day": kept["day"]})
            own.failures = failures

    def _lines(self) -> Iterator[str]:
        profile = settings.get_current_profile_name()
        yield "# What is promised, and what tests showed"
        yield ""
        yield f"Written by `make promises` on {datetime.now(UTC):%Y-%m-%d}, from the results of the {profile} run."
        yield "No failure in N trials bounds the rate of failures at about 3/N, with 95 % confidence; where the trials"
        yield "are few, that is little. A promise without a test says so, and so does a test that could not run there."
        skipped = sum(shown.skipped for tests in self.shown.values() for shown in tests.values())
        yield f"Skipped: {skipped or 'nothing'}. With a day: from a longer run of that test, on that day."
        yield ""
        yield "| | promise | shown by | trials | failures |"
        yield "| --- | --- | --- | --- | --- |"
        for number, sentence in PROMISES.items():
            tests = sorted(self.shown[number].items())
            if not tests:
                yield f"| {number} | {sentence} | nothing yet | | |"
            for at, (name, shown) in enumerate(tests):
                file, _, test = name.partition("::")
                words = test.removeprefix("test_").replace("_", " ")
                first = f"| {number} | {sentence}" if at == 0 else "| |"
                trials = f"{shown.trials}, {shown.skipped} skipped" if shown.skipped else f"{shown.trials}"
                trials += f" ({shown.day})" * bool(shown.day)
                yield f"{first} | {words} (`{file}`) | {trials} | {shown.failures} |"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--promises", help="write what the tests showed of the promises to this page, or .json")


def pytest_configure(config: pytest.Config) -> None:
    page = config.getoption("--promises")
    if page and not hasattr(config, "workerinput"):  # the one process that hears of all tests
        config.pluginmanager.register(Results(Path(page)), "promises-results")


def pytest_runtest_setup(item: pytest.Item) -> None:
    promises = [number for mark in item.iter_markers("promise") for number in mark.args]
    if promises:
        item.user_properties.append(("promises", promises))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    before = Counter(LOOKED_AT)
    with counted(item):
        yield
    looked_at = [(*what, count) for what, count in (LOOKED_AT - before).items()]
    item.user_properties.append(("looked_at", looked_at))


@contextmanager
def counted(item: pytest.Item) -> Iterator[None]:
    """Count the examples of a test by hypothesis that ran to their end."""
    test: Any = getattr(item, "obj", None)
    if not getattr(test, "is_hypothesis_test", False):
        yield
        return
    inner, ran = test.hypothesis.inner_test, 0

    @wraps(inner)
    def one(*args: Any, **kwargs: Any) -> None:
        nonlocal ran
        inner(*args, **kwargs)
        ran += 1

    test.hypothesis.inner_test = one
    try:
        yield
    finally:
        test.hypothesis.inner_test = inner
        if not any(name == "trials" for name, _ in item.user_properties):  # a test may count for itself
            item.user_properties.append(("trials", ran))


@pytest.fixture
def tried(record_property: Callable[[str, object], None]) -> Callable[[int], None]:
    """Say how many trials this test made; without a word it was one."""
    return lambda trials: record_property("trials", trials)
