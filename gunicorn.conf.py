"""How gunicorn serves `app:app`, in the demo and in production alike; each line with its reason."""

# ruff: noqa: N999 - the name that gunicorn looks for

import os
from typing import Any

from gunicorn.glogging import Logger as GunicornLogger


class Logger(GunicornLogger):
    """Says of a request that could not even be read only that there was one: it may hold anything."""

    def warning(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        if str(msg).startswith("Invalid request from"):
            msg, args = "A request could not be read", ()
        super().warning(msg, *args, **kwargs)


logger_class = Logger
accesslog = None  # its lines hold addresses and whole URLs
loglevel = "warning"

# Processes, not threads, make the tail short, and a bigger machine sets WEB_CONCURRENCY, which gunicorn reads
# by itself; the few threads keep two slow listeners from silencing the hotline.
worker_class = "gthread"
threads = 4

# A burst waits in the kernel's queue instead of being refused; the kernel caps it at net.core.somaxconn.
backlog = 16_384
keepalive = 20
timeout = 30
graceful_timeout = 7  # ends before the supervisor's eight and a platform's ten seconds

worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - a heartbeat must not wait for a disk
control_socket_disable = True  # nobody asked for a second way in
