"""Rules that no linter knows: who may open a number, what may be called what, what is a job, who lets whom in."""

import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from gateway import queue
from gateway.factory import create_app
from gateway.runtime import build_runtime
from gateway.settings import demo_environment, load
from workers import jobs

ROOT = Path(__file__).parents[2]
ROOMS = ("gateway", "ivr", "prompts", "workers")
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
OURS = [*SOURCES, ROOT / "app.py"]

MAY_REVEAL = {
    "gateway/vault.py": {"seal", "index"},
    "gateway/carriers/twilio/rest.py": {"dial", "text"},
    "gateway/carriers/twilio/checkup.py": {"dial"},  # our own lines, looked up at the provider
    "gateway/simulated.py": {"demo"},
}
"""Where a number leaves its wrapping, and for what. Whoever adds a line here says why in its commit."""


def places(pattern: str) -> Iterator[tuple[str, str]]:
    """Every match in our code, with the file it is in."""
    for path in OURS:
        for found in re.finditer(pattern, path.read_text(encoding="utf-8")):
            yield path.relative_to(ROOT).as_posix(), found[0]


# --- numbers -------------------------------------------------------------------------------------------


def test_a_number_is_opened_only_where_it_is_sealed_found_or_dialled() -> None:
    found: dict[str, set[str]] = {}
    for path, call in places(r"\.reveal\(.*?\)"):
        reason = re.fullmatch(r"\.reveal\(\"(\w+)\"\)", call)
        assert reason, f"{path}: a reason is a plain word, to be found by searching"
        found.setdefault(path, set()).add(reason[1])
    assert found == MAY_REVEAL


def test_only_the_terminal_and_commands_print() -> None:
    assert {path for path, _ in places(r"(?<![\w.])p?print\(")} <= {"gateway/simulator/terminal.py"}
    assert {path for path, _ in places(r"click\.echo\(") if not path.startswith("gateway/cli/")} == set()


@pytest.mark.promise(22)
def test_no_document_for_a_carrier_asks_for_a_recording() -> None:
    words = [
        (path, word)
        for path, word in places(r"(?i)[\w.<-]*\brecord[\w-]*(?=\s*[=(/>\"])")
        if path.startswith(("gateway/carriers", "gateway/web")) and word.lower() != "do-not-record"
    ]
    assert words == []


# --- jobs ----------------------------------------------------------------------------------------------


def declared_jobs() -> list[str]:
    return sorted(
        value for name, value in vars(queue).items() if name.startswith("JOB_") and isinstance(value, str)
    )


def test_every_job_has_a_queue() -> None:
    assert declared_jobs() == sorted(queue.JOBS)


@pytest.mark.parametrize("job", sorted(queue.JOBS))
def test_every_job_is_a_function_that_takes_one_id(job: str) -> None:
    module, _, name = queue.function_of(job).rpartition(".")
    assert module == jobs.__name__
    function = getattr(jobs, name, None)
    assert function is not None, f"nobody does {job}: workers would fail at it"
    taken = list(inspect.signature(function).parameters.values())
    assert [one.annotation for one in taken] == [str]


@pytest.mark.parametrize("job", sorted(queue.JOBS))
def test_every_job_is_owed_by_somebody(job: str) -> None:
    name = next(name for name, value in vars(queue).items() if value == job and name.startswith("JOB_"))
    users = {path for path, _ in places(rf"\b{name}\b")} - {"gateway/queue.py"}
    assert users, f"{name} is never put"


def test_every_function_of_the_jobs_is_a_job() -> None:
    written = {
        name
        for name, one in inspect.getmembers(jobs, inspect.isfunction)
        if one.__module__ == jobs.__name__ and not name.startswith("_")
    }
    assert written == set(queue.JOBS)


# --- routes --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    runtime = build_runtime(load(demo_environment(tmp_path_factory.mktemp("routes"), 8125)))
    yield create_app(runtime)
    runtime.database.close()


PUBLIC = {"voice.wait", "media.wav", "media.mp3", "health.live", "health.ready", "metrics.counts"}


def test_every_webhook_is_signed_or_public_by_name(app: Flask) -> None:
    gates = {
        name: getattr(view, "gate", None)
        for name, view in app.view_functions.items()
        if not name.startswith(("console.", "simulator."))
    }
    assert gates
    assert {name for name, gate in gates.items() if gate not in {"signed", "public"}} == set()
    assert {name for name, gate in gates.items() if gate == "public"} == PUBLIC


def test_what_a_carrier_calls_is_taken_by_post_only(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/twilio"):
            assert (rule.methods or set()) - {"OPTIONS"} == {"POST"}, rule.rule


def test_there_is_no_way_in_but_these(app: Flask) -> None:
    known = ("/twilio/", "/audio/", "/health/", "/metrics", "/console", "/simulator/")
    assert [rule.rule for rule in app.url_map.iter_rules() if not rule.rule.startswith(known)] == []


def test_without_the_simulators_network_there_is_no_simulator(tmp_path: Path) -> None:
    environment = demo_environment(tmp_path, 8126) | {"TWILIO_API_BASE_URL": "http://127.0.0.1:1"}
    runtime = build_runtime(load(environment))
    rules = [rule.rule for rule in create_app(runtime).url_map.iter_rules()]
    assert not any(rule.startswith("/simulator") for rule in rules)
    runtime.database.close()


def test_a_face_that_is_not_shown_is_not_there(tmp_path: Path) -> None:
    for face, absent in (("webhooks", "/console"), ("console", "/twilio")):
        runtime = build_runtime(load(demo_environment(tmp_path, 8127) | {"HOTLINE_FACES": face}))
        rules = [rule.rule for rule in create_app(runtime).url_map.iter_rules()]
        assert not any(rule.startswith(absent) for rule in rules)
        runtime.database.close()


# --- names and sizes -----------------------------------------------------------------------------------


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "base_utils"}
    named = [path for path in [*OURS, *(ROOT / "tests").rglob("*.py")] if path.stem in drawers]
    assert named == []


def test_every_module_says_in_one_sentence_what_it_is() -> None:
    for path in OURS:
        if "migrations/versions" in path.as_posix() or not path.read_text(encoding="utf-8").strip():
            continue
        first = path.read_text(encoding="utf-8").lstrip().splitlines()[0]
        assert first.startswith('"""'), path


def test_no_file_of_ours_is_longer_than_a_person_reads() -> None:
    too_long = {
        path.relative_to(ROOT).as_posix(): lines
        for path in OURS
        if "migrations/versions" not in path.as_posix()
        and (lines := len(path.read_text(encoding="utf-8").splitlines())) > 520
    }
    assert too_long == {}


def test_no_promise_of_later_work_pretends_to_be_done() -> None:
    assert list(places(r"\b(?:TODO|FIXME|XXX|HACK)\b")) == []
    assert list(places(r"raise NotImplementedError")) == []


def test_every_dependency_is_there_for_a_reason() -> None:
    """What `pyproject.toml` ignores of import-linter is nothing: an exception to a layer is a decision."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    assert len(contracts) >= 5
    assert [one for contract in contracts for one in contract.get("ignore_imports", [])] == []
