"""Requests below any client's manners: whatever bytes a stranger may send, straight to the application."""

import io
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast
from urllib.parse import quote_from_bytes, unquote_to_bytes

from flask import Flask

FORM = "application/x-www-form-urlencoded"
Fields = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True)
class Ask:
    """One request: `path` and `query` as on the wire, `fields` in the body or else in the query.

    `length` None stands for the body's own.
    """

    method: str
    path: bytes
    query: bytes = b""
    fields: Fields = ()
    body: bytes | None = None
    kind: str = FORM
    length: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    rule: str = ""

    def with_fields(self, fields: Iterable[tuple[bytes, bytes]]) -> "Ask":
        return replace(self, fields=tuple(fields))


@dataclass(frozen=True)
class Got:
    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


def urlencoded(fields: Fields) -> bytes:
    return b"&".join(
        quote_from_bytes(name).encode() + b"=" + quote_from_bytes(value).encode() for name, value in fields
    )


def multipart(fields: Fields, *, file: bytes = b"", name: bytes = b"") -> tuple[str, bytes]:
    """The same fields as a browser sends them beside a file; every field is also there as a file."""
    parts = [b'name="' + key + b'"\r\n\r\n' + value for key, value in fields]
    for key, _ in (*fields, (b"sound", b""), (b"file", b"")):
        parts.append(b'name="' + key + b'"; filename="' + name + b'"\r\n\r\n' + file)
    body = b"".join(b"--edge\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts)
    return "multipart/form-data; boundary=edge", body + b"--edge--\r\n"


def send(app: Flask, ask: Ask) -> Got:
    """Give it to the application as a server would, and read its whole answer (of a stream the first event)."""
    body = ask.body if ask.body is not None else (urlencoded(ask.fields) if ask.method == "POST" else b"")
    query = ask.query or (b"" if ask.method == "POST" else urlencoded(ask.fields))
    raw = ask.path + (b"?" + query if query else b"")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": ask.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(ask.path).decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "RAW_URI": raw.decode("latin-1"),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1:8000",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": ask.kind,
        "CONTENT_LENGTH": str(len(body)) if ask.length is None else ask.length,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    } | dict(ask.headers)
    answer: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]], _broken: object = None) -> Any:
        answer.update(status=int(status.split(maxsplit=1)[0]), headers=dict(headers))
        return lambda _data: None

    began = time.thread_time()
    sent = app.wsgi_app(environ, cast("Any", start))
    try:
        streams = answer["headers"].get("Content-Type", "").startswith("text/event-stream")
        got = next(iter(sent), b"") if streams else b"".join(sent)
    finally:
        if close := getattr(sent, "close", None):
            close()
    return Got(answer["status"], answer["headers"], got, time.thread_time() - began)
