"""The accounts: aliases, roles and who is on shift. Never a number."""

from dataclasses import dataclass

from flask.typing import ResponseReturnValue

from gateway.console.frame import page
from gateway.runtime import Runtime
from gateway.services import counselors


@dataclass(frozen=True)
class People:
    runtime: Runtime

    def page(self) -> ResponseReturnValue:
        everyone = counselors.everyone(self.runtime)
        return page("people", everyone=sorted(everyone, key=lambda one: (one.disabled, not one.on_shift)))
