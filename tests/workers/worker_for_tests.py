"""Runs the real worker over the test's jobs: `python worker_for_tests.py REDIS_URL`."""

import sys
from types import SimpleNamespace

import jobs_for_tests

import workers

sys.modules["workers.jobs"] = jobs_for_tests
workers.jobs = jobs_for_tests

from gateway import logs  # noqa: E402 - after the stand-in
from workers import worker  # noqa: E402 - after the stand-in

runtime = SimpleNamespace(
    settings=SimpleNamespace(redis_url=sys.argv[1]),
    vault=SimpleNamespace(locked=False),
    carrier=SimpleNamespace(prepare=lambda: None),
    forked=0,
)


def after_fork() -> None:
    runtime.forked += 1


runtime.after_fork = after_fork
logs.configure("INFO", json=True)
worker.run(runtime)
