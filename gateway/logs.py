"""Logs that cannot tell who called: listed keys, plain tokens as values, digits masked, no tracebacks.

Our own lines and those of libraries go the same way, to standard error. What a library wants to say about
its arguments is left out: it may be an address, a row, or what somebody wrote.
"""

import json as encoding
import logging
import re
import sys
import threading
import unicodedata
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, TextIO, cast
from uuid import UUID

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

KEYS: Final = frozenset(
    {
        *("event", "level", "logger", "error", "at"),
        *("id", "row", "job", "ring", "attempt", "campaign", "process", "worker", "queue", "retry", "step"),
        *("carrier", "code", "status", "state", "outcome", "kind", "reason", "leg", "engine", "language"),
        *("route", "method", "face", "mode", "port", "setting", "table", "version", "count", "milliseconds"),
    }
)
"""What a line may hold; a key that is not here is dropped, and counted in the line's `dropped`."""

_DIGITS: Final = "[digits]"
_TEXT: Final = "[text]"
# A digit of any script (so not re.ASCII), also escaped as logs and addresses do it; ဝ is typed for zero.
_ESCAPED: Final = (
    r"\\u(?:10[49]|ff1)[0-9]|\\xe1\\x8[12]\\x[89][0-9a-f]|\\xef\\xbc\\x9[0-9]"
    r"|%E1%8[12]%[89][0-9A-F]|%EF%BC%9[0-9]"
)
_DIGIT: Final = rf"(?:\d|ဝ|{_ESCAPED})"
_BETWEEN: Final = r"[\s.,·/()_+\-\u00ad\u200b-\u2015\u2060-\u2069\ufeff]{0,3}"
_RUN: Final = re.compile(f"{_DIGIT}(?:{_BETWEEN}{_DIGIT}){{4,}}", re.IGNORECASE)
# A random id in hex, alone or as <job>-<id>-<ring>: too long, and too full of letters, to be a number.
_OPAQUE: Final = re.compile(
    r"(?:[a-z_]{1,40}-)?(?=[0-9-]*[a-f])(?:[0-9a-f]{24}|[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"(?:-[0-9]{1,3})?",
    re.ASCII,
)
_TOKEN: Final = re.compile(r"[\w.:/<>{}@,+=\[\]-]{1,120}", re.ASCII)
_NOT_ASCII: Final = re.compile(r"[^\x20-\x7e]+")
_EVENT_LENGTH: Final = 300
_LARGEST_COUNT: Final = (
    9_999_999  # a count may have more than four digits; a phone number has more than seven
)
_HOUSE: Final = Path(__file__).resolve().parent.parent
_ROOMS: Final = ("gateway", "ivr", "prompts", "workers")
_LIBRARIES: Final = ("twilio", "werkzeug", "rq", "urllib3", "sqlalchemy", "gtts", "alembic")


class _Form:
    """How lines look; the same for our loggers and the libraries'."""

    json = True


class _Stderr:
    """A logger that writes whole lines to what is standard error at that moment."""

    def __init__(self, name: str = "") -> None:
        self.name = name

    def msg(self, line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    debug = info = warning = error = critical = msg


def configure(level: str, json: bool) -> None:
    """Send every log of this process, libraries' and uncaught errors included, to standard error.

    `level` is for our own loggers; libraries speak from WARNING on. `json`: a JSON object a line, else text.
    """
    _Form.json = json
    number = logging.getLevelNamesMapping()[level]
    _speak_from(number)
    root = logging.getLogger()
    root.handlers[:] = [_Handler()]
    root.setLevel(logging.WARNING)
    for name in [*_ROOMS, "app"]:
        logging.getLogger(name).setLevel(number)
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger) and name.split(".")[0] in {*_LIBRARIES, "gunicorn"}:
            logger.handlers.clear()
            logger.propagate = True
            logger.setLevel(logging.NOTSET)
    for name in (*_LIBRARIES, "twilio.http_client"):  # which logs addresses and bodies at INFO
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("gunicorn.error").setLevel(logging.INFO)
    logging.getLogger("gunicorn.access").setLevel(
        logging.CRITICAL
    )  # our own access lines name the route only
    warnings.showwarning = _warned
    logging.raiseExceptions = False  # or a failing handler would print the record with its arguments
    sys.excepthook = _uncaught
    sys.unraisablehook = lambda broken: _report(broken.exc_value)
    threading.excepthook = lambda broken: _report(broken.exc_value)


