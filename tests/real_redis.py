"""A real Redis for tests: the bundled Valkey with the product's own configuration."""

import os
import subprocess
import time
from pathlib import Path

from gateway import valkey


class RedisServer:
    """To be started, stopped and killed at will."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.url = valkey.address(data_dir)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = valkey.prepare(self.data_dir)
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not valkey.answers(valkey.socket_path(self.data_dir)):
            assert self.process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.01)

    def send(self, number: int) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        """As a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
