"""The wheel holds all it needs: unpacked anywhere, with nothing of the checkout in sight, it works."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PARTS = ("app.py", "pyproject.toml", "LICENSE", "README.md", "Procfile", "gunicorn.conf.py")
ROOMS = ("gateway", "ivr", "prompts", "workers", "requirements")
_BUILT = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, for building leaves things behind."""
    if subprocess.run(
        [sys.executable, "-c", "import setuptools"], check=False, capture_output=True
    ).returncode:
        pytest.skip("NO SETUPTOOLS HERE: the wheel was not built")
    copy = tmp_path_factory.mktemp("source")
    for name in PARTS:
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, copy / name)
    for room in ROOMS:
        shutil.copytree(ROOT / room, copy / room, symlinks=False, ignore=_BUILT)
    (copy / "README.md").touch()
    made = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation", "--no-index", "-w", made],
        cwd=copy, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    (found,) = made.glob("*.whl")
    return found


@pytest.fixture
def elsewhere(wheel: Path, tmp_path: Path) -> Path:
    place = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    return place


def carried(room: str) -> set[str]:
    """The files of the checkout that somebody reads when it runs."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix not in {".pyc", ".cfg"}
    }


def test_everything_that_is_read_when_it_runs_is_inside(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    for room in ("gateway", "ivr", "prompts", "workers"):
        assert sorted(carried(room) - inside) == []
    assert "app.py" in inside
    for named in ("gateway/Procfile", "prompts/script.toml", "prompts/my/texts.toml"):
        assert named in inside


def test_nothing_of_the_tests_or_of_a_demo_is_inside(wheel: Path) -> None:
    inside = zipfile.ZipFile(wheel).namelist()
    assert not [name for name in inside if name.startswith(("tests", "var", "requirements", "docs"))]
    assert not [name for name in inside if name.endswith((".db", ".env", ".sock", ".pyc"))]


def run(place: Path, *words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HOTLINE_", "TWILIO_", "DATABASE_URL", "REDIS_URL", "KEYSTORE_URL", "PYTHON"))
    }
    return subprocess.run(
        [sys.executable, "-m", "gateway", *words],
        cwd=folder, env=clean | {"PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_it_finds_its_own_content_from_a_clean_folder(elsewhere: Path, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    where = subprocess.run(
        [sys.executable, "-c", "import gateway, prompts; print(gateway.__file__, prompts.__file__)"],
        cwd=folder, env={"PYTHONPATH": str(elsewhere)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert where.stdout.count(str(elsewhere)) == 2, "what is tested is the wheel"
    done = run(elsewhere, "check", folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(folder.iterdir()) == [], "a check leaves nothing behind"


def test_its_migrations_run_from_a_clean_folder(elsewhere: Path, tmp_path: Path) -> None:
    from gateway.settings import demo_environment, write_demo_env

    folder = tmp_path / "empty"
    write_demo_env(folder / "var" / "demo.env", demo_environment(folder / "var", 8000))
    done = run(elsewhere, "db", "upgrade", folder=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "var" / "hotline.db").stat().st_size > 50_000
