"""What the documents name exists: commands, files, settings, addresses, and the moves of a request."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flask import Flask

from gateway.cli import main
from gateway.services.callbacks import ALLOWED
from gateway.settings import NAMES, SECRETS
from gateway.store.database import metadata
from gateway.web.health import health, metrics
from gateway.web.media import media
from gateway.web.sms import sms
from gateway.web.voice import voice

HOUSE = Path(__file__).resolve().parents[2]
DOCUMENTS = [*sorted(HOUSE.glob("*.md")), *sorted((HOUSE / "docs").rglob("*.md"))]
ENTRANCES = [HOUSE / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")]

_FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
_COMMAND = re.compile(r"(?:^|[\s|;(]|bin/)hotline((?: [a-z][a-z-]*)+)((?: --[a-z-]+)*)", re.MULTILINE)
_FILE = re.compile(r"\.?[\w-][\w.-]*(?:/[\w.-]+)*/?", re.ASCII)
_ENDINGS = (".py", ".toml", ".md", ".txt", ".sh", ".in", ".tsv", ".png", ".svg")
# A path may be told from the top, or from the room that the sentence is about.
_ROOMS = [HOUSE / room for room in ("", "docs", "gateway", "prompts", "prompts/speech", "requirements")]
_NOT_KEPT = {"var", "docs/promises.md", "docs/performance.md"}  # made when it runs, or still to come


def _named(path: Path) -> str:
    return str(path.relative_to(HOUSE))


def _quoted(document: Path) -> Iterator[str]:
    """Every piece of the document that is set as code."""
    text = document.read_text(encoding="utf-8")
    for block in _FENCE.findall(text):
        yield re.sub(r"\s+# .*$", "", block, flags=re.MULTILINE)  # remarks are prose
    yield from _SPAN.findall(_FENCE.sub("", text))


def _words(commands: click.Group, words: list[str]) -> click.Command | None:
    """The command that these words lead to, as far as they are names of commands; None where one is not."""
    found: click.Command = commands
    for word in words:
        if not isinstance(found, click.Group):
            return found  # what follows are its arguments
        following = found.get_command(click.Context(found), word)
        if following is None:
            return None
        found = following
    return found


def test_the_moves_of_a_request_are_those_of_the_code() -> None:
    text = (HOUSE / "docs" / "callbacks.md").read_text(encoding="utf-8")
    told = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and re.fullmatch(r"`\w+`", cells[0]):
            told[cells[0].strip("`")] = set(_SPAN.findall(cells[2]))
    assert told == {state.value: {to.value for to in allowed} for state, allowed in ALLOWED.items()}


@pytest.mark.parametrize("document", DOCUMENTS, ids=_named)
def test_every_command_that_is_named_exists(document: Path) -> None:
    for piece in _quoted(document):
        for words, options in _COMMAND.findall(piece):
            command = _words(main, words.split())
            assert command is not None, f"hotline{words}"
            known = {option for parameter in command.params for option in parameter.opts}
            assert set(options.split()) <= known | {"--help"}, f"hotline{words}{options}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=_named)
def test_every_target_of_make_that_is_named_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (HOUSE / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for piece in _quoted(document):
        assert set(re.findall(r"(?:^|&& )make ([a-z-]+)", piece, re.MULTILINE)) <= targets, piece


@pytest.mark.parametrize("document", DOCUMENTS, ids=_named)
def test_every_file_and_folder_that_is_named_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for link in _LINK.findall(text):
        if "://" not in link:
            assert (document.parent / link).exists(), link
    for piece in _SPAN.findall(_FENCE.sub("", text)):
        of_the_house = piece.partition("/")[0] in {entry.name for entry in HOUSE.iterdir()}
        if _FILE.fullmatch(piece) and (piece.endswith(_ENDINGS) or ("/" in piece and of_the_house)):
            there = any((room / piece).exists() for room in _ROOMS)
            assert there or piece.rstrip("/") in _NOT_KEPT, piece


@pytest.mark.parametrize("document", DOCUMENTS, ids=_named)
def test_every_setting_that_is_named_exists(document: Path) -> None:
    known = NAMES | {f"{name}_FILE" for name in SECRETS}
    for name in re.findall(r"\b(?:HOTLINE|TWILIO)_[A-Z_]*[A-Z]\b", document.read_text(encoding="utf-8")):
        assert name in known, name


@pytest.mark.parametrize("document", DOCUMENTS, ids=_named)
def test_every_address_of_a_webhook_that_is_named_exists(document: Path) -> None:
    app = Flask("gateway", static_folder=None)
    for blueprint in (voice, sms, media, health, metrics):
        app.register_blueprint(blueprint)
    rules = {re.sub(r"<(?:\w+:)?(\w+)>", "<>", rule.rule) for rule in app.url_map.iter_rules()}
    for piece in _quoted(document):
        for address in re.findall(r"(?<![\w.])/(?:twilio|health|audio)/[\w/.<>-]*[\w>]", piece):
            told = re.sub(r"<[^>]+>", "<>", address)
            assert any(rule == told or rule.startswith(f"{told}.") for rule in rules), address


def test_each_decision_has_a_number_of_its_own_and_ten_lines_and_is_listed() -> None:
    listed = (HOUSE / "docs" / "architecture.md").read_text(encoding="utf-8")
    decisions = sorted((HOUSE / "docs" / "decisions").glob("*.md"))
    assert len({decision.name[:4] for decision in decisions}) == len(decisions)
    for decision in decisions:
        lines = decision.read_text(encoding="utf-8").splitlines()
        number, _, title = lines[0].removeprefix("# ").partition(". ")
        assert int(number) == int(decision.name[:4]), decision.name
        assert len(lines) <= 18, decision.name
        assert f"- [{number}](decisions/{decision.name}) {title}" in listed.splitlines()


def test_the_architecture_names_every_table_and_every_use_case() -> None:
    text = (HOUSE / "docs" / "architecture.md").read_text(encoding="utf-8")
    for file in (HOUSE / "gateway" / "store").glob("[!_]*.py"):
        importlib.import_module(f"gateway.store.{file.stem}")
    tables = set(_SPAN.findall(text.partition("## What is remembered")[2].partition("\n## ")[0]))
    assert tables - {"gateway/store/"} == set(metadata.tables)
    rooms = set(_SPAN.findall(text.partition("## Where each thing is decided")[2].partition("\n## ")[0]))
    modules = {path.stem for path in (HOUSE / "gateway" / "services").glob("[!_]*.py")}
    assert rooms - {"gateway/services/"} == modules


def test_a_newcomer_finds_every_document_from_the_first_page() -> None:
    first = (HOUSE / "README.md").read_text(encoding="utf-8")
    for document in [*ENTRANCES[1:], *sorted((HOUSE / "docs").glob("*.md"))]:
        assert _named(document) in first or _named(document) in _NOT_KEPT, (
            f"README.md does not lead to {_named(document)}"
        )
