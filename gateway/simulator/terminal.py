"""A handset in the terminal: dials and texts through the running demo, and prints what is heard."""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, TextIO

import requests

_KEYS = frozenset("0123456789*#")
_LOOK_EVERY = 0.25
_PATIENCE = 120.0
_NEWS = {
    "ringing": "The phone rings (type: answer)",
    "machine": "The answering machine took the call.",
}


class _Handset:
    """One handset of the simulator, over HTTP."""

    def __init__(self, base_url: str, sid: str, token: str, from_number: str | None) -> None:
        self._base = f"{base_url.rstrip('/')}/simulator/terminal"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.auth = (sid, token)
        opened = self._post("/open", {"from": from_number})
        self._phone = f"/phones/{opened['phone']}"
        self._lines: list[dict[str, str]] = opened["lines"]
        self.speed: float = opened["speed"]

    def line(self, to_number: str | None) -> str:
        """Return the number to reach: the one asked for, or the first public line."""
        if to_number is not None:
            return to_number
        return next(line["number"] for line in self._lines if line["kind"] == "public")

    def do(self, deed: str, **given: object) -> bool:
        return bool(self._post(f"{self._phone}/{deed}", given)["done"])

    def look(self) -> dict[str, Any]:
        answer = self._session.get(self._base + self._phone, timeout=10)
        answer.raise_for_status()
        return dict(answer.json())

    def until(self, true: Callable[[dict[str, Any]], object], seconds: float = _PATIENCE) -> bool:
        """Wait until the handset's state fulfils something; false when it never did."""
        end = time.monotonic() + seconds
        while not true(self.look()):
            if time.monotonic() > end:
                return False
            time.sleep(_LOOK_EVERY / self.speed)
        return True

    def _post(self, path: str, given: dict[str, Any]) -> dict[str, Any]:
        answer = self._session.post(self._base + path, json=given, timeout=10)
        answer.raise_for_status()
        return dict(answer.json())


class _Printer(threading.Thread):
    """Prints news and captions while somebody types."""

    def __init__(self, handset: _Handset, out: TextIO) -> None:
        super().__init__(daemon=True)
        self._handset = handset
        self._out = out
        self._done = threading.Event()
        self._told = {heard["id"] for heard in handset.look()["heard"]}
        self._state = "dialing"

    def run(self) -> None:
        while not self._done.wait(_LOOK_EVERY / self._handset.speed):
            try:
                self._print(self._handset.look())
            except requests.RequestException:
                print("The demo does not answer any more.", file=self._out, flush=True)
                return

    def close(self) -> None:
        """Print what is left and stop."""
        self._done.set()
        self.join()
        self._print(self._handset.look())

    def _print(self, phone: dict[str, Any]) -> None:
        for heard in phone["heard"]:
            if heard["id"] not in self._told:
                self._told.add(heard["id"])
                self._say(*_words(heard))
        if phone["state"] != self._state:
            self._state = phone["state"]
            ended = f"The call is over ({phone['note']})." if self._state == "idle" else ""
            self._say(*filter(None, [_NEWS.get(self._state, ended)]))

    def _say(self, *lines: str) -> None:
        for line in lines:
            print(line, file=self._out, flush=True)


def dial(
    base_url: str,
    sid: str,
    token: str,
    from_number: str | None,
    to_number: str | None,
    *,
    out: TextIO,
    keys: Iterable[str],
) -> bool:
    """Dial and obey `keys`, one step a line; return whether the line took the call.

    A step is keys (`1`, `12#`, pressed as soon as the line listens), `wait 3` (seconds), `answer` (waits
    for a ring), or `hangup`. A script's last line is followed by hearing out what is being said; a
    person's Ctrl-D hangs up at once. Raises `requests.RequestException` when the demo does not run.
    """
    handset = _Handset(base_url, sid, token, from_number)
    printer = _Printer(handset, out)
    print("Calling … (type keys and Enter; Ctrl-D hangs up)", file=out, flush=True)
    taken = handset.do("dial", to=handset.line(to_number))
    printer.start()
    try:
        for line in keys if taken else ():
            _step(handset, line.strip().lower(), out)
        if taken and not _interactive(keys):
            handset.until(_heard_out)
    finally:
        if taken:
            handset.do("hangup")
        printer.close()
    return taken


def text(
    base_url: str, sid: str, token: str, from_number: str | None, words: str, *, to_number: str | None = None
) -> list[str]:
    """Text a line and return the replies that came with the answer, in their order."""
    handset = _Handset(base_url, sid, token, from_number)
    before = len(handset.look()["texts"])
    handset.do("text", to=handset.line(to_number), words=words)
    handset.until(lambda phone: not phone["sending"], 40)
    return [message["body"] for message in handset.look()["texts"][before:] if not message["mine"]]


def _step(handset: _Handset, step: str, out: TextIO) -> None:
    match step.split():
        case []:
            pass
        case ["wait", seconds] if seconds.isdecimal():
            time.sleep(int(seconds) / handset.speed)
        case ["hangup"]:
            handset.do("hangup")
        case ["answer"]:
            handset.until(lambda phone: phone["state"] == "ringing")
            handset.do("answer")
        case [typed] if set(typed) <= _KEYS:
            for key in typed:
                handset.until(lambda phone: phone["listening"] or phone["state"] == "idle")
                if not handset.do("press", key=key):
                    print(f"Nobody was listening for {key}.", file=out, flush=True)
        case _:
            print("Type keys (0-9 * #), `wait 3`, `answer` or `hangup`.", file=out, flush=True)


def _heard_out(phone: dict[str, Any]) -> bool:
    """Whether the call is over, or the line has finished speaking and waits for a key."""
    ear = phone["hearing"]["kind"] if phone["hearing"] is not None else ""
    over = phone["state"] in ("idle", "ringing")
    return over or ear == "talking" or (ear == "silence" and phone["listening"])


def _words(heard: dict[str, Any]) -> list[str]:
    captions = sorted(heard["captions"].items(), key=lambda item: item[0] != "my")
    if not captions:
        return [f"   ({heard['text'] or heard['kind']})"]
    robot = any(caption["robot"] for _, caption in captions)
    lines = [f"{language}: {caption['text']}" for language, caption in captions]
    return [*lines, "   (robot voice)"] if robot else lines


def _interactive(keys: Iterable[str]) -> bool:
    return bool(getattr(keys, "isatty", bool)())
