"""A programme's text made into sound by the worker, a sentence at a time, each spoken once and kept."""

import hashlib
import re
import time
from pathlib import Path
from typing import Final

from gateway.runtime import Runtime
from gateway.services import dispatch, speech
from gateway.services.facts import PIECE_SECONDS
from gateway.store import outbox, outreach, sounds
from gateway.store.database import Session
from gateway.store.outbox import Duty
from gateway.store.outreach import WAVE_STEPS, Version, VersionState
from gateway.store.sounds import Rendering
from prompts.errors import SpeechError
from prompts.wav import cut, duration, join

SLICE: Final = 8.0  # seconds for which a worker speaks, before it lets calls go first
PAUSE_BETWEEN: Final = 0.4
SEVERAL: Final = "several"
"""The engine's name where one began and another had to go on."""
_SENTENCE_ENDS: Final = re.compile(r"(?<=[။!?\n])|(?<=\.)(?=\s)")
_BREATH: Final = re.compile(r"(?<=[၊,;:\s])")
_LONGEST_PIECE: Final = 400
_SAID: Final = re.compile(r"\w")


def pieces_of(text: str) -> list[str]:
    """A text as sentences, of which each is spoken, and kept, by itself: a changed one changes no other."""
    sentences = [sentence.strip() for sentence in _SENTENCE_ENDS.split(text)]
    return [part for sentence in sentences for part in _parts(sentence) if _SAID.search(part)]


def _parts(sentence: str) -> list[str]:
    """A sentence, or what a very long one is made of, cut where one breathes."""
    if len(sentence) <= _LONGEST_PIECE:
        return [sentence]
    parts = [""]
    for some in _BREATH.split(sentence):
        if len(parts[-1]) + len(some) > _LONGEST_PIECE:
            parts.append("")
        parts[-1] += some
    return [part.strip() for part in parts]


def render(runtime: Runtime, duty: Duty) -> None:
    """Speak the next sentences of a version for a slice of time; done, cut it into what the line plays."""
    with runtime.database.read() as session:
        version = outreach.version(session, duty.subject)
    if version is None or version.state is not VersionState.RENDERING:
        dispatch.finish(runtime, duty, "not_wanted")
        return
    pieces = pieces_of(version.text)
    began = time.monotonic()
    try:
        for number, piece in enumerate(pieces, start=1):
            if number <= version.pieces_done:
                continue
            _spoken(runtime, version.language, piece)
            with runtime.database.write() as session:
                outreach.change_version(session, version.id, pieces_done=number)
                if number < len(pieces) and time.monotonic() - began > SLICE:
                    outbox.again(session, duty.id, due=runtime.clock.now(), count=False)
                    return
        spoken = [_spoken(runtime, version.language, piece) for piece in pieces]
        whole = join([wav for _, wav in spoken], PAUSE_BETWEEN)
    except SpeechError:
        with runtime.database.write() as session:
            outreach.change_version(session, version.id, state=VersionState.FAILED)
            outbox.finish(session, duty.id, now=runtime.clock.now(), result="failed")
        return
    engines = {by.engine for by, _ in spoken}
    with runtime.database.write() as session:
        values = keep(session, runtime, whole)
        outreach.change_version(
            session,
            version.id,
            state=VersionState.READY,
            engine=engines.pop() if len(engines) == 1 else SEVERAL,
            robot=any(by.robot for by, _ in spoken),
            **values,
        )
        outbox.finish(session, duty.id, now=runtime.clock.now(), result="done")


def keep(session: Session, runtime: Runtime, whole: bytes) -> dict[str, str | int]:
    """Keep a programme's sound in the pieces that the line plays. Return what a version says of it."""
    from prompts.audio import wave  # noqa: PLC0415 - loads numpy, which nothing else in a web process needs

    names = []
    for piece in cut(whole, PIECE_SECONDS):
        names.append(runtime.shelf.put(piece))
        sounds.keep(session, names[-1], piece)
    return {
        "sounds": " ".join(names),
        "manifest": outreach.fingerprint(" ".join(names)),
        "seconds": round(duration(whole)),
        "wave": wave(whole, WAVE_STEPS),
    }


def whole_mp3(runtime: Runtime, version: Version) -> Path | None:
    """The whole programme as one small file, made at the first listening on this host; None without its sound."""
    name = version.fingerprint()
    if version.sounds and runtime.shelf.path(name, "mp3") is None:
        from prompts.audio import to_mp3  # noqa: PLC0415 - as above

        files = [speech.wav_file(runtime, sound) for sound in version.sounds]
        wavs = [file.read_bytes() for file in files if file]
        if len(wavs) < len(version.sounds):
            return None
        runtime.shelf.put(to_mp3(join(wavs, 0)), "mp3", made_of=name)
    return runtime.shelf.path(name, "mp3")


def _spoken(runtime: Runtime, language: str, piece: str) -> tuple[Rendering, bytes]:
    """A sentence's sound and who spoke it: made once for these engines in these versions, this language and text."""
    chain = speech.chain_of([name for name in runtime.settings.speech if name != "recorded"])
    voices = [f"{engine.name} {engine.version}" for engine in chain.engines]
    key = hashlib.sha256("\0".join((*voices, language, piece)).encode()).hexdigest()
    with runtime.database.read() as session:
        there = sounds.rendering(session, key)
        wav = sounds.wav(session, there.sound) if there else None
    if there and wav:
        return there, wav
    made = chain.speak(piece, language)
    new = Rendering(runtime.shelf.put(made.wav), made.engine, made.robot)
    with runtime.database.write() as session:
        sounds.keep(session, new.sound, made.wav)
        sounds.keep_rendering(session, key, new)
    return new, made.wav
