"""What stands around every page: language, headers, compression, one place for what goes wrong."""

import gzip
import hashlib
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    g,
    get_flashed_messages,
    make_response,
    render_template,
    request,
    session,
    url_for,
)
from flask.sansio.app import App
from flask.typing import ResponseReturnValue
from flask_babel import Babel
from flask_wtf.csrf import generate_csrf
from werkzeug.exceptions import HTTPException, InternalServerError, NotFound

from gateway.console import programme_words, words
from gateway.console.gates import AUDITORS, COORDINATORS, COUNSELORS, Gates, with_code
from gateway.errors import GatewayError, KeystoreDown, Refused, StoreDown
from gateway.logs import get
from gateway.runtime import Runtime

PREFIX: Final = "/console"
LANGUAGES: Final = {"my": "မြန်မာ", "en": "English"}
_HERE = Path(__file__).parent
_FILES: Final = {
    "console.css": "text/css",
    "console.js": "text/javascript",
    "locking.js": "text/javascript",
    "passkeys.js": "text/javascript",
    "seeing.css": "text/css",
    "texting.js": "text/javascript",
    "recorder.js": "text/javascript",
    "icon.svg": "image/svg+xml",
    "noto-sans-myanmar.woff2": "font/woff2",
    "noto-sans-myanmar.LICENSE.txt": "text/plain",
}
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
        "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
_RECORDS: Final = {  # pages with a microphone
    "console.wording", "console.change", "console.record",
    "console.write", "console.written", "console.changing", "console.changed",
}  # fmt: skip
_SMALLEST = 800  # bytes below which compressing saves no packet
_log = get(__name__)


def put_around(blueprint: Blueprint, runtime: Runtime, gates: Gates) -> None:
    """Give the console its languages, headers and error pages; nothing outside of it changes."""
    frame = _Frame(runtime, gates)
    blueprint.record_once(lambda state: frame.speak(state.app))
    blueprint.before_request(frame.choose_language)
    blueprint.context_processor(frame.around)
    blueprint.after_request(frame.protect)
    blueprint.register_error_handler(Refused, frame.refused)
    blueprint.register_error_handler(StoreDown, frame.away)
    blueprint.register_error_handler(KeystoreDown, frame.away)
    blueprint.register_error_handler(HTTPException, frame.wrong)
    blueprint.register_error_handler(Exception, frame.failed)


def page(template: str, **values: Any) -> str:
    return render_template(f"console/{template}.html", **values)


def live(template: str, **values: Any) -> ResponseReturnValue:
    """Show a page whose part `<template>_live` is looked at again and again.

    Asked for with `?part=live` it is only that part, and nothing at all where the reader has it already.
    """
    if request.args.get("part") != "live":
        return page(template, **values)
    html = page(f"{template}_live", **values)
    response = make_response(html)
    unsigned = html.replace(generate_csrf(), "")  # signed with the time: new every second, and no news
    response.set_etag(hashlib.sha256(unsigned.encode()).hexdigest()[:20])
    return response.make_conditional(request)


def static(name: str) -> Response:
    """A file of ours; its address changes with its bytes, so it is kept for ever."""
    if name not in _FILES:
        abort(404)
    response = Response(_bytes(name), mimetype=_FILES[name])
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def lost(rest: str) -> ResponseReturnValue:  # noqa: ARG001 - whatever it was, it is not here
    abort(404)


@cache
def _bytes(name: str) -> bytes:
    return (_HERE / "static" / name).read_bytes()


@cache
def _stamp(name: str) -> str:
    return hashlib.sha256(_bytes(name)).hexdigest()[:8]


