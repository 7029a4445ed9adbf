import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ivr.burmese.encodings import unicode_to_zawgyi
from ivr.burmese.keywords import KeywordTable

DATA = Path(__file__).parents[2] / "data"


def lines(name: str) -> Iterator[str]:
    for line in (DATA / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("# "):
            yield line


@pytest.fixture(scope="session")
def keywords() -> dict[str, Any]:
    return tomllib.loads((DATA / "keywords.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def table(keywords: dict[str, Any]) -> KeywordTable:
    return KeywordTable.build(keywords["words"], keywords["endings"], keywords["guarded"])


@pytest.fixture(scope="session")
def traps() -> list[str]:
    return list(lines("traps.txt"))


@pytest.fixture(scope="session")
def real_lines() -> list[tuple[str, str]]:
    """The same lines in Unicode and in Zawgyi."""
    return [(one, other) for one, _, other in (line.partition("\t") for line in lines("udhr_mya.tsv"))]


@pytest.fixture(scope="session")
def counted() -> list[dict[str, Any]]:
    """Texts with what Twilio's own calculator says they cost."""
    return [json.loads(line) for line in lines("segments.jsonl")]


@pytest.fixture(scope="session")
def words(keywords: dict[str, Any]) -> list[tuple[str, str]]:
    """Every (name, spelling) as it is typed, in Unicode and in Zawgyi."""
    pairs = [(name, word) for name, given in keywords["words"].items() for word in given]
    return pairs + [
        (name, unicode_to_zawgyi(word)) for name, word in pairs if unicode_to_zawgyi(word) != word
    ]
