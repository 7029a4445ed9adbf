"""Starts the processes of the Procfile, starts again what dies, and leaves none of them behind."""

import logging
import os
import re
import selectors
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import FrameType
from typing import IO, Final

from gateway import valkey
from gateway.errors import GatewayError
from gateway.lifeline import end_with_parent
from gateway.place import FULL, Trouble, check_port, held

Say = Callable[[str], None]

PROCFILE: Final = Path(__file__).with_name("Procfile")

_LOOK_EVERY: Final = 0.2
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 10.0
_HEALTHY_AFTER: Final = 10.0
_HOPELESS: Final = 3
"""A process that dies this often before it was ever ready ends the start."""
_GRACE: Final = 8.0
_STORE_GRACE: Final = 3.0
"""Valkey may be killed at any time without losing what it acknowledged; the others deserve longer."""
_WEB_GRACE: Final = 2
"""Seconds; a request takes a few hundredths of one."""
_QUIET_FOR: Final = 10.0
_SCREEN_WIDTH: Final = 200
_CHUNK: Final = 65_536
_LOG_BYTES: Final = 2_000_000
_ALARMING: Final = re.compile(
    r'"level": ?"(?:error|critical)"|^\S+ (?:error|critical) |\[(?:error|critical) *\]', re.IGNORECASE
)
_ENTRY: Final = re.compile(r"([A-Za-z0-9_-]+):\s*(\S.*)", re.ASCII)
_ROOT_KEY: Final = frozenset({"HOTLINE_ROOT_KEY", "HOTLINE_ROOT_KEY_FILE"})


def read_procfile(text: str) -> dict[str, list[str]]:
    """Give each process type's command as words; `python` is the interpreter that runs this."""
    entries = {}
    for line in text.splitlines():
        if match := _ENTRY.fullmatch(line.strip()):
            words = shlex.split(match[2])
            entries[match[1]] = [sys.executable, *words[1:]] if words[0] == "python" else words
    return entries


