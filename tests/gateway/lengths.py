"""A WSGI application that says how long a body was, or gives an answer of a length: from memory, a file, in pieces."""

import tempfile
from collections.abc import Callable, Iterable
from typing import Any


def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    _, kind, *length = environ["PATH_INFO"].split("/")
    long = int(length[0]) if length else 0
    plain = ("Content-Type", "text/plain")
    match kind:
        case "memory":
            start("200 OK", [plain, ("Content-Length", str(long))])
            return [b"m" * long]
        case "pieces":
            start("200 OK", [plain])
            return (b"p" * 10_000 for _ in range(long // 10_000))
        case "file":
            file = tempfile.TemporaryFile()  # noqa: SIM115 - the server closes it
            file.truncate(long)
            start("200 OK", [plain, ("Content-Length", str(long))])
            given: Iterable[bytes] = environ["wsgi.file_wrapper"](file)
            return given
        case "ignored":
            said = "0"
        case _:
            said = str(len(environ["wsgi.input"].read()))
    start("200 OK", [plain, ("Content-Length", str(len(said)))])
    return [said.encode()]
