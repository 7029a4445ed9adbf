"""Optional features, turned on and off by people while the hotline runs."""

from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.store import audit


def turn(runtime: Runtime, feature: str, *, on: bool, account: str) -> None:
    """Takes effect here at once, elsewhere within seconds. Raises `Refused` for what the settings do not name."""
    if feature not in runtime.settings.features:
        raise Refused("no_such_feature")
    now = runtime.clock.now()
    with runtime.database.write() as session:
        audit.switch(session, feature, "on" if on else "off", now)
        audit.note(session, what=f"{feature}_{'on' if on else 'off'}", account=account, subject=None, now=now)
    runtime.switches.forget()