@dataclass(slots=True, eq=False)
class _Child:
    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes]
    started: float
    outlives_others: bool = False
    alive: bool = True
    due: float = 0.0
    failures: int = 0
    unfinished: bytes = b""
    last_words: str = ""
    quiet_until: float = 0.0

    @property
    def output(self) -> IO[bytes]:
        assert self.process.stdout is not None  # noqa: S101 - each is started with a pipe
        return self.process.stdout

    def signal_group(self, number: signal.Signals) -> None:
        """Signal the process and all it forked, also when it is gone itself."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


class _LogFile(RotatingFileHandler):
    """Keeps at most three files of two megabytes; a disk that refuses is reported once, not a crash."""

    def __init__(self, path: Path, say: Say) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().__init__(
            path, maxBytes=_LOG_BYTES, backupCount=2, encoding="utf-8", errors="backslashreplace"
        )
        self.setFormatter(logging.Formatter("%(asctime)s %(name)-7s| %(message)s"))
        self._say = say
        self._reported = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        del record
        if not self._reported:
            self._reported = True
            self._say(f"The log cannot be written ({type(sys.exception()).__name__}); is the disk full?")

    def write(self, name: str, line: str) -> None:
        self.handle(logging.LogRecord(name, logging.INFO, "", 0, line, None, None))


class Supervisor:
    """Looks after processes until SIGINT or SIGTERM; a second signal ends them without grace.

    Each runs in a process group of its own and ends with the supervisor, also when that is killed. What they
    print goes to `log`, each line with its process's name; errors, and why one had to be started again, go
    to `say` as well.
    """

    def __init__(self, env: Mapping[str, str], log: Path, say: Say) -> None:
        self._env = dict(env)
        self._say = say
        self._log = _LogFile(log, say)
        self._children: list[_Child] = []
        self._selector = selectors.DefaultSelector()
        self._signals = 0
        self._ending = False

    @property
    def stopping(self) -> bool:
        return self._signals > 0

    @contextmanager
    def signals_taken(self) -> Iterator[None]:
        """Turn SIGINT, SIGTERM and SIGHUP into an orderly end for as long as the block runs."""
        taken = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, self._on_signal) for number in taken}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1

    def start(self, name: str, command: Sequence[str], *, outlives_others: bool = False) -> None:
        """Start a process and look after it from now on; raises `Trouble` where it cannot be run at all."""
        try:
            process = self._spawn(name, command)
        except OSError as error:
            raise Trouble(f"{command[0]} cannot be run: {error.strerror}.", os.EX_UNAVAILABLE) from error
        child = _Child(name, command, process, time.monotonic(), outlives_others=outlives_others)
        self._children.append(child)
        self._listen(child)

    def _spawn(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        parent = os.getpid()
        # Only the worker opens numbers: whoever takes over another process finds no key for that in it.
        env = {key: value for key, value in self._env.items() if name == "worker" or key not in _ROOT_KEY}
        return subprocess.Popen(  # noqa: S603 - the commands are the Procfile's and our own
            command,
            bufsize=0,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
            preexec_fn=lambda: end_with_parent(parent, signal.SIGTERM),  # noqa: PLW1509 - takes no lock
        )

    def _listen(self, child: _Child) -> None:
        os.set_blocking(child.output.fileno(), False)
        self._selector.register(child.output, selectors.EVENT_READ, child)

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Look after what runs until `ready()`; raises `Trouble` where a process cannot stay up meanwhile."""
        while not self.stopping and not ready():
            self._look(pause=0.02)
            for child in self._children:
                if child.failures >= _HOPELESS:
                    raise Trouble(f"{child.name} does not start: {child.last_words}", os.EX_UNAVAILABLE)

    def run(self) -> None:
        """Look after everything that was started until a signal comes."""
        while not self.stopping:
            self._look()

    def stop(self) -> None:
        """End all, and last those that the others need to end well."""
        self._ending = True
        self._end([child for child in self._children if not child.outlives_others], _GRACE)
        self._end([child for child in self._children if child.outlives_others], _STORE_GRACE)
        with suppress(OSError):  # the disk is full: what it still held is lost, and the end goes on
            self._log.close()

    def _end(self, children: Sequence[_Child], grace: float) -> None:
        asked, deadline = self._signals, time.monotonic() + grace
        for child in children:
            if child.alive:
                child.process.terminate()
        while any(child.alive for child in children):
            if time.monotonic() > deadline or self._signals > max(asked, 1):
                for child in children:
                    child.signal_group(signal.SIGKILL)
            self._look(pause=0.05)
        for child in children:
            child.signal_group(signal.SIGKILL)

    def _look(self, pause: float = _LOOK_EVERY) -> None:
        for key, _events in self._selector.select(pause):
            self._read(key.data)
        now = time.monotonic()
        for child in self._children:
            if child.alive and child.process.poll() is not None:
                self._bury(child, now)
            elif not child.alive and not self._ending and now >= child.due:
                self._start_again(child, now)

    def _read(self, child: _Child) -> None:
        while chunk := child.output.read(_CHUNK):
            *lines, child.unfinished = (child.unfinished + chunk).split(b"\n")
            if len(child.unfinished) > _CHUNK:
                lines, child.unfinished = [*lines, child.unfinished], b""
            for line in lines:
                self._write(child, line)
        if chunk is not None and child.output in self._selector.get_map():  # end of file, not "nothing yet"
            self._selector.unregister(child.output)

    def _write(self, child: _Child, line: bytes) -> None:
        text = line.decode(errors="backslashreplace").rstrip()
        if not text:
            return
        self._log.write(child.name, text)
        child.last_words = text[:_SCREEN_WIDTH]
        now = time.monotonic()
        if _ALARMING.search(text) and now >= child.quiet_until and not self._ending:
            child.quiet_until = now + _QUIET_FOR
            self._say(f"{child.name}: {child.last_words}")

    def _bury(self, child: _Child, now: float) -> None:
        """Note how a process ended, ask what it left in its group to end, and plan the next start."""
        self._read(child)
        self._write(child, child.unfinished)
        if child.output in self._selector.get_map():  # something it forked still holds the other end
            self._selector.unregister(child.output)
        child.output.close()
        child.alive, child.unfinished = False, b""
        if self._ending:
            return
        child.signal_group(signal.SIGTERM)
        if now - child.started >= _HEALTHY_AFTER:
            child.failures = 0
        pause = min(_FIRST_PAUSE * 2**child.failures, _LONGEST_PAUSE)
        child.failures += 1
        child.due = now + pause
        code = child.process.returncode
        how = f"signal {-code}" if code < 0 else f"exit {code}"
        why = child.last_words if code > 0 else ""  # who is killed says nothing of why
        report = f"{child.name} ended ({how}); starting it again in {pause:g} s. {why}".rstrip()
        self._log.write("up", report)
        self._say(report)

    def _start_again(self, child: _Child, now: float) -> None:
        child.signal_group(signal.SIGKILL)  # a leftover would still hold the port
        child.started = now
        try:
            child.process = self._spawn(child.name, child.command)
        except OSError as error:  # out of memory or processes: later again
            child.due = now + _LONGEST_PAUSE
            self._log.write("up", f"{child.name} could not be started: {error.strerror}")
            return
        child.alive, child.last_words = True, ""
        self._listen(child)


