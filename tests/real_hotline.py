"""A hotline as an operator runs it: `hotline up` with all its processes, reached over HTTP with signed requests."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from front_door import NO_LIMITS, Hotline, Provider, put_away
from sqlalchemy import func, select
from twilio.request_validator import RequestValidator

from gateway import settings as gateway_settings
from gateway import valkey
from gateway.clock import DemoClock
from gateway.queue import JOB_RING_POOL
from gateway.runtime import build_runtime
from gateway.store.outbox import outbox

ROOT = Path(__file__).parents[1]
_OURS = ("HOTLINE_", "TWILIO_", "DATABASE_URL", "REDIS_URL", "KEYSTORE_URL")


@dataclass(frozen=True)
class Answer:
    """As much of a test client's answer as `front_door` asks for."""

    status_code: int
    mimetype: str
    data: bytes

    @property
    def status(self) -> str:
        return str(self.status_code)


class Wire:
    """In place of Flask's test client: real requests to a real port."""

    def __init__(self, address: str) -> None:
        self._address = address

    def post(self, path: str, data: dict[str, str], headers: dict[str, str]) -> Answer:
        got = requests.post(self._address + path, data=data, headers=headers, timeout=15)
        return Answer(got.status_code, got.headers.get("Content-Type", "").partition(";")[0], got.content)


class RealHotline(Hotline):
    """Started from a template with keys, tables and sound; `runtime` looks into the same folder from outside.

    A `provider` is the phone network where one is given, else the demo's own simulator is.
    """

    def __init__(self, template: Path, folder: Path, provider: Provider | None = None, **more: str) -> None:
        shutil.copytree(template, folder, dirs_exist_ok=True)
        DemoClock(folder / "clock.json").skip_to(put_away(folder))
        self.folder = folder
        self.port = _free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        own = gateway_settings.read_env_file(folder / "demo.env")
        own |= {
            "HOTLINE_DATA_DIR": str(folder),
            "HOTLINE_PUBLIC_URL": self.address,
            "PORT": str(self.port),
            "TWILIO_API_BASE_URL": provider.address if provider else self.address + "/simulator/api",
            **NO_LIMITS,
            **more,
        }
        clean = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        self.environment = clean | own | {"REDIS_URL": valkey.address(folder)}
        self.use_environment = provider is not None
        if provider is None:  # as the demo's own start leaves it
            gateway_settings.write_demo_env(folder / "demo.env", own)
        self.settings = gateway_settings.load(own | {"REDIS_URL": self.environment["REDIS_URL"]})
        self.runtime = build_runtime(self.settings, busy=5)
        if provider is not None:
            self.provider = provider
        self.client = Wire(self.address)  # type: ignore[assignment]  # as much of it as is used
        self._validator = RequestValidator(self.settings.twilio_auth_token)
        self.screen = folder.parent / f"{folder.name}.screen"
        self.process: subprocess.Popen[bytes] | None = None

    # -- starting and ending --

    def start(self) -> "RealHotline":
        arguments = ["up", "--port", str(self.port), *(["--use-environment"] if self.use_environment else [])]
        environment = self.environment
        if not self.use_environment:
            environment = {k: v for k, v in self.environment.items() if not k.startswith(_OURS)}
            environment["HOTLINE_DATA_DIR"] = str(self.folder)
        with self.screen.open("ab") as screen:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway", *arguments],
                cwd=ROOT, env=environment, stdout=screen, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        until(self.ready, 180, self.screen)
        until(lambda: {"web", "worker", "clock", "valkey"} <= self.processes().keys(), 30, self.screen)
        return self

    def interrupt(self) -> int:
        """Ctrl-C; give the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            try:
                self.interrupt()
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.runtime.database.close()
        self.runtime.vault.close()

    def ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.screen.read_text()
        try:
            return requests.get(f"{self.address}/health/ready", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    # -- its processes --

    def processes(self) -> dict[str, list[int]]:
        """The pids by name; `job` is what a worker forked, `web child` what gunicorn did."""
        assert self.process is not None
        children = _children()
        found: dict[str, list[int]] = {}
        for pid, line in children.get(self.process.pid, []):
            name = next((name for word, name in _NAMES.items() if word in line), "other")
            found.setdefault(name, []).append(pid)
            below = {"worker": "job", "web": "web child"}.get(name, "other")
            for child, _ in children.get(pid, []):
                found.setdefault(below, []).append(child)
        return found

    def everything(self) -> set[int]:
        """Every pid below `hotline up`, and its own."""
        assert self.process is not None
        children = _children()
        found, look = {self.process.pid}, [self.process.pid]
        while look:
            below = [pid for pid, _ in children.get(look.pop(), [])]
            found.update(below)
            look += below
        return found

    def kill(self, name: str) -> int:
        """Kill -9 one process of that name; give its pid. What has ended by itself before is not counted."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for pid in self.processes().get(name, [])[:1]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    return pid
            time.sleep(0.02)
        raise AssertionError(f"there is no {name} to kill: {self.screen.read_text()}")

    # -- commands --

    def command(self, *words: str, given: str = "", exits: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "gateway", *words],
            cwd=ROOT, env=self.environment, input=given, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == exits, done.stderr
        return done.stdout

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.command("status", "--json"))
        return found

    def owed(self) -> int:
        """How much workers have to do; ringing the counselors on shift, of whom there is none, does not count."""
        open_ = outbox.c.done.is_(None) & (outbox.c.job != JOB_RING_POOL)
        return int(self.one(select(func.count()).select_from(outbox).where(open_))[0])

    def log(self) -> str:
        return (self.folder / "logs" / "hotline.log").read_text(encoding="utf-8")

    def patiently(self, deed: Callable[[], Any], *, tries: int = 200) -> Any:
        """What a carrier does not do, but a person: try again while nobody answers."""
        for _ in range(tries):
            try:
                return deed()
            except requests.RequestException:
                time.sleep(0.1)
        raise AssertionError("nobody answers any more")


_NAMES = {"gunicorn": "web", "gateway worker": "worker", "gateway clock": "clock", "valkey-server": "valkey"}


def _children() -> dict[int, list[tuple[int, str]]]:
    shown = subprocess.run(
        ["ps", "-ww", "-eo", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True
    )
    found: dict[int, list[tuple[int, str]]] = {}
    for line in shown.stdout.splitlines():
        pid, parent, state, *args = line.split(None, 3)
        if "Z" not in state:
            found.setdefault(int(parent), []).append((int(pid), args[0] if args else ""))
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], object], seconds: float, screen: Path | None = None) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, screen.read_text() if screen else "it did not happen in time"
        time.sleep(0.05)


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split(") ")[1][0] != "Z"
    except (OSError, IndexError):
        return False
