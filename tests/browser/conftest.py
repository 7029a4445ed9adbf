"""A real browser, and a hotline that was started the way a newcomer starts it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from gateway.clock import DemoClock
from gateway.settings import read_env_file, write_demo_env

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip


@dataclass(frozen=True)
class Demo:
    """A running demo: its address and its folder."""

    url: str
    folder: Path

    @property
    def phones(self) -> str:
        return f"{self.url}/simulator/"

    @property
    def console(self) -> str:
        return f"{self.url}/console/"


@pytest.fixture
def demo(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Demo]:
    """A demo as it is in the morning: one that others used, started over, where the test does not want its own."""
    if "first_start" in request.keywords:
        yield from started(tmp_path)
    elif own := request.node.get_closest_marker("own_demo"):
        shutil.copytree(request.getfixturevalue("template"), tmp_path / "var")
        yield from started(tmp_path, **own.kwargs)
    else:
        yield started_over(request.getfixturevalue("shared_demo"))


@pytest.fixture(scope="session")
def shared_demo(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """With its sounds there, as on any start but the first."""
    folder = tmp_path_factory.mktemp("shared")
    shutil.copytree(template, folder / "var")
    yield from started(folder)


def started_over(demo: Demo) -> Demo:
    """As the button of the simulator's page does it."""
    with urllib.request.urlopen(demo.phones) as page:  # noqa: S310 - our own demo
        token = re.search(r'name="simulator-token" content="([^"]+)"', page.read().decode())
    assert token
    reset = urllib.request.Request(f"{demo.phones}reset", b"", {"X-Simulator-Token": token[1]})  # noqa: S310
    with urllib.request.urlopen(reset, timeout=20):  # noqa: S310
        return demo


def started(tmp_path: Path, **settings: str) -> Iterator[Demo]:
    """A demo until the test is over; `settings` are other than its first start wrote down."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path / "var"
    if settings:
        write_demo_env(folder / "demo.env", read_env_file(folder / "demo.env") | settings)
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HOTLINE_", "TWILIO_", "DATABASE_URL", "REDIS_URL", "KEYSTORE_URL"))
    }
    log = (tmp_path / "up.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", "up", "--port", str(port)],
        cwd=ROOT,
        env={**environment, "HOTLINE_DATA_DIR": str(folder)},
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(url, process, tmp_path / "up.log")
        yield Demo(url, folder)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
        log.close()


def later(demo: Demo, span: timedelta) -> None:
    """Put the demo's clock forward, instead of waiting so long."""
    clock = DemoClock(demo.folder / "clock.json")
    clock.skip_to(clock.now() + span)


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 90
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{url}/health/ready", timeout=2):  # noqa: S310 - our own demo
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the demo was never ready:\n{log.read_text()}")


@pytest.fixture
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("NO BROWSER HERE: the browser tests were not run (install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, demo: Demo) -> Iterator[Page]:
    """A page on which any error of a script, and any refusal of the content policy, fails the test."""
    errors: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, locale="en")
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert not errors, errors


@pytest.fixture(scope="session")
def pictures(request: pytest.FixtureRequest) -> Path:
    """Where pictures go: `make pictures` puts them into the documents."""
    folder = Path(request.config.getoption("--pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
