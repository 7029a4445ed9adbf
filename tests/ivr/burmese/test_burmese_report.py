import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("report", ["burmese_report", "speech_report"])
def test_the_document_says_what_is_measured(report: str) -> None:
    root = Path(__file__).parents[3]
    check = subprocess.run(
        [sys.executable, "-m", f"tests.reports.{report}", "--check"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 0, check.stderr
