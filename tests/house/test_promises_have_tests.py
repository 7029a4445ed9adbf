"""Each promise is shown by a test that names it, and no test names one that was never made."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from promises import PROMISES, Results

MARK = re.compile(r"mark\.promise\(([\d, ]+)\)")
TESTS = Path(__file__).parents[1]


def test_every_promise_has_a_test() -> None:
    named = {
        int(number)
        for file in TESTS.rglob("test_*.py")
        for numbers in MARK.findall(file.read_text(encoding="utf-8"))
        for number in numbers.split(",")
    }
    assert named == set(PROMISES) == set(range(1, 31))


def test_the_page_says_what_was_tried_what_failed_and_what_was_skipped(tmp_path: Path) -> None:
    results = Results(tmp_path / "page.md")
    for name, when, outcome, told in (
        ("test_one", "call", "passed", {"promises": [9], "trials": 50}),
        ("test_one", "call", "passed", {"promises": [9], "trials": 50}),
        ("test_two", "call", "failed", {"promises": [9]}),
        ("test_three", "setup", "failed", {"promises": [10]}),
        ("test_four", "setup", "skipped", {"promises": [11]}),
    ):
        report = SimpleNamespace(
            when=when, outcome=outcome, nodeid=f"tests/a.py::{name}[x]", user_properties=[*told.items()]
        )
        results.pytest_runtest_logreport(cast("pytest.TestReport", report))
    results.pytest_sessionfinish()
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "| one (`tests/a.py`) | 100 | 0 |" in page
    assert "| two (`tests/a.py`) | 0 | 1 |" in page
    assert "| three (`tests/a.py`) | 0 | 1 |" in page
    assert "| four (`tests/a.py`) | 0, 1 skipped | 0 |" in page
    assert "Skipped: 1." in page
    assert page.count("nothing yet") == 27