def get(name: str) -> FilteringBoundLogger:
    """Give a logger; what it is told besides the event are the KEYS, with opaque ids and fixed words only."""
    return cast("FilteringBoundLogger", structlog.get_logger(name))


def masked(text: str) -> str:
    """Hide every run of five digits or more, in any script, spaced, dotted or escaped."""
    return _RUN.sub(_DIGITS, unicodedata.normalize("NFKC", text))


def shown_error(error: BaseException) -> dict[str, str]:
    """Reduce an error to its class, those it came from, and the last line of ours that it passed."""
    classes: list[str] = []
    place: str | None = None
    cause: BaseException | None = error
    while cause is not None and len(classes) < 5:
        classes.append(type(cause).__name__)
        place = place or _our_place(cause.__traceback__)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return {"error": "<".join(classes)} | ({"at": place} if place else {})


def _our_place(traceback: TracebackType | None) -> str | None:
    place = None
    while traceback is not None:
        path = Path(traceback.tb_frame.f_code.co_filename)
        if path.is_relative_to(_HOUSE) and path.relative_to(_HOUSE).parts[0] in {*_ROOMS, "app.py"}:
            place = f"{path.relative_to(_HOUSE)}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place


def _speak_from(level: int) -> None:
    structlog.configure(
        processors=[_finish],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_Stderr,
        cache_logger_on_first_use=False,
    )


def _finish(logger: WrappedLogger, level: str, event: EventDict) -> str:
    """Make the line; this is the last step, and the only one."""
    failed = event.pop("exc_info", None)
    if failed:
        error = failed if isinstance(failed, BaseException) else sys.exc_info()[1]
        event.update(shown_error(error) if error is not None else {})
    kept = {key: value for key, value in event.items() if key in KEYS}
    line: dict[str, object] = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "level": level,
        "event": _event(str(kept.pop("event", ""))),
        "logger": logger.name,
        **{key: _value(value) for key, value in kept.items() if key not in {"level", "logger"}},
    }
    if dropped := len(event.keys() - KEYS):
        line["dropped"] = dropped
    if _Form.json:
        return encoding.dumps(line)
    rest = [f"{key}={value}" for key, value in line.items() if key not in {"time", "level", "event"}]
    return f"{line['time']} {level:<8} {line['event']}  {' '.join(rest)}"


def _event(text: str) -> str:
    return _NOT_ASCII.sub(_TEXT, masked(" ".join(text.split())))[:_EVENT_LENGTH]


def _value(value: object) -> object:
    match value:
        case None | bool():
            shown: object = value
        case int() | float():
            shown = round(value, 3) if abs(value) <= _LARGEST_COUNT else _DIGITS
        case str() | UUID():
            shown = _token(str(value))
        case BaseException():
            shown = type(value).__name__
        case _:
            shown = f"<{type(value).__name__}>"
    return shown


def _token(value: str) -> str:
    """Show an id, a name or a route; never a sentence, and of digits only those of a random id."""
    if _OPAQUE.fullmatch(value):
        return value
    text = masked(value)
    return text if _TOKEN.fullmatch(text) else _TEXT


def _report(error: BaseException | None) -> None:
    if error is not None:
        get("uncaught").error("uncaught error", exc_info=error)


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001 - the signature of `warnings.showwarning`
    line: str | None = None,  # noqa: ARG001 - the signature of `warnings.showwarning`
) -> None:
    del message  # may quote anything
    get("warnings").warning("a warning", kind=category.__name__, at=f"{Path(filename).name}:{lineno}")


def _uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
    else:
        _report(error)


class _Handler(logging.Handler):
    """Takes the libraries' records, of whose arguments only plain numbers and classes of errors are shown."""

    def emit(self, record: logging.LogRecord) -> None:
        event: EventDict = {"event": _template(record)}
        if record.exc_info:
            event["exc_info"] = record.exc_info[1]
        library = _Stderr(record.name)
        library.msg(_finish(library, record.levelname.lower(), event))


def _template(record: logging.LogRecord) -> str:
    message = str(record.msg)
    if not record.args:
        return message
    try:
        if isinstance(record.args, Mapping):
            return message % {key: _harmless(value) for key, value in record.args.items()}
        return message % tuple(_harmless(value) for value in record.args)
    except (TypeError, ValueError, KeyError):  # the template wanted a number and was given none
        return message


def _harmless(value: object) -> object:
    match value:
        case bool() | int() | float():
            return value
        case BaseException():
            return type(value).__name__
        case _:
            return _TEXT


# A logger that is used before `configure` must not fall back on structlog's own ways, which show everything.
_speak_from(logging.INFO)
