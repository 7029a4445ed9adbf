"""A process that ends with the one that started it."""

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
# Loaded before any fork: in a new process there is nothing left to look up, and no lock to wait for.
_libc: Final = ctypes.CDLL(None) if sys.platform == "linux" else None


def end_with_parent(parent: int, ending: signal.Signals) -> None:
    """In a new process: have the kernel send `ending` when `parent` dies (Linux; elsewhere nothing)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, ending)
    if os.getppid() != parent:  # it died before the kernel was told
        os._exit(1)
