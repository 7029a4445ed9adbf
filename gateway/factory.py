"""`create_app`: the web application from a runtime; which faces it shows is a setting."""

import io
import os
import sys
import time
from collections.abc import Mapping
from functools import cached_property
from typing import IO
from urllib.parse import parse_qsl

from flask import Flask, Request, Response, g, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from gateway.errors import SettingsError
from gateway.logs import configure, get
from gateway.runtime import Runtime, build_runtime
from gateway.services.notice import refuse_unread
from gateway.services.overview import refuse_drafts
from gateway.settings import load
from gateway.web.health import health, metrics
from gateway.web.media import media
from gateway.web.sms import sms
from gateway.web.voice import voice

_log = get(__name__)
_SLOW = 2_000  # milliseconds
_LARGEST_UPLOAD = 20 * 1024 * 1024


def application(environ: Mapping[str, str]) -> Flask:
    """The application of this environment; a wrong setting ends the process with a line for each fault."""
    try:
        settings = load(environ)
        configure(settings.log_level, json=settings.mode == "production")
        refuse_unread(settings)
        runtime = build_runtime(settings)
        refuse_drafts(runtime)
    except SettingsError as error:
        sys.stderr.writelines(f"{fault}\n" for fault in error.faults)
        sys.exit(os.EX_CONFIG)
    return create_app(runtime)


class _Request(Request):
    """What is uploaded is held in memory, never in a file of its own on the disk, not even for a moment.

    A query that is no UTF-8 is still read, with marks in its place: nothing that is sent may be an error of ours.
    """

    @cached_property
    def args(self) -> MultiDict[str, str]:
        query = self.query_string.decode("utf-8", "replace")
        return self.parameter_storage_class(parse_qsl(query, keep_blank_values=True, errors="replace"))

    def _get_file_stream(self, *_about: object, **_more: object) -> IO[bytes]:
        return io.BytesIO()


def create_app(runtime: Runtime) -> Flask:
    """Wire the rooms that this process shows into one application."""
    app = Flask("gateway", static_folder=None)
    app.request_class = _Request
    app.extensions["hotline"] = runtime
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_UPLOAD
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.merge_slashes = False  # a webhook that is sent elsewhere loses its form
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _failed)
    app.before_request(_begun)
    app.after_request(_noted)
    app.register_blueprint(media)
    app.register_blueprint(health)
    if runtime.settings.faces in ("webhooks", "all"):
        app.register_blueprint(voice)
        app.register_blueprint(sms)
    if runtime.settings.faces in ("console", "all"):
        from gateway.console import create_console  # noqa: PLC0415 - a face that is not shown is not loaded

        app.register_blueprint(metrics)
        app.register_blueprint(create_console(runtime))
    if runtime.settings.simulated:
        from gateway.simulated import create_phones  # noqa: PLC0415 - nor is the demo's phone network

        app.register_blueprint(create_phones(runtime))
    return app


def _begun() -> None:
    g.began = time.perf_counter()


def _noted(response: Response) -> Response:
    """The access log: the route's template and never the address, for who looks for what went wrong or was slow."""
    milliseconds = 1000 * (time.perf_counter() - g.get("began", time.perf_counter()))
    odd = response.status_code >= 400 or milliseconds > _SLOW
    note = _log.info if odd else _log.debug
    route = request.url_rule.rule if request.url_rule else "none"
    note(
        "request", route=route, method=request.method, status=response.status_code, milliseconds=milliseconds
    )
    return response


def _refused(error: HTTPException) -> Response:
    """Refusals of the outside carry no words; the console has its own pages for its own."""
    told = [(name, value) for name, value in error.get_headers() if name in ("Allow", "Content-Range")]
    return Response(status=error.code or 500, headers=told)


def _failed(error: Exception) -> Response:
    _log.error("request_failed", error=type(error).__name__, exc_info=error)
    return Response(status=500)
