"""Ties the simulator, which knows only its own wire, to this hotline: lines, captions, reasons, starting over."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from flask import Blueprint

from gateway.clock import DemoClock
from gateway.runtime import Runtime
from gateway.services import demo, overview
from gateway.services.overview import Withheld
from gateway.simulator.network import Network
from gateway.simulator.pages import create_simulator
from gateway.simulator.view import Caption
from gateway.store import outreach

_WHY = {
    "quiet_hours": "Quiet hours until {until}: nobody is rung who did not ask for “within the hour”.",
    "nobody_on_shift": "Nobody is on shift: callers are told so before they choose. In the console: “Go on shift”.",
    "outside_hours": "Outside the opening hours: callers hear that nobody rings within the hour, and when it opens.",
    "not_yet": "Waiting for their time: {count}. Nobody is rung before {until}.",
    "expired": "Expired: {count}. Their time passed, so they are never rung, and the numbers are destroyed.",
    "withdrawn": "Withdrawn by the callers: {count}. Never rung, and the numbers are destroyed.",
    "wrong_person": "Ended because somebody else answered: {count}. Not rung again.",
    "no_consent": "Asked for programmes by call and not confirmed yet: {count}. No programme is sent to them.",
}


def create_phones(runtime: Runtime) -> Blueprint:
    """The simulated phones of this demo, mounted under `/simulator`."""
    settings = runtime.settings
    clock = runtime.clock
    if not isinstance(clock, DemoClock):
        raise TypeError("the simulator needs the demo's clock")
    kinds = (
        ("public", settings.numbers),
        ("missed", settings.missed_call_numbers),
        ("counselors", settings.counselor_numbers),
    )
    network = Network(
        settings.twilio_account_sid,
        settings.twilio_auth_token,
        settings.public_url,
        {number.reveal("demo"): kind for kind, numbers in kinds for number in numbers},
        now=clock.now,
    )
    return create_simulator(
        network,
        clock=clock,
        captions=lambda sound: _captions(runtime, sound),
        reasons=lambda: [_sentence(one, settings.timezone) for one in overview.withheld(runtime)],
        reset=lambda: demo.reset(runtime),
        console_url="/console/",
    )


def _captions(runtime: Runtime, sound: str) -> Mapping[str, Caption]:
    """What a sound says, in every language there is a wording for."""
    prompt = runtime.voices.spoken_by(sound)
    if prompt is not None:
        return {
            language: Caption(runtime.library.voice(language, prompt.key).text, prompt.robot, "prompt")
            for language in runtime.library.languages
        }
    with runtime.database.read() as session:
        version = outreach.version_of_sound(session, sound)
    return {} if version is None else {version.language: Caption(version.text, version.robot, "programme")}


def _sentence(withheld: Withheld, zone: ZoneInfo) -> str:
    until = f"{withheld.until.astimezone(zone):%H:%M}" if withheld.until else ""
    return _WHY[withheld.why].format(count=withheld.count, until=until)
