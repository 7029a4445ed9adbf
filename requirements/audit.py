"""Asks pip-audit about every locked package, and never takes silence for an answer.

Exit code 0: nothing is known against any. 1: something is, or pip-audit failed otherwise. 3: nobody could be asked.
"""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
_NO_ANSWER = 3
_UNREACHED = (
    "ConnectionError",
    "ServiceError",
    "Could not connect",
    "Max retries",
    "timed out",
    "Name resolution",
)


def main() -> int:
    """Audit both locks; say in one line how it went."""
    known, silent, asked = set[str](), set[str](), 0
    for lock in ("base.txt", "dev.txt"):
        done = subprocess.run(  # noqa: S603 - pip-audit of this environment, with our own files
            [
                sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip", "--timeout", "10",
                "--progress-spinner", "off", "--format", "json", "--requirement", HERE / lock,
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if not done.stdout.strip():
            sys.stderr.write(done.stderr[-2000:])
            return _unanswered() if any(word in done.stderr for word in _UNREACHED) else 1
        for one in json.loads(done.stdout)["dependencies"]:
            asked += 1
            if "skip_reason" in one:
                silent.add(one["name"])
            known |= {f"{one['name']} {one['version']}: {found['id']}" for found in one.get("vulns", ())}
    for line in sorted(known):
        sys.stderr.write(f"{line}\n")
    if known:
        return 1
    if silent:
        return _unanswered(len(silent))
    sys.stdout.write(f"Nothing is known against any of {asked} locked packages.\n")
    return 0


def _unanswered(count: int = 0) -> int:
    how_many = f"{count} packages were" if count else "the packages were"
    sys.stderr.write(
        f"NOT AUDITED: {how_many} not found where weaknesses are listed. Ask again from another network.\n"
    )
    return _NO_ANSWER


if __name__ == "__main__":
    sys.exit(main())
