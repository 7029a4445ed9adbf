"""Where a call stands, sealed together with the version of the content that it began with and goes on with."""

import json

from gateway.runtime import Runtime
from gateway.vault import Place
from ivr.engine import State


def sealed(runtime: Runtime, place: Place, state: State) -> bytes:
    """For a row, or an address, of `place`; `runtime` is of the call's version."""
    data = {"version": runtime.edition.number, "state": state.to_json()}
    return runtime.vault.seal_here(place, json.dumps(data, separators=(",", ":")).encode())


def opened(runtime: Runtime, place: Place, data: bytes) -> tuple[Runtime, State | None]:
    """The state, and the runtime of its version; None for a call whose version cannot be had here and now.

    Raises `BadSeal` and `KeystoreDown` as the vault does.
    """
    there = json.loads(runtime.vault.open_here(place, data))
    edition = runtime.editions.numbered(there["version"])
    return (runtime, None) if edition is None else (runtime.at(edition), State.from_json(there["state"]))
