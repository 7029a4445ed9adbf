"""“Something changed”, as server-sent events: one number that grows, and nothing about whom or what.

A stream holds one of a process's few threads, which webhooks need too. So one stream a process may stay open, for
some seconds; anybody else is told the number at once and comes back later, which costs no more than a look at the
clock. The browser does the coming back by itself either way.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from flask import Response
from flask.typing import ResponseReturnValue

from gateway.errors import GatewayError
from gateway.runtime import Runtime
from gateway.store import continuing

AT_ONCE: Final = 1  # streams a process holds; gunicorn gives it four threads
HOLDS: Final = 20.0  # seconds
LOOKS: Final = 1.0  # seconds between two looks at the database
AGAIN_AFTER: Final = 8_000  # milliseconds until the browser comes back: as often as it would look by itself


@dataclass(frozen=True)
class Changes:
    runtime: Runtime
    places: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_ONCE))

    def stream(self) -> ResponseReturnValue:
        """The number now and, where a place is free, each time that it has grown; the page is not in it."""
        number = self._number()
        held = self.places.acquire(blocking=False)
        events = self._held(number) if held else iter((_event(number),))
        response = Response(events, mimetype="text/event-stream")
        if held:
            response.call_on_close(self.places.release)
        response.headers["X-Accel-Buffering"] = "no"  # a proxy in front passes it on at once
        return response

    def _held(self, number: int) -> Iterator[str]:
        until = time.monotonic() + HOLDS
        yield _event(number)
        while time.monotonic() < until:
            time.sleep(LOOKS)
            try:
                latest = self._number()
            except GatewayError:
                return
            if latest != number:
                number = latest
                yield _event(number)

    def _number(self) -> int:
        with self.runtime.database.read() as session:
            return continuing.latest(session)


def _event(number: int) -> str:
    return f"retry: {AGAIN_AFTER}\nid: {number}\ndata: {number}\n\n"
