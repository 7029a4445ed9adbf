"""A carrier on the wire: a small HTTP server that writes down what it is asked and answers what it is told."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def form(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body.decode(), keep_blank_values=True)


@dataclass
class Double:
    """`answers` are given in turn, the last one for ever; None drops the connection without an answer."""

    address: str
    asked: list[Asked] = field(default_factory=list)
    answers: list[tuple[int, bytes] | None] = field(default_factory=list)
    hold: threading.Event | None = None

    def will_answer(self, status: int, body: object = "") -> None:
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.answers.append((status, content))

    def will_refuse(self, status: int, code: int) -> None:
        self.will_answer(status, {"code": code, "message": "To +959790000001 refused", "status": status})

    def will_drop(self) -> None:
        self.answers.append(None)


def _handler(double: Double) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            double.asked.append(Asked(self.command, self.path, dict(self.headers.items()), body))
            if double.hold:
                double.hold.wait(5)
            answer = double.answers.pop(0) if len(double.answers) > 1 else double.answers[0]
            if answer is None or double.hold:
                self.close_connection = True
                return
            status, content = answer
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            if status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if status != 204:
                self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _take  # noqa: N815 - the names the server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


@pytest.fixture
def double() -> Iterator[Double]:
    made = Double("")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(made))
    server.daemon_threads = True
    made.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield made
    if made.hold:
        made.hold.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def closed_port() -> Callable[[], int]:
    """A port on which nobody listens."""

    def find() -> int:
        with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
            return int(server.server_address[1])

    return find
