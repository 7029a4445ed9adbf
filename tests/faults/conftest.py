"""Real processes, from a folder with a short name: a socket's path is short."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from front_door import Provider
from real_hotline import RealHotline

Up = Callable[..., RealHotline]


@pytest.fixture
def up(template: Path) -> Iterator[Up]:
    """Start a hotline; `up(provider)` with a phone company that writes down what it was asked."""
    here = Path(tempfile.mkdtemp(prefix="hl-"))
    running: list[RealHotline] = []

    def start(provider: Provider | None = None, folder: Path | None = None, **settings: str) -> RealHotline:
        made = RealHotline(template, folder or here / f"data{len(running)}", provider, **settings)
        running.append(made)
        return made.start()

    yield start
    for one in running:
        one.close()
    shutil.rmtree(here)
