"""What the page and the terminal may do with a handset."""

from typing import Any

from flask import abort

from gateway.simulator.network import Network
from ivr.burmese.zawgyi import unicode_to_zawgyi

_DEEDS = frozenset({"dial", "press", "answer", "hangup", "text", "machine"})


def perform(network: Network, name: str, deed: str, given: Any) -> bool:
    """Do one deed and return whether it could be done; 404 for what there is not, 400 for nonsense."""
    if name not in network.phones or deed not in _DEEDS:
        abort(404)
    match deed, given:
        case "dial", {"to": str(to)}:
            done = network.dial(name, to) is not None
        case "press", {"key": str(key)} if len(key) == 1 and key in "0123456789*#":
            done = network.press(name, key)
        case "answer", _:
            done = network.answer(name)
        case "hangup", _:
            network.hang_up(name)
            done = True
        case "text", {"to": str(to), "words": str(words)}:
            travels = unicode_to_zawgyi(words) if given.get("shows") == "zawgyi" else words
            done = network.text(name, to, travels) is not None
        case "machine", {"on": bool(on)}:
            network.set_machine(name, on)
            done = True
        case _:
            abort(400)
    return done
