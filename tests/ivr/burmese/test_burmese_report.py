import subprocess
import sys
from pathlib import Path


def test_the_document_says_what_is_measured() -> None:
    root = Path(__file__).parents[3]
    check = subprocess.run(
        [sys.executable, "-m", "tests.reports.burmese_report", "--check"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 0, check.stderr
