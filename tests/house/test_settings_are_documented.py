"""`docs/settings.md` and the code name the same settings, and the code reads no others."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from gateway.errors import SettingsError
from gateway.settings import FEATURES, NAMES, SECRETS, demo_environment, load

HOUSE = Path(__file__).resolve().parents[2]
DOCUMENT = (HOUSE / "docs" / "settings.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in DOCUMENT.splitlines()
    if re.match(r"\| `[A-Z_]+` \|", line)
]
ENVIRONMENT = re.compile(r"\bos\.environ\b|\bgetenv\b|\benvironb\b")


class Recorder(Mapping[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values_given = values
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self.values_given[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_given)

    def __len__(self) -> int:
        return len(self.values_given)


def test_every_setting_has_one_row_and_every_row_is_a_setting() -> None:
    documented = [row[0].strip("`") for row in ROWS]
    assert sorted(documented) == sorted(NAMES)


def test_every_row_says_what_it_is_and_what_holds_without_it() -> None:
    for name, default, _, meaning in ROWS:
        assert default, name
        assert len(meaning.split()) > 3 or "`" in meaning, name


def test_the_document_says_which_settings_are_secrets() -> None:
    assert {row[0].strip("`") for row in ROWS if row[2] == "File"} == SECRETS


def test_what_is_read_is_what_is_named(tmp_path: Path) -> None:
    environ = Recorder(demo_environment(tmp_path, 8000))
    load(environ)
    assert environ.asked == NAMES | {f"{name}_FILE" for name in SECRETS}
    with pytest.raises(SettingsError):
        load(Recorder({}))


def test_every_feature_is_named() -> None:
    (row,) = [row for row in ROWS if row[0] == "`HOTLINE_FEATURES`"]
    assert all(f"`{feature}`" in row[3] for feature in FEATURES)


def test_documented_defaults_are_the_real_ones(tmp_path: Path) -> None:
    implied = load(demo_environment(tmp_path, 8000))
    spelled = {row[0].strip("`"): row[1].strip("`") for row in ROWS if row[1].startswith("`")}
    spelled |= {"HOTLINE_DATA_DIR": str(tmp_path), "HOTLINE_ACCEPT_DRAFTS": "yes"}
    assert load(demo_environment(tmp_path, 8000) | spelled).quiet_hours == implied.quiet_hours
    environ = demo_environment(tmp_path, 8000)
    assert load(environ | spelled) == load(environ)


def test_nothing_but_the_entrances_reads_the_environment() -> None:
    """The command line and `app.py` hand the environment to `load`; nobody else looks at it."""
    allowed = {"gateway/cli/__init__.py", "gateway/cli/running.py", "app.py"}
    files = [
        *(HOUSE / "gateway").rglob("*.py"),
        *(HOUSE / "ivr").rglob("*.py"),
        *(HOUSE / "prompts").rglob("*.py"),
    ]
    files += [*(HOUSE / "workers").rglob("*.py"), *HOUSE.glob("*.py")]
    readers = {
        str(path.relative_to(HOUSE)) for path in files if ENVIRONMENT.search(path.read_text(encoding="utf-8"))
    }
    assert readers <= allowed
