"""The supervisor: what dies comes back, what is told to end ends, and nothing is left behind."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from real_redis import RedisServer

from gateway import supervisor, valkey

FOREVER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
]
WITH_A_FORK = [
    sys.executable,
    "-c",
    "import os, time; os.write(1, b'%d\\n' % (os.fork() or os.getpid())); time.sleep(600)",
]
UP = """
import os, sys
from pathlib import Path
from gateway import supervisor
supervisor.PROCFILE = Path(sys.argv[3])
sys.exit(supervisor.up(
    os.environ, Path(sys.argv[1]), int(sys.argv[2]),
    say=lambda line: print(line, flush=True), before_web=lambda: print("released", flush=True),
))
"""
Start = Callable[..., subprocess.Popen[str]]
ROOT = Path(supervisor.__file__).parents[1]


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split(") ")[1][0] != "Z"
    except (OSError, IndexError):
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hl-") as folder:
        yield Path(folder) / "data"


@pytest.fixture
def start(data_dir: Path, tmp_path: Path) -> Iterator[Start]:
    """Start `supervisor.up` in a process of its own, with small programs in place of the hotline's."""
    started: list[subprocess.Popen[str]] = []

    def run(port: int | None = None, redis_url: str = "", **commands: str) -> subprocess.Popen[str]:
        procfile = tmp_path / "Procfile"
        idle = f'{sys.executable} -c "import time; time.sleep(600)"'
        entries = {"web": idle, "worker": idle, "clock": idle} | commands
        procfile.write_text("".join(f"{name}: {command}\n" for name, command in entries.items()))
        process = subprocess.Popen(
            [sys.executable, "-c", UP, str(data_dir), str(port or free_port()), str(procfile)],
            cwd=ROOT,
            env=os.environ | {"REDIS_URL": redis_url},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def children(process: subprocess.Popen[str]) -> set[int]:
    """Give the pids of what runs directly under the supervisor."""
    found = subprocess.run(
        ["ps", "-o", "pid=,stat=", "--ppid", str(process.pid)], capture_output=True, text=True, check=False
    )
    return {int(line.split()[0]) for line in found.stdout.splitlines() if "Z" not in line}


def log_of(data_dir: Path) -> str:
    log = data_dir / "logs" / "hotline.log"
    return log.read_text(encoding="utf-8") if log.exists() else ""


def test_the_procfile_is_read_as_words_and_python_is_this_one() -> None:
    assert supervisor.read_procfile("# note\nweb: gunicorn 'a b'\n\nclock: python -m gateway clock\n") == {
        "web": ["gunicorn", "a b"],
        "clock": [sys.executable, "-m", "gateway", "clock"],
    }


def test_the_shipped_procfile_names_what_is_supervised_and_the_release() -> None:
    entries = supervisor.read_procfile(supervisor.PROCFILE.read_text(encoding="utf-8"))
    assert entries.keys() == {"release", "web", "worker", "clock"}
    assert entries["web"] == ["gunicorn", "app:app"]
    assert supervisor.PROCFILE.read_bytes() == (ROOT / "Procfile").read_bytes()


def test_ctrl_c_ends_everything_with_code_0_and_the_data_stays(start: Start, data_dir: Path) -> None:
    process = start()
    until(lambda: len(children(process)) == 4)
    pids = children(process)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=15)
    assert process.returncode == 0
    assert output == "released\n"
    assert not any(map(lives, pids))
    assert (data_dir / "valkey" / "appendonlydir").is_dir()


def test_the_release_runs_when_valkey_answers_and_before_the_web(start: Start, data_dir: Path) -> None:
    process = start()
    assert process.stdout.readline() == "released\n"
    assert valkey.answers(valkey.socket_path(data_dir))


def test_what_is_killed_comes_back(start: Start, data_dir: Path) -> None:
    process = start()
    until(lambda: len(children(process)) == 4)
    before = children(process)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(children(process)) == 4 and not children(process) & before)
    until(lambda: valkey.answers(valkey.socket_path(data_dir)))
    assert log_of(data_dir).count("ended (signal 9)") == 4


def test_what_keeps_dying_is_started_again_less_and_less_often(start: Start) -> None:
    process = start(clock=f'{sys.executable} -c "print(42); raise SystemExit(3)"')
    lines = [process.stdout.readline() for _ in range(4)]
    assert lines[1:] == [
        f"clock ended (exit 3); starting it again in {pause} s. 42\n" for pause in ("0.5", "1", "2")
    ]


def test_processes_are_given_the_port_and_the_bell(start: Start, data_dir: Path) -> None:
    port = free_port()
    process = start(port, clock="""sh -c 'echo "$PORT $REDIS_URL $GUNICORN_CMD_ARGS"; sleep 600'""")
    until(lambda: "clock" in log_of(data_dir))
    assert (
        f"clock  | {port} {valkey.address(data_dir)} --bind 127.0.0.1:{port} --config python:gateway.serving"
        in log_of(data_dir)
    )
    assert process.poll() is None