def up(
    env: Mapping[str, str],
    data_dir: Path,
    port: int,
    *,
    say: Say,
    before_web: Callable[[], None],
) -> int:
    """Run the whole hotline on this machine until Ctrl-C; give the exit code.

    `env` is what the processes get, with `PORT` and, unless it names another server, `REDIS_URL` added.
    `before_web` runs once Valkey answers and before anything else starts. What cannot work is said in one
    line: a folder, a disk, a port, a second start on the same folder.
    """
    os.umask(0o077)
    try:
        with held(data_dir):
            check_port(port)
            return _run(_completed(env, data_dir, port), data_dir, say, before_web)
    except Trouble as trouble:
        say(str(trouble))
        return trouble.code
    except GatewayError as error:
        say(str(error))
        return os.EX_UNAVAILABLE
    except OSError as error:
        if error.errno not in FULL:
            raise
        say(f"The disk of {data_dir} is full, or nearly: free some space and start again.")
        return os.EX_IOERR


def _run(env: Mapping[str, str], data_dir: Path, say: Say, before_web: Callable[[], None]) -> int:
    processes = read_procfile(PROCFILE.read_text(encoding="utf-8"))
    supervisor = Supervisor(env, data_dir / "logs" / "hotline.log", say)
    with supervisor.signals_taken():
        try:
            if env["REDIS_URL"] == valkey.address(data_dir):
                supervisor.start("valkey", valkey.prepare(data_dir), outlives_others=True)
                supervisor.wait_until(lambda: valkey.answers(valkey.socket_path(data_dir)))
            if not supervisor.stopping:
                before_web()
            if not supervisor.stopping:
                for name in ("web", "worker", "clock"):
                    supervisor.start(name, processes[name])
            supervisor.run()
        finally:
            supervisor.stop()
    return os.EX_OK


def _completed(env: Mapping[str, str], data_dir: Path, port: int) -> dict[str, str]:
    """Add what the processes need to find each other and their programs."""
    # A browser holds a connection open for as long as it may, and whoever pressed Ctrl-C waits for that.
    options = f"--bind 127.0.0.1:{port} --config python:gateway.serving --graceful-timeout {_WEB_GRACE}"
    return {
        "OPENBLAS_NUM_THREADS": "1",  # sound is short; its threads would cost memory in every process
        **env,
        "REDIS_URL": env.get("REDIS_URL") or valkey.address(data_dir),
        "PORT": str(port),
        "GUNICORN_CMD_ARGS": f"{options} {env.get('GUNICORN_CMD_ARGS', '')}".rstrip(),
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), env.get("PATH", os.defpath))),
        "PYTHONUNBUFFERED": "1",
    }
