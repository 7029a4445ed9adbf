"""How often things come to this process, counted in its memory: for shedding load, never for what must be exact."""

import threading
from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Final

_MOST_KEPT: Final = 50_000


class Tallies:
    """Counts by name and key in windows that begin at fixed moments; an old window is dropped as a whole."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[int, dict[Hashable, int]]] = {}
        self._lock = threading.Lock()

    def count(self, name: str, key: Hashable, *, per: timedelta, now: datetime) -> int:
        """Count one more, and tell how many came in this window.

        Past a certain number of keys new ones are no more kept apart: they share one count.
        """
        window = int(now.timestamp() // per.total_seconds())
        with self._lock:
            began, counts = self._windows.get(name, (-1, {}))
            if began != window:
                counts = {}
                self._windows[name] = window, counts
            if key not in counts and len(counts) >= _MOST_KEPT:
                key = None
            counts[key] = counts.get(key, 0) + 1
            return counts[key]
