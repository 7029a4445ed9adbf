"""Stands in for `workers.jobs` in a worker process under test: writes down what happened, and when."""

import os
import time
from pathlib import Path
from typing import Any

RUNTIME: Any = None


def note(word: str) -> None:
    with Path(os.environ["NOTES"]).open("a", encoding="utf-8") as notes:
        notes.write(f"{word} {os.getpid()} {time.time()} {RUNTIME.forked}\n")


def ring_back(row: str) -> None:
    note(row)


def ring_caller(row: str) -> None:
    note(f"began-{row}")
    time.sleep(2)
    note(f"ended-{row}")


def forget(row: str) -> None:
    raise RuntimeError(f"the number was {row}")


def end_call(row: str) -> None:
    note(row)
    raise SystemExit(3)