def test_when_the_supervisor_is_killed_nothing_stays(start: Start) -> None:
    process = start()
    until(lambda: len(children(process)) == 4)
    pids = children(process)
    process.kill()
    until(lambda: not any(map(lives, pids)))


def test_what_a_process_forked_does_not_outlive_it(tmp_path: Path) -> None:
    said: list[str] = []
    watch = supervisor.Supervisor(os.environ, tmp_path / "log", said.append)
    watch.start("forking", WITH_A_FORK)
    deadline = time.monotonic() + 60
    watch.wait_until(
        lambda: len((tmp_path / "log").read_text().split("|")) > 2 or time.monotonic() > deadline
    )
    pids = [int(line.split("|")[1]) for line in (tmp_path / "log").read_text().splitlines()]
    watch.stop()
    assert len(pids) == 2, ((tmp_path / "log").read_text(), said)
    until(lambda: not any(map(lives, pids)))


@pytest.mark.slow
def test_what_does_not_want_to_end_is_killed_after_eight_seconds(tmp_path: Path) -> None:
    watch = supervisor.Supervisor(os.environ, tmp_path / "log", print)
    watch.start("stubborn", STUBBORN)
    watch.wait_until(lambda: "up" in (tmp_path / "log").read_text())
    began = time.monotonic()
    watch.stop()
    assert time.monotonic() - began > 7.5


def test_errors_are_shown_and_the_rest_is_only_logged(tmp_path: Path) -> None:
    said: list[str] = []
    watch = supervisor.Supervisor(os.environ, tmp_path / "log", said.append)
    lines = (
        r'{"level": "info", "event": "a"}\n{"level": "error", "event": "b"}\n2026-01-01T00:00Z error    c\n'
    )
    watch.start("web", ["sh", "-c", f"printf '{lines}'; sleep 600"])
    watch.wait_until(lambda: "error    c" in (tmp_path / "log").read_text())
    watch.stop()
    assert said == ['web: {"level": "error", "event": "b"}']
    assert "info" in (tmp_path / "log").read_text()


def test_a_second_start_on_the_same_folder_is_refused_in_one_line(start: Start, data_dir: Path) -> None:
    first = start()
    assert first.stdout.readline() == "released\n"
    second = start()
    output, _ = second.communicate(timeout=15)
    assert (second.returncode, output) == (75, f"The hotline of {data_dir} is already running.\n")
    assert first.poll() is None


def test_a_port_in_use_is_said_in_one_line(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start(port)
        output, _ = process.communicate(timeout=15)
    assert process.returncode == 69
    assert output == f"Port {port} is in use: end what uses it, or choose another with --port.\n"


def test_a_folder_that_is_a_file_is_said_in_one_line(start: Start, data_dir: Path) -> None:
    data_dir.write_text("")
    process = start()
    output, _ = process.communicate(timeout=15)
    assert process.returncode == 73
    assert output == f"{data_dir} cannot be written: choose another folder with HOTLINE_DATA_DIR.\n"


def test_a_folder_that_cannot_be_written_is_said_in_one_line(start: Start, data_dir: Path) -> None:
    data_dir.symlink_to("/proc/sys")  # where root may not make a file either
    process = start()
    output, _ = process.communicate(timeout=15)
    assert process.returncode == 73
    assert output.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_said_in_one_line(start: Start, data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "up.lock").symlink_to("/dev/full")
    process = start()
    output, _ = process.communicate(timeout=15)
    assert process.returncode == 74
    assert output == f"The disk of {data_dir} is full, or nearly: free some space and start again.\n"


def test_a_disk_that_fills_while_running_is_said_once_and_nothing_stops(tmp_path: Path) -> None:
    said: list[str] = []
    log = tmp_path / "log"
    log.symlink_to("/dev/full")
    watch = supervisor.Supervisor(os.environ, log, said.append)
    watch.start("web", ["sh", "-c", "while :; do echo word; sleep 0.05; done"])
    watch.wait_until(lambda: said)
    for _ in range(3):
        watch._look()
    watch.stop()
    assert said == ["The log cannot be written (OSError); is the disk full?"]


def test_a_redis_of_the_operators_own_is_used_and_none_is_started(
    start: Start, data_dir: Path, redis_server: RedisServer
) -> None:
    process = start(redis_url=redis_server.url, clock="sh -c 'echo $REDIS_URL; sleep 600'")
    until(lambda: f"clock  | {redis_server.url}" in log_of(data_dir))
    assert len(children(process)) == 3
    assert not (data_dir / "valkey").exists()


def test_valkey_that_cannot_start_ends_the_start_with_its_own_words(start: Start, data_dir: Path) -> None:
    (data_dir / "valkey" / "appendonlydir").mkdir(parents=True)
    (data_dir / "valkey" / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense\n")
    process = start()
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 69
    assert "valkey does not start" in output