class _Frame:
    def __init__(self, runtime: Runtime, gates: Gates) -> None:
        self._runtime = runtime
        self._gates = gates

    # --- language -------------------------------------------------------------------------------------

    def speak(self, app: App) -> None:
        translations = str(_HERE / "translations")
        Babel(
            cast("Flask", app), default_translation_directories=translations, locale_selector=self._language
        )

    def choose_language(self) -> None:
        if request.args.get("lang") in LANGUAGES and self._gates.route():
            session["language"] = request.args["lang"]

    def _language(self) -> str:
        """What was chosen here; else the account's own; before signing in, and in a demo, the browser's."""
        chosen = session.get("language")
        account = g.get("account")
        if chosen in LANGUAGES:
            return cast("str", chosen)
        if account and account.language in LANGUAGES and self._runtime.settings.mode != "demo":
            return cast("str", account.language)
        return request.accept_languages.best_match(LANGUAGES) or "my"

    # --- around a page --------------------------------------------------------------------------------

    def around(self) -> dict[str, Any]:
        settings = self._runtime.settings
        account = None if "visit" in g and g.visit.locked else g.get("account")
        now = self._now()
        return {
            "title": settings.issuer,
            "account": account,
            "coordinates": bool(account and account.role in COORDINATORS),
            "counsels": bool(account and account.role in COUNSELORS),
            "audits": bool(account and account.role in AUDITORS),
            "lang": words.reading(),
            "languages": LANGUAGES,
            "here": request.path if request.method == "GET" else url_for("console.queue"),
            "demo": settings.mode == "demo",
            "simulated": settings.simulated,
            "now": now,
            "words": words,
            "programme_words": programme_words,
            "_": words.tell_safely,
            "refusal": g.get("refusal"),
            "done": get_flashed_messages(),
            "csrf_token": generate_csrf,
            "static": lambda name: url_for("console.static", name=name, v=_stamp(name)),
        }

    def _now(self) -> datetime:
        return self._runtime.clock.now().astimezone(self._runtime.settings.timezone)

    def protect(self, response: Response) -> Response:
        response.headers.update(_HEADERS)
        if request.endpoint in _RECORDS:
            response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(self)"
        if request.endpoint != "console.static":
            response.headers["Cache-Control"] = "no-store"
        if self._runtime.settings.mode == "demo" and request.args.get("part"):
            response.headers["X-Demo-Time"] = words.demo_time(self._now())
        return _compressed(response)

    # --- what goes wrong ------------------------------------------------------------------------------

    def refused(self, error: Refused) -> ResponseReturnValue:
        """The same page once more, with a sentence that says why not."""
        route, code = self._gates.route(), 429 if error.reason_key == "busy" else 409
        if route and route.again and not g.get("refusal"):
            g.refusal = error.reason_key
            try:
                return with_code(route.again(**(request.view_args or {})), code)
            except (Refused, NotFound):  # the page itself is gone
                pass
        return self._told(words.REASONS.get(error.reason_key, words.REASONS["not_now"]), code)

    def away(self, error: GatewayError) -> ResponseReturnValue:
        _log.error("console_away", error=type(error).__name__)
        return self._told(words.AWAY, 503)

    def wrong(self, error: HTTPException) -> ResponseReturnValue:
        code = error.code or 500
        if error.response is not None or code < 400:
            return error.get_response()
        return self._told(words.WRONG.get(code, words.FAILED), code)

    def failed(self, error: Exception) -> ResponseReturnValue:
        """A fault of ours: its class is logged, and nobody is shown what was in it."""
        _log.error("request_failed", error=type(error).__name__, exc_info=error)
        return self._told(words.FAILED, InternalServerError.code)

    def _told(self, sentence: str, code: int) -> ResponseReturnValue:
        return with_code(page("told", sentence=words.tell(sentence)), code)


def _compressed(response: Response) -> Response:
    """On 2G a page of Burmese is a fifth as long when packed.

    What is packed may be guessed at by its length, by one who has the reader's browser ask again and again
    (BREACH): a cookie with SameSite=Strict does not travel on another site's requests.
    """
    kind = response.mimetype or ""
    packable = kind.startswith("text/") or kind == "image/svg+xml"
    if response.is_streamed:
        return response
    if not packable or response.status_code in (204, 304) or not request.accept_encodings.quality("gzip"):
        return response
    response.vary.add("Accept-Encoding")
    data = response.get_data()
    if len(data) >= _SMALLEST:
        etag, _ = response.get_etag()
        response.set_data(gzip.compress(data, 6, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
        if etag:
            response.set_etag(etag, weak=True)
    return response
