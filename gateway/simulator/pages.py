"""The simulator's page: two handsets, the demo clock, and what the network and the hotline hold back."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from gateway.clock import DemoClock
from gateway.simulator import view
from gateway.simulator.deeds import perform
from gateway.simulator.network import Network
from gateway.simulator.numbers import CALLER, COUNSELOR
from gateway.simulator.rest import create_rest
from gateway.simulator.terminal_api import create_terminal

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_KINDS = {"public": "Hotline", "missed": "Missed-call number", "counselors": "Counselors' line"}
_PHONE_BOOK = {CALLER: ("public", "missed"), COUNSELOR: ("counselors", "public")}


def create_simulator(
    network: Network,
    *,
    clock: DemoClock,
    captions: view.Captions,
    reasons: Callable[[], list[str]],
    reset: Callable[[], None],
    console_url: str,
) -> Blueprint:
    """Return everything below `/simulator`: the page, the terminal's addresses and the REST API.

    `captions` gives, for the hash of a sound, its words by language; `reasons` says why anything is
    withheld; `reset` empties the hotline's own data (the network's is emptied here). A CSRF guard of
    the application must leave this blueprint out: it has its own token.
    """
    blueprint = Blueprint(
        "simulator",
        __name__,
        url_prefix="/simulator",
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
    pages = _Pages(network, clock, captions, reasons, reset, console_url, secrets.token_urlsafe(24))
    blueprint.after_request(_protect)
    blueprint.add_url_rule("/", "page", pages.page)
    blueprint.add_url_rule("/state", "state", pages.state)
    blueprint.add_url_rule("/phones/<name>/<deed>", "act", pages.act, methods=["POST"])
    blueprint.add_url_rule("/clock", "clock", pages.skip, methods=["POST"])
    blueprint.add_url_rule("/reset", "reset", pages.start_again, methods=["POST"])
    blueprint.register_blueprint(create_rest(network))
    blueprint.register_blueprint(create_terminal(network, captions))
    return blueprint


@dataclass(frozen=True)
class _Pages:
    network: Network
    clock: DemoClock
    captions: view.Captions
    reasons: Callable[[], list[str]]
    reset: Callable[[], None]
    console_url: str
    token: str

    def page(self) -> str:
        return render_template(
            "simulator/page.html",
            token=self.token,
            console_url=self.console_url,
            phones=[_handset(self.network, name) for name in (CALLER, COUNSELOR)],
            skips=view.skips(self.clock.now()),
        )

    def state(self) -> ResponseReturnValue:
        shown = view.everything(self.network, self.captions) | {"reasons": self.reasons()}
        stamp = hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:16]
        if request.args.get("since") == stamp:
            return "", 204
        return jsonify(shown | {"stamp": stamp, "now": self._time(), "tick": monotonic()})

    def act(self, name: str, deed: str) -> ResponseReturnValue:
        self._guard()
        return jsonify({"done": perform(self.network, name, deed, request.get_json())})

    def skip(self) -> ResponseReturnValue:
        self._guard()
        places = {place.name: place.at for place in view.skips(self.clock.now())}
        match request.get_json():
            case {"to": str(wanted)} if wanted in places:
                self.clock.skip_to(places[wanted])
            case _:
                abort(400)
        return jsonify({"now": self._time()})

    def start_again(self) -> ResponseReturnValue:
        self._guard()
        self.network.reset()
        self.clock.reset()  # before the data: what is made anew begins in the morning, too
        self.reset()
        return jsonify({"now": self._time()})

    def _time(self) -> float:
        return self.clock.now().timestamp()

    def _guard(self) -> None:
        """Let only this page's own requests act: another site must not press keys here."""
        origin = request.headers.get("Origin")
        same_site = request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
        same_origin = origin is None or urlsplit(origin).netloc == request.host
        given = request.headers.get("X-Simulator-Token", "")
        if not (same_site and same_origin and hmac.compare_digest(given.encode(), self.token.encode())):
            abort(403)


def _protect(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    if request.endpoint != "simulator.static":
        response.headers["Cache-Control"] = "no-store"
    return response


def _handset(network: Network, name: str) -> dict[str, Any]:
    book = [
        {"number": line.number, "label": _KINDS.get(line.kind, line.kind)}
        for kind in _PHONE_BOOK[name]
        for line in network.lines.values()
        if line.kind == kind
    ]
    return {"name": name, "number": network.phones[name].number, "book": book}
