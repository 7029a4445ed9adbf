"""Stopping everything: the lock, which is reversible, and behind it the wipe, which is not."""

from dataclasses import dataclass

from flask import flash, request
from flask.typing import ResponseReturnValue

from gateway.console import words
from gateway.console.frame import page
from gateway.console.gates import go, me
from gateway.runtime import Runtime
from gateway.services import halting, wiping


@dataclass(frozen=True)
class Stopping:
    runtime: Runtime

    def page(self) -> ResponseReturnValue:
        watch = halting.watch(self.runtime)
        return page(
            "stop",
            halted=self.runtime.switches.halted,
            locks_at=watch.locks_at.astimezone(self.runtime.settings.timezone) if watch else None,
            word=wiping.WORD,
        )

    def lock(self) -> ResponseReturnValue:
        """Ends this session, too."""
        halting.lock(self.runtime, by=me())
        flash("locked_all")
        return go("sign_in")

    def unlock(self) -> ResponseReturnValue:
        halting.unlock(self.runtime, by=me(), code=_code())
        flash("unlocked_all")
        return go("home")

    def wipe(self) -> ResponseReturnValue:
        steps = wiping.as_admin(self.runtime, me(), code=_code(), word=request.form.get("word", "")[:20])
        failed = any(step.why for step in steps)
        return page("told", sentence=words.tell(words.WIPED_PARTLY if failed else words.WIPED))


def _code() -> str:
    return request.form.get("code", "").strip()[:20]
