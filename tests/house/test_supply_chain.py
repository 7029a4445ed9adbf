"""What is installed and from where, what the bill of materials says, and that no secret was ever committed."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Keys as those who make them write them; our own tests make theirs up otherwise, or at random while they run.
_SECRETS = (
    r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\\?n?[A-Za-z0-9+/]{20}",
    r"\bAKIA[0-9A-Z]{16}\b",
    r"\bgh[pousr]_[A-Za-z0-9]{36}\b",
    r"\bgithub_pat_\w{60,}",
    r"\bglpat-[\w-]{20}",
    r"\bxox[abpr]-[\w-]{20,}",
    r"\bpypi-AgE[\w-]{50,}",
    r"\bAIza[\w-]{35}\b",
    r"\bSK[0-9a-f]{32}\b",
    r"(?:_(?:WEB|ROOT)_KEY|_TOKEN(?:_PREVIOUS)?)[\"']?\s*[=:]\s*[\"']?(?!c0ffee)(?:[0-9a-f]{32,}|[A-Za-z0-9+/]{43}=)",
    r"(?:postgres(?:ql)?|rediss?)://[^\s:/@\"'{}<>]*:(?!pa55|s3cret)[^\s:/@\"'{}<>$]{9,}@",
)
SECRET = re.compile("|".join(_SECRETS), re.ASCII)
FILES = {".env", "demo.env", "id_rsa", "id_ed25519", ".netrc", ".pypirc", ".pgpass"}
ENDINGS = (".pem", ".key", ".p12", ".pfx", ".db", ".sqlite", ".sqlite3", ".dump", ".rdb")


def git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, timeout=120)
    return done.stdout.decode(errors="replace")


@pytest.fixture(scope="module")
def _history() -> None:
    command = ["git", "log", "-1"]
    if (
        not shutil.which("git")
        or subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode
    ):
        pytest.skip("NO HISTORY HERE: it was not searched for secrets")


@pytest.mark.usefixtures("_history")
def test_no_secret_was_ever_committed() -> None:
    found = set()
    for commit in git("log", "--all", "-p", "--no-color", "--no-ext-diff", "--format=commit %H").split(
        "\ncommit "
    ):
        name = commit[:12]
        found |= {
            (name, line[:40]) for line in commit.splitlines() if line.startswith("+") and SECRET.search(line)
        }
    assert not found


@pytest.mark.usefixtures("_history")
def test_no_file_that_holds_secrets_or_people_was_ever_committed() -> None:
    names = set(git("log", "--all", "--name-only", "--format=", "--diff-filter=A").splitlines())
    assert not {one for one in names if Path(one).name in FILES or one.endswith(ENDINGS)}
    assert not {one for one in names if one.startswith(("var/", "build/"))}


@pytest.mark.parametrize(
    "line",
    [
        "HOTLINE_ROOT_KEY=" + "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA" + "=",
        'TWILIO_AUTH_TOKEN: "' + "0123456789abcdef" * 2 + '"',
        "postgresql://hotline:" + "correcthorsebattery@db/hotline",
        "-----BEGIN EC " + "PRIVATE KEY-----\\n" + "MHcCAQEEIIrYSSNQFaA2Hwf1",
        "AKIA" + "ABCDEFGHIJKLMNOP",
    ],
)
def test_a_secret_would_be_found(line: str) -> None:
    assert SECRET.search(line)


def test_what_is_made_here_is_not_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert {"var/", ".venv/", "build/", "*.env"} <= set(ignored)


def test_nothing_young_is_locked() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", "")
    (days,) = re.findall(r"^COOLDOWN := (\d+) days$", makefile, re.MULTILINE)
    assert int(days) >= 7
    (command,) = re.findall(r"^COMPILE = (.*)$", makefile, re.MULTILINE)
    assert '--exclude-newer "$(COOLDOWN)"' in command
    assert "--generate-hashes" in command


def test_the_bill_of_materials_is_the_lock_and_always_the_same() -> None:
    first, second = (
        subprocess.run(
            [sys.executable, ROOT / "requirements" / "sbom.py"], check=True, capture_output=True, timeout=60
        ).stdout
        for _ in range(2)
    )
    assert first == second
    bill = json.loads(first)
    assert (bill["bomFormat"], bill["metadata"]["component"]["name"]) == ("CycloneDX", "hotline-gateway")
    lock = (ROOT / "requirements" / "base.txt").read_text(encoding="utf-8")
    locked = set(re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==(\S+)", lock, re.MULTILINE))
    assert {(one["name"], one["version"]) for one in bill["components"]} == locked
    assert sum(len(one["hashes"]) for one in bill["components"]) == lock.count("--hash=sha256:")
    needs = {one["ref"]: one.get("dependsOn", []) for one in bill["dependencies"]}
    reached, ahead = set[str](), ["hotline-gateway"]
    while ahead:
        ref = ahead.pop()
        if ref not in reached:
            reached.add(ref)
            ahead += needs[ref]
    assert reached == set(needs), "every package is there because something needs it"


def test_the_audit_never_takes_silence_for_an_answer(tmp_path: Path) -> None:
    """A stand-in for pip-audit on the path of modules: only what it prints is of interest."""
    program = tmp_path / "pip_audit.py"

    def audited(prints: object) -> int:
        program.write_text(f"print({json.dumps(json.dumps(prints))})" if prints else "", encoding="utf-8")
        return subprocess.run(
            [sys.executable, ROOT / "requirements" / "audit.py"],
            env={"PYTHONPATH": str(tmp_path)}, check=False, capture_output=True, timeout=60,
        ).returncode  # fmt: skip

    fine = {"name": "a", "version": "1", "vulns": []}
    assert audited({"dependencies": [fine]}) == 0
    assert audited({"dependencies": [fine, {"name": "b", "version": "1", "vulns": [{"id": "X-1"}]}]}) == 1
    assert audited({"dependencies": [fine, {"name": "b", "skip_reason": "not found"}]}) == 3
    assert audited(None) == 1
