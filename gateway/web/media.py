"""Sounds by the hash of their bytes: immutable, so that carriers and browsers fetch each once."""

import io
import re
from typing import Final

from flask import Blueprint, Response, send_file

from gateway.services import speech
from gateway.web.guard import public, refusal, runtime
from prompts.audio import to_mp3

media = Blueprint("media", __name__)

_HASH: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_YEAR: Final = 31_536_000


@media.get("/audio/<name>.wav")
@public
def wav(name: str) -> Response:
    path = speech.wav_file(runtime(), name) if _HASH.fullmatch(name) else None
    if path is None:
        return refusal(404)
    return _immutable(send_file(path, mimetype="audio/wav", etag=name, max_age=_YEAR, conditional=True))


@media.get("/audio/<name>.mp3")
@public
def mp3(name: str) -> Response:
    """The same sound a quarter of the size, for listening in the console."""
    path = speech.wav_file(runtime(), name) if _HASH.fullmatch(name) else None
    if path is None:
        return refusal(404)
    data = io.BytesIO(to_mp3(path.read_bytes()))
    tag = f"{name}-mp3"
    return _immutable(send_file(data, mimetype="audio/mpeg", etag=tag, max_age=_YEAR, conditional=True))


def _immutable(response: Response) -> Response:
    response.cache_control.public = True
    response.cache_control.immutable = True
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
