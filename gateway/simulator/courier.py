"""Carries status callbacks, one after another, from a thread of its own."""

import queue
import threading
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from gateway.simulator.twiml import FaultError
from gateway.simulator.wire import Wire


class Courier:
    """Delivers in the order given; its thread starts with the first letter, so it survives a fork."""

    def __init__(self, wire: Callable[[], Wire], complain: Callable[[FaultError, str], None]) -> None:
        self._wire = wire
        self._complain = complain
        self._letters: queue.Queue[tuple[str, str, dict[str, str], bool]] = queue.Queue()
        self._starting = threading.Lock()
        self._started = False

    def tell(self, method: str, url: str, fields: Mapping[str, str], *, voice: bool = True) -> None:
        self._letters.put((method, url, dict(fields), voice))
        with self._starting:
            if not self._started:
                self._started = True
                threading.Thread(target=self._carry, name="courier", daemon=True).start()

    def flush(self) -> None:
        """Wait until everything given so far was delivered."""
        self._letters.join()

    def _carry(self) -> None:
        wire = self._wire()
        while True:
            method, url, fields, voice = self._letters.get()
            try:
                wire.tell(method, url, fields, voice=voice)
            except FaultError as fault:
                self._complain(fault, f"status callback {urlsplit(url).path}")
            finally:
                self._letters.task_done()
