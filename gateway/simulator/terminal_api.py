"""The terminal's way to a handset: JSON for whoever knows the account and its token."""

import hmac
from time import monotonic

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue

from gateway.simulator import view
from gateway.simulator.deeds import perform
from gateway.simulator.network import Network
from gateway.simulator.numbers import CALLER


def create_terminal(network: Network, captions: view.Captions) -> Blueprint:
    """Return the addresses below `/simulator/terminal`; a handset is named in them, never its number."""
    blueprint = Blueprint("terminal", __name__, url_prefix="/terminal")

    @blueprint.before_request
    def authenticate() -> None:
        given = request.authorization
        password = given.password if given is not None and given.username == network.account_sid else None
        if password is None or not hmac.compare_digest(password.encode(), network.auth_token.encode()):
            abort(401)

    @blueprint.post("/open")
    def take_handset() -> ResponseReturnValue:
        asked = request.get_json()
        if not isinstance(asked, dict):
            abort(400)
        number = asked.get("from")
        shown = network.phones[CALLER] if number is None else network.phone_at(str(number))
        lines = [{"number": line.number, "kind": line.kind} for line in network.lines.values()]
        return jsonify({"phone": shown.name, "lines": lines, "speed": network.speed})

    @blueprint.get("/phones/<name>")
    def look(name: str) -> ResponseReturnValue:
        if name not in network.phones:
            abort(404)
        shown = view.phone(network, network.phones[name], captions)
        return jsonify(shown | {"tick": monotonic()})

    @blueprint.post("/phones/<name>/<deed>")
    def act(name: str, deed: str) -> ResponseReturnValue:
        return jsonify({"done": perform(network, name, deed, request.get_json())})

    return blueprint
