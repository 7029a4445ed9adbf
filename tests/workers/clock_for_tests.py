"""Runs the real clock over stand-ins: `python clock_for_tests.py NOTES [broken|stuck]`."""

import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import gateway.services
from gateway import logs

notes, manner = Path(sys.argv[1]), sys.argv[2]


def duty(name: str) -> Any:
    def do(*_about: Any) -> None:
        with notes.open("a", encoding="utf-8") as lines:
            lines.write(f"{name} {time.monotonic()}\n")
        if manner == "stuck":
            time.sleep(600)
        if manner == "broken" and name != "sweep":
            raise RuntimeError("the number was canary77")

    return do


services = {
    "dispatch": {"ring_due": duty("ring")},
    "housekeeping": {"expire": duty("expire"), "sweep": duty("sweep")},
}
for name, functions in services.items():
    module = ModuleType(name)
    vars(module).update(functions)
    sys.modules[f"gateway.services.{name}"] = module
    setattr(gateway.services, name, module)

from workers import clock  # noqa: E402 - after the stand-ins

logs.configure("INFO", json=True)
clock.run(SimpleNamespace(queue=SimpleNamespace(beat=duty("beat"))), tick=0.1, once=manner == "once")
