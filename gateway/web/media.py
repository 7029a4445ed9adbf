"""Sounds by the hash of their bytes: immutable, so that carriers and browsers fetch each once."""

import re
from typing import Final

from flask import Blueprint, Response, request, send_file

from gateway.services import speech
from gateway.web.guard import public, refusal, runtime

media = Blueprint("media", __name__)

_HASH: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_YEAR: Final = 31_536_000


@media.get("/audio/<name>.wav")
@public
def wav(name: str) -> Response:
    return _sound(name, "wav", "audio/wav", tag=name)


@media.get("/audio/<name>.mp3")
@public
def mp3(name: str) -> Response:
    """The same sound a quarter of the size, for listening in the console."""
    return _sound(name, "mp3", "audio/mpeg", tag=f"{name}-mp3")


def _sound(name: str, suffix: str, mimetype: str, *, tag: str) -> Response:
    found = speech.sound_file(runtime(), name, suffix) if _HASH.fullmatch(name) else None
    if found is None:
        return refusal(404)
    wanted = request.range
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) > 1:  # all of it is a right answer
        request.environ.pop("HTTP_RANGE", None)
    response = send_file(found, mimetype=mimetype, etag=tag, max_age=_YEAR, conditional=True)
    response.cache_control.public = True
    response.cache_control.immutable = True
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
