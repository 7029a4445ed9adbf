"""The two commands on a machine that lacks something, and the locks they install."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_pins_everything_by_hash_and_names_no_address_or_place(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    packages = re.split(r"\n(?=[a-z0-9])", text)[1:]
    assert packages
    for package in packages:
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+ ", package), package[:80]
        assert "--hash=sha256:" in package
    assert not re.search(r"://|file:|(?m:^--)|/(?:home|root|tmp|opt|work)/", text)


def test_what_is_asked_for_is_locked_and_both_locks_agree() -> None:
    pins = {
        lock.stem: dict(re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==(\S+)", lock.read_text(), re.MULTILINE))
        for lock in LOCKS
    }
    for name in ("base", "dev"):
        asked = re.findall(
            r"^[a-zA-Z0-9][a-zA-Z0-9_-]*", (ROOT / f"requirements/{name}.in").read_text(), re.MULTILINE
        )
        missing = {one.lower().replace("_", "-") for one in asked} - pins[name].keys()
        assert not missing
    assert {name: pins["dev"].get(name) for name in pins["base"]} == pins["base"]


@pytest.mark.parametrize("python", ["too old", "without venv"])
def test_a_python_that_will_not_do_is_one_line_that_says_what_to_install(tmp_path: Path, python: str) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("make", "sh", "dirname", "cmp", "rm", "env"):
        found = shutil.which(tool)
        assert found, f"this machine has no {tool}"
        (tools / tool).symlink_to(found)
    answer = 'case "$2" in *ensurepip*) exit 1;; esac' if python == "without venv" else "exit 1"
    (tools / "python3").write_text(f"#!/bin/sh\n{answer}\n", encoding="utf-8")
    (tools / "python3").chmod(0o700)
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    for target in ("run", "test"):
        result = subprocess.run(
            ["make", target],
            cwd=tmp_path,
            env={"PATH": str(tools)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 2
        assert result.stdout == ""
        assert result.stderr.count("\n") == 1
        assert "apt install" in result.stderr
