"""How gunicorn serves `app:app`, in the demo and in production alike; each line with its reason."""

import logging
import os
from pathlib import Path
from typing import Any

# Processes, not threads, make the tail short, and a bigger machine sets WEB_CONCURRENCY, which gunicorn reads
# by itself; the few threads keep two slow listeners from silencing the hotline.
worker_class = "gateway.gathering.Worker"  # gunicorn's gthread, deaf to who sends or reads slowly
threads = 4
worker_connections = 800  # and a file each for 128 slow listeners: together under the usual limit of 1,024

# A burst waits in the kernel's queue instead of being refused; the kernel caps it at net.core.somaxconn.
backlog = 16_384
keepalive = 20
umask = 0o077  # the database and its log are this user's alone
timeout = 30
graceful_timeout = 7  # ends before the supervisor's eight and a platform's ten seconds

_MEMORY = Path("/dev/shm")  # noqa: S108 - gunicorn makes a private, unnamed file in it
worker_tmp_dir = str(_MEMORY) if os.access(_MEMORY, os.W_OK) else None  # a heartbeat must not wait for a disk
control_socket_disable = True  # nobody asked for a second way in

accesslog = None  # its lines hold addresses and whole URLs
loglevel = "warning"


def on_starting(server: Any) -> None:
    """Called by gunicorn before it forks."""
    server.log.error_log.addFilter(_without_the_request)


def _without_the_request(record: logging.LogRecord) -> bool:
    """Of a request that could not even be read, say only that there was one: it may hold anything."""
    if str(record.msg).startswith("Invalid request from"):
        record.msg, record.args = "A request could not be read", ()
    return True
