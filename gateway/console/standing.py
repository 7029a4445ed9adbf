"""How things stand, in counts without identities; and the switches for optional features."""

from dataclasses import dataclass

from flask import flash, request
from flask.typing import ResponseReturnValue

from gateway.console import words
from gateway.console.frame import page
from gateway.console.gates import go, me
from gateway.runtime import Runtime
from gateway.services import overview, switching


@dataclass(frozen=True)
class Standing:
    runtime: Runtime

    def page(self) -> ResponseReturnValue:
        return page(
            "standing",
            counts=overview.status(self.runtime),
            withheld=overview.withheld(self.runtime),
            features={
                name: (name in self.runtime.settings.features, self.runtime.switches.on(name))
                for name in words.FEATURES
            },
        )

    def switch(self) -> ResponseReturnValue:
        switching.turn(
            self.runtime,
            request.form.get("feature", ""),
            on=request.form.get("on") == "1",
            account=me().id,
        )
        flash("switched")
        return go("standing")
